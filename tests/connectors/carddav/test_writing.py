"""What is written: the bytes of a PUT against the bytes last fetched, and what servers answer."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import AsyncIterator
from datetime import date

import pytest
from aiohttp import web
from tests.connectors.carddav.cards import ADA, card
from tests.connectors.carddav.connecting import connected
from tests.servers.radicale import Radicale
from tests.servers.recording_proxy import RecordingProxy
from tests.servers.scripted_dav import BOOK, ScriptedDav, Seen

from twofold.connectors.carddav import CardDav
from twofold.core.records import Fields
from twofold.core.schema import Op
from twofold.kit.contract import Result, Status, Write
from twofold.kit.errors import Unavailable

_DATA = re.compile(rb"<[^<>]*address-data[^<>]*>(.*?)</", re.DOTALL)


@pytest.fixture
async def dav() -> AsyncIterator[ScriptedDav]:
    async with ScriptedDav() as server:
        yield server


@pytest.fixture
async def connector(dav: ScriptedDav) -> AsyncIterator[CardDav]:
    async with connected(dav.settings) as found:
        await found.verify()
        dav.seen.clear()
        yield found


async def update(
    connector: CardDav,
    record_id: str,
    fields: Fields,
    version: str | None = None,
    obj: str = "contact",
) -> Result:
    write = Write("w", Op.UPDATE, record_id, fields, if_version=version)
    (result,) = await connector.push(obj, [write])
    return result


def changed_lines(before: bytes, after: bytes) -> list[str]:
    """The physical lines, with their ends, that one has and the other has not."""
    old, new = (body.decode("latin-1").splitlines(keepends=True) for body in (before, after))
    return [line for line in difflib.ndiff(old, new) if line[0] in "+-"]


# --- bytes ----------------------------------------------------------------------------------------


async def test_radicale_is_sent_what_it_gave_but_for_the_mapped_lines() -> None:
    with Radicale() as server:
        server.put("ada.vcf", ADA)
        async with RecordingProxy(server.url) as proxy:
            settings = {**server.settings, "url": proxy.url}
            async with connected(settings) as connector:
                found = await connector.get("contact", ["ada.vcf"], ["email"])
                fields: Fields = {"email": "new@example.org", "jobtitle": "Countess", "phone": None}
                version = found["ada.vcf"][0].version
                result = await update(connector, "ada.vcf", fields, version)
            assert result.status is Status.OK
            puts = [at for at, e in enumerate(proxy.exchanges) if e.method == "PUT"]
            assert len(puts) == 1
            bodies = (_DATA.search(e.answered) for e in proxy.exchanges[: puts[0]])
            fetched = html.unescape([m[1] for m in bodies if m][-1].decode()).encode()
            sent = proxy.exchanges[puts[0]].sent
        assert sorted(changed_lines(fetched, sent)) == [
            "+ TITLE:Countess\r\n",
            "+ item1.EMAIL;TYPE=INTERNET,pref:new@example.org\r\n",
            "- TEL;TYPE=WORK,VOICE:+44 20 1234\r\n",
            "- item1.EMAIL;TYPE=INTERNET,pref:ada@example.org\r\n",
        ]
        assert b"new@example.org" in server.cards()["ada.vcf"]


@pytest.mark.parametrize("line_breaks", ["raw", "coded", "cdata"])
@pytest.mark.parametrize("ending", [b"\r\n", b"\n"])
@pytest.mark.parametrize("version", [b"3.0", b"4.0"])
async def test_untouched_lines_keep_their_bytes(
    dav: ScriptedDav, connector: CardDav, line_breaks: str, ending: bytes, version: bytes
) -> None:
    dav.manners.line_breaks = line_breaks
    stored = ADA.replace(b"3.0", version).replace(b"\r\n", ending)
    dav.store("a.vcf", stored)
    result = await update(connector, "a.vcf", {"email": "new@example.org"}, dav.etag("a.vcf"))
    assert result.status is Status.OK
    assert dav.cards["a.vcf"] == stored.replace(b"ada@example.org", b"new@example.org")


@pytest.mark.parametrize(
    "odd",
    [
        b"X-ODD:\xff\xfe\xe9\r\n",
        b"NOTE:Jos\xe9\r\n",
        b"X-CONTROL:a\x0b\x01\x00b\r\n",
        b"X-BARE:a\nX-MIXED:b\r\nX-CR:c\rX-D:d\r\n",
        b"PHOTO;ENCODING=b:" + b"\r\n ".join([b"Q" * 74] * 70_000) + b"\r\n",
        b"PHOTO;BASE64:\r\n\r\n  AAAA\r\nBBBB==\r\n\r\n",
        b"no colon at all\r\n;;;\r\n:\r\n\r\n",
        b'X-UNBALANCED;A="b:c\r\nEMAIL;X="y:\r\n',
        b"AGENT:\r\nBEGIN:VCARD\r\nFN:Agent\r\nEMAIL:agent@example.org\r\nEND:VCARD\r\n",
        "X-FFFD:\ufffd\ufdd0\r\n".encode(),
        b"X-XML:&amp; <a/> ]]> &#13;\r\n",
    ],
    ids=[
        "bytes",
        "latin",
        "control",
        "ends",
        "photo",
        "v21",
        "junk",
        "quotes",
        "agent",
        "fffd",
        "xml",
    ],
)
async def test_whatever_else_a_card_holds_stays(
    dav: ScriptedDav, connector: CardDav, odd: bytes
) -> None:
    stored = ADA.replace(b"X-CUSTOM", odd + b"X-CUSTOM")
    dav.store("a.vcf", stored)
    result = await update(connector, "a.vcf", {"firstname": "Augusta"}, dav.etag("a.vcf"))
    assert result.status is Status.OK
    assert dav.cards["a.vcf"] == stored.replace(b"Lovelace;Ada", b"Lovelace;Augusta").replace(
        b"FN:Ada", b"FN:Augusta"
    )


async def test_a_card_without_a_name_gets_the_one_it_must_have(
    dav: ScriptedDav, connector: CardDav
) -> None:
    dav.store("a.vcf", b"BEGIN:VCARD\nVERSION:3.0\nEMAIL:a@example.org")
    assert (await update(connector, "a.vcf", {"jobtitle": "X"})).status is Status.OK
    assert dav.cards["a.vcf"] == (
        b"BEGIN:VCARD\nVERSION:3.0\nEMAIL:a@example.org\nTITLE:X\nFN:a@example.org\n"
    )


# --- calls ----------------------------------------------------------------------------------------


async def test_an_update_of_many_costs_one_multiget_and_a_put_each(
    dav: ScriptedDav, connector: CardDav
) -> None:
    for n in range(50):
        dav.store(f"{n}.vcf", card(n))
    writes = [
        Write(str(n), Op.UPDATE, f"{n}.vcf", {"note": f"n{n}"}, if_version=dav.etag(f"{n}.vcf"))
        for n in range(50)
    ]
    results = await connector.push("contact", writes)
    assert [r.status for r in results] == [Status.OK] * 50
    assert [r.stored.fields["note"] for r in results if r.stored] == [f"n{n}" for n in range(50)]
    multiget = "addressbook-multiget"
    assert dav.methods() == [multiget, *["PUT"] * 50, multiget]
    assert all("if-match" in seen.headers for seen in dav.seen if seen.method == "PUT")


async def test_no_more_than_four_writes_are_under_way(dav: ScriptedDav, connector: CardDav) -> None:
    dav.manners.turns = 50
    writes = [Write(str(n), Op.CREATE, fields={"firstname": str(n)}) for n in range(12)]
    await connector.push("contact", writes)
    assert (dav.most_at_once["PUT"], len(dav.cards)) == (4, 12)


async def test_what_changes_nothing_is_not_sent(dav: ScriptedDav, connector: CardDav) -> None:
    dav.store("a.vcf", ADA)
    fields: Fields = {"firstname": "Ada", "email": "ada@example.org", "note": None}
    result = await update(connector, "a.vcf", fields, dav.etag("a.vcf"))
    assert (result.status, result.version) == (Status.OK, dav.etag("a.vcf"))
    assert dav.methods() == ["addressbook-multiget"]


# --- conditions -----------------------------------------------------------------------------------


async def test_an_edit_between_fetch_and_put_survives(dav: ScriptedDav, connector: CardDav) -> None:
    dav.store("a.vcf", ADA)
    edited = ADA.replace(b"analytical", b"poetical")

    def somebody_else(seen: Seen) -> web.Response | None:
        if seen.method == "PUT":
            dav.store("a.vcf", edited)
        return None

    dav.hook = somebody_else
    result = await update(connector, "a.vcf", {"note": "mine"}, dav.etag("a.vcf"))
    assert (result.status, result.issue and result.issue.code) == (Status.CONFLICT, "TF-R05")
    result = await update(connector, "a.vcf", {"note": "mine"})
    assert (result.status, result.issue and result.issue.code) == (Status.RETRY, "TF-R07")
    assert dav.cards["a.vcf"] == edited


async def test_another_version_or_another_value_is_a_conflict_without_a_put(
    dav: ScriptedDav, connector: CardDav
) -> None:
    dav.store("a.vcf", ADA)
    assert (await update(connector, "a.vcf", {"note": "x"}, '"old"')).status is Status.CONFLICT
    write = Write("w", Op.UPDATE, "a.vcf", {"firstname": "X"}, expected={"firstname": "Eve"})
    (result,) = await connector.push("contact", [write])
    assert result.status is Status.CONFLICT
    write = Write("w", Op.UPDATE, "a.vcf", {"firstname": "X"}, expected={"firstname": "Ada"})
    (result,) = await connector.push("contact", [write])
    assert result.status is Status.OK
    assert dav.methods().count("PUT") == 1


async def test_what_vanished_or_is_of_another_kind_is_missing(
    dav: ScriptedDav, connector: CardDav
) -> None:
    dav.store("a.vcf", ADA)
    for record_id, obj in (("no.vcf", "contact"), ("a.vcf", "company"), ("../x", "contact")):
        result = await update(connector, record_id, {"note": "x"}, obj=obj)
        assert (result.status, result.issue and result.issue.code) == (Status.MISSING, "TF-R06")
    assert dav.cards == {"a.vcf": ADA}


async def test_only_what_is_exactly_this_writes_result_is_called_stored(
    dav: ScriptedDav, connector: CardDav
) -> None:
    dav.store("a.vcf", ADA)
    dav.manners.puts_etag = False
    result = await update(connector, "a.vcf", {"note": "mine"})
    assert (result.status, result.version, result.stored) == (Status.OK, None, None)
    dav.manners.puts_etag = True
    reports = 0

    def next_edit(seen: Seen) -> web.Response | None:
        nonlocal reports
        reports += seen.method == "REPORT"
        if seen.method == "REPORT" and reports == 2:
            dav.store("a.vcf", dav.cards["a.vcf"].replace(b"mine too", b"theirs"))
        return None

    dav.hook = next_edit
    result = await update(connector, "a.vcf", {"note": "mine too"})
    assert (result.status, result.stored) == (Status.OK, None)
    assert result.version is not None
    assert result.version != dav.etag("a.vcf")


# --- creating -------------------------------------------------------------------------------------


async def test_a_create_repeated_in_any_state_is_made_once(
    dav: ScriptedDav, connector: CardDav
) -> None:
    write = Write("ref 1", Op.CREATE, fields={"firstname": "Ada", "email": "ada@example.org"})
    (first,) = await connector.push("contact", [write])
    assert (first.status, list(dav.cards)) == (Status.OK, [first.id])
    assert first.stored is not None
    async with connected(dav.settings) as other:
        (again,) = await other.push("contact", [write])
    assert (again.status, again.id, again.version) == (Status.OK, first.id, None)
    (name,) = dav.cards
    dav.store(name, card(1, uid="somebody else's"))
    (taken,) = await connector.push("contact", [write])
    assert (taken.status, taken.issue and taken.issue.other_id) == (Status.DUPLICATE, name)
    assert dav.cards == {name: card(1, uid="somebody else's")}


async def test_a_lost_answer_to_a_create_is_no_second_card(
    dav: ScriptedDav, connector: CardDav
) -> None:
    lost = 0

    def loses_the_answer(seen: Seen) -> web.Response | None:
        nonlocal lost
        if seen.method == "PUT" and not lost:
            lost += 1
            dav._answer(seen)
            return web.Response(status=504)
        return None

    dav.hook = loses_the_answer
    (result,) = await connector.push("contact", [Write("r", Op.CREATE, fields={"firstname": "A"})])
    assert (result.status, lost, list(dav.cards)) == (Status.OK, 1, [result.id])


async def test_a_lost_answer_to_an_update_is_said(dav: ScriptedDav, connector: CardDav) -> None:
    dav.store("a.vcf", ADA)
    dav.hook = lambda seen: web.Response(status=504) if seen.method == "PUT" else None
    result = await update(connector, "a.vcf", {"note": "x"})
    assert (result.status, result.issue and result.issue.code) == (Status.UNKNOWN, "TF-C03")


async def test_a_uid_that_is_taken_is_a_duplicate(dav: ScriptedDav, connector: CardDav) -> None:
    write = Write("ref", Op.CREATE, fields={"firstname": "A"})
    (first,) = await connector.push("contact", [write])
    dav.manners.unique_uids = True
    dav.store("moved.vcf", dav.cards[str(first.id)])
    dav.drop(str(first.id))
    (again,) = await connector.push("contact", [write])
    assert (again.status, again.issue and again.issue.code) == (Status.DUPLICATE, "TF-R02")
    assert list(dav.cards) == ["moved.vcf"]


async def test_a_new_card_has_all_that_was_given(dav: ScriptedDav, connector: CardDav) -> None:
    fields: Fields = {
        "firstname": "Zoë",
        "lastname": "O;Brien, Jr",
        "email": "z@example.org",
        "phone": "+1 2",
        "mobilephone": "+1 3",
        "company": "A, B; C\\D",
        "street": "1 Long Street\n2nd floor",
        "city": "Cork",
        "date_of_birth": date(1980, 4, 12),
        "website": "https://example.org/a;b,c?d=\\e",
        "note": "x" * 200 + "é" * 200,
    }
    (result,) = await connector.push("contact", [Write("r", Op.CREATE, fields=fields)])
    assert result.stored is not None
    assert {name: result.stored.fields[name] for name in fields} == fields
    assert result.stored.fields["full_name"] == "Zoë O;Brien, Jr"
    body = dav.cards[str(result.id)]
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    assert body.startswith(b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:")
    (company,) = await connector.push("company", [Write("c", Op.CREATE, fields={"name": "Acme"})])
    assert b"\r\nX-ABShowAs:COMPANY\r\n" in dav.cards[str(company.id)]
    assert b"\r\nFN:Acme\r\n" in dav.cards[str(company.id)]
    assert b"\r\nORG:Acme\r\n" in dav.cards[str(company.id)]


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (web.Response(status=403), Status.DENIED, "TF-A03"),
        (web.Response(status=403, text="<d:error xmlns:d='DAV:'><d:need-privileges/></d:error>"),
         Status.DENIED, "TF-A03"),
        (web.Response(status=403, text="<d:error xmlns:d='DAV:'><d:valid-address-data/></d:error>"),
         Status.INVALID, "TF-R03"),
        (web.Response(status=400), Status.INVALID, "TF-R03"),
        (web.Response(status=409), Status.INVALID, "TF-R03"),
        (web.Response(status=413), Status.INVALID, "TF-R03"),
        (web.Response(status=412), Status.INVALID, "TF-R03"),
        (web.Response(status=423), Status.RETRY, "TF-R07"),
        (web.Response(status=507), Status.RETRY, "TF-R07"),
        (web.Response(status=500), Status.UNKNOWN, "TF-C03"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("op", [Op.CREATE, Op.UPDATE])
async def test_a_refused_card_is_one_coded_issue_and_the_next_is_written(
    dav: ScriptedDav, connector: CardDav, answer: web.Response, status: Status, code: str, op: Op
) -> None:
    for name in ("a.vcf", "b.vcf"):
        dav.store(name, ADA)

    def refuses(seen: Seen) -> web.Response | None:
        if seen.method == "PUT" and b"refuse me" in seen.body:
            return web.Response(status=answer.status, body=answer.body)
        return None

    dav.hook = refuses
    ids = (None, None) if op is Op.CREATE else ("a.vcf", "b.vcf")
    writes = [
        Write("1", op, ids[0], {"note": "refuse me"}),
        Write("2", op, ids[1], {"note": "take me"}),
    ]
    refused, taken = await connector.push("contact", writes)
    assert (refused.status, refused.issue and refused.issue.code) == (status, code)
    assert taken.status is Status.OK
    assert b"take me" in dav.cards[str(taken.id)]
    assert dav.cards["a.vcf"] == ADA


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"firstname": 7}, "TF-R01"),
        ({"note": "a\x00b"}, "TF-R01"),
        ({"note": "\ud800"}, "TF-R01"),
        ({"full_name": None}, "TF-R01"),
        ({"date_of_birth": "1980-04-12"}, "TF-R01"),
        ({"additional_emails": ("x@example.org",)}, "TF-R01"),
        ({"shoesize": "7"}, "TF-F01"),
    ],
)
async def test_a_value_that_no_card_takes_is_refused_before_it_is_sent(
    dav: ScriptedDav, connector: CardDav, fields: Fields, code: str
) -> None:
    dav.store("a.vcf", ADA)
    dav.store("b.vcf", ADA)
    writes = [Write("1", Op.UPDATE, "a.vcf", fields), Write("2", Op.UPDATE, "b.vcf", {"note": "x"})]
    refused, taken = await connector.push("contact", writes)
    assert (refused.status, refused.issue and refused.issue.code) == (Status.INVALID, code)
    assert (taken.status, dav.cards["a.vcf"]) == (Status.OK, ADA)


async def test_a_company_needs_a_name(dav: ScriptedDav, connector: CardDav) -> None:
    (result,) = await connector.push("company", [Write("1", Op.CREATE, fields={"note": "x"})])
    assert (result.status, result.issue and result.issue.code) == (Status.INVALID, "TF-R04")
    dav.store("a.vcf", card(1, "ORG:Acme", "X-ABShowAs:COMPANY"))
    result = await update(connector, "a.vcf", {"name": None}, obj="company")
    assert (result.status, result.issue and result.issue.code) == (Status.INVALID, "TF-R01")


async def test_a_server_that_is_down_raises_only_when_nothing_was_written(
    dav: ScriptedDav, connector: CardDav
) -> None:
    dav.store("a.vcf", ADA)
    dav.store("b.vcf", ADA)
    dav.hook = lambda seen: web.Response(status=429) if seen.method == "PUT" else None
    writes = [Write(n, Op.UPDATE, f"{n}.vcf", {"note": "x"}) for n in ("a", "b")]
    with pytest.raises(Exception, match="slow down"):
        await connector.push("contact", writes)
    dav.hook = lambda seen: web.Response(status=429) if seen.path == f"{BOOK}a.vcf" else None
    results = await connector.push("contact", writes)
    assert [r.status for r in results] == [Status.RETRY, Status.OK]
    dav.hook = lambda seen: web.Response(status=503)
    with pytest.raises(Unavailable):
        await connector.push("contact", writes)


async def test_deleting_is_conditional_and_harmless_twice(
    dav: ScriptedDav, connector: CardDav
) -> None:
    dav.store("a.vcf", ADA)
    dav.store("b.vcf", ADA)
    writes = [
        Write("1", Op.DELETE, "a.vcf", if_version='"old"'),
        Write("2", Op.DELETE, "b.vcf", if_version=dav.etag("b.vcf")),
        Write("3", Op.DELETE, "c.vcf"),
    ]
    results = await connector.push("contact", writes)
    assert [r.status for r in results] == [Status.CONFLICT, Status.OK, Status.MISSING]
    assert list(dav.cards) == ["a.vcf"]
