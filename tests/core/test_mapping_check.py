"""Every code about mappings is reached, and whatever is configured is judged by codes alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from tests.core.fields import field, object_type

from twofold.core.constants import constant_value
from twofold.core.mappings import (
    Blanks,
    Constant,
    Direction,
    FieldMapping,
    Matching,
    Rules,
    When,
)
from twofold.core.parts import made_of
from twofold.core.plan import Program
from twofold.core.records import Side
from twofold.core.schema import Field
from twofold.core.transforms import Change, Transform
from twofold.core.validate import check
from twofold.core.values import Kind, Value

TEXT, OTHER = field(Kind.TEXT, "a"), field(Kind.TEXT, "b")
CHOICE, OWNER = field(Kind.CHOICE, "c"), field(Kind.OWNER, "o")
NAME = made_of([field(Kind.TEXT, "first"), field(Kind.TEXT, "last")])
JOIN, PREFIX = Transform(Change.JOIN), Transform(Change.PREFIX, form="T-")


@pytest.mark.parametrize(
    ("expected", "mapping"),
    [
        ("", FieldMapping(TEXT, TEXT, transforms=(PREFIX,))),
        ("", FieldMapping(NAME, TEXT, transforms=(JOIN, PREFIX))),
        ("", FieldMapping(TEXT, NAME, transforms=(Transform(Change.JOIN, Side.HUB),))),
        ("", FieldMapping(CHOICE, CHOICE, options=(("r", "g"), ("g", "r")))),
        ("", FieldMapping(OWNER, OWNER, hub_fallback="u1")),
        (
            "",
            FieldMapping(CHOICE, CHOICE, Direction.TO_APP, options=(("r", "g"), ("b", "g"))),
        ),
        ("TF-F04", FieldMapping(TEXT, field(Kind.CHOICE, "c", textual=False))),
        ("TF-F09", FieldMapping(TEXT, TEXT, transforms=(Transform(Change.TRIM),))),
        (
            "TF-F10",
            FieldMapping(
                TEXT,
                TEXT,
                transforms=(Transform(Change.TRIM), Transform(Change.CASE, Side.HUB, "upper")),
            ),
        ),
        ("TF-F16", FieldMapping(CHOICE, CHOICE, options=(("r", "pink"),))),
        ("TF-F16", FieldMapping(OWNER, OWNER, app_fallback="u9")),
        ("TF-F17", FieldMapping(TEXT, TEXT, options=(("r", "g"),))),
        ("TF-F17", FieldMapping(TEXT, TEXT, hub_fallback="g")),
        ("TF-F18", FieldMapping(CHOICE, CHOICE, options=(("r", "g"), ("b", "g")))),
        ("TF-F18", FieldMapping(CHOICE, CHOICE, options=(("r", "g"), ("r", "b")))),
        ("TF-F19", FieldMapping(TEXT, TEXT, transforms=(Transform(Change.PREFIX),))),
        ("TF-F19", FieldMapping(TEXT, TEXT, transforms=(Transform(Change.CASE, form="odd"),))),
        ("TF-F19", FieldMapping(TEXT, TEXT, transforms=(Transform(Change.LOOKUP),))),
        ("TF-F20", FieldMapping(CHOICE, CHOICE, transforms=(PREFIX,))),
        ("TF-F21", FieldMapping(TEXT, TEXT, transforms=(JOIN,))),
        ("TF-F21", FieldMapping(NAME, TEXT)),
        ("TF-F21", FieldMapping(NAME, TEXT, transforms=(Transform(Change.JOIN, Side.HUB),))),
        ("TF-F21", FieldMapping(NAME, TEXT, transforms=(PREFIX, JOIN))),
        ("TF-F21", FieldMapping(NAME, NAME, transforms=(JOIN,))),
    ],
)
def test_each_problem_has_its_code(expected: str, mapping: FieldMapping) -> None:
    made = structs.replace(mapping)
    more = {n.name: n for n in (mapping.hub, mapping.app) if not n.parts}
    rules = Rules(
        object_type(*NAME.parts, *more.values()),
        object_type(*NAME.parts, *more.values(), label="Customer"),
        (made,),
    )
    problems = check(rules)
    assert {p.code for p in problems} == ({expected} if expected else set())
    assert all(p.sentence and p.advice for p in problems)


def test_a_part_of_a_name_is_mapped_once_too() -> None:
    joined = FieldMapping(NAME, TEXT, transforms=(JOIN,))
    hub, app = object_type(*NAME.parts, TEXT), object_type(TEXT, OTHER, label="Customer")
    assert {p.code for p in check(Rules(hub, app, (joined,)))} == set()
    twice = Rules(hub, app, (joined, FieldMapping(NAME.parts[0], OTHER)))
    assert [(p.code, "first of the hub" in p.sentence) for p in check(twice)] == [("TF-F03", True)]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.TEXT, " web ", "web"),
        (Kind.INT, "12", 12),
        (Kind.INT, "1.5", None),
        (Kind.INT, "many", None),
        (Kind.BOOL, "true", True),
        (Kind.BOOL, "yes", None),
        (Kind.DATE, "2026-02-30", None),
        (Kind.DATETIME, "2026-02-03", None),
        (Kind.CHOICE, "Green", "g"),
        (Kind.CHOICE, "g", "g"),
        (Kind.CHOICE, "pink", None),
        (Kind.OWNER, "bob@firm.example", "u2"),
        (Kind.TEXT, "  ", None),
    ],
)
def test_constants_are_read_by_the_kind_of_their_field(kind: Kind, text: str, value: Value) -> None:
    needed = field(kind, "needed", required=True)
    constant = Constant(Side.APP, "needed", text)
    rules = Rules(
        object_type(TEXT),
        object_type(TEXT, needed),
        (FieldMapping(TEXT, TEXT),),
        constants=(constant,),
    )
    problems = {p.code for p in check(rules)}
    assert problems == (set() if value is not None else {"TF-F22"})
    if value is not None:
        assert constant_value(constant, needed, "UTC") == value
        assert Program(rules).constants == {Side.APP: {"needed": value}, Side.HUB: {}}


def test_constants_of_what_is_not_there_or_cannot_be_written() -> None:
    fixed = field(Kind.TEXT, "fixed", creatable=False, updatable=False)
    several = field(Kind.TEXT, "several", multi=True)
    one, two, three = (Constant(Side.HUB, name, "x") for name in ("gone", "fixed", "several"))
    twice = (Constant(Side.HUB, "a", "x"),) * 2
    for constants, expected in (
        ((one,), {"TF-F01"}),
        ((two,), {"TF-F22"}),
        ((three,), {"TF-F22"}),
        (twice, {"TF-F22"}),
    ):
        rules = Rules(object_type(TEXT, fixed, several), object_type(), (), constants=constants)
        assert {p.code for p in check(rules)} == expected


def test_a_required_field_is_filled_by_a_constant_or_a_part_and_not_by_what_is_off() -> None:
    last = field(Kind.TEXT, "last", required=True)
    name = made_of([field(Kind.TEXT, "first"), last])
    app = object_type(*name.parts, label="Customer")
    joined = FieldMapping(TEXT, name, transforms=(Transform(Change.JOIN, Side.HUB),))
    assert check(Rules(object_type(TEXT), app, (joined,))) == []
    off = structs.replace(joined, enabled=False)
    assert {p.code for p in check(Rules(object_type(TEXT), app, (off,)))} == {"TF-F08"}
    given_ = (Constant(Side.APP, "last", "unknown"),)
    assert check(Rules(object_type(TEXT), app, (), constants=given_)) == []


# --- whatever is configured ---------------------------------------------------------------------

FIELDS = [
    field(k, f"{k}{m}", multi=m, updatable=u)
    for k in Kind
    for m in (False, True)
    for u in (True, False)
]
words = st.sampled_from(["", "r", "g", "u1", "pink", " ", "T-", "upper", "e164", "alpha2", ", "])
transforms = st.builds(
    Transform,
    st.sampled_from(Change),
    st.sampled_from(Side),
    words,
    words,
    st.lists(st.tuples(words, words), max_size=2).map(tuple),
)
ends: st.SearchStrategy[Field] = st.sampled_from(FIELDS) | st.lists(
    st.sampled_from(FIELDS), min_size=2, max_size=3
).map(made_of)
mappings = st.builds(
    FieldMapping,
    ends,
    ends,
    st.sampled_from(Direction),
    st.sampled_from(Blanks),
    st.sampled_from(When),
    st.none() | st.sampled_from(list(Side)),
    st.lists(st.tuples(words, words), max_size=2).map(tuple),
    words,
    words,
    st.lists(transforms, max_size=2).map(tuple),
    st.booleans(),
)
constants = st.builds(
    Constant, st.sampled_from(Side), st.sampled_from([f.name for f in FIELDS]) | words, words
)


@settings(max_examples=300)
@given(
    st.lists(mappings, max_size=3),
    st.lists(constants, max_size=2),
    st.sampled_from(Direction),
    st.sampled_from(["UTC", "Nowhere/Else"]),
)
def test_whatever_is_configured_works_or_has_its_code(
    made: list[FieldMapping], given_: list[Constant], direction: Direction, zone: str
) -> None:
    rules = Rules(
        object_type(*FIELDS),
        object_type(*FIELDS, label="Customer"),
        tuple(made),
        direction,
        matching=Matching.NONE,
        constants=tuple(given_),
        timezone=zone,
    )
    problems = check(rules)
    assert all(p.code.startswith("TF-F") for p in problems)
    if all(p.warning for p in problems):
        program = Program(rules)
        for c in program.conversions:
            assert c.direction is not None
            assert rules.direction is Direction.BOTH or c.direction is rules.direction
