"""Which unlinked records of the two sides are the same: match keys, and the rule that decides.

Level by level, strongest first: a key that is unique on both sides makes a pair; a shared key never
does (D8). The rule is stated here in full; where the store decides over millions of records, it
must come to the same answer.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct, structs

from twofold.core.addresses import domain_key, email_key
from twofold.core.mappings import CustomMatching, Matching, Rules
from twofold.core.match_rules import level_maker, rule_fields
from twofold.core.normalize import text
from twofold.core.records import Fields, Side
from twofold.core.values import Kind

Id = TypeVar("Id", int, str)

EXCLUSIVE_FROM = 1
"""The level from which on contacts that both have e-mails, and share none, are never the same:
M2's second step. Companies have no exclusive keys, so there it means nothing."""


class MatchKeys(Struct, frozen=True):
    """What one record is matched by, already normalized."""

    levels: tuple[tuple[str, ...], ...] = ()
    """The record's keys at each level, strongest first; any equal one counts. Parts of a key are
    separated by line ends."""
    exclusive: frozenset[str] = frozenset()
    """Valid e-mail addresses, of contacts only."""
    firm: tuple[frozenset[str], ...] = ()
    """What must not disagree: two records that both have some, and share none, are not linked
    without a person (M9)."""


# --- keys -------------------------------------------------------------------------------------

_NAME = ("firstname", "lastname")
_EMAIL = ("email",)
_COMPANY = ("company",)
_COMPANY_EMAIL = ("company_email",)
_WEBSITE = ("website",)
_COMPANY_NAME = ("name",)
_DOMAINS = ("domain", "website")
_SKU = ("hs_sku",)

KeyMaker = Callable[[Side, Fields], MatchKeys]
_Reader = Callable[[Fields], list[str]]


def key_maker(rules: Rules) -> KeyMaker:
    """Return the function that reads the match keys off a record of a side.

    Keys come from the fields that the mappings pair with the hub fields named above, and from
    fields that hold several e-mail addresses (contacts) or several URLs (companies).
    """
    chosen = rules.matching
    maker = _custom_keys if isinstance(chosen, CustomMatching) else _MAKERS[chosen]
    make = {side: maker(rules, side) for side in Side}
    return lambda side, fields: make[side](fields)


def strongest_keys(rules: Rules) -> Callable[[Side, Fields], Collection[str]]:
    """Return the function that reads only the keys of the strongest level off a record."""
    if rules.matching is Matching.CONTACTS:
        emails = {side: emails_of(rules, side) for side in Side}
        return lambda side, fields: emails[side](fields)
    make = key_maker(rules)

    def read(side: Side, fields: Fields) -> Collection[str]:
        levels = make(side, fields).levels
        return levels[0] if levels else ()

    return read


def key_fields(rules: Rules, side: Side) -> tuple[str, ...]:
    """The fields of a side that match keys come from: read them even where they are not mapped."""
    if isinstance(rules.matching, CustomMatching):
        return rule_fields(rules, side)
    names, kind = _READ_FROM[rules.matching]
    several = () if kind is None else _several(rules, side, kind)
    return tuple(dict.fromkeys((*_paired(rules, side, names), *several)))


def level_names(rules: Rules) -> tuple[str, ...]:
    """What records agree in at each level, in words, strongest first."""
    if isinstance(rules.matching, CustomMatching):
        return tuple(" and ".join(names) for names in rules.matching.rules)
    return _LEVELS[rules.matching]


def email_fields(rules: Rules, side: Side) -> tuple[str, ...]:
    """The fields of a side that hold its records' own e-mail addresses."""
    return (*_paired(rules, side, _EMAIL), *_several(rules, side, Kind.EMAIL))


def emails_of(rules: Rules, side: Side) -> Callable[[Fields], list[str]]:
    """Return the function that reads all valid e-mail addresses off a record of a side."""
    return _keys(email_key, email_fields(rules, side))


def _contact_keys(rules: Rules, side: Side) -> Callable[[Fields], MatchKeys]:
    """Contacts (M2): by e-mail; by full name and the company's e-mail, name or domain."""
    emails = emails_of(rules, side)
    names = _reader(_paired(rules, side, _NAME))
    sources = [
        (word, _keys(key, fields))
        for word, key, wanted in (
            ("company", name_key, _COMPANY),
            ("email", email_key, _COMPANY_EMAIL),
            ("domain", domain_key, _WEBSITE),
        )
        if (fields := _paired(rules, side, wanted))
    ]

    def make(fields: Fields) -> MatchKeys:
        own = emails(fields)
        name = name_key(" ".join(names(fields)))
        if not name:
            return MatchKeys((tuple(own), ()), frozenset(own))
        at = [f"{name}\n{word} {found}" for word, keys in sources for found in keys(fields)]
        return MatchKeys((tuple(own), tuple(at)), frozenset(own))

    return make


