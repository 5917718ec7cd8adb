"""Everything that a person can do, over a real socket."""

from __future__ import annotations

import http.client
import json
import re
from pathlib import Path

from tests.api.client import Client, program
from tests.interfaces.program import Shop, until
from tests.service.service import Service


def test_set_up_run_and_look(admin: Client, shop: Shop) -> None:
    assert [app["name"] for app in admin("GET", "/apps").json["apps"]]
    assert admin("GET", "/connections/shop").json["syncs"] == ["shop-companies", "shop-contacts"]
    types = admin("GET", "/connections/shop/object-types").json["object_types"]
    assert {"firms", "people"} <= {one["name"] for one in types}
    (found,) = admin("GET", "/health?sync=shop-contacts").json["health"]
    assert found["counts"]["in_sync"] == 5
    lines = admin("GET", "/syncs/shop-contacts/records?state=in-sync&limit=2").json
    assert len(lines["lines"]) == 2
    rest = admin("GET", f"/syncs/shop-contacts/records?state=in-sync&after={lines['next']}").json
    assert len(rest["lines"]) == 3
    assert rest["next"] is None
    (told,) = admin("GET", "/syncs/shop-contacts/explain?record=p1@shop.example").json[
        "explanations"
    ]
    assert told["state"] == "in sync"
    assert admin("GET", "/runs?sync=shop-contacts").json["runs"]


