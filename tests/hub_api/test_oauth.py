"""Programs sign in by OAuth: authorize, code, token, refresh, introspection, revocation.

Facts are those of "HubSpot CRM", row "OAuth2"; RFC 6749, 7636, 7662 where these say more.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from tests.hub_api.serving import Reply, Serving

from twofold.hub.api import oauth
from twofold.hub.api.faults import Fault
from twofold.hub.api.oauth import Client
from twofold.kit.oauth import challenge

BACK = "http://localhost:9000/back"
SCOPES = ("crm.objects.contacts.read", "crm.schemas.contacts.read")
VERIFIER = "v" * 64
CONTACTS = "/crm/v3/objects/contacts"


class Program:
    """A client of the hub, and a person who allows what it asks."""

    def __init__(self, served: Serving, name: str) -> None:
        self.served = served
        hub = served.hub()
        made = oauth.make(hub, name, [BACK], served.clock().timestamp())
        hub.close()
        assert made is not None
        self.client, self.secret = made

    def allowed(self, **more: str) -> str:
        """A code for the question that a page would show."""
        given = {
            "client_id": self.client.id,
            "redirect_uri": BACK,
            "scope": " ".join(("oauth", *SCOPES)),
            "code_challenge": challenge(VERIFIER),
            **more,
        }
        hub = self.served.hub()
        try:
            asked = oauth.asked(hub, given)
            return oauth.grant(hub, asked, self.served.clock().timestamp())
        finally:
            hub.close()

    def post(self, path: str = "/oauth/2026-09/token", **form: str) -> Reply:
        """A form of the client's."""
        given = {"client_id": self.client.id, "client_secret": self.secret, **form}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": ""}
        return self.served("POST", path, raw=urlencode(given).encode(), headers=headers)

    def exchange(self, code: str, **more: str) -> Reply:
        form = {"code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **more}
        return self.post(grant_type="authorization_code", **form)

    def tokens(self) -> Any:
        answer = self.exchange(self.allowed())
        assert answer.status == 200, answer.body
        return answer.json


@pytest.fixture(scope="module")
def program(hub: Serving) -> Program:
    return Program(hub, "reports")


def reads(hub: Serving, access: str) -> Reply:
    return hub("GET", CONTACTS, secret=access)


def test_a_code_becomes_tokens_that_open_what_was_allowed(hub: Serving, program: Program) -> None:
    found = program.tokens()
    assert (found["token_type"], found["expires_in"]) == ("bearer", 1800)
    account = hub("GET", "/account-info/2026-09/details", secret=found["access_token"]).json
    assert found["hub_id"] == account["portalId"]
    assert reads(hub, found["access_token"]).status == 200
    refused = hub("POST", CONTACTS, {"properties": {}}, secret=found["access_token"])
    assert (refused.status, refused.json["category"]) == (403, "MISSING_SCOPES")


def test_an_access_token_ends_and_is_refreshed(hub: Serving, program: Program) -> None:
    found = program.tokens()
    hub.clock.move(1_801)
    assert reads(hub, found["access_token"]).status == 401
    fresh = program.post(grant_type="refresh_token", refresh_token=found["refresh_token"]).json
    assert fresh["access_token"] != found["access_token"]
    assert reads(hub, fresh["access_token"]).status == 200


def test_what_a_token_is_worth_is_told(hub: Serving, program: Program) -> None:
    found = program.tokens()
    path = "/oauth/2026-09/token/introspect"
    access = program.post(path, token=found["access_token"]).json
    assert access["active"]
    assert set(access["scope"].split()) == set(SCOPES)
    assert program.post(path, token=found["refresh_token"]).json["active"]
    assert program.post(path, token="nothing").json == {"active": False}
    stranger = Program(hub, "stranger")
    assert stranger.post(path, token=found["access_token"]).json == {"active": False}
    told = hub("GET", f"/oauth/v1/access-tokens/{found['access_token']}").json
    assert (told["hub_id"], told["app_id"]) == (found["hub_id"], program.client.id)


def test_a_revoked_refresh_token_ends_all(hub: Serving, program: Program) -> None:
    found = program.tokens()
    path = "/oauth/2026-09/token/revoke"
    assert program.post(path, token=found["refresh_token"]).status == 204
    assert reads(hub, found["access_token"]).status == 401
    again = program.post(grant_type="refresh_token", refresh_token=found["refresh_token"])
    assert (again.status, again.json["error"]) == (400, "invalid_grant")


def test_a_client_that_is_removed_opens_nothing(hub: Serving) -> None:
    gone = Program(hub, "gone")
    found = gone.tokens()
    opened = hub.hub()
    assert oauth.forget(opened, "gone")
    assert not oauth.forget(opened, "gone")
    opened.close()
    assert reads(hub, found["access_token"]).status == 401
    assert gone.exchange("code").json["error"] == "invalid_client"


def test_a_code_counts_once(program: Program) -> None:
    code = program.allowed()
    assert program.exchange(code).status == 200
    assert program.exchange(code).json["error"] == "invalid_grant"


def test_a_code_is_over_after_ten_minutes(hub: Serving, program: Program) -> None:
    code = program.allowed()
    hub.clock.move(601)
    assert program.exchange(code).json["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_secret": "guessed"}, "invalid_client"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"redirect_uri": "http://localhost:9000/elsewhere"}, "invalid_grant"),
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"code": "guessed"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_exchanges_that_are_refused(program: Program, changed: dict[str, str], error: str) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": program.allowed(),
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
        **changed,
    }
    refused = program.post(**form)
    assert (refused.status, refused.json["error"]) == (400, error)


def test_a_code_of_another_client_is_refused(hub: Serving, program: Program) -> None:
    other = Program(hub, "other")
    assert other.exchange(program.allowed()).json["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "https://evil.example/back"},
        {"scope": "crm.objects.starships.read"},
        {"code_challenge_method": "plain"},
    ],
)
def test_questions_that_are_never_asked(program: Program, changed: dict[str, str]) -> None:
    with pytest.raises(Fault):
        program.allowed(**changed)


def test_a_body_that_is_no_form(hub: Serving) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for raw in (b"\xff\xfe", b"&".join([b"a=b"] * 50), b""):
        assert hub("POST", "/oauth/v3/token", raw=raw, headers=headers).status == 400


def test_the_official_client_gets_tokens(hub: Serving, program: Program) -> None:
    client: Client = program.client
    found = hub.client.oauth.tokens_api.create(
        grant_type="authorization_code",
        code=program.allowed(code_challenge=""),
        redirect_uri=BACK,
        client_id=client.id,
        client_secret=program.secret,
    )
    assert found.expires_in == 1800
    assert reads(hub, found.access_token).status == 200
