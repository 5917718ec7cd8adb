"""Requests that must be refused as HubSpot refuses them.

Facts are those of "HubSpot CRM"; each group names its row.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.hub_api.serving import Serving

C = "/crm/v3/objects/contacts"
A = "/crm/v4/associations/contacts/companies"


def inputs(count: int, **each: Any) -> dict[str, Any]:
    return {"inputs": [{"id": str(n + 1), **each} for n in range(count)]}


def wanted(groups: int, filters: int) -> dict[str, Any]:
    one = {"propertyName": "city", "operator": "EQ", "value": "x"}
    return {"filterGroups": [{"filters": [one] * filters}] * groups}


def condition(**given: Any) -> dict[str, Any]:
    return {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ", **given}]}]}


PAIR = {"from": {"id": "1"}, "to": {"id": "2"}, "types": []}
STAGES = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 341}

REFUSED: list[tuple[str, str, Any, int]] = [
    # Row "Objects": what is no type of the hub; row "Versioning": what is no version.
    ("GET", "/crm/v3/objects/spaceships", None, 400),
    ("GET", "/crm/v3/objects/2-123", None, 400),
    ("GET", "/crm/v2/objects/contacts", None, 404),
    ("GET", "/crm/objects/2025-03/contacts", None, 404),
    ("GET", "/crm/objects/contacts", None, 404),
    ("PUT", C, {}, 405),
    # Row "List": at most 100 in a page.
    ("GET", f"{C}?limit=101", None, 400),
    ("GET", f"{C}?limit=0", None, 400),
    ("GET", f"{C}?limit=ten", None, 400),
    ("GET", f"{C}?after=x", None, 400),
    ("GET", f"{C}?archived=maybe", None, 400),
    ("GET", f"{C}?associations=spaceships", None, 400),
    # Row "Batch": idProperty must be unique; row "Dedup": a company's domain is not.
    ("GET", f"{C}/x?idProperty=lastname", None, 400),
    ("GET", "/crm/v3/objects/companies/a.example?idProperty=domain", None, 400),
    ("GET", f"{C}/999999", None, 404),
    ("GET", f"{C}/abc", None, 404),
    ("GET", f"{C}/999999?archived=true", None, 404),
    ("PATCH", f"{C}/999999", {"properties": {"city": "x"}}, 404),
    # Row "Encoding": what each kind of value takes.
    ("POST", C, {"properties": {"nosuch": "x"}}, 400),
    ("POST", C, {"properties": {"lifecyclestage": "Customer"}}, 400),
    ("POST", C, {"properties": {"hs_email_optout": "yes"}}, 400),
    ("POST", C, {"properties": {"date_of_birth": "31.12.2000"}}, 400),
    ("POST", C, {"properties": {"date_of_birth": "1"}}, 400),
    ("POST", C, {"properties": {"email": "x"}}, 400),
    ("POST", C, {"properties": {"createdate": "2026-01-01T00:00:00Z"}}, 400),
    ("POST", C, {"properties": {"hs_object_id": "5"}}, 400),
    ("POST", C, {"properties": {"hubspot_owner_id": "77"}}, 400),
    ("POST", "/crm/v3/objects/deals", {"properties": {"amount": "much"}}, 400),
    ("POST", "/crm/v3/objects/deals", {"properties": {"amount": "1E+999999999"}}, 400),
    ("POST", "/crm/v3/objects/companies", {"properties": {"numberofemployees": "2.5"}}, 400),
    ("POST", C, {"properties": {"city": 5}}, 400),
    ("POST", C, {"properties": []}, 400),
    ("POST", C, [], 400),
    ("POST", C, {}, 400),
    (
        "POST",
        C,
        {"properties": {}, "associations": [{"to": {"id": "9"}, "types": [STAGES]}]},
        400,
    ),
    # Row "Batch": a hundred inputs.
    ("POST", f"{C}/batch/read", inputs(101), 400),
    ("POST", f"{C}/batch/read", inputs(0), 400),
    ("POST", f"{C}/batch/update", inputs(101, properties={}), 400),
    ("POST", f"{C}/batch/create", {"inputs": [{"properties": {}}] * 101}, 400),
    ("POST", f"{C}/batch/archive", inputs(101), 400),
    ("POST", f"{C}/batch/upsert", inputs(1, properties={}), 400),
    ("POST", f"{C}/batch/upsert", inputs(1, properties={}, idProperty="hs_object_id"), 400),
    ("POST", f"{C}/batch/update", {"inputs": [{"id": "1", "properties": {}}] * 2}, 400),
    # Row "Per-item errors": without trace ids a batch of creates fails whole.
    ("POST", f"{C}/batch/create", {"inputs": [{"properties": {"a": "b"}}]}, 400),
    # Row "Change feed A": the limits of a search.
    ("POST", f"{C}/search", wanted(6, 1), 400),
    ("POST", f"{C}/search", wanted(1, 7), 400),
    ("POST", f"{C}/search", wanted(4, 5), 400),
    ("POST", f"{C}/search", {"limit": 201}, 400),
    ("POST", f"{C}/search", {"after": "10000"}, 400),
    ("POST", f"{C}/search", {"after": "9995", "limit": 10}, 400),
    ("POST", f"{C}/search", {"after": "x"}, 400),
    ("POST", f"{C}/search", {"sorts": ["city", "zip"]}, 400),
    ("POST", f"{C}/search", {"sorts": ["nosuch"]}, 400),
    ("POST", f"{C}/search", {"properties": ["x" * 3_000]}, 400),
    ("POST", f"{C}/search", condition(operator="LIKE", value="x"), 400),
    ("POST", f"{C}/search", condition(), 400),
    ("POST", f"{C}/search", condition(operator="IN"), 400),
    ("POST", f"{C}/search", condition(operator="BETWEEN", value="1"), 400),
    ("POST", f"{C}/search", condition(propertyName="nosuch", value="1"), 400),
    ("POST", f"{C}/search", condition(propertyName="hs_object_id", value="x"), 400),
    ("POST", f"{C}/search", condition(propertyName="hs_object_id", value="1E+9999999"), 400),
    ("POST", f"{C}/search", condition(propertyName="createdate", value="soon"), 400),
    (
        "POST",
        f"{C}/search",
        condition(propertyName="hs_buying_role", operator="GT", value="x"),
        400,
    ),
    # Row "Associations": sizes of batches, and numbers that mean nothing.
    ("POST", f"{A}/batch/read", inputs(1_001), 400),
    ("POST", f"{A}/batch/create", {"inputs": [PAIR] * 2_001}, 400),
    ("POST", f"{A}/batch/archive", {"inputs": [{"from": {"id": "1"}, "to": []}] * 101}, 400),
    ("GET", "/crm/v4/associations/contacts/contacts/labels", None, 400),
    ("GET", "/crm/v4/objects/contacts/999999/associations/companies", None, 404),
    ("PUT", "/crm/v4/objects/contacts/999999/associations/companies/1", [STAGES], 404),
    ("PUT", "/crm/v4/objects/contacts/1/associations/companies/1", [], 400),
    # Row "Delete / merge".
    ("POST", f"{C}/merge", {"primaryObjectId": "999", "objectIdToMerge": "998"}, 404),
    ("POST", f"{C}/merge", {"primaryObjectId": "1"}, 400),
    ("POST", "/crm/v3/objects/deals/gdpr-delete", {"objectId": "1"}, 404),
    # Row "Metadata".
    ("GET", "/crm/v3/properties/contacts/nosuch", None, 404),
    ("GET", "/crm/v3/properties/contacts/groups/nosuch", None, 404),
    ("GET", "/crm/v3/pipelines/deals/nosuch", None, 404),
    ("GET", "/crm/v3/pipelines/deals/default/stages/nosuch", None, 404),
    ("GET", "/crm/v3/owners/77", None, 404),
    ("DELETE", "/crm/v3/properties/contacts/email", None, 403),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"), REFUSED, ids=[f"{n}" for n in range(len(REFUSED))]
)
def test_it_is_refused(hub: Serving, method: str, path: str, body: Any, status: int) -> None:
    before = state(hub)
    found = hub(method, path, body)
    assert found.status == status, found.body
    # Row "Errors": the shape of each.
    assert found.json["status"] == "error"
    assert found.json["message"]
    assert found.json["category"]
    assert found.json["correlationId"] == found.headers["X-HubSpot-Correlation-Id"]
    assert state(hub) == before  # nothing was done


def state(hub: Serving) -> int:
    opened = hub.hub()
    _, newest = opened.position()
    opened.close()
    return newest


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"null", b'"x"', b"[" * 100_000])
def test_what_is_not_json_is_refused(hub: Serving, raw: bytes) -> None:
    for path in (C, f"{C}/batch/create", f"{C}/search", f"{A}/batch/read"):
        found = hub("POST", path, raw=raw)
        assert (found.status, found.json["category"]) == (400, "VALIDATION_ERROR")


def test_another_kind_of_content_is_refused(hub: Serving) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert hub("POST", C, raw=b"a=b", headers=headers).status == 415


def test_ids_of_another_type_find_nothing(hub: Serving) -> None:
    made = hub("POST", "/crm/v3/objects/companies", {"properties": {"name": "x"}}).json["id"]
    assert hub("GET", f"{C}/{made}").status == 404
    assert hub("PATCH", f"{C}/{made}", {"properties": {"city": "x"}}).status == 404
    assert hub("DELETE", f"{C}/{made}").status == 204
    assert hub("GET", f"/crm/v3/objects/companies/{made}").status == 200
    merge = {"primaryObjectId": made, "objectIdToMerge": made}
    assert hub("POST", "/crm/v3/objects/companies/merge", merge).status == 400


# Row "Scopes": 403 MISSING_SCOPES lists the scopes in its context; row "Single-account auth".


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer pat-tf1-x", "Basic x", "Bearer \x7f"])
def test_who_shows_no_token_is_refused(hub: Serving, header: str) -> None:
    found = hub("GET", C, headers={"Authorization": header})
    assert (found.status, found.json["category"]) == (401, "INVALID_AUTHENTICATION")


def test_an_expired_token_opens_nothing(hub: Serving) -> None:
    secret = hub.token("short", ("crm.objects.contacts.read",), days=1)
    assert hub("GET", C, secret=secret).status == 200
    hub.clock.move(86_400)
    found = hub("GET", C, secret=secret)
    assert (found.status, found.json["category"]) == (401, "EXPIRED_AUTHENTICATION")


SCOPED: list[tuple[str, str, Any, list[str]]] = [
    ("GET", C, None, ["crm.objects.contacts.read"]),
    ("POST", C, {"properties": {}}, ["crm.objects.contacts.write"]),
    ("POST", f"{C}/search", {}, ["crm.objects.contacts.read"]),
    ("GET", "/crm/v3/objects/0-2", None, ["crm.objects.companies.read"]),
    ("GET", "/crm/v3/properties/deals", None, ["crm.schemas.deals.read"]),
    ("GET", "/crm/v3/owners", None, ["crm.objects.owners.read"]),
    (
        "POST",
        f"{A}/batch/archive",
        {"inputs": [{"from": {"id": "1"}, "to": [{"id": "2"}]}]},
        ["crm.objects.companies.write", "crm.objects.contacts.write"],
    ),
]


@pytest.fixture(scope="module")
def none(hub: Serving) -> str:
    return hub.token("none", ())


@pytest.mark.parametrize(("method", "path", "body", "scopes"), SCOPED)
def test_each_scope_is_needed_and_suffices(
    hub: Serving, none: str, method: str, path: str, body: Any, scopes: list[str]
) -> None:
    found = hub(method, path, body, secret=none)
    assert (found.status, found.json["category"]) == (403, "MISSING_SCOPES")
    assert found.json["context"]["requiredGranularScopes"] == scopes
    name = f"{method} {path} {len(scopes)}"
    assert hub(method, path, body, secret=hub.token(name, tuple(scopes))).status < 300


def test_a_traced_batch_does_what_it_can_and_an_untraced_one_nothing(hub: Serving) -> None:
    good, bad = {"properties": {"city": "x"}}, {"properties": {"nosuch": "x"}}
    before = state(hub)
    assert hub("POST", f"{C}/batch/create", {"inputs": [good, bad]}).status == 400
    assert state(hub) == before
    traced = [{**good, "objectWriteTraceId": "1"}, {**bad, "objectWriteTraceId": "2"}]
    found = hub("POST", f"{C}/batch/create", {"inputs": traced})
    assert found.status == 207
    assert [one["objectWriteTraceId"] for one in found.json["results"]] == ["1"]
    (error,) = found.json["errors"]
    assert error["context"]["objectWriteTraceId"] == ["2"]
    assert state(hub) == before + 1


def test_two_who_share_an_address_already_can_still_be_changed(hub: Serving) -> None:
    opened = hub.hub()
    ids = [opened.create("contact", {"email": "both@example.org"}).id for _ in range(2)]
    opened.close()
    changes = {"properties": {"city": "x", "email": "both@example.org"}}
    assert hub("PATCH", f"{C}/{ids[1]}", changes).status == 200
    assert hub("POST", C, {"properties": {"email": "Both@example.org"}}).status == 409
    # Row "Versioning": each version speaks of the same records.
    for version in ("2026-03", "2026-09"):
        found = hub("GET", f"/crm/objects/{version}/0-1/{ids[1]}?properties=city").json
        assert found["properties"]["city"] == "x"
