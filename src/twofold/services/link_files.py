"""Links as a CSV file: exported, and imported as a whole or not at all (M7)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from msgspec import Struct

from twofold.core.errors import TwofoldError, sentence
from twofold.core.records import Side
from twofold.services.csv_text import guarded, unguarded
from twofold.services.hub import LONGEST_LINE
from twofold.services.installation import Installation
from twofold.services.links import decide, line_of, unfit
from twofold.store.byhand import Orders, Pair
from twofold.store.syncs import Sync

COLUMNS = ("hub_id", "app_id", "decision", "name")
LINKED, CUT = "linked", "cut"
IDS = {Side.HUB: "hub_id", Side.APP: "app_id"}

_AT_ONCE = 1_000


class LineProblem(Struct, frozen=True):
    """Why one line cannot be imported."""

    line: int
    """As an editor counts, from 1, the header included."""
    code: str
    sentence: str


class NotImported(TwofoldError):
    """A file with problems; nothing of it was taken."""

    def __init__(self, problems: Sequence[LineProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("TF-M26", count=len({problem.line for problem in problems}))


class Imported(Struct, frozen=True):
    """What a file changed."""

    linked: int
    cut: int
    unchanged: int


class _Line(Struct, frozen=True):
    number: int
    hub_id: str
    app_id: str
    cut: bool

    def id(self, side: Side) -> str:
        return self.hub_id if side is Side.HUB else self.app_id


class _Wanted(Struct):
    """The lines that were understood, by the rows of their records."""

    orders: dict[Pair, _Line]
    taken: dict[tuple[Side, int], int]
    """The line that links a record."""


def export(here: Installation, name: str, file: TextIO) -> int:
    """Write all links and cuts of a sync, one per line; returns how many.

    Cells that a spreadsheet would take for a formula begin with an apostrophe; importing takes it
    away again.
    """
    sync = here.sync(name)
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    number = 0
    for one in chain(here.state.by_hand.links(sync.id), here.state.by_hand.apart(sync.id)):
        line = line_of(sync, one)
        decision = CUT if one.state is None else LINKED
        writer.writerow(map(guarded, (line.hub_id, line.app_id, decision, line.name)))
        number += 1
    return number


def import_file(here: Installation, name: str, path: Path) -> Imported:
    """Make and cut the links that a file names. Importing it once more changes nothing.

    Raises:
        NotImported: TF-M26, with a problem per line; nothing was changed.
        TwofoldError: TF-U14, the file cannot be read; TF-M27, it has no such column.
    """
    sync = here.sync(name)
    problems: list[LineProblem] = []
    wanted = _Wanted({}, {})
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = _lines(path, file, problems)
            while lines := list(islice(found, _AT_ONCE)):
                _take(here, sync, lines, wanted, problems)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise TwofoldError("TF-U14", path=path, reason=reason) from error
    made = [
        p for p, line in wanted.orders.items() if not line.cut and not _is_linked(here, sync, p)
    ]
    apart = [p for p, line in wanted.orders.items() if line.cut and not _is_apart(here, sync, p)]
    problems += _unfit(here, sync, made, wanted, apart)
    if problems:
        raise NotImported(sorted(problems, key=lambda problem: problem.line))
    if made or apart:
        decide(here, sync, Orders(made=made, cut=apart))
    unchanged = len(wanted.orders) - len(made) - len(apart)
    return Imported(len(made), len(apart), unchanged)


def _lines(path: Path, file: TextIO, problems: list[LineProblem]) -> Iterator[_Line]:
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(file, strict=True)
    header = [cell.strip().lower() for cell in next(reader, [])]
    for column in IDS.values():
        if column not in header:
            raise TwofoldError("TF-M27", path=path, column=column)
    end = reader.line_num
    for cells in reader:
        number, end = end + 1, reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            facts = {"count": len(cells), "expected": len(header)}
            problems.append(_problem(number, "TF-M32", facts))
            continue
        line = _line(number, dict(zip(header, cells, strict=True)), problems)
        if line is not None:
            yield line


def _line(number: int, cells: Mapping[str, str], problems: list[LineProblem]) -> _Line | None:
    missing = [column for column in IDS.values() if not cells[column]]
    problems += [_problem(number, "TF-M28", {"column": column}) for column in missing]
    decision = cells.get("decision", "").strip().lower() or LINKED
    if decision not in {LINKED, CUT}:
        problems.append(_problem(number, "TF-M29", {"text": decision}))
    elif not missing:
        hub_id, app_id = (unguarded(cells[column]) for column in IDS.values())
        return _Line(number, hub_id, app_id, decision == CUT)
    return None


def _take(
    here: Installation,
    sync: Sync,
    lines: Sequence[_Line],
    wanted: _Wanted,
    problems: list[LineProblem],
) -> None:
    """Find the records of some lines, and see that no line contradicts an earlier one."""
    known = {
        side: here.state.records.known(sync.reader(side), [line.id(side) for line in lines])
        for side in Side
    }
    for line in lines:
        unknown = [side for side in Side if line.id(side) not in known[side]]
        for side in unknown:
            facts = {"side": side.value, "id": line.id(side)}
            problems.append(_problem(line.number, "TF-M21", facts))
        if unknown:
            continue
        pair = Pair(known[Side.HUB][line.hub_id].row, known[Side.APP][line.app_id].row)
        problems += _place(line, pair, wanted)


def _place(line: _Line, pair: Pair, wanted: _Wanted) -> Iterator[LineProblem]:
    earlier = wanted.orders.get(pair)
    if earlier is not None:
        if earlier.cut is not line.cut:
            yield _problem(line.number, "TF-M31", {"line": earlier.number})
        return
    wanted.orders[pair] = line
    for side in Side if not line.cut else ():
        first = wanted.taken.setdefault((side, pair.end(side)), line.number)
        if first != line.number:
            facts = {"side": side.value, "id": line.id(side), "line": first}
            yield _problem(line.number, "TF-M30", facts)


def _unfit(
    here: Installation, sync: Sync, made: Iterable[Pair], wanted: _Wanted, cut: Sequence[Pair]
) -> Iterator[LineProblem]:
    """Records that cannot be linked; a link that the same file cuts stands in nobody's way."""
    freed = set(cut)
    for pair in made:
        for side in Side:
            row = pair.end(side)
            twin = here.state.by_hand.twin(sync.id, side, row)
            held = None if twin is None else _pair(side, row, twin)
            problem = None if held in freed else unfit(here, sync, side, row)
            if problem is not None:
                yield _problem(wanted.orders[pair].number, *problem)


def _pair(side: Side, row: int, twin: int) -> Pair:
    return Pair(row, twin) if side is Side.HUB else Pair(twin, row)


def _is_linked(here: Installation, sync: Sync, pair: Pair) -> bool:
    return here.state.by_hand.twin(sync.id, Side.HUB, pair.hub) == pair.app


def _is_apart(here: Installation, sync: Sync, pair: Pair) -> bool:
    apart = here.state.by_hand.refused_of(sync.id, Side.HUB, pair.hub)
    return pair.app in apart and not _is_linked(here, sync, pair)


def _problem(line: int, code: str, facts: Mapping[str, object]) -> LineProblem:
    return LineProblem(line, code, sentence(code, facts))
