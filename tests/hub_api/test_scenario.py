"""The official client at work against `twofold up`: what it expects is what it finds.

Facts are those of "HubSpot CRM": the rows are named where a fact is asserted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4 import models as ties
from hubspot.crm.companies import SimplePublicObjectInputForCreate as NewCompany
from hubspot.crm.contacts import (
    BatchInputSimplePublicObjectBatchInput,
    BatchInputSimplePublicObjectBatchInputForCreate,
    BatchInputSimplePublicObjectBatchInputUpsert,
    BatchInputSimplePublicObjectId,
    BatchReadInputSimplePublicObjectId,
    Filter,
    FilterGroup,
    PublicGdprDeleteInput,
    PublicMergeInput,
    PublicObjectSearchRequest,
    SimplePublicObjectBatchInput,
    SimplePublicObjectBatchInputForCreate,
    SimplePublicObjectBatchInputUpsert,
    SimplePublicObjectId,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)
from hubspot.crm.contacts.exceptions import ApiException
from hubspot.crm.deals import SimplePublicObjectInputForCreate as NewDeal
from hubspot.crm.properties import PropertyCreate
from hubspot.crm.properties.exceptions import ApiException as PropertyException
from tests.service.service import service

_DAILY = 1_000_000


def test_the_official_client_finds_what_it_expects(tmp_path: Path) -> None:
    with service(tmp_path / "data") as up:
        secret = up.program.json("hub", "token", "make", "client")["token"]
        client = HubSpot(access_token=secret, host=up.url, base_url=up.url)
        ada = one_contact(client)
        errors_of_one(client, ada)
        made = batches(client)
        listing(client, made)
        searching(client, made)
        company = companies(client)
        deal = deals(client)
        associations(client, ada, company, deal)
        metadata(client)
        merging(client, made)
        leaving(client, made)
        answer = client.api_request({"path": "/crm/v3/owners"})
        left = int(answer.headers["X-HubSpot-RateLimit-Daily-Remaining"])  # row "Limits"
        assert _DAILY - left >= 60
        assert not up.events("hub api failed")


def one_contact(client: HubSpot) -> str:
    api = client.crm.contacts.basic_api
    given = {"email": "ada@example.org", "firstname": "Ada", "hs_email_optout": "true"}
    made = api.create(SimplePublicObjectInputForCreate(properties=given, associations=[]))
    assert made.properties["email"] == "ada@example.org"
    # Row "Record shape": all values are text; row "Encoding": booleans are "true" and "false".
    assert made.properties["hs_email_optout"] == "true"
    assert made.properties["hs_object_id"] == made.id
    assert not made.archived

    found = api.get_by_id(made.id, properties=["lastname", "hs_email_optout", "no_such"])
    assert found.properties["lastname"] is None
    assert "no_such" not in found.properties
    by_email = api.get_by_id("ADA@example.org", id_property="email")
    assert by_email.id == made.id

    changes = {"lastname": "Lovelace", "date_of_birth": "1815-12-10", "hs_buying_role": "CHAMPION"}
    api.update(made.id, SimplePublicObjectInput(properties=changes))
    asked = ["lastname", "date_of_birth", "hs_buying_role"]
    assert changes.items() <= api.get_by_id(made.id, properties=asked).properties.items()

    # Row "Encoding": a leading semicolon adds; "" clears; dates also as midnight in milliseconds.
    more = {"hs_buying_role": ";BLOCKER", "lastname": "", "date_of_birth": "-4862678400000"}
    api.update(made.id, SimplePublicObjectInput(properties=more))
    found = api.get_by_id(made.id, properties=asked)
    assert found.properties["hs_buying_role"] == "CHAMPION;BLOCKER"
    assert found.properties["lastname"] is None
    assert found.properties["date_of_birth"] == "1815-11-29"

    # Row "Encoding": the lifecycle stage only moves forward unless it is cleared.
    for stage, expected in (("customer", "customer"), ("lead", "customer"), ("", None)):
        changes = {"lifecyclestage": stage}
        api.update("ada@example.org", SimplePublicObjectInput(changes), id_property="email")
        found = api.get_by_id(made.id, properties=["lifecyclestage"])
        assert found.properties["lifecyclestage"] == expected
    return str(made.id)


def errors_of_one(client: HubSpot, ada: str) -> None:
    api = client.crm.contacts.basic_api
    with pytest.raises(ApiException) as taken:
        api.create(SimplePublicObjectInputForCreate(properties={"email": "Ada@Example.org"}))
    assert taken.value.status == 409  # row "Dedup": a contact's e-mail is unique
    assert f"Existing ID: {ada}" in str(taken.value.body)
    for properties in (
        {"no_such": "x"},
        {"email": "no address"},
        {"lifecyclestage": "Customer"},  # row "Encoding": the internal value, not the label
        {"createdate": "2026-01-01"},
        {"hs_object_id": "1"},
        {"date_of_birth": "yesterday"},
    ):
        with pytest.raises(ApiException) as wrong:
            api.update(ada, SimplePublicObjectInput(properties=properties))
        assert wrong.value.status == 400
        assert "VALIDATION_ERROR" in str(wrong.value.body)
    with pytest.raises(ApiException) as missing:
        api.get_by_id("987654321")
    assert missing.value.status == 404
    body = missing.value.body
    assert "correlationId" in str(body)  # row "Errors"


def batches(client: HubSpot) -> list[str]:
    api = client.crm.contacts.batch_api
    new = [
        SimplePublicObjectBatchInputForCreate(
            properties={"email": f"p{n}@example.org", "firstname": f"P{n}", "city": "Delft"},
            associations=[],
            object_write_trace_id=f"trace {n}",
        )
        for n in range(25)
    ]
    done = api.create(BatchInputSimplePublicObjectBatchInputForCreate(inputs=new))
    assert done.status == "COMPLETE"
    assert len(done.results) == 25

    # Row "Per-item errors": with trace ids the rest is done, and the answer says which failed.
    again = [
        new[0],
        SimplePublicObjectBatchInputForCreate(
            properties={"email": "q@x.org"}, associations=[], object_write_trace_id="trace 99"
        ),
    ]
    partial = api.create(BatchInputSimplePublicObjectBatchInputForCreate(inputs=again))
    assert partial.num_errors == 1
    assert partial.errors[0].category == "CONFLICT"
    assert partial.errors[0].context["objectWriteTraceId"] == ["trace 0"]
    assert partial.errors[0].context["existingId"] == [done.results[0].id]
    assert [one.object_write_trace_id for one in partial.results] == ["trace 99"]

    ids = [str(one.id) for one in done.results]
    asked = [SimplePublicObjectId(one) for one in (*ids[:3], "999999")]
    found = api.read(
        BatchReadInputSimplePublicObjectId(
            properties_with_history=[], inputs=asked, properties=["city"]
        )
    )
    assert {one.id for one in found.results} == set(ids[:3])
    assert found.errors[0].context["ids"] == ["999999"]
    mails = [SimplePublicObjectId("p4@example.org")]
    by_mail = BatchReadInputSimplePublicObjectId(
        properties_with_history=[], id_property="email", inputs=mails, properties=["city"]
    )
    assert [one.id for one in api.read(by_mail).results] == [ids[4]]

    changes = [
        SimplePublicObjectBatchInput(id=one, properties={"city": "Leiden"}) for one in ids[:10]
    ]
    changed = api.update(BatchInputSimplePublicObjectBatchInput(inputs=changes))
    assert {one.properties["city"] for one in changed.results} == {"Leiden"}

    upserts = [
        SimplePublicObjectBatchInputUpsert(
            id_property="email",
            object_write_trace_id=f"t{n}",
            id=f"{who}@example.org",
            properties={"zip": "1"},
        )
        for n, who in enumerate(("p1", "new"))
    ]
    upserted = api.upsert(BatchInputSimplePublicObjectBatchInputUpsert(inputs=upserts))
    by_trace = {one.object_write_trace_id: one for one in upserted.results}
    assert (by_trace["t0"].new, by_trace["t0"].id) == (False, ids[1])
    assert by_trace["t1"].new
    return ids


def listing(client: HubSpot, made: list[str]) -> None:
    api = client.crm.contacts.basic_api
    seen: list[str] = []
    after = None
    while True:  # row "List": ordered by id, with paging.next.after
        page = api.get_page(limit=10, after=after, properties=["city"])
        seen += [str(one.id) for one in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    assert seen == sorted(seen, key=int)
    assert set(made) <= set(seen)
    assert len(client.crm.contacts.get_all()) == len(seen)


def found_by(client: HubSpot, *filters: Filter, **more: Any) -> Any:
    request = PublicObjectSearchRequest(
        **{"sorts": [], "properties": ["city"], "limit": 100, "after": "0", **more},
        filter_groups=[FilterGroup(filters=list(filters))] if filters else [],
    )
    return client.crm.contacts.search_api.do_search(request)


def searching(client: HubSpot, made: list[str]) -> None:
    def where(operator: str, name: str = "city", **given: Any) -> set[str]:
        found = found_by(client, Filter(property_name=name, operator=operator, **given))
        return {str(one.id) for one in found.results} & set(made)

    leiden = set(made[:10])
    assert where("EQ", value="leiden") == leiden
    assert where("NEQ", value="Leiden") == set(made) - leiden
    assert where("IN", values=["leiden", "delft"]) == set(made)
    assert where("NOT_IN", values=["leiden"]) == set(made) - leiden
    assert where("HAS_PROPERTY") == set(made)
    assert where("NOT_HAS_PROPERTY", "lastname") == set(made)
    assert where("CONTAINS_TOKEN", "email", value="p1*") == {made[1], *made[10:20]}
    assert where("GT", "hs_object_id", value=made[20]) == set(made[21:])
    assert where("BETWEEN", "hs_object_id", value=made[0], high_value=made[4]) == set(made[:5])
    assert where("GTE", "lastmodifieddate", value="2020-01-01T00:00:00Z") == set(made)
    rule = [{"propertyName": "email", "direction": "DESCENDING"}]
    city = Filter(property_name="city", operator="EQ", value="Delft")
    page = found_by(client, city, sorts=rule, limit=4)
    assert page.total == 15
    second = found_by(client, city, sorts=rule, limit=4, after=page.paging.next.after)
    firsts = [one.id for one in (*page.results, *second.results)]
    assert firsts[:5] == [made[24], made[23], made[22], made[21], made[20]]
    assert found_by(client, query="p7@example.org").results[0].id == made[7]


def companies(client: HubSpot) -> list[str]:
    api = client.crm.companies.basic_api
    made = [
        api.create(NewCompany(properties={"name": name, "domain": "same.example"})).id
        for name in ("Engines", "Looms")
    ]  # row "Dedup": a company's domain is not enforced
    found = api.get_by_id(made[0], properties=["domain", "num_associated_contacts"])
    assert found.properties["num_associated_contacts"] == "0"
    assert len(api.get_page().results) == 2
    return [str(one) for one in made]


def deals(client: HubSpot) -> str:
    api = client.crm.deals.basic_api
    properties = {"dealname": "Engine No. 2", "amount": "17000.50", "dealstage": "contractsent"}
    made = api.create(NewDeal(properties={**properties, "closedate": "2026-12-31T12:00:00Z"}))
    assert made.properties["amount"] == "17000.5"
    assert made.properties["closedate"] == "2026-12-31T12:00:00.000Z"
    return str(made.id)


def associations(client: HubSpot, ada: str, company: list[str], deal: str) -> None:
    api, batch = client.crm.associations.v4.basic_api, client.crm.associations.v4.batch_api
    # Row "Associations": contact to primary company 1, contact to company 279, backward 280 and 2.
    primary = [ties.AssociationSpec("HUBSPOT_DEFINED", 1)]
    plain = [ties.AssociationSpec("HUBSPOT_DEFINED", 279)]
    api.create("contacts", ada, "companies", company[0], primary)
    api.create("contacts", ada, "companies", company[1], plain)
    page = api.get_page("contacts", ada, "companies")
    numbers = {
        one.to_object_id: {kind.type_id for kind in one.association_types} for one in page.results
    }
    assert numbers == {company[0]: {1, 279}, company[1]: {279}}
    back = api.get_page("companies", company[0], "contacts").results[0]
    assert {kind.type_id for kind in back.association_types} == {2, 280}

    api.create("contacts", ada, "companies", company[1], primary)  # a new one demotes the old one
    found = client.crm.contacts.basic_api.get_by_id(ada, associations=["companies"])
    first = [
        o.id for o in found.associations["companies"].results if o.type == "contact_to_company"
    ]
    assert first == [company[1]]

    api.create_default("deals", deal, "contacts", ada)
    assert api.get_page("contacts", ada, "deals").results[0].association_types[0].type_id == 4
    path = "/crm/v4/associations/contacts/companies/labels"
    made = client.api_request({"path": path, "method": "POST", "body": {"label": "Adviser"}}).json()
    number = made["results"][0]["typeId"]
    pair = ties.PublicAssociationMultiPost(
        types=[ties.AssociationSpec("USER_DEFINED", number)],
        _from={"id": ada},
        to={"id": company[0]},
    )
    batch.create("contacts", "companies", ties.BatchInputPublicAssociationMultiPost([pair]))
    asked = [ties.PublicFetchAssociationsBatchRequest(id=ada)]
    read = ties.BatchInputPublicFetchAssociationsBatchRequest(asked)
    found = batch.get_page("contacts", "companies", read)
    labels = {k.label for one in found.results[0].to for k in one.association_types}
    assert labels == {None, "Primary", "Adviser"}
    batch.archive_labels("contacts", "companies", ties.BatchInputPublicAssociationMultiPost([pair]))
    found = batch.get_page("contacts", "companies", read)
    assert len(found.results[0].to) == 2
    assert "Adviser" not in str(found)
    api.archive("contacts", ada, "companies", company[0])
    left = api.get_page("contacts", ada, "companies").results
    assert [one.to_object_id for one in left] == [company[1]]
    fan = ties.PublicAssociationMultiArchive(_from={"id": ada}, to=[{"id": company[1]}])
    batch.archive("contacts", "companies", ties.BatchInputPublicAssociationMultiArchive([fan]))
    assert api.get_page("contacts", ada, "companies").results == []


def metadata(client: HubSpot) -> None:
    found = {one.name: one for one in client.crm.properties.core_api.get_all("contacts").results}
    # Row "Metadata": types, field types, options, and what cannot be written.
    assert (found["email"].type, found["email"].has_unique_value) == ("string", True)
    assert (found["hs_buying_role"].type, found["hs_buying_role"].field_type) == (
        "enumeration",
        "checkbox",
    )
    assert "CHAMPION" in {option.value for option in found["hs_buying_role"].options}
    assert found["createdate"].modification_metadata.read_only_value
    assert found["hubspot_owner_id"].referenced_object_type == "OWNER"
    core, groups = client.crm.properties.core_api, client.crm.properties.groups_api
    assert core.get_by_name("deals", "amount").type == "number"
    group = groups.get_all("companies").results[0]
    assert groups.get_by_name("companies", group.name).label == group.label
    with pytest.raises(PropertyException) as refused:
        core.create(
            "contacts",
            PropertyCreate(
                name="shoe", label="Shoe", type="string", group_name=group.name, field_type="text"
            ),
        )
    assert refused.value.status == 403
    pipeline = client.crm.pipelines.pipelines_api.get_all("deals").results[0]
    stages = client.crm.pipelines.pipeline_stages_api.get_all("deals", pipeline.id).results
    assert "closedwon" in {stage.id for stage in stages}
    assert client.crm.owners.get_all() == []


def merging(client: HubSpot, made: list[str]) -> None:
    api = client.crm.contacts.basic_api
    winner, loser = made[0], made[1]
    merged = api.merge(PublicMergeInput(object_id_to_merge=loser, primary_object_id=winner))
    assert merged.id == winner
    # Row "Delete / merge": a read of the merged-away id gives the survivor, which names it.
    found = api.get_by_id(loser, properties=["hs_merged_object_ids"])
    assert found.id == winner
    assert found.properties["hs_merged_object_ids"] == loser
    gone = api.get_page(limit=100, archived=True)
    assert loser not in {one.id for one in gone.results}  # it vanishes without being archived


def leaving(client: HubSpot, made: list[str]) -> None:
    api = client.crm.contacts.basic_api
    api.archive(made[2])
    api.archive(made[2])
    with pytest.raises(ApiException) as gone:
        api.get_by_id(made[2])
    assert gone.value.status == 404
    # Row "Delete / merge": archived records can be listed and read.
    found = api.get_by_id(made[2], archived=True)
    assert found.archived
    assert found.archived_at is not None
    ids = BatchInputSimplePublicObjectId([SimplePublicObjectId(one) for one in made[3:5]])
    client.crm.contacts.batch_api.archive(ids)
    listed = api.get_page(limit=100, archived=True).results
    assert {str(one.id) for one in listed} == set(made[2:5])
    api.purge(PublicGdprDeleteInput(object_id="p6@example.org", id_property="email"))
    for archived in (False, True):
        with pytest.raises(ApiException):
            api.get_by_id(made[6], archived=archived)
    assert not found_by(
        client, Filter(property_name="email", operator="EQ", value="p6@example.org")
    ).results
