"""BDAY: whole dates are shown; what a card knows only in part is never overwritten with a guess.

Forms: ``1985-04-12`` and ``1985-04-12T10:00:00Z`` in vCard 3, ``19850412``, ``--0412``, ``1985-04``
and free text in vCard 4 (RFC 6350 §4.3.1, §6.2.5), a made-up year with X-APPLE-OMIT-YEAR.
"""

from __future__ import annotations

import re
from datetime import date

from twofold.connectors.carddav.vcard import Line
from twofold.kit.errors import InvalidValue

_WHOLE = re.compile(r"(\d{4})(-?)(\d{2})-?(\d{2})(T.*)?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})(?:-(\d{2}))?", re.ASCII)
_YEARLESS = re.compile(r"--(\d{2})(?:-?(\d{2}))?", re.ASCII)
_DAY_ONLY = re.compile(r"---(\d{2})", re.ASCII)


def shown(line: Line) -> date | None:
    """The date; None for one without a year, month or day, and for words."""
    return None if _year_is_made_up(line) else _date(line.text.strip())


def rewrite(line: Line, day: date) -> None:
    """Put a whole date in the place of a whole date, in its form, or complete a partial one.

    Raises:
        InvalidValue: the card holds a partial date that says otherwise, or words.
    """
    text = line.text.strip()
    found = _WHOLE.fullmatch(text)
    if shown(line) == day:
        return
    if not text:
        line.rewrite(written(day, basic=False))
    elif found and _date(text) and not _year_is_made_up(line):
        line.rewrite(written(day, basic=not found[2]) + (found[5] or ""))
    elif _agrees(text, day):
        line.rewrite(written(day, basic=True))
    else:
        expected = "a date that agrees with the partial one in the card, or a card without one"
        raise InvalidValue("date_of_birth", day.isoformat(), expected)


def written(day: date, *, basic: bool) -> str:
    """``19850412`` of vCard 4, or ``1985-04-12`` of vCard 3."""
    return day.isoformat().replace("-", "") if basic else day.isoformat()


def _date(text: str) -> date | None:
    found = _WHOLE.fullmatch(text)
    if not found:
        return None
    try:
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None


def _year_is_made_up(line: Line) -> bool:
    omitted = line.params.first.get("X-APPLE-OMIT-YEAR", "")
    return bool(omitted) and line.text.strip().startswith(omitted)


def _agrees(text: str, day: date) -> bool:
    known = (f"{day.year:04}", f"{day.month:02}", f"{day.day:02}")
    if found := _YEAR_FIRST.fullmatch(text):
        return found[1] == known[0] and found[2] in (None, known[1])
    if found := _YEARLESS.fullmatch(text):
        return found[1] == known[1] and found[2] in (None, known[2])
    found = _DAY_ONLY.fullmatch(text)
    return found is not None and found[1] == known[2]
