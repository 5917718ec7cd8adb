"""Pairs of unlinked records that look alike (M9): proposed to a person, who decides.

Nothing is linked here. Names are compared as people misspell them; an equal phone number or the
same mailbox name counts too. Only records that share a piece of a name are compared at all, so that
the work grows with the records and not with their square.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from rapidfuzz import fuzz

from twofold.core.matching import name_key
from twofold.core.normalize import phone
from twofold.core.records import Fields, Side
from twofold.core.values import Kind, is_blank
from twofold.services.installation import Installation
from twofold.services.records import called
from twofold.store.syncs import Sync
from twofold.store.types import Stored

LEAST_SCORE = 80
MOST_COMPARED = 200
"""Records that one piece of a name brings together; a longer list says nothing of anybody."""

_NAMES = ("firstname", "lastname", "name", "dealname")
_PIECE = 3
"""Letters at the start of a word by which records are brought together."""
_HINT = 8
"""Points for an equal phone number or mailbox name, on top of how alike the names are."""


class Proposal(Struct, frozen=True):
    """Two records that may be the same."""

    hub_id: str
    app_id: str
    hub_name: str
    app_name: str
    score: int
    """0 to 100."""


class _Candidate(Struct, frozen=True):
    row: int
    id: str
    title: str
    name: str
    """Normalized, with its words in order."""
    hints: frozenset[str]


def propose(
    here: Installation, name: str, limit: int = 50, least: int = LEAST_SCORE
) -> list[Proposal]:
    """The most alike pairs of unlinked records, best first.

    Pairs that a person has cut from each other are left out.

    Raises:
        TwofoldError: TF-U06, there is no such sync.
    """
    sync = here.sync(name)
    there = _Index(_candidates(here, sync, Side.APP))
    best: list[tuple[int, str, str, Proposal]] = []
    for one in _candidates(here, sync, Side.HUB):
        apart = set(here.state.by_hand.refused_of(sync.id, Side.HUB, one.row))
        for other in there.near(one):
            score = _score(one, other)
            if score < least or other.row in apart:
                continue
            found = Proposal(one.id, other.id, one.title, other.title, score)
            heapq.heappush(best, (score, one.id, other.id, found))
            if len(best) > limit:
                heapq.heappop(best)
    return [found for *_, found in sorted(best, key=lambda item: (-item[0], item[1], item[2]))]


class _Index:
    """The records of one side, by the pieces of their names and by their hints."""

    def __init__(self, candidates: Iterable[_Candidate]) -> None:
        self._by_piece: dict[str, list[_Candidate]] = {}
        for one in candidates:
            for piece in _pieces(one):
                self._by_piece.setdefault(piece, []).append(one)

    def near(self, one: _Candidate) -> Iterator[_Candidate]:
        """Records that share a piece that is not everybody's, each once."""
        seen: set[int] = set()
        for piece in _pieces(one):
            found = self._by_piece.get(piece, ())
            for other in found if len(found) <= MOST_COMPARED else ():
                if other.row not in seen:
                    seen.add(other.row)
                    yield other


def _pieces(one: _Candidate) -> set[str]:
    return {word[:_PIECE] for word in one.name.split()} | set(one.hints)


def _score(one: _Candidate, other: _Candidate) -> int:
    alike = fuzz.token_sort_ratio(one.name, other.name)
    return min(100, round(alike) + _HINT * len(one.hints & other.hints))


def _candidates(here: Installation, sync: Sync, side: Side) -> Iterator[_Candidate]:
    """The unlinked records of a side that have a name."""
    names = _ends(sync, side, _NAMES)
    phones = [m.end(side).name for m in sync.rules.mappings if m.hub.kind is Kind.PHONE]
    emails = [m.end(side).name for m in sync.rules.mappings if m.hub.kind is Kind.EMAIL]
    number = phone(sync.rules.region)
    for stored in here.state.by_hand.unlinked(sync.id, side):
        fields = stored.record.fields
        name = name_key(" ".join(_texts(fields, names)))
        if name is None:
            continue
        hints = {f"phone {number(text)}" for text in _texts(fields, phones)}
        hints |= {f"mailbox {text.split('@')[0].casefold()}" for text in _texts(fields, emails)}
        title = _title(sync, side, stored)
        yield _Candidate(stored.row, stored.record.id, title, name, frozenset(hints))


def _ends(sync: Sync, side: Side, hub_fields: Sequence[str]) -> list[str]:
    ends = {m.hub.name: m.end(side).name for m in sync.rules.mappings}
    return [ends[name] for name in hub_fields if name in ends]


def _texts(fields: Fields, names: Sequence[str]) -> list[str]:
    return [str(fields[n]) for n in names if n in fields and not is_blank(fields[n])]


def _title(sync: Sync, side: Side, stored: Stored) -> str:
    return called(sync, stored, None) if side is Side.HUB else called(sync, None, stored)
