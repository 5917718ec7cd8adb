"""Twofold's side: ``python -m benchmarks.product KIND STATE HUB APP first``.

The steps after the addresses run one after the other in this process: ``first`` sets the sync up
and runs it to its end, ``echo`` reads what it wrote, ``again`` forgets both cursors and runs a full
resync, ``audited`` does so while it counts the rows that change, table by table. One line of JSON:
per step the CPU seconds (user and system, the start-up left out) and what it counted.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from benchmarks.connector import Bench
from benchmarks.floor import USER
from benchmarks.people import FIELDS

from twofold.connectors.carddav import CardDav
from twofold.connectors.sql import Sql
from twofold.core.addresses import domain_key
from twofold.core.mappings import FieldMapping, Matching, Rules
from twofold.core.records import Side
from twofold.core.schema import ObjectType
from twofold.engine.run import Ending, run_slice
from twofold.engine.setup import install
from twofold.engine.world import RealWorld, calm_collector
from twofold.kit.auth import BasicAuth
from twofold.kit.budgets import Budgets
from twofold.kit.contract import Connector
from twofold.kit.http import AioHttp
from twofold.store.state import State

SYNC = 1
NAMES = {"json": "contact", "sql": "people", "carddav": "contact"}
"""The object type that is synced, by the kind of app."""
POSITIONS = ("readers", "scan_marks", "syncs")
"""Tables that say where reading stands; every run may move them."""

Connectors = dict[Side, Connector]


async def connect(kind: str, address: str, stack: AsyncExitStack) -> Connector:
    """The connector of one side."""
    connector: Connector
    if kind == "sql":
        connector = Sql({"url": f"sqlite:///{address}"})
    else:
        url, _, book = address.partition("|")
        world = RealWorld()
        auth = BasicAuth("bench", *USER) if kind == "carddav" else None
        http = AioHttp("bench", url, world, Budgets("bench", (), world), auth=auth)
        stack.push_async_callback(http.close)
        made = CardDav if kind == "carddav" else Bench
        connector = made({"url": url, "addressbook": book}, http)
    stack.push_async_callback(connector.close)
    return connector


async def install_sync(state: State, kind: str, connectors: Connectors) -> None:
    """Contacts, both ways, every writable field mapped to itself."""
    state.syncs.add_connection(kind, "hub", "hub", {}, b"", 0)
    app = state.syncs.add_connection(kind, "app", "app", {}, b"")
    types: dict[Side, ObjectType] = {}
    for side in Side:
        described = await connectors[side].describe()
        types[side] = next(t for t in described if t.name == NAMES[kind])
    fields = [f for f in types[Side.HUB].fields if f.name in FIELDS or kind == "carddav"]
    mappings = tuple(FieldMapping(f, f) for f in fields if not f.read_only and not f.multi)
    rules = Rules(types[Side.HUB], types[Side.APP], mappings, matching=Matching.CONTACTS)
    assert install(state, "contacts", app, rules, enabled=True) == SYNC


async def run_step(state: State, step: str, kind: str, connectors: Connectors) -> dict[str, Any]:
    """One step, measured."""
    if step == "first":
        await install_sync(state, kind, connectors)
    if step in {"again", "audited"}:
        sync = state.syncs.get(SYNC)
        for side in Side:
            state.records.restart(sync.reader(side))
    rewritten: Counter[str] = Counter()
    with _counting(state, rewritten, enabled=step == "audited"), _statements() as statements:
        begun, cpu = time.perf_counter(), time.process_time()
        outcome = await run_slice(state, RealWorld(), SYNC, connectors)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - begun
    assert outcome.ending is Ending.DONE, outcome
    counts = state.links.counts(SYNC)
    return {
        "cpu": cpu,
        "wall": wall,
        "did": outcome.counts,
        "in_sync": counts.in_sync,
        "elsewhere": counts.failing + counts.excluded + counts.waiting,
        "statements": statements,
        "rewritten": {t: n for t, n in rewritten.items() if t not in POSITIONS},
    }


@contextmanager
def _counting(state: State, changed: Counter[str], *, enabled: bool) -> Iterator[None]:
    """Count the rows that change, by table, by the database's own account."""
    connection = state.database.connection
    table, total = "", connection.total_changes

    def between(statement: str) -> None:
        nonlocal table, total
        now = connection.total_changes
        if now != total:
            changed[table] += now - total
        named = _WRITES.match(statement)
        table, total = named[1] if named else statement[:40], now

    if enabled:
        connection.set_trace_callback(between)
    yield
    connection.set_trace_callback(None)
    between("")


_WRITES = re.compile(r"(?:UPDATE|DELETE FROM|REPLACE INTO|INSERT(?: OR \w+)? INTO) (\w+)")


@contextmanager
def _statements() -> Iterator[Counter[str]]:
    """Count the statements on its table that an SQL connector sends, by their first word."""
    counted: Counter[str] = Counter()

    def count(_c: Any, _cursor: Any, statement: str, _p: Any, _x: Any, _many: bool) -> None:
        if NAMES["sql"] in statement:  # not the catalog, the clock, BEGIN and COMMIT
            counted[statement.split(None, 1)[0].upper()] += 1

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    yield counted
    sa.event.remove(sa.Engine, "before_cursor_execute", count)


async def main(
    kind: str, path: str, addresses: tuple[str, str], steps: list[str]
) -> dict[str, Any]:
    """All steps over one state file."""
    domain_key("twofold.example")  # loads the list of public suffixes, once per process
    state = State.open(Path(path))
    async with AsyncExitStack() as stack:
        stack.callback(state.close)
        connectors = {
            side: await connect(kind, address, stack)
            for side, address in zip(Side, addresses, strict=True)
        }
        return {step: await run_step(state, step, kind, connectors) for step in steps}


if __name__ == "__main__":
    kind, path, hub, app, *steps = sys.argv[1:]
    calm_collector()  # as the command line does
    print(orjson.dumps(asyncio.run(main(kind, path, (hub, app), steps))).decode())