def _company_keys(rules: Rules, side: Side) -> Callable[[Fields], MatchKeys]:
    """Companies (M3, M4): by name and domain; by domain; by name."""
    names = _keys(name_key, _paired(rules, side, _COMPANY_NAME))
    web = (*_paired(rules, side, _DOMAINS), *_several(rules, side, Kind.URL))
    domains = _keys(domain_key, web)

    def make(fields: Fields) -> MatchKeys:
        called, at = names(fields), domains(fields)
        both = [f"{name}\n{domain}" for name in called for domain in at]
        return MatchKeys((tuple(both), tuple(at), tuple(called)))

    return make


def _strict_company_keys(rules: Rules, side: Side) -> Callable[[Fields], MatchKeys]:
    """Companies whose name and domain must not disagree (M9)."""
    make = _company_keys(rules, side)

    def firm(fields: Fields) -> MatchKeys:
        keys = make(fields)
        _, domains, names = keys.levels
        return MatchKeys(keys.levels, firm=(frozenset(domains), frozenset(names)))

    return firm


def _product_keys(rules: Rules, side: Side) -> Callable[[Fields], MatchKeys]:
    """Products (M5): by SKU; by name."""

    def sku(value: str) -> str | None:
        found = text(value)
        return found if isinstance(found, str) else None

    skus = _keys(sku, _paired(rules, side, _SKU))
    names = _keys(name_key, _paired(rules, side, _COMPANY_NAME))

    def make(fields: Fields) -> MatchKeys:
        return MatchKeys((tuple(skus(fields)), tuple(names(fields))))

    return make


def _custom_keys(rules: Rules, side: Side) -> Callable[[Fields], MatchKeys]:
    levels = level_maker(rules, side)
    return lambda fields: MatchKeys(levels(fields))


def _no_keys(_rules: Rules, _side: Side) -> Callable[[Fields], MatchKeys]:
    nothing = MatchKeys()
    return lambda _fields: nothing


_MAKERS: Mapping[Matching, Callable[[Rules, Side], Callable[[Fields], MatchKeys]]] = {
    Matching.CONTACTS: _contact_keys,
    Matching.COMPANIES: _company_keys,
    Matching.COMPANIES_STRICT: _strict_company_keys,
    Matching.PRODUCTS: _product_keys,
    Matching.NONE: _no_keys,
}

_OF_COMPANIES = ((*_COMPANY_NAME, *_DOMAINS), Kind.URL)
_READ_FROM: Mapping[Matching, tuple[tuple[str, ...], Kind | None]] = {
    Matching.CONTACTS: ((*_NAME, *_EMAIL, *_COMPANY, *_COMPANY_EMAIL, *_WEBSITE), Kind.EMAIL),
    Matching.COMPANIES: _OF_COMPANIES,
    Matching.COMPANIES_STRICT: _OF_COMPANIES,
    Matching.PRODUCTS: ((*_SKU, *_COMPANY_NAME), None),
    Matching.NONE: ((), None),
}
"""Hub fields whose mappings give keys, and the kind of fields that hold several of them."""

_LEVELS: Mapping[Matching, tuple[str, ...]] = {
    Matching.CONTACTS: ("e-mail", "name and company"),
    Matching.COMPANIES: ("name and domain", "domain", "name"),
    Matching.COMPANIES_STRICT: ("name and domain", "domain", "name"),
    Matching.PRODUCTS: ("SKU", "name"),
    Matching.NONE: (),
}


def name_key(value: str) -> str | None:
    """A name to compare by: NFKC, case-folded, single spaces; None where nothing is left."""
    if not value.isascii():
        folded = unicodedata.normalize("NFKC", value).casefold()
        value = unicodedata.normalize("NFKC", folded)
    return " ".join(value.lower().split()) or None


def _paired(rules: Rules, side: Side, hub_fields: Sequence[str]) -> tuple[str, ...]:
    """The fields of a side that the mappings pair with these hub fields, in their order."""
    ends = {m.hub.name: m.end(side).name for m in rules.mappings}
    return tuple(ends[name] for name in hub_fields if name in ends)


def _several(rules: Rules, side: Side, kind: Kind) -> tuple[str, ...]:
    """Fields of the kind that hold several values, or one of several labels, mapped or not."""
    fields = rules.type_of(side).fields
    return tuple(f.name for f in fields if f.kind is kind and (f.multi or f.labeled))


