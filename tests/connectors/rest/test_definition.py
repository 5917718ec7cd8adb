"""What is wrong with a document is told at once, with lines; what apps answer breaks nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from aiohttp import web
from tests.connectors.carddav.connecting import HastyClock
from tests.connectors.rest.crm_server import DEFINITION, TOKEN, CrmServer
from tests.interfaces.program import Program
from tools.capabilities import example

from twofold.connectors.rest import Rest
from twofold.connectors.rest.definition import schema, understood
from twofold.core.schema import Op
from twofold.kit.budgets import Budgets
from twofold.kit.contract import Status, Write
from twofold.kit.errors import AccessDenied, Misunderstood, Unavailable
from twofold.kit.http import AioHttp

WHOLE = DEFINITION.replace("MOST", "100").replace("{port}", "1")


@pytest.fixture
def crm() -> Iterator[CrmServer]:
    with CrmServer() as server:
        yield server


def test_the_example_and_the_server_s_document_are_in_order() -> None:
    for text in (WHOLE, example()):
        definition, problems = understood(text.encode())
        assert problems == ()
        assert definition is not None
        jsonschema.validate(yaml.safe_load(text), schema())


@pytest.mark.parametrize(
    ("before", "after", "line", "code", "words"),
    [
        ("name: Small CRM\n", "", 1, "TF-Y07", "name"),
        ("sign_in: {by: bearer}", "sign_in: {by: magic}", 4, "TF-Y06", "magic"),
        ("sign_in: {by: bearer}", "sign_in: {by: header}", 4, "TF-Y06", "needs a name"),
        ("name: Small CRM", "nom: Small CRM", 2, "TF-Y05", "nom"),
        ("    records: data", "    rows: data", 10, "TF-Y05", "rows"),
        ("{kind: int}", "{kind: integer}", 27, "TF-Y06", "integer"),
        ("{kind: int}", "{kind: int, if: x}", 27, "TF-Y05", "if"),
        ("find: {email: email}", "find: {mail: email}", 16, "TF-Y06", "no field mail"),
        ("get: contacts/{id}", "get: contacts", 9, "TF-Y06", "{id}"),
        ("list: contacts", "list: contacts/{token}", 8, "TF-Y06", "no names"),
        ("to: companies", "to: firms", 21, "TF-Y06", "no object type firms"),
        ("send: after, ", "", 15, "TF-Y06", "parameter to send"),
        ("address: http", "address: http{a b}", 3, "TF-Y06", "no name"),
        ("name: Small CRM", "name: [", 4, "TF-Y01", ""),
    ],
)
def test_each_fault_has_its_line(before: str, after: str, line: int, code: str, words: str) -> None:
    assert before in WHOLE
    definition, problems = understood(WHOLE.replace(before, after, 1).encode())
    assert definition is None
    told = problems[0]
    assert len(problems) == 1 or code == "TF-Y05"  # a key that is misspelled is missing, too
    assert (told.code, told.line) == (code, line), told
    assert words in told.sentence
    assert told.advice


def test_all_faults_are_told_when_connecting(tmp_path: Path) -> None:
    path = tmp_path / "crm.yaml"
    path.write_text(WHOLE.replace("{kind: int}", "{kind: x}").replace("name: Small", "nom: Small"))
    program = Program(tmp_path / "data")
    said = program.json("connect", "rest", "--set", f"definition={path}", code=1)["error"]
    assert said["code"] == "TF-Y13"
    assert {(p["code"], p["line"]) for p in said["problems"]} >= {("TF-Y05", 2), ("TF-Y06", 27)}
    gone = ("connect", "rest", "--set", f"definition={tmp_path / 'none.yaml'}")
    (problem,) = program.json(*gone, code=1)["error"]["problems"]
    assert problem["code"] == "TF-Y11"
    path.write_text(WHOLE)
    refused = program("connect", "rest", "--set", f"definition={path}", code=1)
    assert "no answer to token" in refused.err


def test_names_are_asked_and_escaped(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(example())
    answers = {"definition": str(path), "token": "x"}
    with pytest.raises(AccessDenied, match="subdomain"):
        Rest.reach(answers)
    reach = Rest.reach({**answers, "names": "subdomain=evil.example/, x=y"})
    assert reach.address == "https://evil.example%2F.acme.example/api/v2/"
    assert [limit.permits for limit in reach.limits] == [8, 10]


async def _asked(crm: CrmServer, folder: Path, change: str = "", most: int = 2) -> Rest:
    path = crm.definition(folder, most)
    if change:
        old = f"{{by: after, send: after, size: limit, most: {most}}}"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, change))
    settings = {"definition": str(path), "token": TOKEN}
    reach, clock = Rest.reach(settings), HastyClock()
    http = AioHttp("rest", reach.address, clock, Budgets("rest", (), clock), auth=reach.auth)
    return Rest(settings, http)


@pytest.mark.parametrize(
    "pages",
    [
        "{by: after, send: after, size: limit, most: 2}",
        "{by: number, send: page, size: limit, most: 2}",
        "{by: offset, send: offset, size: limit, most: 2}",
        "{by: cursor, send: after, at: next.token, size: limit, most: 2}",
        "{by: link, at: next.link, size: limit, most: 2}",
        "{by: none}",
    ],
)
async def test_each_way_of_paging_reads_all(crm: CrmServer, tmp_path: Path, pages: str) -> None:
    made = [crm.make("contacts", {"attributes": {"first": f"n{n}"}}) for n in range(5)]
    connector = await _asked(crm, tmp_path, pages)
    ids: list[str] = []
    cursor, more = None, True
    while more:
        page = await connector.pull("contacts", cursor, ["first"])
        ids, cursor, more = [*ids, *page.ids], page.cursor, page.more
    assert ids == [str(number) for number in made]
    await connector._http.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>", Misunderstood),
        (200, b'{"data": {"id": 1}}', Misunderstood),
        (200, b'{"data": [{"name": "nobody"}]}', Misunderstood),
        (200, b'{"data": [7]}', Misunderstood),
        (200, b"[" * 100_000, Misunderstood),
        (404, b"", Misunderstood),
        (403, b"", AccessDenied),
        (500, b"", Unavailable),
    ],
)
async def test_an_answer_that_is_none_ends_the_call_in_words(
    crm: CrmServer, tmp_path: Path, status: int, body: bytes, kind: type[Exception]
) -> None:
    crm.say = web.Response(status=status, body=body)
    connector = await _asked(crm, tmp_path)
    with pytest.raises(kind):
        await connector.pull("contacts", None, ["first"])
    await connector._http.close()  # type: ignore[attr-defined]


async def test_a_list_that_turns_in_a_circle_ends(crm: CrmServer, tmp_path: Path) -> None:
    body = b'{"data": [{"id": 1}], "next": {"token": "x"}}'
    crm.say = web.Response(body=body)
    connector = await _asked(
        crm, tmp_path, "{by: cursor, send: after, at: next.token, size: limit, most: 2}"
    )
    page = await connector.pull("contacts", None, ["first"])
    with pytest.raises(Misunderstood, match="same page"):
        await connector.pull("contacts", page.cursor, ["first"])
    await connector._http.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "body", "meant"),
    [
        (403, b"", Status.DENIED),
        (404, b"", Status.MISSING),
        (409, b"", Status.DUPLICATE),
        (412, b"", Status.CONFLICT),
        (422, b'{"error": "too long"}', Status.INVALID),
        (500, b"", Status.UNKNOWN),
        (503, b"", Status.RETRY),
        (200, b"", Status.OK),
    ],
)
async def test_what_answers_to_writes_mean(
    crm: CrmServer, tmp_path: Path, status: int, body: bytes, meant: Status
) -> None:
    crm.say = web.Response(status=status, body=body)
    connector = await _asked(crm, tmp_path)
    fields: dict[str, Any] = {"first": "x"}
    (result,) = await connector.push("contacts", [Write("r", Op.UPDATE, "1", fields)])
    assert result.status is meant, result
    if meant is Status.INVALID:
        assert result.issue is not None
        assert "too long" in result.issue.sentence
    await connector._http.close()  # type: ignore[attr-defined]


async def test_a_create_that_does_not_name_its_record_is_looked_for(
    crm: CrmServer, tmp_path: Path
) -> None:
    crm.say = web.Response(status=201, body=b"{}")
    connector = await _asked(crm, tmp_path)
    (result,) = await connector.push("contacts", [Write("r", Op.CREATE, fields={"first": "x"})])
    assert result.status is Status.UNKNOWN
    await connector._http.close()  # type: ignore[attr-defined]
