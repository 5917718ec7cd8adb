"""From pairs and single records to operations."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.worlds import VALUES

from twofold.core.health import State
from twofold.core.links import FLIPS_TO_FREEZE, Flip, Link, Sent, flips_after, seen_given
from twofold.core.mappings import (
    AssociationMapping,
    Direction,
    FieldMapping,
    Matching,
    Rules,
)
from twofold.core.merge import Reason
from twofold.core.plan import (
    IN_AGREEMENT,
    Create,
    PairPlan,
    Program,
    Update,
    field_values,
    plan_pair,
    plan_single,
)
from twofold.core.records import Record, Side, Target
from twofold.core.schema import Association, Field, ObjectType, Option
from twofold.core.values import Kind, Value

HUB = ObjectType(
    "contact",
    "Contacts",
    (
        Field("email", "E-mail", Kind.EMAIL),
        Field("name", "Name", Kind.TEXT),
        Field("size", "Size", Kind.INT),
        Field("stage", "Stage", Kind.CHOICE, options=(Option("a", "A"), Option("b", "B"))),
    ),
    (Association("company", "company", many=True, primary=True),),
)
APP = ObjectType(
    "person",
    "People",
    (
        Field("mail", "Mail", Kind.EMAIL),
        Field("called", "Called", Kind.TEXT, max_length=5),
        Field("count", "Count", Kind.DECIMAL),
        Field("phase", "Phase", Kind.CHOICE, options=(Option("a", "A"),)),
    ),
    (Association("firm", "firm"),),
)
PAIRS = (("email", "mail"), ("name", "called"), ("size", "count"), ("stage", "phase"))


def _field(kind: ObjectType, name: str) -> Field:
    found = kind.field(name)
    assert found is not None
    return found


def program(
    direction: Direction = Direction.BOTH,
    default: Side = Side.HUB,
    require_email: bool = False,
) -> Program:
    """A sync of HUB and APP."""
    mappings = tuple(FieldMapping(_field(HUB, h), _field(APP, a)) for h, a in PAIRS)
    links = (AssociationMapping("company", "firm", "company", "firm"),)
    return Program(
        Rules(
            HUB,
            APP,
            mappings,
            direction,
            default,
            Matching.CONTACTS,
            links,
            require_email=require_email,
        )
    )


def hub(**fields: Value) -> Record:
    return Record("h", fields, "1")


def app(**fields: Value) -> Record:
    return Record("a", fields, "7")


def agreed(h: Record, a: Record) -> Link:
    return Link({Side.HUB: h.fields, Side.APP: a.fields})


def test_a_pair_that_agrees_needs_nothing() -> None:
    plan = plan_pair(
        program(),
        hub(email="A@x.example", size=1),
        app(mail="a@x.example", count=Decimal("1.0")),
        Link(),
    )
    assert plan is IN_AGREEMENT


def test_an_update_names_the_version_and_only_what_changed() -> None:
    before = hub(email="a@x.example", name="Ada"), app(mail="a@x.example", called="Ada")
    edited = hub(email="a@x.example", name="Bea")
    plan = plan_pair(program(), edited, before[1], agreed(*before))
    assert plan.updates == (Update(Side.APP, before[1], {"name": "Bea"}),)
    assert plan.updates[0].record.version == "7"
    assert field_values(program(), Side.APP, plan.updates[0].values) == {"called": "Bea"}


def test_one_field_that_does_not_fit_fails_alone() -> None:
    before = hub(name="Ada", size=1), app(called="Ada", count=1)
    plan = plan_pair(program(), hub(name="Much too long", size=2), before[1], agreed(*before))
    assert plan.outcome.state is State.FAILING
    assert [i.field for i in plan.outcome.issues] == ["called"]
    assert [u.values for u in plan.updates] == [{"size": 2}]
    assert plan.merge.unsettled == {"name"}


def test_a_choice_without_a_twin_fails_that_field_of_a_create_alone() -> None:
    made = plan_single(program(), Side.HUB, hub(name="Ada", stage="b"))
    assert isinstance(made, Create)
    assert made.values == {"name": "Ada"}
    assert [i.field for i in made.issues] == ["phase"]


def test_a_record_is_not_created_against_the_direction() -> None:
    outcome = plan_single(program(Direction.TO_HUB), Side.HUB, hub(name="Ada"))
    assert not isinstance(outcome, Create)
    assert outcome.state is State.EXCLUDED
    assert outcome.issues[0].code == "TF-X02"


def test_a_record_without_a_valid_address_is_excluded_where_one_is_asked() -> None:
    outcome = plan_single(program(require_email=True), Side.HUB, hub(name="Ada", email="ada@"))
    assert not isinstance(outcome, Create)
    assert outcome.issues[0].code == "TF-X01"
    assert isinstance(plan_single(program(), Side.HUB, hub(name="Ada", email="ada@")), Create)


def test_blanks_are_not_written_into_new_records() -> None:
    made = plan_single(program(), Side.APP, app(called="Ada", mail="", count=None))
    assert isinstance(made, Create)
    assert made.values == {"name": "Ada"}


# --- associations ---------------------------------------------------------------------------

TWINS = {Side.HUB: {"H1": "F1", "H2": "F2"}, Side.APP: {"F1": "H1", "F2": "H2"}}


def _with(record: Record, **fields: Value) -> Record:
    return Record(record.id, {**record.fields, **fields}, record.version)


def test_a_new_association_travels_as_the_primary_one() -> None:
    plan = plan_pair(
        program(),
        _with(hub(), **{"@company": "H1"}),
        _with(app(), **{"@firm": None}),
        Link(),
        TWINS,
    )
    assert plan.updates[0].associate == (("firm", Target("F1", primary=True)),)


def test_an_association_waits_until_its_far_end_is_linked() -> None:
    plan = plan_pair(program(), _with(hub(), **{"@company": "H9"}), app(), Link(), TWINS)
    assert not plan.updates
    assert plan.waits_for == (("@company", Side.HUB, "H9"),)
    plan = plan_pair(program(), hub(), _with(app(), **{"@firm": "F9"}), Link(), TWINS)
    assert not plan.updates
    assert plan.waits_for == (("@company", Side.APP, "F9"),)


def test_an_association_is_removed_only_if_both_sides_were_seen_with_it() -> None:
    h, a = _with(hub(), **{"@company": "H1"}), _with(app(), **{"@firm": "F1"})
    gone = _with(app(), **{"@firm": None})
    removed = plan_pair(program(), h, gone, agreed(h, a), TWINS)
    assert removed.updates[0].dissociate == (("company", "H1"),)
    first_meeting = plan_pair(program(), h, gone, Link(), TWINS)
    assert first_meeting.updates[0].associate == (("firm", Target("F1", primary=True)),)


def test_when_both_sides_moved_an_association_the_default_app_wins() -> None:
    h, a = _with(hub(), **{"@company": "H1"}), _with(app(), **{"@firm": "F1"})
    moved = _with(hub(), **{"@company": "H2"}), _with(app(), **{"@firm": "F3"})
    plan = plan_pair(program(default=Side.HUB), *moved, agreed(h, a), TWINS)
    assert plan.updates[0].side is Side.APP
    assert plan.updates[0].associate == (("firm", Target("F2", primary=True)),)


# --- notes ----------------------------------------------------------------------------------

texts = st.sampled_from([v for v in VALUES[Kind.TEXT] if v and str(v).strip()])


@settings(max_examples=150)
@given(texts, texts, texts)
def test_our_own_write_read_back_is_never_an_edit(before: str, sent: str, source: str) -> None:
    """A crash between write and confirmation: the note says that the value is ours."""
    p = program()
    old = hub(name=source), app(called=before[:5])
    note = {Side.APP: {"name": Sent(sent[:5], source, before[:5])}}
    link = Link({Side.HUB: {"name": "older"}, Side.APP: {"called": before[:5]}}, note)
    arrived = app(called=sent[:5])
    seen = seen_given(link, p.conversions, {Side.HUB: old[0].fields, Side.APP: arrived.fields})
    assert seen is not None
    plan = plan_pair(p, old[0], arrived, link)
    assert not [u for u in plan.updates if u.side is Side.HUB]


def test_an_edit_over_our_noted_write_travels() -> None:
    p = program(default=Side.HUB)
    note = {Side.APP: {"name": Sent("Bea", "Bea", "Ada")}}
    link = Link({Side.HUB: {"name": "Ada"}, Side.APP: {"called": "Ada"}}, note)
    plan = plan_pair(p, hub(name="Bea"), app(called="Cea"), link)
    assert [(u.side, u.values) for u in plan.updates] == [(Side.HUB, {"name": "Cea"})]


def test_a_noted_write_that_never_arrived_is_planned_again() -> None:
    note = {Side.APP: {"name": Sent("Bea", "Bea", "Ada")}}
    link = Link({Side.HUB: {"name": "Ada"}, Side.APP: {"called": "Ada"}}, note)
    plan = plan_pair(program(), hub(name="Bea"), app(called="Ada"), link)
    assert [(u.side, u.values) for u in plan.updates] == [(Side.APP, {"name": "Bea"})]


# --- oscillation ----------------------------------------------------------------------------


def test_two_apps_that_rewrite_each_other_are_frozen_after_the_third_flip() -> None:
    """The app shouts, the hub whispers: each write is answered by the other form (R5)."""
    p = program()
    h, a = hub(name="ada"), app(called="ada")
    link = agreed(h, a)
    plan = PairPlan()
    for rounds in range(20):
        a = app(called=str(h.fields["name"]).upper())
        plan = plan_pair(p, h, a, link)
        if not plan.updates:
            break
        h = hub(name=str(a.fields["called"]).lower())
        writes: dict[Side, dict[str, Value]] = {u.side: dict(u.values) for u in plan.updates}
        writes[Side.APP] = {"name": h.fields["name"]}
        seen = {Side.HUB: h.fields, Side.APP: {"called": h.fields["name"]}}
        link = Link(seen, flips=flips_after(link.flips, writes))
        assert rounds < 2 * FLIPS_TO_FREEZE, "it never freezes"
    assert [d.reason for d in plan.merge.decisions] == [Reason.FROZEN]
    assert plan.outcome.state is State.FAILING
    assert plan.outcome.issues[0].code == "TF-R10"


def test_a_person_who_toggles_a_value_is_never_frozen() -> None:
    flips: dict[str, Flip] = {}
    for value in ("on", "off") * 10:  # each is another write to the same side
        flips = dict(flips_after(flips, {Side.APP: {"name": value}}))
    assert Link(flips=flips).frozen == frozenset()
