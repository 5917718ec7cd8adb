"""Plans: what a run would do, as a file that a person reads, and that can be carried out (S5).

A plan is JSON Lines: a header with the counts, then one line per part. It holds personal values
and is readable by its owner only. It stores each decision with a digest of what both sides showed;
the work is derived again when it is carried out (D18), and what is no longer the same is refused.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.core.mappings import Rules
from twofold.engine.chunk import Chunk
from twofold.engine.context import Context
from twofold.engine.parts import NEW, Kind, Part, hold, planned_of, removal_of
from twofold.engine.run import Ending
from twofold.services import runs
from twofold.services.installation import Installation
from twofold.services.rehearsal import Rehearsal, rehearsal
from twofold.services.runs import Options, Report, Tell
from twofold.store.syncs import Sync
from twofold.store.types import LinkRow, Place, RemovalRow

FORMAT = 1

Prepare = Callable[[Rehearsal], None]


class Planned(Struct, frozen=True):
    """The plan of one sync, in numbers."""

    sync: str
    rules: str
    """A digest of the rules that it was made by."""
    counts: dict[str, int]
    """How many parts of each kind, and writes by side and kind such as ``hub created``."""
    reasons: dict[str, int] = {}
    """How many parts have an error or a reason, by its code."""
    status: str = ""
    """Why the run would stop or wait before its end."""


class Header(Struct, frozen=True):
    """The first line of a plan."""

    twofold_plan: int
    made: str
    """ISO 8601."""
    syncs: tuple[Planned, ...]


class Line(Struct, frozen=True):
    """One line behind the header."""

    sync: str
    part: Part


class Carried(Struct, frozen=True):
    """What became of the plan of one sync."""

    report: Report
    done: int
    """Parts that were carried out."""
    refused: dict[str, int]
    """How many parts were not, by the code of their reason."""
    left: int
    """Pairs and records with work that the plan says nothing of; the next run does it."""


# --- making a plan --------------------------------------------------------------------------------


async def plan(
    here: Installation,
    names: Sequence[str],
    path: Path | None,
    options: Options,
    tell: Tell = lambda _: None,
    most: int = 0,
    prepare: Prepare = lambda _: None,
) -> tuple[Header, list[Line]]:
    """Plan what a run of these syncs would do; nothing is written to any app or to the state.

    Args:
        names: Syncs, turned on or not; all that are on for no name.
        path: Where to save the plan, if anywhere.
        most: How many lines to return, whether saved or not.
        prepare: What to do to the copy of the state first, such as to make a sync there.

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-E12, a side cannot be read; TF-E16, the
            file cannot be written.
    """
    with closing(_scratch()) as found:
        with rehearsal(here) as there:
            prepare(there)
            headers = [
                await _planned(there, sync, found, options, tell) for sync in _chosen(there, names)
            ]
        made = here.world.now().isoformat(timespec="seconds")
        header = Header(FORMAT, made, tuple(headers))
        if path is not None:
            _save(path, header, found)
        lines = [_line(row) for row in found.execute(f"{_LINES} LIMIT ?", (most,))]
    return header, lines


def _scratch() -> sqlite3.Connection:
    """Parts by the order in which they were planned. On the disk, as they may be many."""
    db = sqlite3.connect("", isolation_level=None)
    db.execute("PRAGMA journal_mode = OFF")
    db.execute(
        "CREATE TABLE parts (number INTEGER PRIMARY KEY, sync TEXT, hub TEXT, app TEXT,"
        " body BLOB, fate TEXT)"
    )
    db.execute("CREATE INDEX by_hub ON parts (sync, hub)")
    db.execute("CREATE INDEX by_app ON parts (sync, app)")
    return db


_LINES = "SELECT sync, body FROM parts ORDER BY number"
_INSERT = "INSERT INTO parts (sync, hub, app, body) VALUES (?, ?, ?, ?)"


def _line(row: tuple[str, bytes]) -> Line:
    return Line(row[0], msgspec.json.decode(row[1], type=Part))


def _chosen(there: Rehearsal, names: Sequence[str]) -> list[Sync]:
    """The syncs to plan; one that is off is planned as if it were on."""
    for name in names:
        sync = there.sync(name)
        if not sync.enabled:
            there.state.syncs.enable(sync.id, True)
    return runs.chosen(there, names)


async def _planned(
    there: Rehearsal, sync: Sync, found: sqlite3.Connection, options: Options, tell: Tell
) -> Planned:
    recorder = _Recorder(sync.name, found)
    report = await runs.run(there, sync, options, tell, recorder)
    if report.ending is Ending.WAITING:
        raise TwofoldError("TF-E12", name=sync.name, reason=report.status.sentence)
    counts = {**recorder.counts, **{k: n for k, n in report.did.items() if not _of_call(k)}}
    return Planned(
        sync.name, digest_of(sync.rules), counts, recorder.reasons, report.status.sentence
    )


def _of_call(what: str) -> bool:
    """What counts calls and readings, and not what becomes of records."""
    return what.endswith((" read", " writes"))


def digest_of(rules: Rules) -> str:
    """A digest of rules: equal rules have equal ones."""
    return hashlib.sha256(msgspec.json.encode(rules, order="deterministic")).hexdigest()[:16]


class _Recorder:
    """The gate of a rehearsal: writes down each part, and lets it pass."""

    def __init__(self, sync: str, found: sqlite3.Connection) -> None:
        self._sync = sync
        self._found = found
        self._made: set[Place] = set()
        self.counts: dict[str, int] = {}
        self.reasons: dict[str, int] = {}

    def admit(self, context: Context, chunk: Chunk) -> None:
        """Write down the parts of a chunk."""
        for planned in planned_of(context, chunk, self._made):
            self._keep(planned.part)
        self._made.update((work.side.other, work.source.row) for work in chunk.creates)

    def removes(self, context: Context, link: LinkRow, row: RemovalRow) -> bool:
        """Write down a removal."""
        self._keep(removal_of(link, row))
        return True

    def _keep(self, part: Part) -> None:
        body = msgspec.json.encode(part)
        self._found.execute(_INSERT, (self._sync, part.hub, part.app, body))
        self.counts[part.kind] = self.counts.get(part.kind, 0) + 1
        for code, _ in part.reasons:
            self.reasons[code] = self.reasons.get(code, 0) + 1


def _save(path: Path, header: Header, found: sqlite3.Connection) -> None:
    """Write the file, for its owner's eyes only, whole or not at all."""
    draft = path.with_name(f"{path.name}.part")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(header) + b"\n")
            for row in found.execute(_LINES):
                file.write(msgspec.json.encode(_line(row)) + b"\n")
        draft.replace(path)
    except OSError as error:
        raise TwofoldError("TF-E16", path=path, reason=error.strerror) from error


