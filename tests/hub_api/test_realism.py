"""The API is as demanding as the real one where a test asks for it.

Facts are those of "HubSpot CRM", rows "Limits", "Change feed A" and "Per-item errors".
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hubspot.crm.contacts import SimplePublicObjectInputForCreate
from hubspot.crm.contacts.exceptions import ApiException
from tests.hub_api.serving import Serving, serving

from twofold.hub.api.realism import Broken, Limits, Realism

C = "/crm/v3/objects/contacts"
NEWER = {
    "filterGroups": [
        {"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "0"}]}
    ],
    "limit": 100,
}


def contact(hub: Serving, email: str) -> str:
    made = hub("POST", C, {"properties": {"email": email}})
    assert made.status == 201, made.body
    return str(made.json["id"])


def test_ten_seconds_roll(tmp_path: Path) -> None:
    with serving(tmp_path / "hub.db", Realism(limits=Limits(ten_seconds=3, day=100))) as hub:
        for left in ("2", "1", "0"):
            found = hub("GET", C)
            assert found.status == 200
            assert found.headers["X-HubSpot-RateLimit-Remaining"] == left
            assert found.headers["X-HubSpot-RateLimit-Max"] == "3"
            assert found.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
            hub.clock.move(4)
        # The first was 12 seconds ago, so one more may come; then the second one still counts.
        assert hub("GET", C).status == 200
        refused = hub("GET", C)
        assert (refused.status, refused.json["policyName"]) == (429, "TEN_SECONDLY_ROLLING")
        assert refused.json["category"] == "RATE_LIMITS"
        assert "Retry-After" not in refused.headers
        other = hub.token("other", ("crm.objects.contacts.read",))
        assert hub("GET", C, secret=other).status == 200  # each token has its own
        hub.clock.move(10)
        assert hub("GET", C).status == 200


def test_a_day_has_its_limit_too(tmp_path: Path) -> None:
    with serving(tmp_path / "hub.db", Realism(limits=Limits(day=2))) as hub:
        assert hub("GET", C).headers["X-HubSpot-RateLimit-Daily-Remaining"] == "1"
        assert hub("GET", C).headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
        refused = hub("GET", C)
        assert (refused.status, refused.json["policyName"]) == (429, "DAILY")
        assert refused.headers["X-HubSpot-RateLimit-Daily"] == "2"
        hub.clock.move(86_400)
        assert hub("GET", C).status == 200


def test_searches_have_a_limit_of_all_tokens_and_no_headers(tmp_path: Path) -> None:
    with serving(tmp_path / "hub.db", Realism(limits=Limits(searches=5))) as hub:
        other = hub.token("other", ("crm.objects.contacts.read",))
        for secret in (hub.secret, other, hub.secret, other, hub.secret):
            found = hub("POST", f"{C}/search", {}, secret=secret)
            assert found.status == 200
            assert not [name for name in found.headers if "ratelimit" in name.lower()]
        refused = hub("POST", f"{C}/search", {}, secret=other)
        assert (refused.status, refused.json["policyName"]) == (429, "SECONDLY")
        assert hub("GET", C).status == 200
        hub.clock.move(1)
        assert hub("POST", f"{C}/search", {}).status == 200


def test_a_search_does_not_see_what_just_changed(tmp_path: Path) -> None:
    realism = Realism(limits=None, index_lag=timedelta(seconds=30))
    with serving(tmp_path / "hub.db", realism) as hub:
        first = contact(hub, "a@example.org")
        assert hub("POST", f"{C}/search", NEWER).json["total"] == 0
        assert hub("GET", f"{C}/{first}").status == 200  # a read by id does
        hub.clock.move(30)
        assert hub("POST", f"{C}/search", NEWER).json["total"] == 1


def test_ten_thousand_results_and_no_more(tmp_path: Path) -> None:
    with serving(tmp_path / "hub.db") as hub:
        opened = hub.hub()
        with opened.database.transaction() as db:
            db.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050)"
                " INSERT INTO record SELECT i, 1, i, 1, 1767225600000000, 0, NULL,"
                ' CAST(\'{"createdate":"2026-01-01T00:00:00+00:00"}\' AS BLOB), NULL FROM n'
            )
        opened.close()
        asked = {"limit": 200, "after": "9800"}
        page = hub("POST", f"{C}/search", asked).json
        assert page["total"] == 10_050
        assert [one["id"] for one in page["results"]] == [str(n) for n in range(9_801, 10_001)]
        assert page["paging"]["next"]["after"] == "10000"
        assert hub("POST", f"{C}/search", {**asked, "after": "10000"}).status == 400
        # Beyond the cap it goes on above the last id, as all share one timestamp.
        above = {"propertyName": "hs_object_id", "operator": "GT", "value": "10000"}
        rest = hub("POST", f"{C}/search", {"limit": 200, "filterGroups": [{"filters": [above]}]})
        assert [one["id"] for one in rest.json["results"]] == [
            str(n) for n in range(10_001, 10_051)
        ]


def test_answers_to_batches_may_come_in_any_order(tmp_path: Path) -> None:
    with serving(tmp_path / "hub.db", Realism(limits=None, unordered=True)) as hub:
        inputs = [{"properties": {"city": "x"}, "objectWriteTraceId": str(n)} for n in range(5)]
        found = hub("POST", f"{C}/batch/create", {"inputs": inputs}).json["results"]
        assert [one["objectWriteTraceId"] for one in found] == ["4", "3", "2", "1", "0"]


def test_faults_on_purpose(tmp_path: Path) -> None:
    faults = [
        Broken(502, html=True),
        Broken(423),
        Broken(477, headers={"Retry-After": "5"}),
        Broken(429),
        Broken(504, part="batch/create", after_doing=True),
    ]
    with serving(tmp_path / "hub.db", Realism(limits=None, broken=faults)) as hub:
        page = hub("GET", C)
        assert (page.status, page.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
        assert hub("GET", C).status == 423
        moved = hub("GET", C)
        assert (moved.status, moved.headers["Retry-After"]) == (477, "5")
        assert hub("GET", C).status == 429
        assert hub("GET", C).json["results"] == []
        inputs = {"inputs": [{"properties": {"city": "x"}}]}
        assert hub("POST", f"{C}/batch/create", inputs).status == 504
        assert len(hub("GET", C).json["results"]) == 1  # done all the same
        assert not faults


def test_the_official_client_understands_a_limit(tmp_path: Path) -> None:
    with serving(tmp_path / "hub.db", Realism(limits=Limits(ten_seconds=1))) as hub:
        api = hub.client.crm.contacts.basic_api
        api.create(SimplePublicObjectInputForCreate(properties={"city": "Delft"}))
        with pytest.raises(ApiException) as refused:
            api.get_page()
        assert refused.value.status == 429
