"""Conversions: what travels arrives as the same thing, and what does not fit says so."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, reject
from hypothesis import strategies as st
from tests.core.fields import ZONES, anything, days, field, instants, values_of

from twofold.core.convert import Conversion, conversion
from twofold.core.errors import TwofoldError
from twofold.core.mappings import Direction, FieldMapping
from twofold.core.records import Side
from twofold.core.schema import Field, Option
from twofold.core.type_matrix import MATRIX, Shape, shape, travels
from twofold.core.values import Kind, Value, is_blank

FIELDS = [field(kind, multi=multi) for kind in Kind for multi in (False, True)]
PAIRS = list(itertools.product(FIELDS, FIELDS))
SCALARS = {
    "text": Kind.TEXT,
    "number": Kind.DECIMAL,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "bool": Kind.BOOL,
    "choice": Kind.CHOICE,
    "owner": Kind.OWNER,
}


def between(hub: Field, app: Field, zone: str = "UTC", region: str = "GB") -> Conversion:
    return conversion(FieldMapping(hub, app), Direction.BOTH, zone, region)


def attempt(c: Conversion, side: Side, value: Value) -> Value | TwofoldError:
    """What is written into a side, or why not."""
    try:
        return c.write[side](value)
    except TwofoldError as error:
        return error


def written(c: Conversion, side: Side, value: Value) -> Value:
    """What is written into a side; the case is dropped where the value does not fit."""
    result = attempt(c, side, value)
    if isinstance(result, TwofoldError):
        reject()
    return result


# --- the matrix -------------------------------------------------------------------------------

TWO_WAY = {("text", "text"), ("number", "number"), ("date", "date"), ("datetime", "datetime")} | {
    ("date", "datetime"),
    ("datetime", "date"),
    ("bool", "bool"),
    ("choice", "choice"),
    ("owner", "owner"),
}


@pytest.mark.parametrize(("hub", "app"), list(itertools.product(SCALARS, SCALARS)))
def test_the_matrix_is_that_of_the_rules(hub: str, app: str) -> None:
    """F4, F5, F6, F10 and F13, written out once more."""
    expected = None
    if (hub, app) in TWO_WAY:
        expected = Direction.BOTH
    elif hub == "text":
        expected = Direction.TO_HUB
    elif app == "text" and hub != "owner":
        expected = Direction.TO_APP
    mapping = FieldMapping(field(SCALARS[hub]), field(SCALARS[app]))
    assert travels(mapping) is expected


def test_several_choices_become_an_app_s_text_and_never_the_hub_s() -> None:
    several, text = field(Kind.CHOICE, multi=True), field(Kind.TEXT)
    assert travels(FieldMapping(several, text)) is Direction.TO_APP
    assert travels(FieldMapping(text, several)) is None


@pytest.mark.parametrize(("hub", "app"), list(itertools.product(Shape, Shape)))
def test_what_is_not_two_way_has_its_reason(hub: Shape, app: Shape) -> None:
    found = MATRIX[hub, app]
    assert bool(found.reason) == (found.direction is not Direction.BOTH)


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL])
def test_text_kinds_count_as_text(kind: Kind) -> None:
    assert shape(field(kind)) is Shape.TEXT


# --- there and back ---------------------------------------------------------------------------


@given(
    st.sampled_from(PAIRS).flatmap(lambda p: st.tuples(st.just(p), values_of(p[0]))),
    st.sampled_from(ZONES),
)
def test_what_is_written_is_the_same_thing(
    case: tuple[tuple[Field, Field], Value], zone: str
) -> None:
    """In every cell, either way: after a write both sides hold the same thing, and the written
    value converts back to what it came from, unless it was a datetime cut to its day."""
    (source, target), value = case
    for hub, app, to in ((source, target, Side.APP), (target, source, Side.HUB)):
        c = between(hub, app, zone)
        if c.direction is None or not c.direction.reaches(to):
            continue
        there = written(c, to, value)
        assert c.shared[to](there) == c.shared[to.other](value)
        if c.direction is Direction.BOTH and not is_blank(value):
            back = written(c, to.other, there)
            assert c.shared[to.other](back) == c.shared[to.other](value)
            if (shape(source), shape(target)) != (Shape.DATETIME, Shape.DATE):
                assert c.own[to.other](back) == c.own[to.other](value)


@given(
    st.sampled_from(PAIRS).flatmap(
        lambda p: st.tuples(st.just(p), values_of(p[0]), values_of(p[0]))
    )
)
def test_different_things_stay_different(case: tuple[tuple[Field, Field], Value, Value]) -> None:
    """Two values of a side that differ in their own kind never look equal to one twin, unless it is
    by the loss that the rules name: the time of day, or the kind that says more (an e-mail)."""
    (hub, app), one, other = case
    c = between(hub, app)
    lossy = {hub.kind, app.kind} & {
        Kind.EMAIL,
        Kind.PHONE,
    } or Kind.DATETIME is hub.kind is not app.kind
    if c.direction is None or lossy or hub.multi:
        return
    same = c.own[Side.HUB](one) == c.own[Side.HUB](other)
    assert (c.shared[Side.HUB](one) == c.shared[Side.HUB](other)) == same


@given(st.sampled_from(PAIRS), st.sampled_from(list(Side)), anything)
@example((field(Kind.INT), field(Kind.INT)), Side.APP, Decimal("1.5"))
@example((field(Kind.INT), field(Kind.INT)), Side.APP, Decimal("1E+999999"))
def test_any_value_is_compared_and_written_or_refused(
    pair: tuple[Field, Field], side: Side, value: Value
) -> None:
    c = between(*pair, zone="Pacific/Kiritimati")
    for compare in (c.own, c.shared):
        assert compare[side](value) == compare[side](value)
        hash(compare[side](value))
    result = attempt(c, side, value)
    if isinstance(result, TwofoldError):
        assert result.code in {"TF-R01", "TF-R11", "TF-R12"}
        assert len(result.sentence) < 400


@given(st.sampled_from(PAIRS), st.sampled_from(["", "  ", None, ()]), st.sampled_from(list(Side)))
def test_blank_writes_nothing(pair: tuple[Field, Field], blank: Value, side: Side) -> None:
    c = between(*pair)
    if c.direction is not None and c.direction.reaches(side):
        assert c.write[side](blank) is None
        assert c.shared[side](None) is c.shared[side.other](blank) is None


# --- dates and datetimes ----------------------------------------------------------------------


@given(instants, st.sampled_from(ZONES))
def test_a_datetime_of_that_day_is_equal_to_the_date(at: datetime, zone: str) -> None:
    c = between(field(Kind.DATE), field(Kind.DATETIME), zone)
    day = at.astimezone(ZoneInfo(zone)).date()
    assert c.write[Side.HUB](at) == day
    assert c.shared[Side.APP](at) == c.shared[Side.HUB](day)


@given(days, st.sampled_from(ZONES))
@example(date(2018, 11, 4), "America/Sao_Paulo")
@example(date(2024, 3, 31), "Asia/Beirut")
@example(date(2023, 11, 5), "America/Havana")
def test_a_date_becomes_the_first_moment_of_its_day(day: date, zone: str) -> None:
    start = between(field(Kind.DATE), field(Kind.DATETIME), zone).write[Side.APP](day)
    assume(isinstance(start, datetime))
    assert isinstance(start, datetime)
    local = start.astimezone(ZoneInfo(zone))
    assert local.date() == day
    just_before = datetime.fromtimestamp(start.timestamp() - 1, ZoneInfo(zone))
    assert just_before.date() < day


def test_midnight_that_is_skipped_becomes_one_o_clock() -> None:
    c = between(field(Kind.DATE), field(Kind.DATETIME), "America/Sao_Paulo")
    assert c.write[Side.APP](date(2018, 11, 4)) == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_a_day_that_a_zone_skipped_is_refused() -> None:
    c = between(field(Kind.DATE), field(Kind.DATETIME), "Pacific/Apia")
    with pytest.raises(TwofoldError, match="a day that exists in Pacific/Apia"):
        c.write[Side.APP](date(2011, 12, 30))


def test_an_edit_of_the_time_alone_is_an_edit_of_its_own_side() -> None:
    c = between(field(Kind.DATE), field(Kind.DATETIME))
    noon, one = datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2024, 1, 1, 13, tzinfo=UTC)
    assert c.own[Side.APP](noon) != c.own[Side.APP](one)
    assert c.shared[Side.APP](noon) == c.shared[Side.APP](one)


# --- to text ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "value", "text"),
    [
        (field(Kind.DECIMAL), Decimal("1.50"), "1.50"),
        (field(Kind.DECIMAL), Decimal("1E+3"), "1000"),
        (field(Kind.DECIMAL), Decimal("1E-7"), "0.0000001"),
        (field(Kind.INT), 0, "0"),
        (field(Kind.BOOL), True, "true"),
        (field(Kind.BOOL), False, "false"),
        (field(Kind.DATE), date(2024, 7, 1), "2024-07-01"),
        (field(Kind.DATETIME), datetime(2024, 7, 1, 12, tzinfo=UTC), "2024-07-01T14:00:00+02:00"),
        (field(Kind.CHOICE), "g", "Green"),
        (field(Kind.CHOICE, options=(Option("g", " "),)), "g", "g"),
        (field(Kind.CHOICE, multi=True), ("g", "r"), "Green; Red"),
        (field(Kind.CHOICE, multi=True), ("g",), "Green"),
    ],
)
def test_to_text(source: Field, value: Value, text: str) -> None:
    c = between(source, field(Kind.TEXT), "Europe/Amsterdam")
    assert c.write[Side.APP](value) == text
    assert c.shared[Side.APP](text) == c.shared[Side.HUB](value)


def test_an_owner_is_shown_by_name() -> None:
    owner = field(Kind.OWNER, options=(Option("7", "Ada Lovelace"),))
    assert between(field(Kind.TEXT), owner).write[Side.HUB]("7") == "Ada Lovelace"


@pytest.mark.parametrize(
    ("source", "value", "text"),
    [
        (field(Kind.DECIMAL), Decimal("1.50"), " 1.5"),
        (field(Kind.INT), 7, "07.0"),
        (field(Kind.BOOL), True, "TRUE"),
        (field(Kind.DATETIME), datetime(2024, 7, 1, 12, tzinfo=UTC), "2024-07-01 14:00"),
        (field(Kind.DATETIME), datetime(2024, 7, 1, 12, tzinfo=UTC), "2024-07-01T12:00:00z"),
        (field(Kind.CHOICE, multi=True), ("g", "r"), "Red;Green"),
    ],
)
def test_another_format_of_the_same_thing_is_not_overwritten(
    source: Field, value: Value, text: str
) -> None:
    c = between(source, field(Kind.TEXT), "Europe/Amsterdam")
    assert c.shared[Side.APP](text) == c.shared[Side.HUB](value)


@pytest.mark.parametrize(
    ("source", "value", "text"),
    [
        (field(Kind.DECIMAL), Decimal("1.50"), "1,50"),
        (field(Kind.DATE), date(2024, 7, 1), "2024-07-02"),
        (field(Kind.DATE), date(2024, 7, 1), "2024-02-31"),
        (field(Kind.DATETIME), datetime(2024, 7, 1, 12, tzinfo=UTC), "2024-07-01T12:00:00"),
        (field(Kind.CHOICE), "g", "g"),
        (field(Kind.CHOICE, multi=True), ("g", "r"), "Green"),
    ],
)
def test_another_text_is_another_thing(source: Field, value: Value, text: str) -> None:
    c = between(source, field(Kind.TEXT), "Europe/Amsterdam")
    assert c.shared[Side.APP](text) != c.shared[Side.HUB](value)


def test_text_is_written_as_it_looks_without_its_ends() -> None:
    c = between(field(Kind.PHONE), field(Kind.TEXT))
    assert c.write[Side.APP](" 020 7946 0018\n") == "020 7946 0018"
    assert c.shared[Side.APP]("+442079460018") == c.shared[Side.HUB]("020 7946 0018")


# --- what does not fit ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        (field(Kind.TEXT), field(Kind.TEXT, max_length=3), "Adam", "at most 3 characters"),
        (field(Kind.TEXT), field(Kind.TEXT), "a\0b", "without broken characters"),
        (field(Kind.TEXT), field(Kind.TEXT), "a\ud800b", "without broken characters"),
        (field(Kind.DECIMAL), field(Kind.INT), Decimal("1.5"), "whole number"),
        (field(Kind.DECIMAL), field(Kind.INT), 2**63, "whole number"),
        (field(Kind.DECIMAL), field(Kind.DECIMAL), Decimal("NaN"), "a number"),
        (field(Kind.DECIMAL), field(Kind.TEXT), Decimal("1E+999999"), "300 digits"),
        (field(Kind.INT), field(Kind.INT), True, "whole number"),
        (field(Kind.BOOL), field(Kind.BOOL), 1, "true or false"),
        (field(Kind.DATE), field(Kind.DATE), "soon", "a date"),
        (field(Kind.DATETIME), field(Kind.DATETIME), "soon", "a date and time"),
        (
            field(Kind.CHOICE, options=(Option("x", "Pink"),)),
            field(Kind.CHOICE),
            "x",
            "it has: Red, Green, Blue",
        ),
        (field(Kind.TEXT), field(Kind.TEXT, nullable=False), " ", "cannot be empty"),
        (field(Kind.CHOICE), field(Kind.DATE), "g", "nothing"),
    ],
)
def test_what_does_not_fit_fails_that_field(
    source: Field, target: Field, value: Value, expected: str
) -> None:
    with pytest.raises(TwofoldError) as caught:
        between(source, target).write[Side.APP](value)
    assert caught.value.code == ("TF-R11" if target.kind is Kind.CHOICE else "TF-R01")
    assert expected in caught.value.sentence
    assert caught.value.issue.field == target.name


def test_the_largest_values_that_fit() -> None:
    c = between(field(Kind.TEXT), field(Kind.TEXT, max_length=3))
    assert c.write[Side.APP](" Ada ") == "Ada"
    assert between(field(Kind.DECIMAL), field(Kind.INT)).write[Side.APP](Decimal("2.00")) == 2
    assert between(field(Kind.INT), field(Kind.INT)).write[Side.APP](2**63 - 1) == 2**63 - 1


# --- options ----------------------------------------------------------------------------------

HUB_OPTIONS = (
    Option("1", "Lead"),
    Option("gold", "Gold"),
    Option("x", "Same"),
    Option("y", "Same"),
)
APP_OPTIONS = (Option("1", "Kunde"), Option("G", "GOLD "), Option("z", "Same"), Option("n", "New"))


def test_options_pair_by_value_then_by_a_label_of_their_own() -> None:
    c = between(field(Kind.CHOICE, options=HUB_OPTIONS), field(Kind.CHOICE, options=APP_OPTIONS))
    assert c.write[Side.APP]("1") == "1"
    assert c.write[Side.APP]("gold") == "G"
    assert c.write[Side.HUB]("G") == "gold"
    assert c.shared[Side.APP]("G") == c.shared[Side.HUB]("gold")
    for side, unpaired in ((Side.APP, "x"), (Side.APP, "y"), (Side.HUB, "z"), (Side.HUB, "n")):
        with pytest.raises(TwofoldError, match="No option of f is paired"):
            c.write[side](unpaired)
        there = HUB_OPTIONS if side is Side.HUB else APP_OPTIONS
        assert c.shared[side.other](unpaired) not in {c.shared[side](o.value) for o in there}


def test_an_open_choice_takes_values_of_its_own() -> None:
    c = between(field(Kind.CHOICE, options=()), field(Kind.CHOICE, closed=False))
    assert c.write[Side.APP]("pink") == "pink"


def test_several_options_are_a_set() -> None:
    hub = field(Kind.CHOICE, multi=True, options=HUB_OPTIONS)
    c = between(hub, field(Kind.CHOICE, multi=True, options=APP_OPTIONS))
    assert c.write[Side.APP](("gold", "1")) == ("G", "1")
    assert c.shared[Side.APP](("1", "G")) == c.shared[Side.HUB](("gold", "1"))


# --- directions -------------------------------------------------------------------------------


@pytest.mark.parametrize("sync", list(Direction))
@pytest.mark.parametrize("asked", list(Direction))
@pytest.mark.parametrize("hub_writable", [True, False])
@pytest.mark.parametrize("app_writable", [True, False])
def test_every_limit_narrows(
    sync: Direction, asked: Direction, hub_writable: bool, app_writable: bool
) -> None:
    """A side is reached exactly when the sync, the mapping and the field all let it be."""
    hub = field(Kind.TEXT, creatable=hub_writable, updatable=hub_writable)
    app = field(Kind.TEXT, creatable=app_writable, updatable=app_writable)
    c = conversion(FieldMapping(hub, app, asked), sync, "UTC", "")
    for side, writable in ((Side.HUB, hub_writable), (Side.APP, app_writable)):
        reached = c.direction is not None and c.direction.reaches(side)
        assert reached == (sync.reaches(side) and asked.reaches(side) and writable)


def test_an_unmappable_field_travels_nowhere() -> None:
    mapping = FieldMapping(field(Kind.TEXT), field(Kind.TEXT, unmappable="changes its type"))
    assert travels(mapping) is None