# --- carrying it out ------------------------------------------------------------------------------


async def carry_out(
    here: Installation, path: Path, options: Options, tell: Tell = lambda _: None
) -> list[Carried]:
    """Do what a plan says, and nothing else.

    Both sides are read and the work is derived again. A part is done where it is decided as it was
    then, on records that show what they showed then.

    Raises:
        TwofoldError: TF-E10, the file is no plan; TF-E11, a sync was edited since; TF-U06,
            TF-U10, it is gone or turned off.
    """
    with _loaded(path) as (header, parts):
        syncs = runs.chosen(here, [planned.sync for planned in header.syncs])
        rules = {planned.sync: planned.rules for planned in header.syncs}
        for sync in syncs:
            if digest_of(sync.rules) != rules[sync.name]:
                facts = {"name": sync.name, "reason": "its rules were edited since"}
                raise TwofoldError("TF-E11", **facts)
        return [await _carried(here, sync, parts, options, tell) for sync in syncs]


@contextmanager
def _loaded(path: Path) -> Iterator[tuple[Header, sqlite3.Connection]]:
    with closing(_scratch()) as parts:
        try:
            with path.open("rb") as file:
                header = msgspec.json.decode(file.readline(), type=Header)
                if header.twofold_plan != FORMAT:
                    raise TwofoldError("TF-E10", path=path, reason="it has another form")
                for text in file:
                    line = msgspec.json.decode(text, type=Line)
                    part = line.part
                    body = msgspec.json.encode(part)
                    parts.execute(_INSERT, (line.sync, part.hub, part.app, body))
        except OSError as error:
            raise TwofoldError("TF-E10", path=path, reason=error.strerror) from error
        except (msgspec.MsgspecError, UnicodeError, sqlite3.Error) as error:
            reason = "a line of it is not as it was written"
            raise TwofoldError("TF-E10", path=path, reason=reason) from error
        yield header, parts


