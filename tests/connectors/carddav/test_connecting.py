"""From what a person types to an address book, and what goes wrong on the way."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.connectors.carddav.cards import ADA, card
from tests.connectors.carddav.connecting import connected
from tests.servers.radicale import Radicale
from tests.servers.scripted_dav import BOOK, HOME, PRINCIPAL, ScriptedDav, Seen

from twofold.core.errors import TwofoldError
from twofold.core.schema import Op
from twofold.kit.catalog import load
from twofold.kit.errors import AccessDenied, Misunderstood, Redirected, SchemaChanged, Unavailable


@pytest.fixture
async def dav() -> AsyncIterator[ScriptedDav]:
    async with ScriptedDav() as server:
        yield server


def _well_known(status: int, location: str = "") -> web.Response:
    return web.Response(status=status, headers={"Location": location} if location else {})


@pytest.mark.parametrize(
    ("path", "calls"),
    [
        ("", ["/.well-known/carddav", "/", PRINCIPAL, HOME]),
        ("/", ["/.well-known/carddav", "/", PRINCIPAL, HOME]),
        (PRINCIPAL, [PRINCIPAL, HOME]),
        (HOME, [HOME, HOME]),
        (BOOK, [BOOK]),
        ("/login.html", ["/login.html", "/.well-known/carddav", "/", PRINCIPAL, HOME]),
    ],
)
async def test_any_address_on_the_way_leads_to_the_book(
    dav: ScriptedDav, path: str, calls: list[str]
) -> None:
    async with connected({**dav.settings, "url": dav.url + path}) as connector:
        identity = await connector.verify()
        await connector.describe()
    assert identity.account == f"127.0.0.1:{dav.port}{BOOK}"
    assert identity.label == f"Book book (127.0.0.1:{dav.port})"
    assert [seen.path for seen in dav.seen] == calls


async def test_the_well_known_address_may_redirect_within_the_host(dav: ScriptedDav) -> None:
    dav.hook = lambda seen: _well_known(301, PRINCIPAL) if seen.path.startswith("/.well") else None
    async with connected(dav.settings) as connector:
        assert (await connector.verify()).account.endswith(BOOK)


@pytest.mark.parametrize("status", [200, 404, 405])
async def test_a_well_known_address_that_is_a_page_is_passed_by(
    dav: ScriptedDav, status: int
) -> None:
    dav.hook = lambda seen: (
        web.Response(status=status, text="<html>") if seen.path.startswith("/.well") else None
    )
    async with connected(dav.settings) as connector:
        assert (await connector.verify()).account.endswith(BOOK)


@pytest.mark.parametrize("where", ["redirect", "home"])
async def test_another_host_is_named_and_never_asked(dav: ScriptedDav, where: str) -> None:
    async with ScriptedDav() as elsewhere:
        other = f"http://localhost:{elsewhere.port}{HOME}"
        if where == "home":
            dav.manners.home = other
        else:
            dav.hook = lambda seen: _well_known(302, other)
        async with connected(dav.settings) as connector:
            with pytest.raises(Redirected) as caught:
                await connector.verify()
    assert caught.value.code == "TF-A02"
    assert "localhost" in str(caught.value)
    assert elsewhere.seen == []


async def test_a_wrong_password_is_said_without_repeating_it(dav: ScriptedDav) -> None:
    async with connected({**dav.settings, "password": "hunter2"}) as connector:
        with pytest.raises(AccessDenied) as caught:
            await connector.verify()
    assert caught.value.code == "TF-A01"
    assert "hunter2" not in str(caught.value) + str(caught.value.facts)


async def test_a_wrong_password_on_radicale() -> None:
    with Radicale() as server:
        async with connected({**server.settings, "password": "wrong"}) as connector:
            with pytest.raises(AccessDenied):
                await connector.verify()


async def test_an_unreachable_server_is_for_later() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with connected({"url": url, "user": "a", "password": "b"}) as connector:
            with pytest.raises(Unavailable) as caught:
                await connector.verify()
    assert caught.value.code == "TF-C01"


@pytest.mark.parametrize(
    "url", ["", "   ", "ftp://example.org", "http://", "http://[::1", "http://u:secret@127.0.0.1/"]
)
async def test_an_address_that_is_none_is_said_without_repeating_it(
    dav: ScriptedDav, url: str
) -> None:
    async with connected(dav.settings) as connector:
        connector._settings = {**dav.settings, "url": url}
        with pytest.raises(Misunderstood) as caught:
            await connector.verify()
    assert "secret" not in str(caught.value)
    assert dav.seen == []


async def test_a_server_without_webdav_is_said(dav: ScriptedDav) -> None:
    dav.hook = lambda seen: web.Response(text="<html>hello</html>", content_type="text/html")
    async with connected(dav.settings) as connector:
        with pytest.raises(Misunderstood) as caught:
            await connector.verify()
    assert caught.value.code == "TF-C05"


async def test_a_book_is_chosen_by_name_or_is_the_first_writable(dav: ScriptedDav) -> None:
    dav.manners.books = ["/dav/zebra/", BOOK, "/dav/ant/"]
    async with connected(dav.settings) as connector:
        assert (await connector.verify()).account.endswith("/dav/ant/")
    for name in ("Book zebra", "zebra", "/dav/zebra/"):
        async with connected({**dav.settings, "addressbook": name}) as connector:
            assert (await connector.verify()).account.endswith("/dav/zebra/")
    async with connected({**dav.settings, "addressbook": "giraffe"}) as connector:
        with pytest.raises(TwofoldError) as caught:
            await connector.verify()
    assert caught.value.code == "TF-A09"
    assert "giraffe" in str(caught.value)
    assert "Book zebra" in str(caught.value)


async def test_an_account_without_a_book_is_said(dav: ScriptedDav) -> None:
    dav.manners.books = []
    async with connected(dav.settings) as connector:
        with pytest.raises(TwofoldError) as caught:
            await connector.verify()
    assert caught.value.code == "TF-A09"


async def test_a_book_that_may_only_be_read_declares_no_writes(dav: ScriptedDav) -> None:
    dav.manners.read_only = True
    async with connected(dav.settings) as connector:
        assert {kind.ops for kind in await connector.describe()} == {frozenset()}
    dav.manners.read_only = False
    async with connected(dav.settings) as connector:
        assert {kind.ops for kind in await connector.describe()} == {
            frozenset({Op.CREATE, Op.UPDATE, Op.DELETE})
        }


async def test_two_books_of_one_radicale_are_two_accounts() -> None:
    with Radicale() as server:
        server.make_book("business", "Business & more")
        server.put("a.vcf", ADA)
        accounts = set()
        for name, count in (("contacts", 1), ("Business & more", 0)):
            async with connected({**server.settings, "addressbook": name}) as connector:
                accounts.add((await connector.verify()).account)
                page = await connector.pull("contact", None, ["email"])
                assert len(page.ids) == count
    assert len(accounts) == 2


async def test_what_no_address_book_has_is_refused(dav: ScriptedDav) -> None:
    async with connected(dav.settings) as connector:
        with pytest.raises(SchemaChanged) as caught:
            await connector.pull("deal", None, [])
        assert caught.value.code == "TF-F02"
        with pytest.raises(SchemaChanged) as caught:
            await connector.pull("contact", None, ["shoesize"])
        assert caught.value.code == "TF-F01"
        with pytest.raises(SchemaChanged):
            await connector.get("contact", ["x"], ["email"], key="email")


async def test_the_default_mappings_name_fields_that_exist(dav: ScriptedDav) -> None:
    async with connected(dav.settings) as connector:
        kinds = {kind.name: kind for kind in await connector.describe()}
        manifest = connector.manifest
    for hub_type, lines in manifest.defaults.items():
        kind = kinds[manifest.objects[hub_type]]
        for line in lines:
            field = kind.field(line.app_field)
            assert field is not None, line
            assert line.to_app is not field.read_only, line


def test_the_catalog_finds_the_connector() -> None:
    assert load("carddav").manifest.label == "CardDAV address book"


async def test_every_request_stays_within_what_was_typed(dav: ScriptedDav) -> None:
    """No request ever carries the password in its address or body."""
    dav.store("a.vcf", card(1))
    async with connected(dav.settings) as connector:
        await connector.pull("contact", None, ["email"])

    def holds_secret(seen: Seen) -> bool:
        return dav.password in seen.path or dav.password.encode() in seen.body

    assert dav.seen
    assert not any(map(holds_secret, dav.seen))
