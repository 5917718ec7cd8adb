"""A filter compiled once per sync: one function from a record's fields to the answer.

A field with several values meets a criterion when one of them does. A blank field meets only
*is unknown* and *is not*. A value of another type than its field declares is compared by what it
is, and is never greater, before or in anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal

from twofold.core import normalize
from twofold.core.filter_values import Operand, folded, operands
from twofold.core.filter_words import words
from twofold.core.filters import Criterion, Filter, Operator
from twofold.core.normalize import Canonical
from twofold.core.records import Fields
from twofold.core.schema import Field, ObjectType
from twofold.core.values import TEXT_KINDS, Kind, Value

Test = Callable[[Fields], bool]
_One = Callable[[Canonical], bool]


class Limit:
    """One side's filter, ready to run.

    Raises:
        TwofoldError: a criterion that ``check`` refuses.
        KeyError: a field that the object type does not have, which ``check`` refuses.
    """

    def __init__(
        self,
        asked: Filter,
        object_type: ObjectType,
        zone: tzinfo,
        region: str = "",
        now: datetime | None = None,
    ) -> None:
        """``now`` is needed where a criterion depends on it (``depends_on_time``)."""
        self._zone = zone
        self._spans: list[tuple[Callable[[Fields], list[date]], int]] = []
        self._today = None if now is None else now.astimezone(zone).date()
        self._groups: tuple[tuple[tuple[Criterion, Test], ...], ...] = tuple(
            tuple((c, self._test(c, object_type, region)) for c in group.criteria)
            for group in asked.groups
        )
        self._tests = tuple(tuple(test for _, test in group) for group in self._groups)

    def meets(self, fields: Fields) -> bool:
        """Whether a record with these fields may send."""
        for tests in self._tests:
            for test in tests:
                if not test(fields):
                    break
            else:
                return True
        return not self._tests

    def failed(self, fields: Fields) -> str:
        """The criterion that a record fails, in words: the first of each group."""
        found = (
            next((words(c) for c, test in group if not test(fields)), "") for group in self._groups
        )
        return " or ".join(dict.fromkeys(found))

    @property
    def depends_on_time(self) -> bool:
        """Whether an answer may change although no record does."""
        return bool(self._spans)

    def turns(self, fields: Fields) -> datetime | None:
        """When the answer may next change by itself: the first midnight at which one may."""
        if self._today is None or not self._spans:
            return None
        later: list[date] = []
        for days_of, length in self._spans:
            for start in days_of(fields):
                end = _plus(start, length + 1)
                later += [d for d in (start, end) if d is not None and d > self._today]
        try:
            return min(datetime.combine(d, time(), self._zone) for d in later).astimezone(UTC)
        except (ValueError, OverflowError):  # nothing is later, or beyond the calendar
            return None

    # --- compiling --------------------------------------------------------------------------

    def _test(self, criterion: Criterion, object_type: ObjectType, region: str) -> Test:
        field = object_type.field(criterion.field)
        if field is None:
            raise KeyError(criterion.field)
        values = operands(criterion, field, self._zone, region)
        if criterion.operator is Operator.KNOWN:
            return lambda fields: _known(fields.get(field.name))
        if criterion.operator is Operator.UNKNOWN:
            return lambda fields: not _known(fields.get(field.name))
        form = _form(field, values, self._zone, region)
        if criterion.operator is Operator.LAST_DAYS:
            return self._in_last_days(field, form, values)
        one = _compared(criterion.operator, values)
        negated = criterion.operator is Operator.IS_NOT

        def test(fields: Fields) -> bool:
            return any(one(form(v)) for v in _members(fields.get(field.name))) is not negated

        return test

    def _in_last_days(
        self, field: Field, form: Callable[[Value], Canonical], values: Sequence[Operand]
    ) -> Test:
        if self._today is None:
            raise ValueError("a limit by days needs to know the time")
        length, today = int(str(values[0])), self._today

        def days_of(fields: Fields) -> list[date]:
            forms = map(form, _members(fields.get(field.name)))
            return [d for d in forms if isinstance(d, date) and not isinstance(d, datetime)]

        self._spans.append((days_of, length))
        return lambda fields: any(0 <= (today - day).days <= length for day in days_of(fields))


def _members(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else (value,)


def _known(value: Value) -> bool:
    return normalize.by_type(value) is not None


def _plus(day: date, days: int) -> date | None:
    try:
        return day + timedelta(days)
    except OverflowError:
        return None


def _form(
    field: Field, values: Sequence[Operand], zone: tzinfo, region: str
) -> Callable[[Value], Canonical]:
    """The function that brings one shown value into the form of the operands."""
    canonical = normalize.canonicalizer(Field(field.name, field.label, field.kind), region)
    if field.kind is Kind.DATETIME:
        exact = any(isinstance(value, datetime) for value in values)
        return canonical if exact else lambda value: _local_day(canonical(value), zone)
    if field.kind in TEXT_KINDS or field.kind in {Kind.CHOICE, Kind.OWNER}:
        return lambda value: _folded(canonical(value))
    return canonical


def _folded(form: Canonical) -> Canonical:
    return folded(form) if isinstance(form, str) else form


def _local_day(form: Canonical, zone: tzinfo) -> Canonical:
    if not isinstance(form, datetime):
        return form
    try:
        return form.astimezone(zone).date()
    except OverflowError:  # in the first or the last hours of the calendar
        return form.date()


def _compared(operator: Operator, values: Sequence[Operand]) -> _One:
    first = values[0]
    if operator in {Operator.IS, Operator.IS_NOT, Operator.ANY_OF}:
        wanted = frozenset(values)
        return lambda form: form in wanted
    if operator is Operator.CONTAINS:
        return lambda form: isinstance(form, str) and str(first) in form
    if operator is Operator.STARTS_WITH:
        return lambda form: isinstance(form, str) and form.startswith(str(first))
    if operator is Operator.BETWEEN:
        low, high = values
        return lambda form: _alike(form, low) and low <= form <= high  # type: ignore[operator]
    if operator in {Operator.GREATER, Operator.AFTER}:
        return lambda form: _alike(form, first) and form > first  # type: ignore[operator]
    return lambda form: _alike(form, first) and form < first  # type: ignore[operator]


def _alike(form: Canonical, operand: Operand) -> bool:
    """Whether the two can be put in an order."""
    if isinstance(operand, datetime):
        return isinstance(form, datetime)
    if isinstance(operand, date):
        return isinstance(form, date) and not isinstance(form, datetime)
    return isinstance(form, int | Decimal)