async def _carried(
    here: Installation, sync: Sync, parts: sqlite3.Connection, options: Options, tell: Tell
) -> Carried:
    gate = _Permit(sync.name, parts, here.world.now)
    report = await runs.run(here, sync, options, tell, gate)
    fates = dict(
        parts.execute(
            "SELECT coalesce(fate, 'TF-E15'), count(*) FROM parts WHERE sync = ? GROUP BY 1",
            (sync.name,),
        ).fetchall()
    )
    done, left = fates.pop(_DONE, 0), fates.pop(_LEFT, 0)
    return Carried(report, done, fates, left)


_DONE, _LEFT = "done", "left"
_MOVED, _OTHERWISE = "TF-E13", "TF-E14"


class _Permit:
    """The gate of a plan that is carried out: what it does not say is held for the next run."""

    def __init__(self, sync: str, parts: sqlite3.Connection, now: Any) -> None:
        self._sync = sync
        self._parts = parts
        self._now = now
        self._made: set[Place] = set()

    def admit(self, context: Context, chunk: Chunk) -> None:
        """Hold back what the plan does not say, or not so."""
        refused = [
            planned
            for planned in planned_of(context, chunk, self._made)
            if not self._permitted(planned.part)
        ]
        if refused:
            now: datetime = self._now()
            hold(chunk, refused, now.timestamp())
        self._made.update((work.side.other, work.source.row) for work in chunk.creates)

    def removes(self, context: Context, link: LinkRow, row: RemovalRow) -> bool:
        """Only what the plan says."""
        return self._permitted(removal_of(link, row))

    def _permitted(self, part: Part) -> bool:
        rows = self._of(part)
        if any(fate == _DONE and planned == part for _, planned, fate in rows):
            return True  # a stale version was refused, and it is sent once more
        open_ = [(number, planned) for number, planned, fate in rows if fate is None]
        if not open_:
            if not rows:
                self._parts.execute(
                    "INSERT INTO parts (sync, hub, app, body, fate) VALUES (?, ?, ?, ?, ?)",
                    (self._sync, part.hub, part.app, msgspec.json.encode(part), _LEFT),
                )
            return False
        number, planned = open_[0]
        fate = _DONE
        common = planned.shown.keys() & part.shown.keys()
        if any(planned.shown[side] != part.shown[side] for side in common):
            fate = _MOVED
        elif planned != part:
            fate = _OTHERWISE
        self._parts.execute("UPDATE parts SET fate = ? WHERE number = ?", (fate, number))
        return fate == _DONE

    def _of(self, part: Part) -> list[tuple[int, Part, str | None]]:
        """The plan's parts for a record, in their order, with what became of them."""
        rows = self._parts.execute(
            "SELECT number, body, fate FROM parts WHERE sync = ? AND (hub = ? OR app = ?)"
            " ORDER BY number",
            (self._sync, _known(part.hub), _known(part.app)),
        )
        return [(n, msgspec.json.decode(body, type=Part), fate) for n, body, fate in rows]


def _known(record_id: str | None) -> str | None:
    """An id that finds lines; what this run made has the same one in all of them."""
    return None if record_id == NEW else record_id


__all__ = ["Carried", "Header", "Kind", "Line", "Planned", "carry_out", "digest_of", "plan"]
