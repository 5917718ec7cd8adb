"""Values that are written as text: how such a text is read again, whatever its format."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from twofold.core import normalize
from twofold.core.normalize import Canonical
from twofold.core.type_matrix import Shape


def pieces(labels: str) -> Canonical:
    """Several labels in one text, with semicolons between them."""
    return normalize.set_of(normalize.text)(tuple(labels.split(";")))


_NUMBER = re.compile(r"[+-]?\d{1,300}(?:\.\d{1,300})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*", re.ASCII)


def _parse_number(form: str, _zone: ZoneInfo) -> Canonical:
    return Decimal(form) if _NUMBER.fullmatch(form) else None


def _parse_bool(form: str, _zone: ZoneInfo) -> Canonical:
    return form.lower()


def _parse_date(form: str, _zone: ZoneInfo) -> Canonical:
    try:
        return date.fromisoformat(form) if _DATE.fullmatch(form) else None
    except ValueError:
        return None


def _parse_datetime(form: str, zone: ZoneInfo) -> Canonical:
    if not _DATETIME.fullmatch(form):
        return None
    try:
        parsed = datetime.fromisoformat(form.upper())
    except ValueError:
        return None
    return normalize.instant(parsed if parsed.tzinfo else parsed.replace(tzinfo=zone))


def _parse_choices(form: str, _zone: ZoneInfo) -> Canonical:
    return pieces(form)


PARSERS: Mapping[Shape, Callable[[str, ZoneInfo], Canonical]] = {
    Shape.NUMBER: _parse_number,
    Shape.BOOL: _parse_bool,
    Shape.DATE: _parse_date,
    Shape.DATETIME: _parse_datetime,
    Shape.CHOICES: _parse_choices,
}
"""By shape: from a text, in canonical form, to what it says; None where it says nothing."""
