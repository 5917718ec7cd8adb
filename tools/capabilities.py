"""The text of docs/connectors/README.md: what each connector declares, and how far it is."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from tools.tree import ROOT
from twofold.connectors.carddav.discovery import Book
from twofold.connectors.carddav.schema import object_types
from twofold.connectors.dynamics import schema as dynamics_schema
from twofold.connectors.dynamics import tables as dynamics_tables
from twofold.connectors.files import Files
from twofold.connectors.hubspot import schema as hubspot_schema
from twofold.connectors.hubspot.feed import LAG
from twofold.connectors.hubspot.objects import STANDARD
from twofold.connectors.hubspot.properties import Property
from twofold.connectors.rest import Rest
from twofold.connectors.salesforce import schema as salesforce_schema
from twofold.connectors.sql import Sql
from twofold.core.schema import Feed, ObjectType, Op
from twofold.hub.connector import HubConnector
from twofold.kit import catalog, quality
from twofold.kit.contract import Connector
from twofold.kit.memory import company, contact, deal
from twofold.kit.network import Network, Sockets
from twofold.simulators.dynamics import definitions
from twofold.simulators.dynamics.tables import Table as SimulatedTable
from twofold.simulators.dynamics.tables import standard as standard_tables
from twofold.simulators.salesforce.objects import standard as org_objects

INTRODUCTION = """# Connectors

Made by `make reference` from what the connectors declare, and from their quality files. A new one:
[how to write a connector](../how-to/write-a-connector.md).

## What they can do

Where the object types depend on the account, the row is that of an example account. *Finds
changes*: by a log of the server, by what moved since a time, or by comparing full listings.
*Deletes*: told by the feed, or found in a full listing. *Lost updates*: whether a write that was
planned against an older state is refused by the app; elsewhere Twofold reads again right before it
writes. *Lost answers*: how a create whose answer never came is recognized.
"""
SECOND = """## How far they are

The bar is the same for all; the tests compare what can be compared. A dash is no gap: the rule does
not apply, for the reason below.
"""
_FEEDS = {Feed.LOG: "log", Feed.WATERMARK: "since a time", Feed.SNAPSHOT: "full listing"}


async def _described(connector: Connector) -> Sequence[ObjectType]:
    try:
        return await connector.describe()
    finally:
        await connector.close()


async def _memory(folder: Path) -> Sequence[ObjectType]:
    return [contact(merges=True, idempotent=True), company(idempotent=True), deal(idempotent=True)]


async def _hub(folder: Path) -> Sequence[ObjectType]:
    return await _described(HubConnector({"path": str(folder / "hub.db")}))


async def _hubspot(folder: Path) -> Sequence[ObjectType]:
    email = Property("email", "E-mail", has_unique_value=True)
    return [
        hubspot_schema.object_type(kind, [email] if kind.keys else [], (), {}, LAG)
        for kind in STANDARD.values()
    ]


async def _salesforce(folder: Path) -> Sequence[ObjectType]:
    org = {one.name: one for one in org_objects()}
    found = [
        msgspec.convert(
            {"name": name, "label": org[name].label, "fields": list(org[name].fields.values())},
            salesforce_schema.Sobject,
            from_attributes=True,
        )
        for name in salesforce_schema.STANDARD
    ]
    known = {one.name for one in found}
    overlap = salesforce_schema.OVERLAP
    return [salesforce_schema.object_type(one, known, (), overlap) for one in found]


async def _dynamics(folder: Path) -> Sequence[ObjectType]:
    known = {one.name: one for one in standard_tables()}
    return [
        dynamics_schema.object_type(_definition(known[name]), dynamics_tables.STANDARD, ())
        for name in dynamics_tables.STANDARD
    ]


def _definition(table: SimulatedTable) -> dynamics_tables.Table:
    """A table as the connector learns it from the simulator's answers."""
    listed = msgspec.convert(definitions.definition(table), dynamics_tables.Listed)
    columns = [row for kind in definitions.KINDS for row in definitions.cast(table, kind) or ()]
    answers = [definitions.columns(table), columns, definitions.relations(table)]
    return dynamics_tables.table(listed, [*answers, definitions.keys(table)])