def test_a_search_finds_in_pages(admin: Client, shop: Shop) -> None:
    path = "/syncs/shop-contacts/records?state=in-sync&limit=1&search=LAST"
    seen, after = [], ""
    while True:
        page = admin("GET", f"{path}&after={after}").json
        seen += [line["name"] for line in page["lines"]]
        after = page["next"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 5
    one = admin("GET", "/syncs/shop-contacts/records?state=in-sync&search=p3@shop").json["lines"]
    assert [line["name"] for line in one] == ["First3 Last3 p3@shop.example"]
    none = admin("GET", "/syncs/shop-contacts/records?state=in-sync&code=TF-R01").json
    assert none == {"lines": [], "next": None}


def test_a_hub_record_made_here_arrives_in_the_app(admin: Client, shop: Shop) -> None:
    given = {"fields": {"email": "zoe@hub.example", "firstname": "Zoë"}}
    made = admin("POST", "/hub/contact", given, status=201).json
    until(lambda: shop.run("SELECT 1 FROM people WHERE email = 'zoe@hub.example'"))
    edited = admin("PATCH", f"/hub/contact/{made['id']}", {"fields": {"city": "Delft"}}).json
    assert edited["fields"]["city"] == "Delft"
    firm = admin("GET", "/hub/company?limit=1").json["records"][0]["id"]
    path = f"/hub/contact/{made['id']}/associations"
    tied = admin("POST", path, {"name": "company", "id": firm}).json
    assert tied["associations"]["company"] == [{"id": firm, "primary": True}]
    assert admin("GET", "/hub/contact?limit=1").json["next"]
    admin("DELETE", f"/hub/contact/{made['id']}")
    assert admin("GET", f"/hub/contact/{made['id']}", status=404).code == "TF-U19"


def test_an_empty_side_is_believed_by_who_says_so(
    admin: Client, up: Service, tmp_path: Path
) -> None:
    shop = Shop(tmp_path / "emptied.db", people=12)
    connect = {"app": "sql", "label": "emptied", "answers": {"url": shop.url}}
    admin("POST", "/connections", connect, status=201)
    asked = {"connection": "emptied", "hub_type": "contact", "app_type": "people", "by_name": True}
    admin("POST", "/syncs", {**asked, "name": "emptied"}, status=201)

    def counts() -> dict[str, int]:
        (found,) = admin("GET", "/health?sync=emptied").json["health"]
        return dict(found["counts"])

    until(lambda: counts()["in_sync"] >= 12)
    shop.run("DELETE FROM people")
    admin("POST", "/syncs/emptied/run", {})
    until(lambda: "TF-B01" in json.dumps(admin("GET", "/syncs").json))
    admin("POST", "/syncs/emptied/run", {"allow_empty": True})
    until(lambda: counts()["excluded"] >= 12)
    (override,) = up.program.json("sync", "brakes", "emptied")["overrides"]
    assert (override["brake"], override["number"]) == ("side-empty", 12)
    assert override["who"] == "ada"


def test_off_on_run_and_retry(admin: Client, shop: Shop) -> None:
    off = admin("POST", "/syncs/shop-companies/off").json
    assert off["status"]["word"] == "Turned off"
    assert admin("POST", "/syncs/shop-companies/run", {}, status=422).code == "TF-U10"
    admin("POST", "/syncs/shop-companies/on")
    shop.run("INSERT INTO firms VALUES (77, 'Fresh', 'fresh.example')")
    admin("POST", "/syncs/shop-companies/run", {})
    until(lambda: "Fresh" in json.dumps(admin("GET", "/hub/company").json))
    assert admin("POST", "/syncs/shop-contacts/retry", {}).json == {"records": 0}
    shown = {"record": "nobody"}
    assert admin("POST", "/syncs/shop-contacts/retry", shown, status=404).code == "TF-U12"


def test_a_sync_with_problems_lists_them_and_is_not_saved(admin: Client, shop: Shop) -> None:
    asked = {"connection": "shop", "hub_type": "deal", "app_type": "people", "matching": "none"}
    wishes = [{"hub_field": "dealname", "app_field": "email"}] * 2
    found = admin("POST", "/syncs", {**asked, "wishes": wishes}, status=422).json["error"]
    assert found["code"] == "TF-U07"
    assert {problem["code"] for problem in found["problems"]} >= {"TF-F03"}
    assert all(problem["advice"] for problem in found["problems"])


def test_a_connection_is_changed_tested_and_removed(admin: Client, tmp_path: Path) -> None:
    other = Shop(tmp_path / "other.db")
    asked = {"app": "sql", "label": "other", "answers": {"url": other.url}}
    admin("POST", "/connections", asked, status=201)
    assert admin("POST", "/connections", {**asked, "label": "twin"}, status=409).code == "TF-A04"
    assert admin("POST", "/connections/other/test").json["account"]
    changed = admin("PATCH", "/connections/other", {"label": "further", "poll": 60}).json
    assert (changed["label"], changed["poll"]) == ("further", 60)
    admin("POST", "/connections/further/reconnect", {"answers": {}})
    assert admin("DELETE", "/connections/further").json["label"] == "further"
    assert admin("GET", "/connections/further", status=404).code == "TF-U05"


def test_a_write_with_the_same_key_is_done_once(admin: Client) -> None:
    given = {"fields": {"email": "once@hub.example"}}
    key = {"Idempotency-Key": "a-key"}
    first = admin("POST", "/hub/contact", given, headers=key, status=201)
    again = admin("POST", "/hub/contact", given, headers=key, status=201)
    assert again.json == first.json
    assert again.headers["Idempotent-Replay"] == "true"
    other = {"fields": {"email": "twice@hub.example"}}
    assert admin("POST", "/hub/contact", other, headers=key, status=409).code == "TF-W12"
    elsewhere = program(admin, "once", "operator")
    assert elsewhere("POST", "/hub/contact", given, headers=key, status=201).json != first.json


def test_every_error_has_one_shape(admin: Client, shop: Shop) -> None:
    wrong = [
        admin("GET", "/nothing", status=404),
        admin("PUT", "/syncs", {}, status=405),
        admin("GET", "/syncs/none", status=404),
        admin("GET", "/runs?limit=many", status=422),
        admin("POST", "/syncs", raw=b"{", status=422),
        admin("POST", "/syncs", raw=b"\xff", status=422),
        admin("POST", "/syncs", [], status=422),
        admin("POST", "/hub/contact", {"fields": {"nothing": "x"}}, status=422),
        admin("GET", "/syncs/shop-contacts/records?after=x", status=422),
        admin("POST", "/hub/contact", raw=b"x" * 1_100_000, status=413),
    ]
    for found in wrong:
        assert set(found.json) == {"error"}
        assert {"code", "sentence", "advice", "retryable"} <= set(found.json["error"])
        assert found.headers["content-type"] == "application/json"


def test_a_body_without_a_length_is_bounded_too(up: Service, admin: Client) -> None:
    connection = http.client.HTTPConnection(admin.netloc, timeout=60)
    parts = (b"x" * 65_536 for _ in range(40))
    headers = {**admin.headers, "Transfer-Encoding": "chunked"}
    connection.request("POST", "/api/v1/hub/contact", parts, headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_live_numbers_tell_what_changes(admin: Client, shop: Shop) -> None:
    connection = http.client.HTTPConnection(admin.netloc, timeout=60)
    connection.request("GET", "/api/v1/events", headers=admin.headers)
    answer = connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")

    def event() -> dict[str, dict[str, dict[str, int]]]:
        while not (line := answer.readline()).startswith(b"data: {"):
            pass
        found: dict[str, dict[str, dict[str, int]]] = json.loads(line[6:])
        return found

    before = event()
    while not before:
        before = event()
    total = sum(before["shop-contacts"]["counts"].values())
    admin("POST", "/hub/contact", {"fields": {"email": "live@hub.example"}}, status=201)
    until(lambda: sum(event()["shop-contacts"]["counts"].values()) > total)
    connection.close()


def test_a_document_shows_what_it_would_do_and_does_it(admin: Client, shop: Shop) -> None:
    before = admin("GET", "/document?sync=shop-companies").json["yaml"]
    changed = before.replace("direction: both", "direction: to_hub")
    if changed == before:
        changed = before + "direction: to_hub\n"
    (told,) = admin("POST", "/document/check", {"yaml": changed}).json["changes"]
    assert not told["is_new"]
    assert admin("GET", "/document?sync=shop-companies").json["yaml"] == before
    (done,) = admin("PUT", "/document", {"yaml": changed}).json["applied"]
    assert done["did"] == "edited"
    (done,) = admin("PUT", "/document", {"yaml": before}).json["applied"]
    assert done["did"] == "edited"
    assert admin("PUT", "/document", {"yaml": "{"}, status=422).json["error"]["problems"]


def test_links_and_exclusions_by_hand(admin: Client, shop: Shop) -> None:
    record = "p4@shop.example"
    path = "/syncs/shop-contacts"
    admin("POST", f"{path}/exclusions", {"record": record, "reason": "left"})
    excluded = f"{path}/records?state=excluded&search={record}"
    until(lambda: admin("GET", excluded).json["lines"])
    admin("DELETE", f"{path}/exclusions?record={record}")
    until(lambda: not admin("GET", excluded).json["lines"])
    assert admin("DELETE", f"{path}/exclusions?record={record}", status=422).code == "TF-L15"
    lines = admin("GET", f"{path}/links?limit=200").json["lines"]
    (pair,) = [line for line in lines if record in line["name"]]
    both = f"hub_id={pair['hub_id']}&app_id={pair['app_id']}"
    admin("DELETE", f"{path}/links?{both}")
    apart = admin("GET", f"{path}/links?apart=true").json["lines"]
    assert [line["hub_id"] for line in apart] == [pair["hub_id"]]
    given = {"hub_id": pair["hub_id"], "app_id": pair["app_id"]}
    admin("POST", f"{path}/links", given)
    assert admin("GET", "/approvals").json == {"approvals": []}
    shown = {"ids": ["1.1"], "approve": True}
    assert admin("POST", "/approvals", shown, status=404).code == "TF-D07"


def test_metrics_for_whoever_may_look(admin: Client, shop: Shop) -> None:
    assert admin.as_().raw("GET", "/metrics").status == 401
    found = program(admin, "prometheus", "viewer").raw("GET", "/metrics")
    text = found.body.decode()
    told = re.findall(r'twofold_sync_status\{status="\w+",sync="shop-contacts"\} (\d\.0)', text)
    assert told.count("1.0") == 1, "a sync has one status at a time"
    assert 'twofold_records{state="failing",sync="shop-contacts"} 0.0' in text


def test_probes_need_no_sign_in(admin: Client) -> None:
    nobody = admin.as_()
    assert nobody.raw("GET", "/healthz").status == 200
    assert nobody.raw("GET", "/readyz").status == 200
