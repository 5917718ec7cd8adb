"""Matching rules of a person's own (M5): an ordered list, each of one or more mapped fields.

Two records agree in a rule when they hold the same, in canonical form, in all of its fields; of a
field with several values any equal one counts. A blank agrees with nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator
from datetime import date
from decimal import Decimal

from twofold.core.convert import conversion
from twofold.core.mappings import CustomMatching, FieldMapping, Rules
from twofold.core.normalize import Canonical, Canonicalizer
from twofold.core.records import Fields, Side
from twofold.core.type_matrix import cell
from twofold.core.values import Kind

MOST_KEYS = 100
"""Keys of one record in one rule: what an app may make of several fields with several values."""

_UNMATCHABLE = {
    Kind.BOOL: "a checkbox says the same of half of all records",
    Kind.OWNER: "an owner is a person of one app, and no record's own",
}

Levels = tuple[tuple[str, ...], ...]
Problem = tuple[str, dict[str, object]]
"""A code, and the facts of its sentence."""


def level_maker(rules: Rules, side: Side) -> Callable[[Fields], Levels]:
    """Return the function that reads off a record the keys of each rule, in their order."""
    mappings = _mappings(rules)
    ends = [
        [_end(rules, mappings[name], side) for name in names if name in mappings]
        for names in _own_rules(rules)
    ]
    return lambda fields: tuple([_keys(parts, fields) for parts in ends])


def rule_fields(rules: Rules, side: Side) -> tuple[str, ...]:
    """The fields of a side that the rules name."""
    mappings = _mappings(rules)
    named = itertools.chain.from_iterable(_own_rules(rules))
    return tuple(dict.fromkeys(mappings[n].end(side).name for n in named if n in mappings))


def rule_problems(rules: Rules) -> Iterator[Problem]:
    """What is wrong with the rules, in their order."""
    own = _own_rules(rules)
    if isinstance(rules.matching, CustomMatching) and not own:
        yield "TF-M06", {}
    for number, names in enumerate(own, 1):
        if not names:
            yield "TF-M01", {"number": number}
        elif any(set(names) == set(earlier) for earlier in own[: number - 1]):
            yield "TF-M05", {"number": number, "fields": ", ".join(names)}
        for name in dict.fromkeys(names):
            yield from _of_field(rules, number, name)


def key_text(value: Canonical | Hashable) -> str:
    """A canonical value as text on one line: equal exactly where the values are equal."""
    if isinstance(value, str):
        return "t" + value.replace("\\", "\\\\").replace("\n", "\\n")
    if isinstance(value, int | Decimal):
        return "n" + _number(value)
    return "d" + value.isoformat() if isinstance(value, date) else f"o{value!r}"


def _number(value: int | Decimal) -> str:
    """1, 1.0 and 1.00 alike, without the rounding of a context."""
    sign, digits, exponent = Decimal(value).as_tuple()
    plain = bytes(digits).translate(_DIGITS).decode().lstrip("0")
    short = plain.rstrip("0")
    if not short or not isinstance(exponent, int):
        return "0" if isinstance(exponent, int) else str(value)
    return f"{'-' if sign else ''}{short}e{exponent + len(plain) - len(short)}"


_DIGITS = bytes(range(48, 58)) + bytes(246)


def _own_rules(rules: Rules) -> tuple[tuple[str, ...], ...]:
    return rules.matching.rules if isinstance(rules.matching, CustomMatching) else ()


def _mappings(rules: Rules) -> dict[str, FieldMapping]:
    return {mapping.name: mapping for mapping in rules.mappings}


def _end(rules: Rules, mapping: FieldMapping, side: Side) -> tuple[str, Canonicalizer]:
    compiled = conversion(mapping, rules.direction, rules.timezone, rules.region)
    return compiled.fields[side], compiled.shared[side]


def _keys(parts: list[tuple[str, Canonicalizer]], fields: Fields) -> tuple[str, ...]:
    found: list[list[str]] = []
    for name, canonical in parts:
        value = canonical(fields.get(name))
        if value is None:
            return ()
        several = value if isinstance(value, frozenset) else (value,)
        found.append(sorted(map(key_text, several)))
    if not found:
        return ()
    combined = itertools.islice(itertools.product(*found), MOST_KEYS)
    return tuple(["\n".join(parts) for parts in combined])


def _of_field(rules: Rules, number: int, name: str) -> Iterator[Problem]:
    facts: dict[str, object] = {"number": number, "field": name}
    mapping = _mappings(rules).get(name)
    if rules.hub.field(name) is None:
        yield "TF-M02", {**facts, "object_type": rules.hub.label}
    elif mapping is None:
        yield "TF-M03", facts
    else:
        reason = _why_not(mapping)
        if reason:
            yield "TF-M04", {**facts, "reason": reason}


def _why_not(mapping: FieldMapping) -> str:
    """Why the two ends of a mapping cannot tell that two records are the same; empty = they can."""
    for side in Side:
        end = mapping.end(side)
        if end.unmappable:
            return f"{end.name} of the {side} cannot be read reliably: {end.unmappable}"
        if end.kind in _UNMATCHABLE:
            return _UNMATCHABLE[end.kind]
        if end.silent:
            return f"{end.name} of the {side} changes without a word"
    return cell(mapping).reason if cell(mapping).direction is None else ""
