"""What is wrong with a mapping or a constant, said before the sync runs (F3–F14, F17)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from zoneinfo import ZoneInfo

import msgspec

from twofold.core.constants import constant_value
from twofold.core.errors import TwofoldError
from twofold.core.mappings import Direction, FieldMapping, Rules
from twofold.core.parts import part_names, plain_name
from twofold.core.records import Side
from twofold.core.schema import Field
from twofold.core.transforms import Change
from twofold.core.type_matrix import Shape, cell, shape, travels
from twofold.core.values import Kind

MOST_PAIRS = 10_000
"""Options paired by hand, and lines of a lookup table."""


def check_mapping(
    rules: Rules,
    mapping: FieldMapping,
    shipped: Collection[tuple[str, str]],
    told: Collection[str] = (),
) -> Iterator[TwofoldError]:
    """The first reasons why a mapping cannot work; else what is narrower than it asks for.

    ``told`` names the mappings whose direction a person wrote out: there, both ways means both.
    """
    default = (mapping.hub.name, mapping.app.name) in shipped
    ends = {"hub_field": plain_name(mapping.hub.name), "app_field": plain_name(mapping.app.name)}
    fatal = list(_of_ends(rules, mapping, default)) or list(_of_transforms(mapping))
    if fatal:
        yield from fatal
    elif cell(mapping).direction is None:
        yield TwofoldError("TF-F04", **ends, reason=cell(mapping).reason)
    elif mapping.hub.read_only and mapping.app.read_only:
        yield TwofoldError("TF-F05", **ends)
    elif _wider(rules, mapping, told):
        facts = {"asked": WORDS[mapping.direction], "sync": WORDS[rules.direction]}
        yield TwofoldError("TF-F15", **ends, **facts)
    elif (left := travels(mapping, rules.direction)) is None:
        yield TwofoldError("TF-F10", **ends, reason=_narrowing(rules, mapping))
    else:
        yield from _of_options(mapping, left)
        if left is not mapping.direction and not default:
            reason = _narrowing(rules, mapping)
            yield TwofoldError("TF-F09", **ends, left=WORDS[left], reason=reason)


WORDS = {
    Direction.BOTH: "both ways",
    Direction.TO_HUB: "to the hub",
    Direction.TO_APP: "to the app",
}


def _wider(rules: Rules, mapping: FieldMapping, told: Collection[str]) -> bool:
    """Whether it asks for a way that the sync does not go (F12), and its fields are not to blame.

    Left open, both ways means as far as the sync goes.
    """
    asked = mapping.direction
    left_open = asked is Direction.BOTH and plain_name(mapping.name) not in told
    if left_open or asked.narrowed(rules.direction) is asked:
        return False
    freed = msgspec.structs.replace(mapping, direction=Direction.BOTH)
    return travels(freed, rules.direction) is not None


def _of_ends(rules: Rules, mapping: FieldMapping, default: bool) -> Iterator[TwofoldError]:
    for side in Side:
        end, object_type = mapping.end(side), rules.type_of(side)
        unknown = [n for n in part_names(end.name) if object_type.field(n) is None]
        if unknown:
            yield TwofoldError("TF-F01", object_type=object_type.label, field=unknown[0])
        elif end.unmappable:
            facts = {"field": plain_name(end.name), "side": side.value, "reason": end.unmappable}
            yield TwofoldError("TF-F06", **facts)
        elif not default and _needs_default(end, mapping):
            yield TwofoldError("TF-F07", field=plain_name(end.name), side=side.value)


def _needs_default(end: Field, mapping: FieldMapping) -> bool:
    """Labeled and multiple values, beyond choices to choices (F11) and to an app's text (F6)."""
    if end.labeled:
        return True
    to_text = shape(mapping.hub) is Shape.CHOICES and shape(mapping.app) is Shape.TEXT
    both = shape(mapping.hub) is shape(mapping.app) is Shape.CHOICES
    return end.multi and not (to_text or both)


def _narrowing(rules: Rules, mapping: FieldMapping) -> str:
    """All that keeps a mapping from going both ways, in words."""
    reasons = [cell(mapping).reason] if cell(mapping).reason else []
    reasons += [
        f"{plain_name(mapping.end(side).name)} of the {side} can only be read"
        for side in Side
        if mapping.end(side).read_only
    ]
    reasons += [
        f"its transform {transform.change} cannot be undone"
        for transform in mapping.transforms
        if not transform.invertible
    ]
    if rules.direction is not Direction.BOTH:
        reasons.append(f"the sync goes only {WORDS[rules.direction]}")
    if mapping.direction is not Direction.BOTH:
        reasons.append(f"the mapping goes only {WORDS[mapping.direction]}")
    return "; ".join(reasons)


# --- transforms -------------------------------------------------------------------------------


