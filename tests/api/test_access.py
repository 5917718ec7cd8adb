"""Who may do what, over a real socket."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.api.client import PASSWORD, Client, administrator, first_secret, program
from tests.interfaces.program import rows
from tests.service.service import Service, service

ROLES = ("viewer", "operator", "editor", "admin")
OPEN = {("post", "/api/v1/session"), ("post", "/api/v1/accept")}


def routes(admin: Client) -> list[tuple[str, str]]:
    found: dict[str, dict[str, Any]] = admin("GET", "/openapi.json").json["paths"]
    return [(method, path) for path, methods in found.items() for method in methods]


def test_nothing_is_told_to_a_stranger(admin: Client) -> None:
    found = routes(admin)
    assert len(found) > 30
    for method, path in found:
        if (method, path) not in OPEN:
            for headers in ({}, {"Authorization": "Bearer tf_x"}, {"Cookie": "twofold_session=x"}):
                answer = admin.as_(**headers).raw(method.upper(), path, {})
                assert (answer.status, answer.code) == (401, "TF-W01"), (method, path)


def test_each_role_may_do_more_than_the_one_before(admin: Client) -> None:
    allowed: list[set[tuple[str, str]]] = []
    for role in ROLES:
        client = program(admin, f"may-{role}", role)
        may = set()
        for method, path in routes(admin):
            if path.endswith(("/events", "/session", "/accept")):
                continue
            body = {"Content-Length": "x"}  # no route does anything with it
            answer = client.raw(method.upper(), path.replace("{", "").replace("}", ""), body)
            if not (answer.status == 403 and answer.code == "TF-W02"):
                may.add((method, path))
        allowed.append(may)
    assert all(less < more for less, more in pairwise(allowed))
    changing = sorted(path for method, path in allowed[0] if method != "get")
    assert changing == ["/api/v1/document/check", "/api/v1/syncs/{name}/undo/preview"]
    assert ("get", "/api/v1/users") not in allowed[2]


def test_the_first_link_works_once(admin: Client, up: Service) -> None:
    again = {"secret": first_secret(up), "name": "eve", "password": PASSWORD}
    assert admin.as_()("POST", "/accept", again, status=403).code == "TF-W05"


def test_an_invited_user_signs_in_and_out(admin: Client) -> None:
    secret = admin("POST", "/users", {"role": "viewer"}, status=201).json["secret"]
    nobody = admin.as_()
    short = {"secret": secret, "name": "bob", "password": "short"}
    assert nobody("POST", "/accept", short, status=422).code == "TF-W10"
    taken = {"secret": secret, "name": "ADA", "password": PASSWORD}
    assert nobody("POST", "/accept", taken, status=409).code == "TF-W11"
    nobody("POST", "/accept", {"secret": secret, "name": "bob", "password": PASSWORD})
    bob = nobody.signed_in("bob")
    assert bob("GET", "/session").json == {"name": "bob", "role": "viewer", "token": ""}
    bob("DELETE", "/session")
    assert bob("GET", "/session", status=401).code == "TF-W01"
    bob = nobody.signed_in("bob")
    admin("PATCH", "/users/bob", {"active": False})
    assert bob("GET", "/session", status=401).code == "TF-W01"
    given = {"name": "bob", "password": PASSWORD}
    assert nobody("POST", "/session", given, status=401).code == "TF-W04"


def test_a_new_password_ends_all_sessions(admin: Client) -> None:
    nobody = admin.as_()
    secret = admin("POST", "/users", {"role": "viewer"}, status=201).json["secret"]
    nobody("POST", "/accept", {"secret": secret, "name": "cleo", "password": PASSWORD})
    cleo = nobody.signed_in("cleo")
    secret = admin("POST", "/users/cleo/password-link", status=201).json["secret"]
    nobody("POST", "/accept", {"secret": secret, "password": "another password"})
    assert cleo("GET", "/session", status=401).code == "TF-W01"
    nobody.signed_in("cleo", "another password")


def test_the_last_administrator_stays(admin: Client) -> None:
    for change in ({"role": "viewer"}, {"active": False}):
        assert admin("PATCH", "/users/ada", change, status=409).code == "TF-W16"


def test_a_token_has_at_most_its_makers_role_and_makes_no_others(admin: Client) -> None:
    nobody = admin.as_()
    secret = admin("POST", "/users", {"role": "operator"}, status=201).json["secret"]
    nobody("POST", "/accept", {"secret": secret, "name": "dora", "password": PASSWORD})
    dora = nobody.signed_in("dora")
    more = {"name": "more", "role": "editor"}
    assert dora("POST", "/tokens", more, status=403).code == "TF-W02"
    hers = program(dora, "hers", "operator")
    assert hers("POST", "/tokens", {"name": "child"}, status=403).code == "TF-W02"
    admin("PATCH", "/users/dora", {"role": "viewer"})
    assert hers("GET", "/session").json["role"] == "viewer", "the owner's role bounds the token's"
    admin("DELETE", "/tokens/hers")
    assert hers("GET", "/session", status=401).code == "TF-W01"
    assert admin("DELETE", "/tokens/hers", status=404).code == "TF-W15"


def test_another_sites_page_can_do_nothing_with_our_cookie(admin: Client) -> None:
    given = {"fields": {"dealname": "Forged"}}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        found = admin("POST", "/hub/deal", given, headers=headers, status=403)
        assert found.code == "TF-W14"
    same = {"Sec-Fetch-Site": "same-origin", "Origin": f"http://{admin.netloc}"}
    admin("POST", "/hub/deal", given, headers=same, status=201)
    cookie = admin.as_()("POST", "/session", {"name": "ada", "password": PASSWORD}).headers[
        "set-cookie"
    ]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


@pytest.mark.parametrize("host", ["evil.example", "", "127.0.0.1.evil.example", "[::1"])
def test_a_server_goes_by_its_own_names_only(admin: Client, host: str) -> None:
    found = admin.raw("GET", "/healthz", headers={"Host": host})
    assert found.status in {400, 421}


def test_headers_for_browsers(admin: Client) -> None:
    for path in ("/healthz", "/api/v1/syncs", "/api/v1/nothing"):
        headers = admin.raw("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["server"] is None


def test_the_audit_log_says_who_changed_what(admin: Client) -> None:
    program(admin, "audited", "viewer")
    found = admin("GET", "/audit?limit=200").json["changes"]
    assert ("ada", "token made", "audited") in [(c["who"], c["what"], c["target"]) for c in found]
    assert ("ada", "user made", "ada") in [(c["who"], c["what"], c["target"]) for c in found]
    assert admin("GET", f"/audit?before={found[0]['id']}&limit=1").json["changes"] == [found[1]]


def test_no_secret_is_stored_or_logged(admin: Client, up: Service) -> None:
    made = admin("POST", "/tokens", {"name": "stored"}, status=201).json["secret"]
    secrets = [made, PASSWORD, first_secret(up), admin.headers["Cookie"].partition("=")[2]]
    stored = b"".join(path.read_bytes() for path in up.folder.glob("state.db*"))
    for secret in secrets:
        assert secret.encode() not in stored
        assert secret not in str(up.lines)


def test_sign_ins_are_throttled_by_name_and_by_address(tmp_path: Path) -> None:
    with service(tmp_path / "data") as up:
        administrator(up)
        nobody = Client(up.url)
        wrong = {"name": "ada", "password": "not the password"}
        codes = [nobody.raw("POST", "/api/v1/session", wrong).code for _ in range(8)]
        assert codes[:5] == ["TF-W04"] * 5
        assert codes[-1] == "TF-W03"
        right = {"name": "ada", "password": PASSWORD}
        blocked = nobody.raw("POST", "/api/v1/session", right)
        assert (blocked.status, blocked.code) == (429, "TF-W03")
        assert int(blocked.headers["retry-after"]) >= 1
        found = rows(tmp_path / "data" / "state.db", "SELECT count(*) FROM failed_sign_ins")
        assert found == [(2,)]
