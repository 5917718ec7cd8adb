"""Tokens are got once, refreshed in time and by one at a time; the hub's own sign-in is the app."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.connectors.hubspot.account import ServedClock
from tests.hub_api.serving import Serving, serving
from tests.hub_api.test_oauth import BACK, Program

from twofold.connectors.hubspot import HubSpot
from twofold.kit import oauth
from twofold.kit.budgets import Budgets
from twofold.kit.contract import Response
from twofold.kit.errors import AccessDenied, Unavailable
from twofold.kit.http import AioHttp
from twofold.kit.oauth import OAuthAuth, Post, Tokens
from twofold.services.kept_tokens import KeptTokens

MANIFEST = HubSpot.manifest


class Store:
    """What two programs share: a file with the answers."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "answers.json"
        self.lock = folder / "lock"

    def load(self) -> Mapping[str, str]:
        found: dict[str, str] = json.loads(self.file.read_text())
        return found

    def save(self, some: Mapping[str, str]) -> None:
        held = self.load() if self.file.exists() else {}
        self.file.write_text(json.dumps({**held, **some}))

    def keeper(self) -> KeptTokens:
        return KeptTokens(self.lock, self.load, self.save)


class Party:
    """A program that signs in at the served hub."""

    def __init__(self, served: Serving, store: Store, stack: AsyncExitStack) -> None:
        self.program = Program(served, "twofold")
        self.clock = ServedClock(served.clock)
        self.store = store
        self.forms: list[dict[str, str]] = []
        self.answers = {
            "url": served.url,
            "authorize": f"{served.url}/oauth/authorize",
            "client_id": self.program.client.id,
            "client_secret": self.program.secret,
        }

        def http_to(base: str) -> AioHttp:
            made = AioHttp("hubspot", base, self.clock, Budgets("hubspot", (), self.clock))
            stack.push_async_callback(made.close)
            return made

        self._post = oauth.poster("hubspot", http_to)

    async def post(self, address: str, form: Mapping[str, str]) -> Response:
        self.forms.append(dict(form))
        return await self._post(address, form)

    async def signed_in(self) -> Tokens:
        """From the first step to tokens that are kept."""
        begun = oauth.begin(MANIFEST, self.answers, BACK)
        asked = {n: v[0] for n, v in parse_qs(urlsplit(begun.address).query).items()}
        assert asked["state"] == begun.state
        code = self.program.allowed(**asked)
        post: Post = self.post
        tokens = await oauth.exchange(MANIFEST, self.answers, begun, code, post, self.clock)
        self.store.save(tokens.answers())
        return tokens

    def auth(self) -> OAuthAuth:
        return OAuthAuth(MANIFEST, self.answers, self.store.keeper(), self.post, self.clock)

    @property
    def refreshes(self) -> int:
        return sum(form["grant_type"] == "refresh_token" for form in self.forms)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path / "hub.db") as running:
        yield running


@pytest.fixture
async def party(served: Serving, tmp_path: Path) -> object:
    async with AsyncExitStack() as stack:
        yield Party(served, Store(tmp_path), stack)


async def test_a_token_is_used_until_shortly_before_its_end(served: Serving, party: Party) -> None:
    tokens = await party.signed_in()
    auth = party.auth()
    assert await auth.headers() == {"Authorization": f"Bearer {tokens.access}"}
    served.clock.move(1_700)
    assert await auth.headers() == {"Authorization": f"Bearer {tokens.access}"}
    assert party.refreshes == 0
    served.clock.move(60)  # forty seconds are left
    headers = await auth.headers()
    assert headers != {"Authorization": f"Bearer {tokens.access}"}
    assert served("GET", "/account-info/2026-09/details", headers=dict(headers)).status == 200
    assert party.refreshes == 1


async def test_many_at_once_and_two_programs_refresh_once(served: Serving, party: Party) -> None:
    await party.signed_in()
    here, there = party.auth(), party.auth()
    await here.headers()
    await there.headers()
    served.clock.move(1_800)
    found = await asyncio.gather(*(auth.headers() for auth in (here, there) for _ in range(10)))
    assert len({headers["Authorization"] for headers in found}) == 1
    assert party.refreshes == 1


async def test_a_token_that_was_ended_early_is_renewed(served: Serving, party: Party) -> None:
    tokens = await party.signed_in()
    auth = party.auth()
    await auth.headers()
    party.program.post("/oauth/2026-09/token/revoke", token=tokens.access)
    assert served("GET", "/crm/v3/owners", headers=dict(await auth.headers())).status == 401
    assert await auth.renew()
    headers = dict(await auth.headers())
    assert served("GET", "/account-info/2026-09/details", headers=headers).status == 200


async def test_a_sign_in_that_was_ended_asks_for_a_person(served: Serving, party: Party) -> None:
    tokens = await party.signed_in()
    party.program.post("/oauth/2026-09/token/revoke", token=tokens.refresh)
    served.clock.move(1_800)
    with pytest.raises(AccessDenied) as ended:
        await party.auth().headers()
    assert "sign in again" in ended.value.sentence


async def test_a_wrong_secret_is_named(party: Party) -> None:
    await party.signed_in()
    party.answers["client_secret"] = "guessed"
    party.clock._clock.move(1_800)
    with pytest.raises(AccessDenied) as refused:
        await party.auth().headers()
    assert "client ID or secret" in refused.value.sentence
    assert "guessed" not in refused.value.sentence


async def test_a_server_error_is_tried_again_later(served: Serving, party: Party) -> None:
    await party.signed_in()
    served.clock.move(1_800)

    async def broken(address: str, form: Mapping[str, str]) -> Response:
        return Response(500, {}, b"<html>")

    auth = OAuthAuth(MANIFEST, party.answers, party.store.keeper(), broken, party.clock)
    with pytest.raises(Unavailable):
        await auth.headers()


def test_without_a_client_nobody_is_sent_anywhere() -> None:
    with pytest.raises(AccessDenied):
        oauth.begin(MANIFEST, {"url": "http://localhost"}, BACK)


def test_nothing_of_it_shows_in_a_representation(tmp_path: Path) -> None:
    store = Store(tmp_path)

    async def post(address: str, form: Mapping[str, str]) -> Response:
        raise AssertionError

    auth = OAuthAuth(MANIFEST, {"client_secret": "hush"}, store.keeper(), post, None)  # type: ignore[arg-type]
    assert "hush" not in repr(auth)
