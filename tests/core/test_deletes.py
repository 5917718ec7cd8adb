"""Which deletes travel, which ask, and when a brake is pulled: for any pair and any numbers."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.core.test_plan import program as plain_program

from twofold.core.deletes import Removal, plan_removal, removing, sides_of_removal
from twofold.core.errors import Issue
from twofold.core.guards import (
    BrakeName,
    brake_of,
    side_suddenly_empty,
    too_many_changes,
    too_many_creates,
    too_many_deletes,
)
from twofold.core.links import UNMET, Link
from twofold.core.mappings import Brakes, Deletes, Direction, Rules
from twofold.core.plan import Program
from twofold.core.records import Fields, Side
from twofold.core.schema import Op
from twofold.core.scope import Standing
from twofold.core.validate import check
from twofold.core.values import Value

SIDES = st.sampled_from(list(Side))
POLICIES = st.sampled_from(list(Deletes))
DIRECTIONS = st.sampled_from(list(Direction))
OPS = st.sets(st.sampled_from(list(Op))).map(frozenset)
TEXTS = st.sampled_from([None, "", "a", "b", " b ", "B"])
SIZES = st.sampled_from([None, 0, 1, 2])


def sync(**changes: Any) -> Rules:
    return structs.replace(plain_program().rules, **changes)


@st.composite
def agreed(draw: st.DrawFn) -> dict[Side, dict[str, Value]]:
    """What a pair showed when it agreed."""
    name, size = draw(TEXTS), draw(SIZES)
    return {
        Side.HUB: {"email": "a@x.example", "name": name, "size": size},
        Side.APP: {"mail": "a@x.example", "called": name, "count": size},
    }


def rules(policy: Deletes, direction: Direction, ops: frozenset[Op]) -> Rules:
    made = sync(direction=direction, deletes=policy)
    return structs.replace(
        made, hub=structs.replace(made.hub, ops=ops), app=structs.replace(made.app, ops=ops)
    )


@given(agreed(), POLICIES, DIRECTIONS, OPS, SIDES)
def test_a_delete_travels_only_where_data_does_and_the_policy_and_the_app_let_it(
    fields: dict[Side, dict[str, Value]],
    policy: Deletes,
    direction: Direction,
    ops: frozenset[Op],
    gone: Side,
) -> None:
    removal = plan_removal(Program(rules(policy, direction, ops)), gone, fields, Link(fields))
    able = {
        Deletes.IGNORE: None,
        Deletes.APPROVE: Op.ARCHIVE if Op.ARCHIVE in ops else Op.DELETE,
        Deletes.ARCHIVE: Op.ARCHIVE,
        Deletes.DELETE: Op.DELETE,
    }[policy]
    if able not in ops or not direction.reaches(gone.other):
        assert removal is None
    else:
        asks = policy is Deletes.APPROVE
        assert removal == Removal(gone.other, able, edited=False, asks=asks)


@given(agreed(), agreed(), SIDES)
def test_a_twin_that_holds_anything_new_is_asked_about(
    fields: dict[Side, dict[str, Value]], later: dict[Side, dict[str, Value]], gone: Side
) -> None:
    program = Program(rules(Deletes.DELETE, Direction.BOTH, frozenset(Op)))
    now: dict[Side, Fields] = {gone: fields[gone], gone.other: later[gone.other]}
    side = gone.other
    moved = any(
        c.own[side](later[side].get(c.fields[side]))
        != c.own[side](fields[side].get(c.fields[side]))
        for c in program.conversions
    )
    removal = plan_removal(program, gone, now, Link(fields))
    assert removal is not None
    assert removal.asks is removal.edited is moved


@given(agreed(), SIDES)
def test_a_pair_that_never_agreed_is_asked_about(
    fields: dict[Side, dict[str, Value]], gone: Side
) -> None:
    program = Program(rules(Deletes.DELETE, Direction.BOTH, frozenset(Op)))
    removal = plan_removal(program, gone, fields, UNMET)
    assert removal is not None
    assert removal.asks


@given(agreed(), SIDES)
def test_who_does_not_send_sends_no_delete(
    fields: dict[Side, dict[str, Value]], gone: Side
) -> None:
    plain = rules(Deletes.DELETE, Direction.BOTH, frozenset(Op))
    limited = Program(structs.replace(plain, require_email=True))
    mail = "email" if gone is Side.HUB else "mail"
    without = {**fields, gone: {**fields[gone], mail: None}}
    assert plan_removal(limited, gone, without, Link(without)) is None
    by_hand = Standing(by_hand=Issue("TF-X04", "Excluded."))
    assert plan_removal(Program(plain), gone, fields, Link(fields), by_hand) is None


@given(POLICIES, DIRECTIONS, OPS)
def test_a_policy_is_saved_only_where_each_receiving_side_can_carry_it_out(
    policy: Deletes, direction: Direction, ops: frozenset[Op]
) -> None:
    found = [p.code for p in check(rules(policy, direction, ops)) if p.code == "TF-D06"]
    sides = sides_of_removal(rules(policy, direction, ops))
    receiving = [s for s in Side if direction.reaches(s)] if policy is not Deletes.IGNORE else []
    assert list(sides) == receiving
    able = removing(policy, rules(policy, direction, ops).app) is not None
    assert len(found) == (0 if able else len(sides))


# --- brakes ---------------------------------------------------------------------------------


@given(st.integers(0, 2_000), st.integers(0, 4_000), st.integers(0, 100))
def test_a_brake_is_pulled_exactly_beyond_its_limit(number: int, pairs: int, percent: int) -> None:
    limits = Brakes(*[percent / 100] * 3)
    made = sync(brakes=limits)
    over = number > percent / 100 * pairs
    for count, few, name in (
        (too_many_deletes, 3, BrakeName.DELETES),
        (too_many_creates, 101, BrakeName.CREATES),
        (too_many_changes, 101, BrakeName.CHANGES),
    ):
        brake = count(made, number, pairs)
        assert (brake is not None) is (over and number >= few)
        if brake is not None:
            assert (brake.name, brake.number) == (name, number)
            assert brake_of(brake.code) is name
            assert str(number) in brake.sentence


@given(SIDES, st.integers(0, 100), st.integers(0, 100))
def test_a_side_is_suddenly_empty_when_nothing_of_much_is_left(
    side: Side, known: int, found: int
) -> None:
    brake = side_suddenly_empty(side, "shop", known, found)
    assert (brake is not None) is (found == 0 and known >= 10)


def test_the_usual_limits() -> None:
    assert too_many_deletes(sync(), 20, 100) is None
    brake = too_many_deletes(sync(), 21, 100)
    assert brake is not None
    assert "20 %" in brake.sentence
