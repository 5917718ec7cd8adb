"""Each cell of the type matrix: what is written arrives as the same thing and never comes back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.fields import COLORS, PEOPLE, ZONES, days, field, instants, values_of

from twofold.core.convert import Conversion, conversion
from twofold.core.errors import TwofoldError
from twofold.core.mappings import Direction, FieldMapping
from twofold.core.merge import likeness, merge
from twofold.core.records import Side
from twofold.core.schema import Field, Option
from twofold.core.transforms import Change, Transform
from twofold.core.type_matrix import MATRIX, Cell, Shape, cell, shape, travels
from twofold.core.values import Kind, Value, is_blank

FIELDS: dict[Shape, list[Field]] = {s: [] for s in Shape}
for _kind, _multi in itertools.product(Kind, (False, True)):
    _field = field(_kind, multi=_multi)
    FIELDS[shape(_field)].append(_field)

CELLS = list(itertools.product(Shape, Shape))
T, N, B, D, DT, C, O, TS, CS, L = (  # noqa: E741
    Shape.TEXT,
    Shape.NUMBER,
    Shape.BOOL,
    Shape.DATE,
    Shape.DATETIME,
    Shape.CHOICE,
    Shape.OWNER,
    Shape.TEXTS,
    Shape.CHOICES,
    Shape.LIST,
)
TWO_WAY = {(T, T), (N, N), (B, B), (D, D), (DT, DT), (D, DT), (DT, D)}  # F4
TWO_WAY |= {(C, C), (CS, CS), (O, O), (TS, TS)}  # F10, F11, F13, and labeled values by default
TO_HUB = {(T, x) for x in (N, D, DT, B, C, O)}  # F5
TO_APP = {(x, T) for x in (N, D, DT, B, CS, C)}  # F6


@pytest.mark.parametrize(("hub", "app"), CELLS)
def test_the_cell_is_that_of_the_product(hub: Shape, app: Shape) -> None:
    found = MATRIX[hub, app]
    expected = (
        Direction.BOTH
        if (hub, app) in TWO_WAY
        else Direction.TO_HUB
        if (hub, app) in TO_HUB
        else Direction.TO_APP
        if (hub, app) in TO_APP
        else None
    )
    assert found.direction is expected
    assert bool(found.reason) == (expected is not Direction.BOTH)


def attempt(c: Conversion, side: Side, value: Value) -> tuple[Value, str]:
    """What is written into a side, and why not: code and sentence."""
    try:
        return c.write[side](value), ""
    except TwofoldError as error:
        return None, f"{error.code} {error.sentence}"


def _conversion(mapping: FieldMapping, zone: str) -> Conversion:
    return conversion(mapping, Direction.BOTH, zone, "GB")


@pytest.mark.parametrize(("hub", "app"), [c for c in CELLS if MATRIX[c].direction])
def test_round_trip(hub: Shape, app: Shape) -> None:
    """After a write both sides are equal; a merge then writes nothing, in either direction."""

    @settings(max_examples=25)
    @given(st.data(), st.sampled_from(ZONES))
    def holds(data: st.DataObject, zone: str) -> None:
        ends = {Side.HUB: FIELDS[hub], Side.APP: FIELDS[app]}
        mine, theirs = (data.draw(st.sampled_from(ends[side])) for side in Side)
        mapping = FieldMapping(mine, theirs)
        c = _conversion(mapping, zone)
        assert c.direction is not None
        to = data.draw(st.sampled_from([side for side in Side if c.direction.reaches(side)]))
        value = data.draw(values_of(mapping.end(to.other)))
        there, problem = attempt(c, to, value)
        if problem:
            assert problem.startswith("TF-R01")
            return
        assert c.shared[to](there) == c.shared[to.other](value)
        shown: dict[Side, dict[str, Value]] = {
            to: {c.fields[to]: there},
            to.other: {c.fields[to.other]: value},
        }
        for default in Side:
            assert merge([c], shown, None, default).decisions == ()
        if c.direction is Direction.BOTH and not is_blank(there):
            back = c.write[to.other](there)
            assert c.shared[to.other](back) == c.shared[to](there)

    holds()


def test_a_choice_becomes_text_in_the_hub_only_where_the_connector_can_say_it() -> None:
    """F5: in most apps."""
    text = field(Kind.TEXT)
    for kind in (Kind.CHOICE, Kind.OWNER):
        mute = FieldMapping(text, field(kind, textual=False))
        assert travels(FieldMapping(text, field(kind))) is Direction.TO_HUB
        assert travels(mute) is None
        assert "does not tell" in cell(mute).reason
    assert cell(FieldMapping(text, field(Kind.DATE, textual=False))) == Cell(
        Direction.TO_HUB, "not every text is a valid date"
    )


# --- dates and times of day -------------------------------------------------------------------


@given(days, st.sampled_from(ZONES), st.integers(0, 86_399), st.sampled_from(list(Side)))
def test_a_time_of_day_on_the_same_date_is_never_touched(
    day: date, zone: str, second: int, at: Side
) -> None:
    """Whatever the clock does that day: skipped hours, repeated hours, a skipped midnight."""
    kinds = {at: Kind.DATETIME, at.other: Kind.DATE}
    c = _conversion(FieldMapping(field(kinds[Side.HUB]), field(kinds[Side.APP])), zone)
    local = datetime.combine(day, time(), ZoneInfo(zone)) + timedelta(seconds=second)
    for fold in (0, 1):
        moment = local.replace(fold=fold).astimezone(UTC)
        date_there = moment.astimezone(ZoneInfo(zone)).date()
        shown: dict[Side, dict[str, Value]] = {at: {"f": moment}, at.other: {"f": date_there}}
        for default in Side:
            assert merge([c], shown, None, default).decisions == ()
            assert merge([c], shown, {s: {"f": None} for s in Side}, default).decisions == ()


@given(instants, st.sampled_from(ZONES), st.sampled_from(list(Side)))
def test_another_date_moves_the_time_to_the_start_of_that_day(
    moment: datetime, zone: str, at: Side
) -> None:
    kinds = {at: Kind.DATETIME, at.other: Kind.DATE}
    c = _conversion(FieldMapping(field(kinds[Side.HUB]), field(kinds[Side.APP])), zone)
    moved = (moment.astimezone(ZoneInfo(zone)) + timedelta(days=3)).date()
    written, problem = attempt(c, at, moved)
    if problem:
        assert "a day that exists" in problem  # Kiritimati skipped a whole one
        return
    assert isinstance(written, datetime)
    start = written.astimezone(ZoneInfo(zone))
    assert start.date() == moved
    before = (written - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    assert before.date() < moved


# --- options and owners -----------------------------------------------------------------------

WIDE = (Option("hot", "Hot"), Option("warm", "Warm"), Option("cold", "Cold"))
PAIRED = (("hot", "r"), ("warm", "g"))


def test_options_paired_by_hand_come_first_and_are_paired_once() -> None:
    hub, app = field(Kind.CHOICE, options=WIDE), field(Kind.CHOICE)
    c = _conversion(FieldMapping(hub, app, options=PAIRED), "UTC")
    assert c.write[Side.APP]("hot") == "r"
    assert c.write[Side.HUB]("g") == "warm"
    assert c.shared[Side.HUB]("hot") == c.shared[Side.APP]("r")
    for side, value in ((Side.APP, "cold"), (Side.HUB, "b")):
        with pytest.raises(TwofoldError) as caught:
            c.write[side](value)
        assert caught.value.code == "TF-R11"
        others = COLORS if side is Side.APP else WIDE
        assert c.shared[side.other](value) not in {c.shared[side](o.value) for o in others}


@pytest.mark.parametrize("multi", [False, True])
def test_a_fallback_takes_what_has_no_pair(multi: bool) -> None:
    hub, app = (field(Kind.CHOICE, options=o, multi=multi) for o in (WIDE, COLORS))
    mapping = FieldMapping(hub, app, options=PAIRED, app_fallback="b")
    c = _conversion(mapping, "UTC")
    cold: Value = ("cold",) if multi else "cold"
    there = c.write[Side.APP](cold)
    assert there == (("b",) if multi else "b")
    assert c.shared[Side.HUB](cold) == c.shared[Side.APP](there)


def people(*emails: str, start: int = 1) -> Sequence[Option]:
    return tuple(
        Option(str(n), email.partition("@")[0], email=email)
        for n, email in enumerate(emails, start)
    )


def test_owners_pair_by_email_and_never_by_id() -> None:
    ours = people("ann@firm.example", "bob@firm.example", "eve@firm.example")
    theirs = people("BOB@firm.example", "ann@firm.example", "dan@firm.example")
    hub, app = (field(Kind.OWNER, options=o) for o in (ours, theirs))
    c = _conversion(FieldMapping(hub, app), "UTC")
    assert (c.write[Side.APP]("1"), c.write[Side.APP]("2")) == ("2", "1")
    assert c.shared[Side.HUB]("1") == c.shared[Side.APP]("2") != c.shared[Side.APP]("1")
    with pytest.raises(TwofoldError) as caught:
        c.write[Side.APP]("3")
    assert caught.value.code == "TF-R12"


def test_values_that_look_alike_are_not_always_the_same_thing() -> None:
    """Two people with one id, two options that a person told apart."""
    ours = people("ann@firm.example", "bob@firm.example")
    theirs = people("bob@firm.example", "ann@firm.example")
    owners = FieldMapping(field(Kind.OWNER, options=ours), field(Kind.OWNER, options=theirs))
    crossed = FieldMapping(
        field(Kind.CHOICE), field(Kind.CHOICE), options=(("r", "g"), ("g", "r"), ("b", "b"))
    )
    prefixed = FieldMapping(
        field(Kind.TEXT), field(Kind.TEXT), transforms=(Transform(Change.PREFIX, form="1"),)
    )
    for mapping, value in ((owners, "1"), (crossed, "r"), (prefixed, "1")):
        c = _conversion(mapping, "UTC")
        alike = {side: {"f": value} for side in Side}
        assert not likeness([c])(alike[Side.HUB], alike[Side.APP])
        assert merge([c], alike, None, Side.HUB).writes(Side.APP)
        there = {"f": c.write[Side.APP](value)}
        assert likeness([c])(alike[Side.HUB], there)


@given(
    st.sampled_from(["", "1", "2"]),
    st.sampled_from(["", "1", "2"]),
    st.sampled_from(["1", "2", "3"]),
)
def test_a_fallback_owner_never_comes_back_as_a_change(
    hub_fallback: str, app_fallback: str, owner: str
) -> None:
    ours = people("ann@firm.example", "bob@firm.example", "eve@firm.example")
    theirs = people("bob@firm.example", "dan@firm.example", "ann@firm.example")
    hub, app = (field(Kind.OWNER, options=o) for o in (ours, theirs))
    mapping = FieldMapping(hub, app, hub_fallback=hub_fallback, app_fallback=app_fallback)
    c = _conversion(mapping, "UTC")
    for to in Side:
        there, problem = attempt(c, to, owner)
        if problem:
            assert problem.startswith("TF-R12")
        else:
            assert c.shared[to](there) == c.shared[to.other](owner)


def test_somebody_who_left_is_never_given_a_record() -> None:
    left = (Option("9", "Ann", active=False, email="ada@firm.example"),)
    hub, app = field(Kind.OWNER, options=PEOPLE), field(Kind.OWNER, options=left)
    c = _conversion(FieldMapping(hub, app), "UTC")
    with pytest.raises(TwofoldError):
        c.write[Side.APP]("u1")
    assert c.write[Side.HUB]("9") == "u1"
