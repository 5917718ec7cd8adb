"""Limits: what a criterion means, said twice; what cannot work is refused by code (L2, L3)."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.core.fields import (
    COLORS,
    ZONES,
    anything,
    days,
    decimals,
    emails,
    field,
    instants,
    object_type,
    phones,
    rules_of,
    texts,
    values_of,
    wholes,
)

from twofold.core import normalize
from twofold.core.errors import TwofoldError
from twofold.core.filter_values import operands
from twofold.core.filter_words import criterion, filter_words, parsed, words
from twofold.core.filtering import Limit
from twofold.core.filters import OPERATORS, Criterion, Filter, Group, Leaving, Operator, all_of
from twofold.core.mappings import Direction, Rules
from twofold.core.schema import Field
from twofold.core.validate import check
from twofold.core.values import NUMBER_KINDS, TEXT_KINDS, Kind, Value

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
FIELDS = tuple(field(kind, f"{kind}") for kind in Kind) + tuple(
    field(kind, f"{kind}s", multi=True) for kind in Kind
)
EVERYTHING = object_type(*FIELDS)

_WRITTEN: dict[Kind, st.SearchStrategy[str]] = {
    **dict.fromkeys(TEXT_KINDS, texts | phones | emails),
    **dict.fromkeys(NUMBER_KINDS, (wholes | decimals).map(str)),
    Kind.BOOL: st.sampled_from(["true", "false", "True "]),
    Kind.DATE: days.map(date.isoformat),
    Kind.DATETIME: days.map(date.isoformat),
    Kind.CHOICE: st.sampled_from(["r", "Green", "BLUE"]),
    Kind.OWNER: st.sampled_from(["u1", "U2"]),
}
_COUNTS = {Operator.ANY_OF: (1, 3), Operator.BETWEEN: (2, 2)}


@st.composite
def criteria(draw: st.DrawFn) -> tuple[Field, Criterion]:
    """Any criterion that works."""
    of = draw(st.sampled_from(FIELDS))
    operator = draw(st.sampled_from(OPERATORS[of.kind]))
    least, most = operator.least, min(operator.most, 3)
    if operator is Operator.LAST_DAYS:
        return of, Criterion(of.name, operator, (str(draw(st.integers(1, 400))),))
    one = _WRITTEN[of.kind].filter(lambda text: of.kind not in TEXT_KINDS or bool(text.strip()))
    values = draw(st.lists(one, min_size=least, max_size=most))
    if operator is Operator.BETWEEN:
        values.sort(key=Decimal if of.kind in NUMBER_KINDS else str)
    return of, Criterion(of.name, operator, tuple(values))


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    groups = draw(st.lists(st.lists(criteria(), min_size=1, max_size=3), max_size=3))
    return Filter(tuple(Group(tuple(c for _, c in group)) for group in groups))


def records_of() -> st.SearchStrategy[dict[str, Value]]:
    return st.fixed_dictionaries(
        {}, optional={f.name: values_of(f) | st.none() | anything for f in FIELDS}
    )


# --- an oracle: what the words mean, said plainly, one value at a time -------------------------


def naive(asked: Filter, fields: dict[str, Value], zone: str, now: datetime) -> bool:
    return not asked.groups or any(
        all(naive_criterion(c, fields, zone, now) for c in group.criteria) for group in asked.groups
    )


def naive_criterion(c: Criterion, fields: dict[str, Value], zone: str, now: datetime) -> bool:
    of = EVERYTHING.field(c.field)
    assert of is not None
    value = fields.get(c.field)
    shown = [normalize.canonicalizer(structs.replace(of, multi=False))(v) for v in _each(value)]
    plain = [_plain(v, of, zone) for v in shown if v is not None]
    if c.operator is Operator.KNOWN:
        return normalize.by_type(value) is not None
    if c.operator is Operator.UNKNOWN:
        return normalize.by_type(value) is None
    if c.operator is Operator.LAST_DAYS:
        today = now.astimezone(ZoneInfo(zone)).date()
        return any(type(v) is date and 0 <= (today - v).days <= int(c.values[0]) for v in plain)
    wanted = [_asked(text, of) for text in c.values]
    met = [any(_meets(c.operator, v, w) for w in wanted) for v in plain]
    if c.operator is Operator.IS_NOT:
        return not any(v == wanted[0] for v in plain)
    if c.operator is Operator.BETWEEN:
        low, high = wanted
        return any(_below(low, v, True) and _below(v, high, True) for v in plain)
    return any(met)


def _each(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else (value,)


def _plain(form: object, of: Field, zone: str) -> object:
    if isinstance(form, datetime) and of.kind is Kind.DATETIME:
        return form.astimezone(ZoneInfo(zone)).date()
    if isinstance(form, str) and of.kind not in {Kind.BOOL, Kind.DATE, Kind.DATETIME}:
        return form if of.kind in NUMBER_KINDS else form.casefold()
    return form


def _asked(text: str, of: Field) -> object:
    if of.kind in NUMBER_KINDS:
        return Decimal(text)
    if of.kind in {Kind.DATE, Kind.DATETIME}:
        return date.fromisoformat(text)
    if of.kind is Kind.BOOL:
        return text.strip().lower()
    if of.kind is Kind.CHOICE:
        return next(o.value for o in COLORS if text.lower() in {o.value, o.label.lower()})
    form = normalize.canonicalizer(structs.replace(of, multi=False))(text)
    return str(form).casefold()


def _meets(operator: Operator, shown: object, wanted: object) -> bool:
    if operator in {Operator.IS, Operator.ANY_OF}:
        return shown == wanted
    if operator in {Operator.GREATER, Operator.AFTER}:
        return _below(wanted, shown, False)
    if operator in {Operator.LESS, Operator.BEFORE}:
        return _below(shown, wanted, False)
    return False


def _below(low: object, high: object, equal: bool) -> bool:
    numbers = isinstance(low, int | Decimal) and isinstance(high, int | Decimal)
    if not numbers and not (type(low) is type(high) is date):
        return False
    return low < high or (equal and low == high)  # type: ignore[operator]


PARTS = {Operator.CONTAINS, Operator.STARTS_WITH}


@given(filters(), records_of(), st.sampled_from(ZONES))
def test_compiled_is_what_the_words_mean(
    asked: Filter, fields: dict[str, Value], zone: str
) -> None:
    plain = Filter(
        tuple(
            Group(tuple(c for c in group.criteria if c.operator not in PARTS))
            for group in asked.groups
        )
    )
    limit = Limit(plain, EVERYTHING, ZoneInfo(zone), now=NOW)
    assert limit.meets(fields) == naive(plain, fields, zone, NOW)


@given(filters(), records_of())
def test_a_failure_names_a_criterion_of_each_group(asked: Filter, fields: dict[str, Value]) -> None:
    limit = Limit(asked, EVERYTHING, UTC, now=NOW)
    if limit.meets(fields):
        return
    said = limit.failed(fields)
    for group in asked.groups:
        alone = [c for c in group.criteria if words(c) in said]
        assert any(not Limit(all_of(c), EVERYTHING, UTC, now=NOW).meets(fields) for c in alone)


@given(criteria(), anything)
def test_no_value_of_an_app_breaks_a_limit(of: tuple[Field, Criterion], value: Value) -> None:
    limit = Limit(all_of(of[1]), EVERYTHING, AMSTERDAM, now=NOW)
    assert limit.meets({of[0].name: value}) in {True, False}
    limit.turns({of[0].name: value})


@pytest.mark.parametrize(
    ("kind", "text", "meets", "fails"),
    [
        (Kind.TEXT, "f contains BERG", ["Bergen", "Tilburg-Berg"], ["Breda", None, 3]),
        (Kind.TEXT, "f starts with ams", [" Amsterdam", "AMS"], ["Den Ams", ""]),
        (Kind.EMAIL, "f contains @acme.com", ["Ada@ACME.com"], ["ada@acme.org"]),
        (Kind.PHONE, "f starts with +31", ["+31 6 12345678"], ["+32 2 1234567"]),
        (Kind.TEXT, "f is netherlands", ["Netherlands ", "NETHERLANDS"], ["Holland", None]),
        (Kind.TEXT, "f is not Netherlands", ["Belgium", None, ""], ["netherlands"]),
        (Kind.INT, "f > 9", [10, Decimal("9.5")], [9, True, "10", None]),
        (Kind.DECIMAL, "f is between -1 and 1.5", [-1, Decimal("1.50")], [2, Decimal("NaN")]),
        (Kind.BOOL, "f is false", [False], [True, None]),
        (Kind.CHOICE, "f is any of Red, b", ["r", "b"], ["g", None]),
        (Kind.DATE, "f is before 2026-03-29", [date(2026, 3, 28)], [date(2026, 3, 29), None]),
        (
            Kind.DATETIME,  # in Amsterdam it is the next day already
            "f is after 2026-03-29",
            [datetime(2026, 3, 29, 23, 30, tzinfo=UTC)],
            [datetime(2026, 3, 29, 12, tzinfo=UTC)],
        ),
        (
            Kind.DATETIME,
            "f is after 2026-03-29T14:00",
            [datetime(2026, 3, 29, 12, 1, tzinfo=UTC)],
            [datetime(2026, 3, 29, 12, tzinfo=UTC)],
        ),
        (
            Kind.DATE,
            "f is in the last 7 days",
            [date(2026, 3, 22), date(2026, 3, 29)],
            [date(2026, 3, 21), date(2026, 3, 30)],
        ),
        (Kind.URL, "f is known", ["a"], [None, " ", ()]),
        (Kind.OWNER, "f is unknown", [None, ""], ["u1"]),
    ],
)
def test_what_criteria_mean(kind: Kind, text: str, meets: list[Value], fails: list[Value]) -> None:
    limit = Limit(parsed([text], ["f"]), object_type(field(kind)), AMSTERDAM, now=NOW)
    assert [v for v in meets if not limit.meets({"f": v})] == []
    assert [v for v in fails if limit.meets({"f": v})] == []


def test_one_of_several_values_is_enough() -> None:
    several = object_type(field(Kind.CHOICE, multi=True))
    limit = Limit(parsed(["f is r"], ["f"]), several, UTC)
    assert limit.meets({"f": ("g", "r")})
    assert not limit.meets({"f": ("g",)})
    without = Limit(parsed(["f is not r"], ["f"]), several, UTC)
    assert not without.meets({"f": ("g", "r")})


# --- time -------------------------------------------------------------------------------------


@given(days | instants, st.integers(1, 400), st.sampled_from(ZONES), instants)
def test_the_answer_changes_by_itself_only_at_the_turns(
    shown: date, length: int, zone: str, now: datetime
) -> None:
    kind = Kind.DATETIME if isinstance(shown, datetime) else Kind.DATE
    asked = all_of(Criterion("f", Operator.LAST_DAYS, (str(length),)))
    of = object_type(field(kind))

    def at(moment: datetime) -> Limit:
        return Limit(asked, of, ZoneInfo(zone), now=moment)

    fields: dict[str, Value] = {"f": shown}
    turn = at(now).turns(fields)
    later = now + timedelta(days=100_000) if turn is None else turn - timedelta(seconds=1)
    assert at(now).meets(fields) == at(later).meets(fields)
    if turn is None:
        assert not at(later).meets(fields)
    else:
        assert turn > now
        assert at(turn).meets(fields) != at(now).meets(fields)


def test_without_days_nothing_turns() -> None:
    limit = Limit(parsed(["f is before 2026-01-01"], ["f"]), object_type(field(Kind.DATE)), UTC)
    assert not limit.depends_on_time
    assert limit.turns({"f": date(2026, 1, 1)}) is None


# --- words and JSON ---------------------------------------------------------------------------


@given(filters())
def test_words_and_back(asked: Filter) -> None:
    shown = {c: words(c) for group in asked.groups for c in group.criteria}
    again = parsed(filter_words(asked), [f.name for f in FIELDS])
    for group, back in zip(asked.groups, again.groups, strict=True):
        for one, two in zip(group.criteria, back.criteria, strict=True):
            assert (one.field, one.operator) == (two.field, two.operator), shown[one]
            of = EVERYTHING.field(one.field)
            assert of is not None
            assert operands(one, of, UTC) == operands(two, of, UTC), shown[one]


@given(filters(), st.sampled_from(Leaving))
def test_rules_with_filters_survive_json(asked: Filter, leaving: Leaving) -> None:
    rules = structs.replace(rules_of(), hub_filter=asked, leaving=leaving)
    assert msgspec.json.decode(msgspec.json.encode(rules), type=Rules) == rules


def test_rules_from_before_there_were_filters_are_read() -> None:
    old = msgspec.to_builtins(rules_of())
    for name in ("hub_filter", "app_filter", "leaving", "from_now_on"):
        del old[name]
    assert msgspec.convert(old, Rules) == rules_of()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "f",
        "f is",
        "f is between 3",
        "f is in the last days",
        "f like x",
        "f is any of",
    ],
)
def test_what_is_no_criterion(text: str) -> None:
    with pytest.raises(TwofoldError) as refused:
        operands(criterion(text, ["f"]), field(Kind.INT), UTC)
    assert refused.value.code in {"TF-L10", "TF-L04"}


@given(st.text(max_size=40))
def test_any_text_is_a_criterion_or_a_coded_error(text: str) -> None:
    with suppress(TwofoldError):
        parsed([text], ["f", "first name"])


def test_a_field_with_blanks_and_a_value_that_looks_like_words() -> None:
    found = criterion('First Name is not "known, or ""not"""', ["First", "First Name"])
    assert found == Criterion("First Name", Operator.IS_NOT, ('known, or "not"',))
    assert criterion(words(found)) == found


