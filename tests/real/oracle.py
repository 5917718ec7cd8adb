"""Who is who, decided by brute force: the rules M2 to M4 and D8 once more, in the plainest way.

Nothing here uses Twofold. A record is its keys, level by level, strongest first; two records are
candidates of each other at a level where they share a key. Every pair of candidates is written out.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import tldextract

Keys = Sequence[frozenset[str]]
Ids = Mapping[str, Keys]


class Truth(NamedTuple):
    """What matching must come to; ids are the sides' own."""

    levels: list[set[tuple[str, str]]]
    """Pairs (hub id, app id) by the level that made them."""
    ambiguous: dict[tuple[str, str], set[str]]
    """(side, id) → its candidates, of every record that is left for a person."""
    alone: dict[str, set[str]]
    """By side: records that nothing on the other side could be."""

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """The pairs of all levels."""
        return set().union(*self.levels)


def decide(hub: Ids, app: Ids, may_be: Callable[[int, str, str], bool] = lambda *_: True) -> Truth:
    """Decide about all records; ``may_be(level, hub id, app id)`` rules candidates out."""
    left = {"hub": set(hub), "app": set(app)}
    levels: list[set[tuple[str, str]]] = []
    ambiguous: dict[tuple[str, str], set[str]] = {}
    for level in range(max(len(keys) for keys in (*hub.values(), *app.values()))):
        edges = {(h, a) for h, a in _sharing(hub, app, left, level) if may_be(level, h, a)}
        of_hub, of_app = defaultdict(set), defaultdict(set)
        for h, a in edges:
            of_hub[h].add(a)
            of_app[a].add(h)
        pairs = {
            (h, a)
            for h, a in edges
            if of_hub[h] == {a}
            and of_app[a] == {h}
            and ("hub", h) not in ambiguous
            and ("app", a) not in ambiguous
        }
        levels.append(pairs)
        left["hub"] -= {h for h, _ in pairs}
        left["app"] -= {a for _, a in pairs}
        for side, candidates in (("hub", of_hub), ("app", of_app)):
            for record in candidates.keys() & left[side]:
                ambiguous.setdefault((side, record), candidates[record])
    alone = {side: {i for i in ids if (side, i) not in ambiguous} for side, ids in left.items()}
    return Truth(levels, ambiguous, alone)


def _sharing(
    hub: Ids, app: Ids, left: Mapping[str, set[str]], level: int
) -> Iterable[tuple[str, str]]:
    carriers: dict[str, list[str]] = defaultdict(list)
    for a in left["app"]:
        for key in app[a][level]:
            carriers[key].append(a)
    return ((h, a) for h in left["hub"] for key in hub[h][level] for a in carriers.get(key, ()))


# --- keys ---------------------------------------------------------------------------------------

_SUFFIXES = tldextract.TLDExtract(
    cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True
)


def domain(text: str) -> str:
    """The registrable domain of a domain or URL; "" where it has none."""
    found = _SUFFIXES(text.strip())
    if found.domain and found.suffix:
        return f"{found.domain}.{found.suffix}".lower()
    return ".".join(found.fqdn.lower().split(".")[-2:]) if "." in found.fqdn else ""


def name(text: str) -> str:
    """A name without the differences of case and spacing."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_EMAIL = re.compile(rf"[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@({_LABEL}\.)+(?=.*[a-z][^.]*$){_LABEL}")
"""A dot-atom (RFC 5322, 3.2.3) at a host name (RFC 5321, 2.3.5) of at least two labels."""


def email(text: str) -> str:
    """An address in lower case; "" for what is none: enough for the addresses of the data."""
    form = text.strip().lower()
    return form if _EMAIL.fullmatch(form) else ""


def some(*keys: str) -> frozenset[str]:
    """The keys that are not empty."""
    return frozenset(key for key in keys if key)
