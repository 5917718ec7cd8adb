"""Who may be written because of whom: limits gate sending from their own side only (D5, D9, L1)."""

from __future__ import annotations

from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.core.fields import rules_of, same_name

from twofold.core.errors import Issue
from twofold.core.filter_words import parsed
from twofold.core.filters import NO_FILTER, Leaving
from twofold.core.mappings import Direction, Matching, Rules
from twofold.core.records import Fields, Side
from twofold.core.scope import Standing, scope, scoper

VALID = st.sampled_from(["ada@acme.com", " ADA@acme.com"])
INVALID = st.sampled_from([None, "", "ada@", "none"])


def rules(direction: Direction, require_email: bool) -> Rules:
    return rules_of(
        *same_name("email"),
        direction=direction,
        matching=Matching.CONTACTS,
        require_email=require_email,
    )


@given(
    st.sampled_from(Direction),
    st.booleans(),
    st.tuples(VALID | INVALID, VALID | INVALID),
    st.sampled_from([(Side.HUB,), (Side.APP,), (Side.HUB, Side.APP)]),
)
def test_a_side_is_open_when_the_other_one_exists_and_may_send(
    direction: Direction,
    require_email: bool,
    emails: tuple[str | None, str | None],
    present: tuple[Side, ...],
) -> None:
    hub: Fields | None = {"email": emails[0]} if Side.HUB in present else None
    app: Fields | None = {"app_email": emails[1]} if Side.APP in present else None
    answer = scope(rules(direction, require_email), hub, app)
    for side, email in ((Side.HUB, emails[0]), (Side.APP, emails[1])):
        may_send = not require_email or (email or "").strip().lower() == "ada@acme.com"
        expected = side in present and may_send and direction.reaches(side.other)
        assert (side.other in answer.open) == expected
    assert (answer.exclusion is None) == bool(answer.open)


def test_without_an_email_nothing_is_sent() -> None:
    decide = partial(scope, rules(Direction.BOTH, require_email=True))
    for answer in (decide({"email": "ada@"}, None), decide({}, {}), decide(None, {})):
        assert answer.exclusion is not None
        assert answer.exclusion.code == "TF-X01"


def test_a_contact_without_an_email_still_receives() -> None:
    decide = partial(scope, rules(Direction.BOTH, require_email=True))
    assert decide({}, {"app_email": "ada@acme.com"}).open == {Side.HUB}


def test_only_in_the_side_that_the_direction_leaves_alone() -> None:
    """D9 comes before L1: an e-mail address would not help."""
    decide = partial(scope, rules(Direction.TO_HUB, require_email=True))
    exclusion = decide({}, None).exclusion
    assert exclusion is not None
    assert exclusion.code == "TF-X02"
    assert exclusion.sentence == "Only in the hub: this sync does not create records in the app."
    assert decide(None, {"app_email": "ada@acme.com"}).exclusion is None


# --- limits, and what is remembered -----------------------------------------------------------

NAMES = st.sampled_from(["in", "out", "", None])
IN = {
    side: parsed([f"{prefix}name is in"], ())
    for side, prefix in ((Side.HUB, ""), (Side.APP, "app_"))
}
sides = st.frozensets(st.sampled_from(Side))


@given(
    st.sampled_from(Direction),
    st.sampled_from(Leaving),
    sides,
    st.builds(Standing, earlier=sides, entered=sides),
    st.tuples(NAMES, NAMES),
)
def test_who_may_send_is_one_answer_for_every_pair(
    direction: Direction,
    leaving: Leaving,
    limited: frozenset[Side],
    standing: Standing,
    names: tuple[str | None, str | None],
) -> None:
    """Said plainly: the direction, the limit of the side itself, and what is remembered of it."""
    made = structs.replace(
        rules_of(*same_name("name"), direction=direction),
        hub_filter=IN[Side.HUB] if Side.HUB in limited else NO_FILTER,
        app_filter=IN[Side.APP] if Side.APP in limited else NO_FILTER,
        leaving=leaving,
        from_now_on=bool(standing.earlier),
    )
    answer = scoper(made)({"name": names[0]}, {"app_name": names[1]}, standing)
    for side, name in zip(Side, names, strict=True):
        within = side not in limited or name == "in"
        goes_on = leaving in {Leaving.KEEP, Leaving.FINAL}
        stays = goes_on and side in standing.entered and side in limited
        sends = direction.reaches(side.other) and (within or stays)
        assert (side.other in answer.open) == (sends and side not in standing.earlier)
    assert (answer.exclusion is None) == bool(answer.open)
    if answer.exclusion is not None and not standing.earlier:
        assert answer.exclusion.code == "TF-X03"
        assert 'name is "in"' in answer.exclusion.sentence


@given(st.sampled_from(Direction), sides)
def test_by_hand_comes_before_everything(direction: Direction, entered: frozenset[Side]) -> None:
    issue = Issue("TF-X04", "Excluded by hand: a test.")
    made = rules_of(*same_name("name"), direction=direction)
    ends: list[tuple[Fields | None, Fields | None]] = [({"name": "a"}, {}), ({}, None), (None, {})]
    for hub, app in ends:
        answer = scoper(made)(hub, app, Standing(issue, entered=entered))
        assert (answer.open, answer.exclusion) == (frozenset(), issue)