# --- validation -------------------------------------------------------------------------------


def codes(*lines: str, **rules: object) -> list[str]:
    more = (
        field(Kind.TEXT, "t"),
        field(Kind.INT, "n"),
        field(Kind.DATE, "d"),
        field(Kind.BOOL, "b"),
        field(Kind.CHOICE, "c"),
        field(Kind.TEXT, "bad", unmappable="changes its type"),
    )
    asked = parsed(lines, [f.name for f in more])
    made = structs.replace(rules_of(more_hub=more), **{"hub_filter": asked, **rules})
    return [p.code for p in check(made)]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("x is 1", "TF-L01"),
        ("n contains 1", "TF-L02"),
        ("t > 3", "TF-L02"),
        ("b is any of true", "TF-L02"),
        ("c starts with r", "TF-L02"),
        ("t is in the last 3 days", "TF-L02"),
        ("n is three", "TF-L03"),
        ("n is NaN", "TF-L03"),
        ("n > 1e999999", "TF-L03"),
        ("d is 2026-02-30", "TF-L03"),
        ("d is before yesterday", "TF-L03"),
        ("d is after 2026-01-01T10:00", "TF-L03"),
        ("d is in the last 0 days", "TF-L03"),
        ("d is in the last x days", "TF-L03"),
        ("b is maybe", "TF-L03"),
        ('t is ""', "TF-L03"),
        ("n is between 3", "TF-L04"),
        ("n is between 3 and 2", "TF-L05"),
        ("d is between 2026-02-01 and 2026-01-31", "TF-L05"),
        ("c is purple", "TF-L06"),
        ("bad is known", "TF-L13"),
    ],
)
def test_a_criterion_that_cannot_work_says_why(line: str, code: str) -> None:
    assert codes(line) == [code]


