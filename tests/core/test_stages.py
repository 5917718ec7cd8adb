"""A stage belongs to one sync only, however it is written; what is wrong is said by code (S9)."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.core.fields import field, rules_of, same_name

from twofold.core.mappings import Constant, Direction, Rules
from twofold.core.records import Side
from twofold.core.schema import Option
from twofold.core.scope import scope
from twofold.core.stages import STAGE, Beside, check_beside, stage_values
from twofold.core.validate import check
from twofold.core.values import Kind

STAGES = tuple(Option(name, name.title()) for name in ("lead", "customer", "evangelist"))
FIELD = field(Kind.CHOICE, STAGE, options=STAGES)


def rules(*stages: str, direction: Direction = Direction.BOTH) -> Rules:
    made = rules_of(*same_name("email"), direction=direction, more_hub=(FIELD,))
    return structs.replace(made, stages=stages)


def codes(of: Rules) -> list[str]:
    return [problem.code for problem in check(of)]


def beside(mine: Rules, theirs: Rules, on: bool = True, also_on: bool = True) -> list[str]:
    return [e.code for e in check_beside(mine, on, [Beside("other", also_on, theirs)])]


def test_a_stage_is_named_by_its_value_or_its_label() -> None:
    assert stage_values(rules("lead", " CUSTOMER ")) == ("lead", "customer")
    assert codes(rules("lead", "Customer")) == []
    assert codes(rules("lead", "boss")) == ["TF-L06"]


def test_an_object_type_without_stages_takes_none() -> None:
    assert codes(structs.replace(rules_of(*same_name("email")), stages=("lead",))) == ["TF-L17"]


def test_a_constant_stage_is_one_of_the_sync_s_own() -> None:
    for text, expected in (("Lead", []), ("customer", ["TF-F22"])):
        given_so = (Constant(Side.HUB, STAGE, text),)
        assert codes(structs.replace(rules("lead"), constants=given_so)) == expected


@pytest.mark.parametrize(("on", "also_on"), list(product((True, False), repeat=2)))
def test_a_stage_of_two_syncs_is_refused(on: bool, also_on: bool) -> None:
    assert beside(rules("lead"), rules("Lead", "customer"), on, also_on) == ["TF-L18"]
    assert beside(rules("lead"), rules("customer"), on, also_on) == []
    assert beside(rules(), rules(), on, also_on) == []
    both = ["TF-L19"] if on and also_on else []
    assert beside(rules("lead"), rules(), on, also_on) == both
    assert beside(rules(), rules("lead"), on, also_on) == both


@given(
    st.lists(st.sampled_from([o.value for o in STAGES]), unique=True, min_size=1),
    st.lists(st.sampled_from([o.value for o in STAGES]), unique=True, min_size=1),
    st.sampled_from([None, "", *(o.value for o in STAGES)]),
    st.booleans(),
    st.sampled_from(Direction),
)
def test_no_stage_is_open_in_two_syncs_that_may_both_be_on(
    mine: list[str], theirs: list[str], stage: str | None, linked: bool, direction: Direction
) -> None:
    one, other = (rules(*names, direction=direction) for names in (mine, theirs))
    hub, app = {STAGE: stage, "email": "a@x.org"}, {"app_email": "a@x.org"} if linked else None
    open_in = [of for of in (one, other) if scope(of, hub, app).open]
    if not beside(one, other):
        assert len(open_in) <= 1
    for of, names in ((one, mine), (other, theirs)):
        if stage not in names:
            assert of not in open_in