async def _carddav(folder: Path) -> Sequence[ObjectType]:
    return object_types(Book("", "/ada/contacts/", "Contacts", syncs=True, writable=True))


async def _sql(folder: Path) -> Sequence[ObjectType]:
    path = folder / "shop.db"
    with closing(sqlite3.connect(path)) as shop:
        shop.executescript(
            "CREATE TABLE firm (id INTEGER PRIMARY KEY, name TEXT UNIQUE);"
            "CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT UNIQUE,"
            " firm INTEGER REFERENCES firm, updated_at TIMESTAMP)"
        )
    return await _described(Sql({"url": f"sqlite:///{path}"}))


async def _files(folder: Path) -> Sequence[ObjectType]:
    (folder / "contacts.csv").write_text("id,email,name\n")
    return await _described(Files({"path": str(folder)}))


async def _rest(folder: Path) -> Sequence[ObjectType]:
    (folder / "acme.yaml").write_text(example())
    return await _described(Rest({"definition": str(folder / "acme.yaml")}, Sockets(Network())))


def example() -> str:
    """The example document of the REST connector's page."""
    page = (ROOT / "docs" / "connectors" / "rest.md").read_text()
    return page.partition("```yaml\n")[2].partition("```")[0]


EXAMPLES: Mapping[str, Callable[[Path], Awaitable[Sequence[ObjectType]]]] = {
    "memory": _memory,
    "hub": _hub,
    "carddav": _carddav,
    "hubspot": _hubspot,
    "salesforce": _salesforce,
    "dynamics": _dynamics,
    "sql": _sql,
    "files": _files,
    "rest": _rest,
}
"""Connector → the object types of an example account, made in a folder."""


def declared(name: str) -> Sequence[ObjectType]:
    """The object types of a connector's example account."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_typed(name, Path(folder)))


async def _typed(name: str, folder: Path) -> Sequence[ObjectType]:
    return await EXAMPLES[name](folder)


def marks_of(name: str) -> Mapping[str, quality.Mark]:
    """A connector's quality file, which a test has found in order."""
    return quality.read(quality.file_of(catalog.load(name)).read_bytes())[0]


def connectors_page() -> str:
    """The whole page."""
    rows = [row for name in sorted(EXAMPLES) for row in _rows(name)]
    heads = ("connector", "object type", "finds changes", "deletes", "merges", "writes",
             "lost updates", "lost answers", "associations")  # fmt: skip
    names = sorted(EXAMPLES)
    known = {name: marks_of(name) for name in names}
    bar = [
        (f"**{rule}**: {asks}", *(_sign(known[name][rule]) for name in names))
        for rule, asks in quality.RULES.items()
    ]
    whys = [
        f"- {_page(name)}, {rule}: {mark.standing}. {mark.why}"
        for name in names
        for rule, mark in known[name].items()
        if mark.why
    ]
    parts = [INTRODUCTION, _table(heads, rows), SECOND, _table(("rule", *names), bar)]
    return "\n".join([*parts, *whys, ""])


def _rows(name: str) -> list[tuple[str, ...]]:
    found = declared(name)
    return [(_page(name), f"`{kind.name}`", *_cells(kind)) for kind in found]


def _page(name: str) -> str:
    own = (ROOT / "docs" / "connectors" / f"{name}.md").is_file()
    return f"[{name}]({name}.md)" if own else name


def _cells(kind: ObjectType) -> tuple[str, ...]:
    most = max(kind.batch.values(), default=1)
    together = f", {most:,} at once" if most > 1 else ""
    ops = [op.value for op in Op if op in kind.ops]
    answers = "by reference" if kind.idempotent else f"by {', '.join(kind.keys)}"
    related = [a.name + (" (many)" if a.many else "") for a in kind.associations]
    return (
        _FEEDS[kind.feed],
        "told" if kind.deletes else "listing",
        "told" if kind.merges else "–",
        (", ".join(ops) + together) or "–",
        "refused" if kind.conditional else "read again",
        answers if kind.idempotent or kind.keys else "–",
        ", ".join(related) or "–",
    )


def _sign(mark: quality.Mark) -> str:
    return "–" if mark.standing is quality.Standing.EXEMPT else str(mark.standing)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
