"""Options of choice fields: their labels, and which option of one side is which of the other."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from twofold.core import normalize
from twofold.core.schema import Field
from twofold.core.values import Value, is_blank


def labels_of(field: Field) -> Mapping[str, str]:
    """Option value → label, or the value itself where the label is blank."""
    return {o.value: o.value if is_blank(o.label) else o.label for o in field.options}


def joined(value: Value, labels: Mapping[str, str]) -> str:
    """Several options as one text: their labels, with semicolons between them."""
    members = value if isinstance(value, tuple) else (value,)
    return "; ".join(labels.get(as_text(v), as_text(v)).strip() for v in members if not is_blank(v))


def as_text(value: Value) -> str:
    """Any value as one text; numbers through Decimal, which no number of digits can stall."""
    if isinstance(value, tuple):
        return "; ".join(map(as_text, value))
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    return str(value)


def paired_options(source: Field, target: Field) -> Mapping[str, str]:
    """Source option value → target option value (F10).

    By equal value, then by a label that only one option of each side carries.
    """
    values = {o.value for o in source.options} & {o.value for o in target.options}
    by_label = _unique_labels(target, values)
    pairs = {
        value: by_label[label]
        for label, value in _unique_labels(source, values).items()
        if label in by_label
    }
    return pairs | {value: value for value in values}


def _unique_labels(field: Field, taken: set[str]) -> dict[str, str]:
    """Folded label → value, of the options that are not taken and whose label is theirs alone."""
    found: dict[str, str | None] = {}
    for option in field.options:
        if option.value not in taken:
            label = str(normalize.email(option.label))
            found[label] = None if label in found else option.value
    return {label: value for label, value in found.items() if value is not None}
