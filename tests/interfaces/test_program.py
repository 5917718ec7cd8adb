"""What holds for every command: help with an example, JSON, coded errors, options anywhere."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.interfaces.program import Program, Shop, connected, leaves
from tools.commands import commands_page
from tools.tree import ROOT

import twofold as package
from twofold.cli.command import Command, Group
from twofold.cli.root import twofold

LEAVES = dict(leaves())


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_help_shows_an_example_that_can_be_given(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(twofold, [*path, "--help"])
    assert result.exit_code == 0
    assert "Exit codes" in result.output
    example = result.output.split("Example:\n")[1].splitlines()[0].strip()
    words = shlex.split(example)
    assert words[: len(path) + 1] == ["twofold", *path]
    command = LEAVES[path]
    command.make_context(path[-1], words[len(path) + 1 :])  # raises where it is not understood


def _in_documents() -> list[str]:
    """Command lines that people are told to give, in code blocks."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    blocks = [b for page in pages for b in page.read_text().split("```")[1::2]]
    lines = [line.strip().removeprefix("$ ") for b in blocks for line in b.splitlines()]
    return sorted({line for line in lines if line.startswith("twofold ")})


@pytest.mark.parametrize("line", _in_documents())
def test_a_documented_command_can_be_given(line: str) -> None:
    _, *words = shlex.split(line, comments=True)
    command: click.Command = twofold
    while isinstance(command, click.Group) and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    assert not isinstance(command, click.Group), line
    if words != ["--help"]:
        command.make_context("", words)


def test_groups_show_an_example_too() -> None:
    assert isinstance(twofold, Group)
    groups = [twofold, *(c for c in twofold.commands.values() if isinstance(c, click.Group))]
    for group in groups:
        assert "Example:" in CliRunner().invoke(group, ["--help"]).output


def test_no_command_misses_what_all_share() -> None:
    assert all(isinstance(command, Command) for command in LEAVES.values())


def test_the_page_of_commands_is_the_command_line() -> None:
    page = ROOT / "docs" / "reference" / "commands.md"
    assert page.read_text() == commands_page(), "write it again: make reference"


def test_the_version() -> None:
    assert package.__version__ in CliRunner().invoke(twofold, ["--version"]).output


def _of_a_new_sync(shop: Shop) -> list[list[str]]:
    return [
        ["app", "list"],
        ["app", "show", "sql"],
        ["connect", "sql", "--label", "box", "--set", f"url={shop.url}"],
        ["connection", "list"],
        ["connection", "show", "box"],
        ["connection", "test", "box"],
        ["connection", "reconnect", "box", "--set", f"url={shop.url}"],
        ["connection", "rename", "box", "shop"],
        ["connection", "reserve", "shop", "--share", "30"],
        ["connection", "poll", "shop", "--every", "60"],
        ["sync", "add", "shop", "contact", "people", "--map-by-name"],
        ["sync", "list"],
        ["sync", "show", "shop-contacts"],
        ["sync", "brakes", "shop-contacts"],
        ["sync", "verify", "shop-contacts"],
        ["sync", "off", "shop-contacts"],
        ["sync", "on", "shop-contacts"],
        ["sync", "run", "shop-contacts"],
        ["sync", "duplicates", "shop-contacts"],
        ["sync", "edit", "shop-contacts", "--set", "region=NL", "--yes"],
        ["sync", "limit", "shop-contacts", "--to-app", "city is unknown", "--yes"],
        ["sync", "limit", "shop-contacts", "--all-to-app", "--yes"],
        ["sync", "match", "shop-contacts", "--matching", "contacts"],
        ["export", "shop-contacts"],
        ["validate", "--schema"],
        ["plan", "shop-contacts", "-o", f"{shop.path.parent}/COPY.plan"],
        ["apply", f"{shop.path.parent}/COPY.plan"],
        ["records", "exclude", "shop-contacts", "p1@shop.example"],
        ["records", "include", "shop-contacts", "p1@shop.example"],
    ]


def _of_links(file: str) -> list[list[str]]:
    return [
        ["links", "list", "shop-contacts"],
        ["links", "swap", "shop-contacts", "1", "2"],
        ["links", "swap", "shop-contacts", "1", "2"],
        ["links", "cut", "shop-contacts", "1", "1", "--yes"],
        ["links", "allow", "shop-contacts", "1", "1"],
        ["links", "make", "shop-contacts", "1", "1"],
        ["links", "export", "shop-contacts", file],
        ["links", "import", "shop-contacts", file],
        ["links", "propose", "shop-contacts"],
    ]


def _every_command(shop: Shop, rows: Path) -> list[list[str]]:
    """Each command once, in an order in which all succeed."""
    contact = ["hub", "records"]
    mapping = ["sync", "mapping"]
    return [
        *_of_a_new_sync(shop),
        *_of_links(str(rows.parent / "COPY.csv")),
        ["connector", "new", "acme", "--in", str(rows.parent / "COPY-connector")],
        ["run", "list"],
        ["status"],
        ["health", "shop-contacts"],
        ["records", "failing"],
        ["records", "excluded"],
        ["records", "in-sync", "--limit", "1"],
        ["records", "waiting"],
        ["records", "retry", "shop-contacts"],
        ["history", "show", "shop-contacts"],
        ["history", "export", "shop-contacts", "--output", f"{rows.parent}/COPY-history.csv"],
        ["history", "keep", "90"],
        ["undo", "shop-contacts", "--run", "1", "--dry-run"],
        ["explain", "shop-contacts", "p1@shop.example"],
        [*mapping, "list", "shop-contacts"],
        ["sync", "suggest", "shop-contacts"],
        [*mapping, "add", "shop-contacts", "city", "phone", "--dry-run"],
        [*mapping, "set", "shop-contacts", "phone", "--when", "if-empty", "--yes"],
        [*mapping, "off", "shop-contacts", "phone", "--yes"],
        [*mapping, "on", "shop-contacts", "phone", "--yes"],
        [*mapping, "remove", "shop-contacts", "phone", "--yes"],
        ["approvals", "list"],
        ["approvals", "approve", "--all"],
        ["approvals", "reject", "--all"],
        [*contact, "list", "contact"],
        [*contact, "show", "contact", "1"],
        [*contact, "create", "company", "--set", "name=Acme"],
        [*contact, "edit", "contact", "1", "--set", "city=Delft"],
        [*contact, "associate", "contact", "1", "company", "4"],
        [*contact, "import", "contact", str(rows)],
        [*contact, "delete", "contact", "1", "--yes"],
        ["hub", "token", "make", "reports", "--scope", "crm.objects.contacts.read"],
        ["hub", "token", "list"],
        ["hub", "token", "revoke", "reports"],
        ["hub", "client", "make", "reports", "--redirect", "http://localhost:9000/back"],
        ["hub", "client", "list"],
        ["hub", "client", "remove", "reports"],
        ["hub", "owners", "add", "ada@example.org"],
        ["hub", "owners", "list"],
        ["alerts", "set", "--failing-share", "10"],
        ["alerts", "show"],
        ["user", "list"],
        ["user", "invite", "--role", "operator"],
        ["erase", "p2@shop.example", "--hub", "--yes"],
        ["network", "allow", "192.168.1.0/24"],
        ["network", "list"],
        ["network", "forbid", "192.168.1.0/24"],
        ["key", "rotate"],
        ["doctor"],
        ["backup", str(rows.parent / "COPY")],
        ["restore", str(rows.parent / "COPY"), "--yes"],
        ["sync", "delete", "shop-contacts", "--yes"],
        ["connection", "remove", "shop", "--yes"],
    ]


def test_every_command_answers_in_json_and_in_words(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("email,firstname\neve@example.org,Eve\n")
    commands = _every_command(Shop(tmp_path / "shop.db"), rows)
    given = {path for path in LEAVES if any(tuple(c[: len(path)]) == path for c in commands)}
    assert given == {
        path
        for path in LEAVES
        if path
        not in {
            ("demo",),
            ("alerts", "test"),
            ("connector", "check"),
            ("up",),
            ("sync", "resume"),
            ("sync", "unfreeze"),
        }
    }
    for folder, flags in (("a", ["--json"]), ("b", [])):
        program = Program(tmp_path / folder)
        for command in commands:
            answer = program(*(word.replace("COPY", f"copy-{folder}") for word in command), *flags)
            assert answer.err == ""
            if flags:
                assert isinstance(json.loads(answer.out), dict)
            else:
                assert answer.out


def test_the_options_stand_before_a_command_too(tmp_path: Path) -> None:
    Program(tmp_path)("connection", "list")
    result = CliRunner().invoke(twofold, ["--json", "--data", str(tmp_path), "connection", "list"])
    assert [c["label"] for c in json.loads(result.stdout)["connections"]] == ["hub"]


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"TWOFOLD_DATA": "{tmp}/named"}, "named"),
        ({"TWOFOLD_DATA": None, "XDG_DATA_HOME": "{tmp}/xdg"}, "xdg/twofold"),
        ({"TWOFOLD_DATA": None, "XDG_DATA_HOME": None, "HOME": "{tmp}"}, ".local/share/twofold"),
    ],
)
def test_where_the_data_is(tmp_path: Path, variables: dict[str, str | None], folder: str) -> None:
    env = {k: v and v.format(tmp=tmp_path) for k, v in variables.items()}
    assert CliRunner().invoke(twofold, ["connection", "list"], env=env).exit_code == 0
    assert (tmp_path / folder / "state.db").is_file()
    assert (tmp_path / folder).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("command", "code", "error"),
    [
        ("frobnicate", 2, "TF-U01"),
        ("status --frobnicate", 2, "TF-U01"),
        ("sync run a --all", 2, "TF-U01"),
        ("sync add shop contact people --map email", 1, "TF-U18"),
        ("sync add shop contact people --map email=email:up", 1, "TF-U18"),
        ("sync add shop contact firms --map email=nothing", 1, "TF-F01"),
        ("sync add shop contact firms --map nothing=email", 1, "TF-F01"),
        ("sync add shop contact firms --without email", 1, "TF-U23"),
        ("sync add shop contact firms --associate company=boss", 1, "TF-U25"),
        ("sync add shop contact robots", 1, "TF-F02"),
        ("sync add shop robot people", 1, "TF-F02"),
        ("sync add shop company", 1, "TF-U08"),
        ("sync add shop contact people", 1, "TF-U21"),
        ("sync add shop company firms --map-by-name --timezone Mars/Here", 1, "TF-U07"),
        ("sync add nobody contact people", 1, "TF-U05"),
        ("sync run nothing", 1, "TF-U06"),
        ("sync delete shop-contacts", 1, "TF-U20"),
        ("connect nothing", 1, "TF-A10"),
        ("connect sql", 1, "TF-U02"),
        ("connect sql --set url=sqlite:////nowhere/shop.db", 3, "TF-C01"),
        ("connect sql --set url=gopher://x", 1, "TF-U04"),
        ("connect sql --set uri=sqlite:///x", 1, "TF-U03"),
        ("connect sql --set url", 2, "TF-U01"),
        ("connection show nobody", 1, "TF-U05"),
        ("connection rename shop hub", 1, "TF-A05"),
        ("connection remove shop --yes", 1, "TF-U09"),
        ("connection remove hub --yes", 1, "TF-U26"),
        ("health nothing", 1, "TF-U06"),
        ("explain shop-contacts nobody@example.org", 1, "TF-U12"),
        ("records failing --after here", 1, "TF-U24"),
        ("hub records show contact 99", 1, "TF-U19"),
        ("hub records list robot", 1, "TF-F02"),
        ("hub records create contact --set email=a@example.org --set size=9", 1, "TF-F01"),
        ("hub records create company --set numberofemployees=many", 1, "TF-R01"),
        ("hub records import contact /nowhere.csv", 1, "TF-U14"),
    ],
)
def test_what_cannot_be_done_is_one_coded_error(
    tmp_path_factory: pytest.TempPathFactory, command: str, code: int, error: str
) -> None:
    program = _settled(tmp_path_factory)
    plain = program(*shlex.split(command), code=code)
    assert plain.error == error
    assert plain.out == ""
    assert len(plain.err.splitlines()) >= 2  # the sentence and the advice
    as_json = program(*shlex.split(command), "--json", code=code)
    assert as_json.error == error
    assert as_json.json["error"]["advice"]
    assert as_json.err == ""


_SETTLED: list[Program] = []


def _settled(factory: pytest.TempPathFactory) -> Program:
    """One installation for all refusals, which change nothing."""
    if not _SETTLED:
        _SETTLED.append(connected(factory.mktemp("settled"))[0])
    return _SETTLED[0]


def test_all_problems_of_a_sync_are_listed(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    program("sync", "delete", "shop-contacts", "--yes")
    answer = program(
        *("sync", "add", "shop", "contact", "people", "--json"),
        *("--map", "lifecyclestage=firm", "--map", "firstname=id:to-app"),
        code=1,
    )
    problems = answer.json["error"]["problems"]
    assert {"TF-F04", "TF-F13"} <= {problem["code"] for problem in problems}
    assert answer.json["error"]["code"] == "TF-U07"
    assert program.json("sync", "list")["syncs"] == []
