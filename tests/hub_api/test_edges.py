"""Where two rules of the API meet. Facts are those of "HubSpot CRM"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.hub_api.serving import Serving, serving

from twofold.database.sqlite import Database
from twofold.hub.tables import APPLICATION_ID, MIGRATIONS

C = "/crm/v3/objects/contacts"
A = "/crm/v4/associations/contacts/companies"


def made(hub: Serving, kind: str = "contacts", **properties: str) -> str:
    return str(hub("POST", f"/crm/v3/objects/{kind}", {"properties": properties}).json["id"])


def found(hub: Serving, *filters: dict[str, str]) -> list[str]:
    answer = hub("POST", f"{C}/search", {"filterGroups": [{"filters": filters}]})
    return [one["id"] for one in answer.json["results"]]


def ends(hub: Serving, contact: str) -> dict[str, set[Any]]:
    answer = hub("GET", f"/crm/v4/objects/contacts/{contact}/associations/companies").json
    return {
        one["toObjectId"]: {kind["label"] for kind in one["associationTypes"]}
        for one in answer["results"]
    }


def test_one_create_without_a_trace_id_makes_the_batch_whole(hub: Serving) -> None:
    # Row "Per-item errors": without trace ids a create batch fails whole.
    bad = {"properties": {"nosuch": "x"}, "objectWriteTraceId": "1"}
    inputs = [bad, {"properties": {"city": "Whole"}}]
    assert hub("POST", f"{C}/batch/create", {"inputs": inputs}).status == 400
    assert found(hub, {"propertyName": "city", "operator": "EQ", "value": "Whole"}) == []


def test_a_label_goes_and_the_primary_one_stays(hub: Serving) -> None:
    contact = made(hub, city="Tie")
    first, second = made(hub, "companies", name="One"), made(hub, "companies", name="Two")
    numbers = hub("POST", f"{A}/labels", {"label": "Founder"}).json["results"]
    own = {"associationCategory": "USER_DEFINED", "associationTypeId": numbers[0]["typeId"]}
    primary = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}
    path = f"/crm/v4/objects/contacts/{contact}/associations/companies"
    assert hub("PUT", f"{path}/{second}", [own]).json["labels"] == ["Founder"]
    hub("PUT", f"{path}/{first}", [primary, own])
    assert ends(hub, contact) == {first: {None, "Primary", "Founder"}, second: {None, "Founder"}}

    def off(company: str, spec: dict[str, Any]) -> None:
        pair = {"from": {"id": contact}, "to": {"id": company}, "types": [spec]}
        assert hub("POST", f"{A}/batch/labels/archive", {"inputs": [pair]}).status == 204

    off(first, own)
    assert ends(hub, contact) == {first: {None, "Primary"}, second: {None, "Founder"}}
    off(first, primary)
    assert ends(hub, contact) == {first: {None}, second: {None, "Founder"}}


def test_an_association_is_made_from_either_end(hub: Serving) -> None:
    contact, company = made(hub, city="End"), made(hub, "companies", name="End")
    # Row "Associations": company to primary contact 2; contact to company 279; deal to contact 3.
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 2}
    path = f"/crm/v4/objects/companies/{company}/associations/contacts/{contact}"
    assert hub("PUT", path, [spec]).status == 201
    assert ends(hub, contact) == {company: {None, "Primary"}}
    back = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 280}
    tie = {"to": {"id": contact}, "types": [back]}
    other = hub(
        "POST", "/crm/v3/objects/companies", {"properties": {"name": "New"}, "associations": [tie]}
    ).json["id"]
    assert ends(hub, contact) == {company: {None, "Primary"}, other: {None}}
    counted = hub("GET", f"/crm/v3/objects/companies/{other}?properties=num_associated_contacts")
    assert counted.json["properties"]["num_associated_contacts"] == "1"
    deal = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}
    given = {"properties": {"dealname": "x"}, "associations": [{**tie, "types": [deal]}]}
    made_deal = hub("POST", "/crm/v3/objects/deals", given).json["id"]
    read = hub("GET", f"{C}/{contact}?associations=deals,companies").json["associations"]
    assert read["deals"]["results"] == [{"id": made_deal, "type": "contact_to_deal"}]
    assert len(read["companies"]["results"]) == 3


def test_an_archive_by_a_merged_away_id_leaves_the_survivor(hub: Serving) -> None:
    # Row "Delete / merge": only a read by that id gives the survivor.
    winner, loser = made(hub, city="Merge"), made(hub, city="Merge", zip="1")
    merge = {"primaryObjectId": winner, "objectIdToMerge": loser}
    assert hub("POST", f"{C}/merge", merge).json["id"] == winner
    assert hub("DELETE", f"{C}/{loser}").status == 204
    hub("POST", f"{C}/gdpr-delete", {"objectId": loser})
    hub("POST", f"{C}/batch/archive", {"inputs": [{"id": loser}]})
    assert hub("GET", f"{C}/{loser}?properties=zip").json["properties"]["zip"] == "1"


def test_a_search_from_a_time_on_holds_that_time(hub: Serving) -> None:
    # Row "Change feed A": GTE a cursor, sorted; more than one at the same time by id.
    hub.clock.move(3_600.5)
    at = str(int(hub.clock().timestamp() * 1_000))
    ids = [made(hub, city="Time") for _ in range(3)]
    changed = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": at}
    assert found(hub, changed) == ids
    assert found(hub, {**changed, "operator": "GT"}) == []
    above = {"propertyName": "hs_object_id", "operator": "GT", "value": ids[0]}
    assert found(hub, changed, above) == ids[1:]
    assert found(hub, {**changed, "value": hub.clock().isoformat()}) == ids
    groups = [{"filters": [changed]}, {"filters": [{**above, "value": "0"}]}]
    both = hub("POST", f"{C}/search", {"filterGroups": groups, "limit": 200}).json["total"]
    assert both > len(ids)  # one of the groups suffices


def test_a_hub_of_an_older_version_gets_its_api(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    old = Database(path, MIGRATIONS[:2], application_id=APPLICATION_ID)
    old.connection.execute("INSERT INTO owner (email, name) VALUES ('o@example.org', 'An Owner')")
    old.close()
    with serving(path) as hub:
        (owner,) = hub("GET", "/crm/v3/owners").json["results"]
        assert (owner["firstName"], owner["lastName"]) == ("An", "Owner")
        given = {"properties": {"city": "x", "hubspot_owner_id": owner["id"]}}
        assert hub("POST", C, given).status == 201