def _reader(names: Iterable[str]) -> _Reader:
    """Return the function that reads all texts off the named fields."""
    unique = tuple(dict.fromkeys(names))

    def read(fields: Fields) -> list[str]:
        found: list[str] = []
        for name in unique:
            value = fields.get(name)
            if value.__class__ is str:
                found.append(value)
            elif isinstance(value, tuple):
                found.extend(v for v in value if isinstance(v, str))
        return found

    return read


def _keys(key: Callable[[str], str | None], names: Iterable[str]) -> _Reader:
    """Return the function that makes keys of all texts of the named fields, each key once."""
    unique = tuple(dict.fromkeys(names))
    read = _reader(unique)

    def keys(fields: Fields) -> list[str]:
        return list(dict.fromkeys(k for v in read(fields) if (k := key(v)) is not None))

    if len(unique) != 1:
        return keys
    (only,) = unique

    def keys_of_one(fields: Fields) -> list[str]:  # the usual case
        value = fields.get(only)
        if value.__class__ is not str:
            return keys(fields)
        found = key(value)
        return [] if found is None else [found]

    return keys_of_one


# --- the rule ---------------------------------------------------------------------------------

MOST_CANDIDATES = 20


class Ambiguity(Struct, Generic[Id], frozen=True):
    """Why a record was left for a person."""

    candidates: tuple[Id, ...]
    """On the other side, the first few by id (``MOST_CANDIDATES``)."""
    level: int
    key: str
    """The deciding key: of several, the first in alphabetical order."""
    doubtful: bool = False
    """There is one candidate only, and the two disagree in what must not disagree (M9)."""


class Matches(Struct, Generic[Id]):
    """The answer: every unlinked record is in exactly one of the three."""

    pairs: list[tuple[Id, Id, int]]
    """(hub id, app id, level), by level and id."""
    ambiguous: dict[tuple[Side, Id], Ambiguity[Id]]
    alone: set[tuple[Side, Id]]


class _Block(Struct, Generic[Id]):
    """All records that one key brings together: each hub record is a candidate of each app one."""

    key: str
    members: Mapping[Side, Sequence[Id]]


Refused = Mapping[Id, Collection[Id]]
"""App ids by hub id: pairs that a person has cut from each other (M7)."""


def match(
    hub: Mapping[Id, MatchKeys],
    app: Mapping[Id, MatchKeys],
    exclusive_from: int = EXCLUSIVE_FROM,
    refused: Refused[Id] | None = None,
) -> Matches[Id]:
    """Match the unlinked records of both sides, given their keys by id.

    From level ``exclusive_from`` on, two records with exclusive keys that share none of them are
    no candidates of each other; ``refused`` pairs never are.
    """
    left = {Side.HUB: dict(hub), Side.APP: dict(app)}
    result: Matches[Id] = Matches([], {}, set())
    depth = max((len(keys.levels) for side in Side for keys in left[side].values()), default=0)
    for level in range(depth):
        blocks = list(_blocks(left, level, level >= exclusive_from))
        if refused:
            blocks = [part for block in blocks for part in _without_refused(block, refused)]
        _match_level(left, level, blocks, result)
    result.alone = {
        (side, id_) for side in Side for id_ in left[side] if (side, id_) not in result.ambiguous
    }
    return result


def _match_level(
    left: Mapping[Side, dict[Id, MatchKeys]],
    level: int,
    blocks: Sequence[_Block[Id]],
    result: Matches[Id],
) -> None:
    """Take the pairs of a level out of ``left``.

    What has candidates and makes no pair becomes ambiguous, and stays in ``left`` as a candidate
    at weaker levels.
    """
    only = {side: _only_candidates(blocks, side) for side in Side}
    pairs = [
        (id_, twin)
        for id_, twin in only[Side.HUB].items()
        if twin is not None
        and only[Side.APP][twin] == id_
        and (Side.HUB, id_) not in result.ambiguous
        and (Side.APP, twin) not in result.ambiguous
    ]
    doubted = {p for p in pairs if _disagree(left[Side.HUB][p[0]], left[Side.APP][p[1]])}
    if doubted:
        pairs = [pair for pair in pairs if pair not in doubted]
    doubtful = {Side.HUB: {h for h, _ in doubted}, Side.APP: {a for _, a in doubted}}
    paired = {Side.HUB: {h for h, _ in pairs}, Side.APP: {a for _, a in pairs}}
    for side in Side:
        open_ = {
            i for i in only[side] if i not in paired[side] and (side, i) not in result.ambiguous
        }
        for id_, ambiguity in _ambiguities(blocks, side, open_, level).items():
            doubt = id_ in doubtful[side]
            left_open = structs.replace(ambiguity, doubtful=True) if doubt else ambiguity
            result.ambiguous[side, id_] = left_open
        for id_ in paired[side]:
            del left[side][id_]
    result.pairs += [(h, a, level) for h, a in sorted(pairs)]


