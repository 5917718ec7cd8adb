"""What the state says about one sync, read past the program; ids are the sides' own."""

from __future__ import annotations

import json
from typing import NamedTuple

from tests.interfaces.program import Program

_LINKS = """
SELECT hub.id, app.id, links.state FROM links
JOIN records AS hub ON hub.row = links.hub JOIN records AS app ON app.row = links.app
"""
_SINGLES = """
SELECT singles.side, records.id, singles.state, singles.outcome FROM singles
JOIN records ON records.row = singles.row
"""
IN_SYNC, FAILING, EXCLUDED = 1, 2, 3


class Single(NamedTuple):
    """An unlinked record that was decided about."""

    state: int
    code: str
    candidates: frozenset[str]


def links(program: Program) -> dict[tuple[str, str], int]:
    """State by (hub id, app id)."""
    found = program.state(_LINKS)
    assert len({hub for hub, _, _ in found}) == len({app for _, app, _ in found}) == len(found)
    return {(hub, app): state for hub, app, state in found}


def excluded(program: Program) -> dict[tuple[str, str], Single]:
    """What is excluded, by (side, id), as the command line lists it, page by page."""
    found: dict[tuple[str, str], Single] = {}
    after: list[str] = []
    while True:
        page = program.json("records", "excluded", "--limit", "500", *after)
        for line in page["records"]:
            side = "app" if line["hub_id"] is None else "hub"
            record = line["hub_id"] or line["app_id"]
            candidates = frozenset(line["candidates"])
            assert (side, record) not in found
            found[side, record] = Single(EXCLUDED, line["issues"][0]["code"], candidates)
        if page["next"] is None:
            return found
        after = ["--after", page["next"]]


def singles(program: Program) -> int:
    """How many unlinked records have a standing."""
    return len(program.state(_SINGLES))


def counters(program: Program) -> dict[int, int]:
    """The counters that are kept with every step, and a recount of what they count."""
    kept = dict(program.state("SELECT state, count FROM counters WHERE count <> 0"))
    recount = dict(
        program.state(
            "SELECT state, count(*) FROM (SELECT state FROM links UNION ALL"
            " SELECT state FROM singles) GROUP BY state"
        )
    )
    assert kept == recount
    return kept


def hub_ids(program: Program, field: str) -> dict[str, str]:
    """Hub id by the value of a field, of the records that have it."""
    from tests.interfaces.program import rows

    found = rows(program.folder / "hub.db", "SELECT id, body FROM record WHERE gone = 0")
    values = ((str(number), json.loads(body)) for number, body in found)
    return {record[field]: number for number, record in values if field in record}
