"""Options of choices and owners: their labels, and which of one side is which of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from twofold.core import normalize
from twofold.core.mappings import FieldMapping
from twofold.core.records import Side
from twofold.core.schema import Field, Option
from twofold.core.values import Kind, Value, as_text, is_blank


def labels_of(field: Field) -> Mapping[str, str]:
    """Option value → label, or the value itself where the label is blank."""
    return {o.value: o.value if is_blank(o.label) else o.label for o in field.options}


def joined(value: Value, labels: Mapping[str, str]) -> str:
    """Several options as one text: their labels, with semicolons between them."""
    members = value if isinstance(value, tuple) else (value,)
    return "; ".join(labels.get(as_text(v), as_text(v)).strip() for v in members if not is_blank(v))


Translator = Callable[[str], str | None]
"""From an option (or owner) of one side to one of the other; None = it has no pair."""


def translator(mapping: FieldMapping, to: Side) -> Translator:
    """Return the function that finds a side's option for one of the other side."""
    target = mapping.end(to)
    pairs = paired_options(mapping, to)
    claimed = set(pairs.values())
    known = {option.value for option in target.options}
    fallback = mapping.fallback(to)
    strict = target.kind is Kind.OWNER

    def find(value: str) -> str | None:
        found = pairs.get(value)
        if found is not None:
            return found
        if fallback:
            return fallback
        if strict or value in claimed or (known and target.closed and value not in known):
            return None
        return value

    return find


def paired_options(mapping: FieldMapping, to: Side) -> Mapping[str, str]:
    """Option value of the other side → option value of ``to``, by hand, else by likeness (F10).

    Choices pair by equal value, then by a label that only one option of each side carries; owners
    by e-mail (F13). What was paired by hand pairs with nothing else.
    """
    ordered = mapping.options[::-1]  # of two pairs of one value the first counts
    by_hand = dict(ordered if to is Side.APP else [(app, hub) for hub, app in ordered])
    source = [o for o in mapping.end(to.other).options if o.value not in by_hand]
    target = [o for o in mapping.end(to).options if o.value not in set(by_hand.values())]
    if mapping.end(to).kind is Kind.OWNER:
        return _alike(source, [o for o in target if o.active], _email) | by_hand
    values = {o.value for o in source} & {o.value for o in target}
    source, target = ([o for o in side if o.value not in values] for side in (source, target))
    return _alike(source, target, _label) | {value: value for value in values} | by_hand


def _alike(
    source: Iterable[Option], target: Iterable[Option], trait: Callable[[Option], str]
) -> dict[str, str]:
    """Pairs of options whose trait is theirs alone on both sides."""
    found = _by_trait(target, trait)
    return {v: found[t] for t, v in _by_trait(source, trait).items() if t in found}


def _by_trait(options: Iterable[Option], trait: Callable[[Option], str]) -> dict[str, str]:
    found: dict[str, str | None] = {}
    for option in options:
        if key := trait(option):
            found[key] = None if key in found else option.value
    return {key: value for key, value in found.items() if value is not None}


def _label(option: Option) -> str:
    return str(normalize.email(option.label) or "")


def _email(option: Option) -> str:
    return str(normalize.email(option.email) or "")