def _blocks(
    left: Mapping[Side, Mapping[Id, MatchKeys]], level: int, exclusive: bool
) -> Iterator[_Block[Id]]:
    """Group the records of both sides by key: in linear time, where edges could be quadratic."""
    groups = {side: _grouped(left[side], level) for side in Side}
    for key in groups[Side.HUB].keys() & groups[Side.APP].keys():
        members = {side: groups[side][key] for side in Side}
        if exclusive:
            yield from _exclusive_blocks(left, key, members)
        else:
            yield _Block(key, members)


def _grouped(records: Mapping[Id, MatchKeys], level: int) -> dict[str, list[Id]]:
    groups: dict[str, list[Id]] = {}
    for id_, keys in records.items():
        if level < len(keys.levels):
            for key in set(keys.levels[level]):
                groups.setdefault(key, []).append(id_)
    return groups


def _exclusive_blocks(
    left: Mapping[Side, Mapping[Id, MatchKeys]], key: str, members: Mapping[Side, Sequence[Id]]
) -> Iterator[_Block[Id]]:
    """Split a block: records with exclusive keys meet those without, or with an equal one."""
    without = {s: [i for i in members[s] if not left[s][i].exclusive] for s in Side}
    holders = {s: [i for i in members[s] if left[s][i].exclusive] for s in Side}
    yield _Block(key, {Side.HUB: without[Side.HUB], Side.APP: members[Side.APP]})
    yield _Block(key, {Side.HUB: holders[Side.HUB], Side.APP: without[Side.APP]})
    by_exclusive: dict[Side, dict[str, list[Id]]] = {Side.HUB: {}, Side.APP: {}}
    for side in Side:
        for id_ in holders[side]:
            for value in left[side][id_].exclusive:
                by_exclusive[side].setdefault(value, []).append(id_)
    for value in by_exclusive[Side.HUB].keys() & by_exclusive[Side.APP].keys():
        yield _Block(key, {side: by_exclusive[side][value] for side in Side})


def _without_refused(block: _Block[Id], refused: Refused[Id]) -> Iterator[_Block[Id]]:
    """Split a block: hub records that were cut from some of its app records meet the others."""
    here, there = block.members[Side.HUB], block.members[Side.APP]
    cut = [id_ for id_ in here if id_ in refused]
    if not cut:
        yield block
        return
    apart = set(cut)
    yield _Block(block.key, {Side.HUB: [id_ for id_ in here if id_ not in apart], Side.APP: there})
    for id_ in cut:
        others = [other for other in there if other not in refused[id_]]
        yield _Block(block.key, {Side.HUB: [id_], Side.APP: others})


def _disagree(hub: MatchKeys, app: MatchKeys) -> bool:
    """Whether both have something of what must not disagree, and share none of it."""
    return any(
        ours and theirs and ours.isdisjoint(theirs)
        for ours, theirs in zip(hub.firm, app.firm, strict=True)
    )


def _only_candidates(blocks: Iterable[_Block[Id]], side: Side) -> dict[Id, Id | None]:
    """By record of a side that has candidates: the only one, or None where there are more."""
    only: dict[Id, Id | None] = {}
    for block in blocks:
        others = block.members[side.other]
        if not others:
            continue
        candidate = others[0] if len(others) == 1 else None
        for id_ in block.members[side]:
            only[id_] = candidate if only.get(id_, candidate) == candidate else None
    return only


def _ambiguities(
    blocks: Iterable[_Block[Id]], side: Side, wanted: set[Id], level: int
) -> dict[Id, Ambiguity[Id]]:
    """Candidates and deciding key of each wanted record of a side."""
    found: dict[Id, tuple[set[Id], str]] = {}
    for block in blocks:
        first = sorted(block.members[side.other])[:MOST_CANDIDATES]
        for id_ in block.members[side] if first else ():
            if id_ in wanted:
                candidates, key = found.setdefault(id_, (set(), block.key))
                candidates.update(first)
                found[id_] = (candidates, min(key, block.key))
    return {
        id_: Ambiguity(tuple(sorted(candidates)[:MOST_CANDIDATES]), level, key)
        for id_, (candidates, key) in found.items()
    }