def _of_transforms(mapping: FieldMapping) -> Iterator[TwofoldError]:
    """Transforms work on texts, and a name of two parts is joined or split once."""
    facts = {"hub_field": plain_name(mapping.hub.name), "app_field": plain_name(mapping.app.name)}
    for transform in mapping.transforms:
        reason = transform.problem
        if len(transform.table) > MOST_PAIRS:
            reason = f"its table has more than {MOST_PAIRS} lines"
        if reason:
            yield TwofoldError("TF-F19", **facts, transform=transform.change.value, reason=reason)
    for side in Side:
        end = mapping.end(side)
        texts = (Shape.TEXT,) if not end.parts else tuple(shape(part) for part in end.parts)
        if mapping.transforms and (shape(end) is not Shape.TEXT or set(texts) != {Shape.TEXT}):
            yield TwofoldError("TF-F20", field=plain_name(end.name), side=side.value)
    if reason := _parts_problem(mapping):
        yield TwofoldError("TF-F21", **facts, reason=reason)


def _parts_problem(mapping: FieldMapping) -> str:
    """Why two fields on one side cannot meet one on the other as they are mapped."""
    whole = [side for side in Side if not mapping.end(side).parts]
    joins = [t for t in mapping.transforms if t.change is Change.JOIN]
    if len(whole) == len(Side):
        return "only one field is named on each side" if joins else ""
    if not whole:
        return "two fields are named on both sides"
    if any(len(mapping.end(side).parts) not in {0, 2} for side in Side):
        return "a name is joined of exactly two parts"
    if len(joins) != 1 or joins[0].to is not whole[0]:
        return f"two fields need the transform join, once, toward the {whole[0]}"
    at = mapping.transforms.index(joins[0])
    if at != (0 if whole[0] is Side.APP else len(mapping.transforms) - 1):
        return "the transform join comes first on the side of the two fields"
    return ""


# --- options and owners -----------------------------------------------------------------------


def _of_options(mapping: FieldMapping, left: Direction) -> Iterator[TwofoldError]:
    """What a person paired by hand, and what stands for options without a pair."""
    named = mapping.options or mapping.hub_fallback or mapping.app_fallback
    paired = shape(mapping.hub) is shape(mapping.app) and mapping.hub.kind in _OPTIONED
    if named and not paired:
        facts = {"hub_field": mapping.hub.name, "app_field": mapping.app.name}
        yield TwofoldError("TF-F17", **facts)
        return
    for at, side in enumerate(Side):
        used = [pair[at] for pair in mapping.options]
        twice = [value for value, count in Counter(used).items() if count > 1]
        if twice and left.reaches(side.other):
            facts = {"field": mapping.end(side).name, "side": side.value, "value": twice[0]}
            yield TwofoldError("TF-F18", **facts)
        if mapping.fallback(side):
            used.append(mapping.fallback(side))
        yield from _unknown_options(mapping.end(side), side, used)


_OPTIONED = frozenset({Kind.CHOICE, Kind.OWNER})


def _unknown_options(field: Field, side: Side, used: list[str]) -> Iterator[TwofoldError]:
    known = {option.value for option in field.options}
    unknown = [value for value in used if value not in known]
    if unknown and (field.kind is Kind.OWNER or (known and field.closed)):
        shown = ", ".join(option.value for option in field.options[:20]) or "none"
        facts = {"field": field.name, "side": side.value, "value": unknown[0], "known": shown}
        yield TwofoldError("TF-F16", **facts)


# --- all mappings together --------------------------------------------------------------------


def check_mappings(rules: Rules) -> Iterator[TwofoldError]:
    """What is wrong with the mappings and constants of a sync as a whole."""
    yield from _mapped_twice(rules)
    yield from _required(rules)
    yield from _constants(rules)


def _mapped_twice(rules: Rules) -> Iterator[TwofoldError]:
    for side in Side:
        counts = Counter(
            name for mapping in rules.mappings for name in part_names(mapping.end(side).name)
        )
        for name, count in counts.items():
            if count > 1:
                yield TwofoldError("TF-F03", field=name, side=side.value, count=count)


def _required(rules: Rules) -> Iterator[TwofoldError]:
    """Fields without which a side refuses the records that this sync would create there (F14)."""
    for side in Side:
        if not rules.direction.reaches(side):
            continue
        filled = {constant.field for constant in rules.constants if constant.side is side}
        for mapping in rules.mappings:
            left = travels(mapping, rules.direction)
            if mapping.enabled and left is not None and left.reaches(side):
                filled.update(part_names(mapping.end(side).name))
        for field in rules.type_of(side).fields:
            if field.required and field.name not in filled:
                yield TwofoldError("TF-F08", field=field.name, side=side.value)


def _constants(rules: Rules) -> Iterator[TwofoldError]:
    given = Counter((constant.side, constant.field) for constant in rules.constants)
    for (side, name), count in given.items():
        if count > 1:
            reason = "it is given two constants"
            yield TwofoldError("TF-F22", field=name, side=side.value, reason=reason)
    for constant in rules.constants:
        object_type = rules.type_of(constant.side)
        field = object_type.field(constant.field)
        if field is None:
            facts = {"object_type": object_type.label, "field": constant.field}
            yield TwofoldError("TF-F01", **facts)
            continue
        try:
            constant_value(constant, field, _zone(rules))
        except TwofoldError as error:
            yield error


def _zone(rules: Rules) -> str:
    try:
        return ZoneInfo(rules.timezone).key
    except (KeyError, ValueError, OSError):  # said by its own code
        return "UTC"
