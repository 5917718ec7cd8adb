"""The values of a criterion, read by the kind of the field that it asks about.

What is compared is canonical (`twofold.core.normalize`). Text is compared without regard to case: a
limit says what a person means.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation

from twofold.core import normalize
from twofold.core.errors import TwofoldError
from twofold.core.filters import OPERATORS, Criterion, Operator
from twofold.core.normalize import Canonical
from twofold.core.schema import Field, Option
from twofold.core.values import NUMBER_KINDS, TEXT_KINDS, Kind

MOST_DAYS = 36_500
"""A hundred years; more would leave the calendar."""

Operand = str | int | Decimal | date
"""A value to compare with. A ``date`` that is no ``datetime`` stands for the whole day."""


def operands(
    criterion: Criterion, field: Field, zone: tzinfo, region: str = ""
) -> tuple[Operand, ...]:
    """Read the values of a criterion.

    Raises:
        TwofoldError: TF-L02 to TF-L06, the criterion cannot work, for the reason it gives.
    """
    operator = criterion.operator
    if operator not in OPERATORS[field.kind]:
        known = ", ".join(OPERATORS[field.kind])
        facts = {"operator": operator, "kind": field.kind, "known": known}
        raise TwofoldError("TF-L02", field=field.name, **facts)
    if not operator.least <= len(criterion.values) <= operator.most:
        given = str(len(criterion.values))
        facts = {"operator": operator, "count": _amount(operator), "given": given}
        raise TwofoldError("TF-L04", field=field.name, **facts)
    if operator is Operator.LAST_DAYS:
        return (_days(field, criterion.values[0]),)
    read = _reader(field, operator, zone, region)
    found = tuple(map(read, criterion.values))
    if len({type(value) for value in found}) > 1:
        raise _refusal(field, criterion.values[-1], "either days or times, not both")
    if operator is Operator.BETWEEN:
        _ordered(field, criterion.values, found)
    return found


def _amount(operator: Operator) -> str:
    if operator.least == operator.most:
        return str(operator.least)
    return f"{operator.least} to {operator.most}"


def _refusal(field: Field, value: str, expected: str) -> TwofoldError:
    return TwofoldError("TF-L03", field=field.name, value=value, expected=expected)


_DAYS = re.compile(r"[0-9]{1,5}", re.ASCII)


def _days(field: Field, text: str) -> int:
    if not _DAYS.fullmatch(text.strip()) or not 0 < int(text) <= MOST_DAYS:
        raise _refusal(field, text, f"a number of days from 1 to {MOST_DAYS}")
    return int(text)


def _reader(
    field: Field, operator: Operator, zone: tzinfo, region: str
) -> Callable[[str], Operand]:
    if field.kind in TEXT_KINDS:
        part = operator in {Operator.CONTAINS, Operator.STARTS_WITH}
        form = normalize.text if part else normalize.canonicalizer(_one(field), region)
        return lambda text: _text(field, form(text), text)
    if field.kind in NUMBER_KINDS:
        return lambda text: _number(field, text)
    if field.kind is Kind.BOOL:
        return lambda text: _boolean(field, text)
    if field.kind in {Kind.DATE, Kind.DATETIME}:
        return lambda text: _moment(field, text, zone)
    return lambda text: _option(field, text)


def _one(field: Field) -> Field:
    """The field as if it held one value: a criterion asks about each of several."""
    return Field(field.name, field.label, field.kind)


def _text(field: Field, form: Canonical, text: str) -> str:
    if form is None:
        raise _refusal(field, text, "some text; for blanks, 'is known' or 'is unknown'")
    return folded(str(form))


def folded(text: str) -> str:
    """Text without regard to case."""
    return text.casefold()


def _number(field: Field, text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise _refusal(field, text, "a number, such as 12 or 12.5") from None
    if not number.is_finite() or abs(number.adjusted()) > MOST_DAYS:
        raise _refusal(field, text, "a number, such as 12 or 12.5")
    return number


def _boolean(field: Field, text: str) -> str:
    word = text.strip().lower()
    if word not in {"true", "false"}:
        raise _refusal(field, text, "true or false")
    return word


def _moment(field: Field, text: str, zone: tzinfo) -> date:
    form = text.strip()
    try:
        return date.fromisoformat(form)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(form)
    except ValueError:
        moment = None
    instant = None if moment is None else normalize.instant(_in_zone(moment, zone))
    if field.kind is Kind.DATE or not isinstance(instant, datetime):
        example = "a day, such as 2026-01-31"
        also = "" if field.kind is Kind.DATE else ", or a time, such as 2026-01-31T09:30"
        raise _refusal(field, text, example + also)
    return instant


def _in_zone(moment: datetime, zone: tzinfo) -> datetime:
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment


def _option(field: Field, text: str) -> str:
    """An option's value, named by its value or its label; owners and open lists take any."""
    for key in (_value, _label):
        for option in field.options:
            if key(option) == folded(text.strip()):
                return _value(option)
    if field.options and field.closed:
        known = ", ".join(option.value for option in field.options[:20])
        raise TwofoldError("TF-L06", field=field.name, value=text, known=known)
    return _text(field, normalize.text(text), text)


def _value(option: Option) -> str:
    return folded(option.value.strip())


def _label(option: Option) -> str:
    return folded(option.label.strip())


def _ordered(field: Field, texts: tuple[str, ...], found: tuple[Operand, ...]) -> None:
    low, high = found
    if low > high:  # type: ignore[operator]  # both are numbers, days or instants
        raise TwofoldError("TF-L05", field=field.name, low=texts[0], high=texts[1])