def test_an_empty_list_and_an_empty_group() -> None:
    assert codes(hub_filter=all_of(Criterion("t", Operator.ANY_OF))) == ["TF-L04"]
    assert codes(hub_filter=Filter((Group(()),))) == ["TF-L07"]
    with pytest.raises(TwofoldError, match="every record"):
        parsed(["t is a", "or"], ["t"])


def test_times_and_days_in_one_criterion() -> None:
    of = field(Kind.DATETIME)
    mixed = Criterion("f", Operator.BETWEEN, ("2026-01-01", "2026-01-01T10:00"))
    with pytest.raises(TwofoldError, match="not both"):
        operands(mixed, of, UTC)


def test_a_limit_on_a_side_that_sends_nothing() -> None:
    (problem,) = check(
        structs.replace(
            rules_of(more_hub=(field(Kind.TEXT, "t"),)),
            hub_filter=parsed(["t is a"], ["t"]),
            direction=Direction.TO_HUB,
        )
    )
    assert (problem.code, problem.warning) == ("TF-L08", True)


def test_too_many_criteria() -> None:
    many = tuple(Criterion("t", Operator.KNOWN) for _ in range(1001))
    assert codes(hub_filter=all_of(*many)) == ["TF-L12"]


def test_every_kind_has_its_operators() -> None:
    assert set(OPERATORS) == set(Kind)
