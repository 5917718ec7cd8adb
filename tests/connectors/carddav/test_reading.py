"""What is read from servers that keep what they are given: feeds, bodies, hostile answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import escape

import pytest
from aiohttp import web
from msgspec import structs
from tests.connectors.carddav.cards import ADA, card
from tests.connectors.carddav.connecting import connected
from tests.servers.scripted_dav import BOOK, ScriptedDav, Seen

from twofold.connectors.carddav import CardDav
from twofold.core.errors import TwofoldError
from twofold.core.records import Record
from twofold.core.schema import Feed
from twofold.kit.contract import Batch
from twofold.kit.errors import CursorExpired, Misunderstood, Unavailable
from twofold.kit.http import Bounds

NAMES = ("firstname", "lastname", "email", "phone", "note")


@pytest.fixture
async def dav() -> AsyncIterator[ScriptedDav]:
    async with ScriptedDav() as server:
        yield server


@pytest.fixture
async def connector(dav: ScriptedDav) -> AsyncIterator[CardDav]:
    async with connected(dav.settings) as found:
        yield found


async def drain(
    connector: CardDav, cursor: str | None = None, obj: str = "contact"
) -> tuple[dict[str, Record], list[Batch]]:
    """What the pages name, looked at, and the pages; changes that a look does not find are gone."""
    records: dict[str, Record] = {}
    pages: list[Batch] = []
    while not pages or pages[-1].more:
        assert len(pages) < 100
        names = NAMES if obj == "contact" else ("name", "email", "note")
        page = await connector.pull(obj, cursor, names)
        assert set(page.digests) <= {None}
        found = await connector.get(obj, page.ids, names)
        records.update((i, record) for i, (record,) in found.items())
        left = [] if page.snapshot else [(i, None) for i in page.ids if i not in found]
        pages.append(structs.replace(page, gone=[*page.gone, *left]))
        cursor = page.cursor
    return records, pages


def gone(pages: list[Batch]) -> set[str]:
    return {record_id for page in pages for record_id, _ in page.gone}


# --- listings and their costs ---------------------------------------------------------------------


async def test_a_listing_costs_one_list_and_one_multiget_per_200(
    dav: ScriptedDav, connector: CardDav
) -> None:
    for n in range(401):
        dav.store(f"{n}.vcf", card(n))
    await connector.verify()
    dav.seen.clear()
    records, pages = await drain(connector)
    assert len(records) == 401
    assert dav.methods() == ["sync-collection", *["addressbook-multiget"] * 3]
    assert all(page.snapshot for page in pages)
    dav.seen.clear()
    assert (await drain(connector, pages[-1].cursor))[0] == {}
    assert dav.methods() == ["sync-collection"]
    dav.store("7.vcf", card(7, "NOTE:new"))
    dav.seen.clear()
    changed, pages = await drain(connector, pages[-1].cursor)
    assert {r.id: r.fields["note"] for r in changed.values()} == {"7.vcf": "new"}
    assert not pages[0].snapshot
    assert dav.methods() == ["sync-collection", "addressbook-multiget"]


async def test_photos_fill_a_page_sooner(dav: ScriptedDav, connector: CardDav) -> None:
    for n in range(5):
        dav.store(f"{n}.vcf", card(n, "PHOTO;ENCODING=b:" + "A" * 3_000_000))
    records, pages = await drain(connector)
    assert len(records) == 5
    assert [len(page.ids) for page in pages] == [2, 2, 1]
    dav.seen.clear()
    assert len(await connector.get("contact", list(records), NAMES)) == 5
    assert dav.methods() == ["addressbook-multiget"] * 3


async def test_a_batch_larger_than_an_answer_may_be_is_halved(dav: ScriptedDav) -> None:
    dav.manners.lists_sizes = False
    for n in range(4):
        dav.store(f"{n}.vcf", card(n, "PHOTO;ENCODING=b:" + "A" * 300_000))
    async with connected(dav.settings, Bounds(size=1_000_000)) as connector:
        records, _ = await drain(connector)
    assert len(records) == 4
    assert dav.methods().count("addressbook-multiget") == 3


async def test_a_new_instance_goes_on_amid_a_listing(dav: ScriptedDav) -> None:
    for n in range(250):
        dav.store(f"{n:03}.vcf", card(n))
    async with connected(dav.settings) as first:
        page = await first.pull("contact", None, NAMES)
    assert page.more
    dav.store("000.vcf", card(0, "NOTE:edited meanwhile"))
    dav.store("0000.vcf", card(1000))
    dav.drop("001.vcf")
    dav.drop("249.vcf")
    async with connected(dav.settings) as second:
        rest, pages = await drain(second, page.cursor)
        assert set(rest) == {f"{n:03}.vcf" for n in range(200, 249)}
        assert pages[-1].snapshot
        later, after = await drain(second, pages[-1].cursor)
    assert {"000.vcf", "0000.vcf"} <= set(later)
    assert later["000.vcf"].fields["note"] == "edited meanwhile"
    assert gone(after) >= {"001.vcf"}


async def test_a_list_that_the_server_cuts_is_taken_to_its_end(
    dav: ScriptedDav, connector: CardDav
) -> None:
    dav.manners.cut_at = 3
    for n in range(8):
        dav.store(f"{n}.vcf", card(n))
    records, pages = await drain(connector)
    assert len(records) == 8
    assert [page.snapshot for page in pages] == [True, True, True]
    for n in range(8):
        dav.drop(f"{n}.vcf")
    _, pages = await drain(connector, pages[-1].cursor)
    assert gone(pages) == {f"{n}.vcf" for n in range(8)}
    assert not any(page.snapshot for page in pages)


@pytest.mark.parametrize(("etag", "known"), [('"7"', '"7"'), ('W/"7"', None), ("", None)])
async def test_only_a_strong_etag_spares_a_look(
    dav: ScriptedDav, connector: CardDav, etag: str, known: str | None
) -> None:
    dav.store("a.vcf", ADA)

    def relabels(seen: Seen) -> web.Response | None:
        honest = dav._answer(seen)
        if b"sync-collection" not in seen.body or not isinstance(honest.body, bytes):
            return None
        own, other = (escape(text, quote=False).encode() for text in (dav.etag("a.vcf"), etag))
        assert own in honest.body
        return web.Response(status=207, body=honest.body.replace(own, other))

    dav.hook = relabels
    page = await connector.pull("contact", None, NAMES)
    assert (page.ids, page.versions) == (["a.vcf"], [known])


async def test_no_list_is_ever_asked_with_a_limit(dav: ScriptedDav, connector: CardDav) -> None:
    dav.store("a.vcf", ADA)
    await drain(connector)
    assert not any(b"limit" in seen.body or b"nresults" in seen.body for seen in dav.seen)


@pytest.mark.parametrize("status", [403, 409, 412, 400])
async def test_a_forgotten_token_is_told_by_its_element(
    dav: ScriptedDav, connector: CardDav, status: int
) -> None:
    dav.store("a.vcf", ADA)
    _, pages = await drain(connector)
    dav.manners.expired_status = status
    dav.forget_tokens()
    with pytest.raises(CursorExpired) as caught:
        await connector.pull("contact", pages[-1].cursor, NAMES)
    assert caught.value.code == "TF-C04"
    assert set((await drain(connector))[0]) == {"a.vcf"}


@pytest.mark.parametrize(
    "cursor", ["", "nonsense", "{}", '{"book":"/other/"}', "[1]", '{"book":1}']
)
async def test_a_cursor_that_is_none_of_ours_expires(connector: CardDav, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        await connector.pull("contact", cursor, NAMES)


async def test_a_507_for_the_whole_list_is_for_later(dav: ScriptedDav, connector: CardDav) -> None:
    await connector.verify()
    dav.hook = lambda seen: web.Response(status=507) if seen.method == "REPORT" else None
    with pytest.raises(Unavailable) as caught:
        await connector.pull("contact", None, NAMES)
    assert caught.value.code == "TF-C01"


# --- servers without sync-collection --------------------------------------------------------------


async def test_without_sync_collection_every_pull_is_a_full_listing(
    dav: ScriptedDav, connector: CardDav
) -> None:
    dav.manners.syncs = False
    for n in range(201):
        dav.store(f"{n}.vcf", card(n))
    kinds = {kind.name: kind for kind in await connector.describe()}
    assert kinds["contact"].feed is Feed.SNAPSHOT
    assert not kinds["contact"].deletes
    cursor = None
    for _ in range(2):
        dav.seen.clear()
        records, pages = await drain(connector, cursor)
        cursor = pages[-1].cursor
        assert len(records) == 201
        assert all(page.snapshot for page in pages)
        assert dav.methods() == ["propfind", "addressbook-multiget", "addressbook-multiget"]
    dav.drop("7.vcf")
    records, _ = await drain(connector, cursor)
    assert len(records) == 200


# --- kinds ----------------------------------------------------------------------------------------


async def test_people_and_companies_share_a_book_and_can_change_places(
    dav: ScriptedDav, connector: CardDav
) -> None:
    dav.store("p.vcf", card(1))
    dav.store("apple.vcf", card(2, "ORG:Acme", "X-ABSHOWAS:COMPANY"))
    dav.store("org.vcf", card(3, "KIND:org").replace(b"3.0", b"4.0"))
    dav.store("group.vcf", card(4, "X-ADDRESSBOOKSERVER-KIND:group"))
    dav.store("room.vcf", card(5, "KIND:location"))
    people, at = await drain(connector)
    companies, company_at = await drain(connector, obj="company")
    assert (set(people), set(companies)) == ({"p.vcf"}, {"apple.vcf", "org.vcf"})
    assert gone(at) == gone(company_at) == set()
    dav.store("p.vcf", card(1, "ORG:P", "X-ABShowAs:COMPANY"))
    people, at = await drain(connector, at[-1].cursor)
    companies, _ = await drain(connector, company_at[-1].cursor, "company")
    assert (set(people), gone(at), set(companies)) == (set(), {"p.vcf"}, {"p.vcf"})
    assert set(await connector.get("contact", ["p.vcf", "room.vcf"], NAMES)) == set()
    assert set(await connector.get("company", ["p.vcf"], ("name",))) == {"p.vcf"}


# --- cards as they come ---------------------------------------------------------------------------

LATIN = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zo\xeb\r\nN:Jos\xe9;Zo\xeb;;;\r\nEND:VCARD\r\n"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nN:L;F;;;\r\nEND:VCARD\r\n", {"firstname": "F"}),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nN:L;F;;;\r\nEND:VCARD\r\n", {"lastname": "L"}),
        (LATIN, {"firstname": "Zoë", "lastname": "José"}),
        (b"BEGIN:VCARD\nN:L;F;;;\nNOTE:x\x0b\x01y", {"firstname": "F", "note": "xy"}),
        (b"\xef\xbb\xbfBEGIN:VCARD\nN:L;F;;;\nEND:VCARD", {"firstname": "F"}),
        (b"BEGIN:VCARD\r\nNOTE:]]> & <b>\r\nN:L;F;;;\r\nEND:VCARD\r\n", {"note": "]]> & <b>"}),
        (b"BEGIN:VCARD\r\nNOTE:\xef\xbf\xbd\r\nN:;F;;;\r\nEND:VCARD\r\n", {"note": "\ufffd"}),
    ],
)
async def test_an_odd_card_is_read_and_spoils_no_other(
    dav: ScriptedDav, connector: CardDav, body: bytes, shown: dict[str, str]
) -> None:
    dav.store("a.vcf", ADA)
    dav.store("odd.vcf", body)
    dav.store("z.vcf", card(3))
    records, _ = await drain(connector)
    assert set(records) == {"a.vcf", "odd.vcf", "z.vcf"}
    assert {name: records["odd.vcf"].fields[name] for name in shown} == shown


@pytest.mark.parametrize(
    "body", [b"", b"not a card", b"\x00\xff\xfe", b"<html></html>", b"END:VCARD"]
)
async def test_what_is_no_card_is_no_record(
    dav: ScriptedDav, connector: CardDav, body: bytes
) -> None:
    dav.store("a.vcf", ADA)
    dav.store("odd.vcf", body)
    assert set((await drain(connector))[0]) == {"a.vcf"}


async def test_two_cards_with_one_uid_are_two_records(dav: ScriptedDav, connector: CardDav) -> None:
    dav.store("a.vcf", card(1, uid="same"))
    dav.store("b.vcf", card(2, uid="same"))
    records, _ = await drain(connector)
    assert {r.id: r.fields["firstname"] for r in records.values()} == {"a.vcf": "1", "b.vcf": "2"}


@pytest.mark.parametrize("line_breaks", ["raw", "coded", "cdata"])
async def test_a_photo_of_five_megabytes_is_read(
    dav: ScriptedDav, connector: CardDav, line_breaks: str
) -> None:
    dav.manners.line_breaks = line_breaks
    photo = "PHOTO;ENCODING=b;TYPE=JPEG:" + "\r\n ".join(["A" * 74] * 70_000)
    dav.store("a.vcf", card(1, photo, "NOTE:after"))
    records, _ = await drain(connector)
    assert records["a.vcf"].fields["note"] == "after"


@pytest.mark.parametrize("name", ["a b.vcf", "ümlaut.vcf", "100%.vcf", "a+b&c.vcf", "q?x#y.vcf"])
@pytest.mark.parametrize("whole_urls", [False, True])
async def test_an_href_names_one_card_however_it_is_written(
    dav: ScriptedDav, connector: CardDav, name: str, whole_urls: bool
) -> None:
    dav.manners.whole_urls = whole_urls
    dav.store(name, ADA)
    (record,) = (await drain(connector))[0].values()
    found = await connector.get("contact", [record.id], NAMES)
    assert found[record.id][0].fields["email"] == "ada@example.org"
    assert "/" not in record.id


async def test_hrefs_outside_of_the_book_are_ignored(dav: ScriptedDav, connector: CardDav) -> None:
    dav.store("a.vcf", ADA)
    hrefs = ["/etc/passwd", f"{BOOK}../../x.vcf", f"{BOOK}%2e%2e/x", f"{BOOK}sub/x.vcf", BOOK]
    hrefs += ["http://evil.example/dav/book/x.vcf", "http://[", "", f"{BOOK}a%2Fb.vcf"]
    extra = "".join(
        f"<d:response><d:href>{href}</d:href><d:propstat><d:prop><d:getetag>1</d:getetag></d:prop>"
        "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        for href in hrefs
    )

    def hostile(seen: Seen) -> web.Response | None:
        if b"sync-collection" not in seen.body:
            return None
        honest = dav._answer(seen)
        assert isinstance(honest.body, bytes)
        body = honest.body.replace(b"<d:sync-token>", extra.encode() + b"<d:sync-token>")
        return web.Response(status=207, body=body)

    dav.hook = hostile
    assert set((await drain(connector))[0]) == {"a.vcf"}
    assert {seen.path for seen in dav.seen if seen.method == "GET"} == set()
    asked = b"".join(seen.body for seen in dav.seen if b"multiget" in seen.body)
    assert asked.count(b"<D:href>") == 1


async def test_one_card_that_the_server_cannot_give_is_asked_for_alone(
    dav: ScriptedDav, connector: CardDav
) -> None:
    dav.store("a.vcf", ADA)
    dav.store("b.vcf", card(2))

    def leaves_out(seen: Seen) -> web.Response | None:
        if b"multiget" not in seen.body:
            return None
        honest = dav._answer(seen)
        assert isinstance(honest.body, bytes)
        return web.Response(status=207, body=honest.body.replace(b"200 OK", b"500 Broken", 1))

    dav.hook = leaves_out
    assert set((await drain(connector))[0]) == {"a.vcf", "b.vcf"}
    assert [seen.path for seen in dav.seen if seen.method == "GET"] == [f"{BOOK}a.vcf"]
    dav.hook = lambda seen: web.Response(status=500) if seen.method == "GET" else leaves_out(seen)
    with pytest.raises(TwofoldError) as caught:
        await drain(connector)
    assert caught.value.code in ("TF-C01", "TF-C05")


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "&%c;&%c;&%c;&%c;">' % (c + 1, c, c, c, c) for c in range(97, 115))
    + b']><d:multistatus xmlns:d="DAV:"><d:sync-token>&s;</d:sync-token></d:multistatus>'
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
DEEP = (
    b"<d:multistatus xmlns:d='DAV:'>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</d:multistatus>"
)


@pytest.mark.parametrize(
    "answer",
    [
        BOMB,
        OUTSIDE,
        b"\xef\xbb\xbf\n" + OUTSIDE,
        b"<!-- c --><?p i?>" + BOMB.partition(b"?>")[2],
        BOMB.partition(b"?>")[2].decode().encode("utf-16"),
        BOMB.partition(b"?>")[2].decode().encode("utf-16-le"),
        b"<d:multistatus xmlns:d='DAV:'>" + OUTSIDE + b"</d:multistatus>",
        DEEP,
        b"",
        b"<",
        b"\xff\xfe",
        b"<html/>",
        b'<?xml version="1.0" encoding="x"?><a/>',
    ],
    ids=lambda answer: answer[:12].hex(),
)
async def test_hostile_xml_is_one_coded_error(
    dav: ScriptedDav, connector: CardDav, answer: bytes
) -> None:
    dav.store("a.vcf", ADA)
    await connector.verify()
    dav.hook = lambda seen: (
        web.Response(status=207, body=answer) if b"sync-coll" in seen.body else None
    )
    with pytest.raises(Misunderstood) as caught:
        await connector.pull("contact", None, NAMES)
    assert caught.value.code == "TF-C05"
    assert "root:" not in str(caught.value)
