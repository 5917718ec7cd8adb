"""History and taking back over HTTP."""

from __future__ import annotations

from tests.api.client import Client
from tests.interfaces.program import Shop, until


def test_history_is_listed_exported_and_taken_back(admin: Client, shop: Shop) -> None:
    shop.run("UPDATE people SET first_name = '@SUM(1)' WHERE email = 'p2@shop.example'")
    admin("POST", "/syncs/shop-contacts/run", {})
    path = "/syncs/shop-contacts/history?record=p2@shop.example"
    until(lambda: admin("GET", path).json["entries"][0]["did"] == "updated")
    newest = admin("GET", path).json["entries"][0]
    assert newest["fields"][0]["after"] == "@SUM(1)"
    target = {"record": "p2@shop.example", "field": "firstname"}
    seen = admin("POST", "/syncs/shop-contacts/undo/preview", target).json
    assert (seen["fields"], seen["items"][0]["back"]) == (1, "First2")
    assert admin("POST", "/syncs/shop-contacts/undo", target).json == seen
    until(lambda: admin("GET", path).json["entries"][0]["run"] > newest["run"])
    entry = admin("GET", path).json["entries"][0]
    assert entry["fields"][0]["rule"] == "put back by a person"
    audit = admin("GET", "/audit").json
    assert "writes taken back" in str(audit)
    page = admin("GET", "/syncs/shop-contacts/history?limit=1").json
    assert page["next"]
    export = admin("GET", "/syncs/shop-contacts/history/export")
    assert "'@SUM(1)" in export.body.decode()
    assert "=@" not in export.body.decode().replace("'@", "")


def test_how_long_history_is_kept(admin: Client) -> None:
    assert admin("PUT", "/settings/history", {"days": 99}).json == {"days": 99}
    assert admin("GET", "/settings/history").json == {"days": 99}
    refused = admin("PUT", "/settings/history", {"days": 0}, status=422)
    assert refused.json["error"]["code"] == "TF-H02"


def test_a_chart_has_a_point_for_each_part_of_its_span(admin: Client, shop: Shop) -> None:
    for span, points in (("hour", 60), ("day", 96), ("week", 168)):
        chart = admin("GET", f"/syncs/shop-contacts/chart?span={span}").json
        assert len(chart["points"]) == points
        assert chart["total"] >= 5, "the first sync brought five people"
        assert sum(point["records"] for point in chart["points"]) == chart["total"]
    admin("GET", "/syncs/shop-contacts/chart?span=year", status=422)
