"""What is wrong with a sync is said before it runs, by code; defaults are offers that work."""

from __future__ import annotations

import itertools

import pytest
from msgspec import Struct, structs
from tests.core.fields import field, object_type, rules_of

from twofold.core.convert import conversion
from twofold.core.defaults import default_mappings
from twofold.core.mappings import Brakes, Direction, FieldMapping, Rules
from twofold.core.schema import Field
from twofold.core.validate import check
from twofold.core.values import Kind

TEXT = field(Kind.TEXT)
LOCKED = field(Kind.TEXT, creatable=False, updatable=False)


def codes(rules: Rules, *shipped: tuple[str, str]) -> list[str]:
    return [p.code for p in check(rules, shipped)]


def test_nothing_is_wrong_with_plain_texts() -> None:
    assert codes(rules_of(FieldMapping(TEXT, TEXT))) == []


@pytest.mark.parametrize(
    ("mapping", "code", "says"),
    [
        (FieldMapping(TEXT, field(Kind.TEXT, unmappable="changes its type")), "TF-F06", "its type"),
        (FieldMapping(field(Kind.EMAIL, multi=True), TEXT), "TF-F07", "hub holds several"),
        (FieldMapping(TEXT, field(Kind.EMAIL, labeled=True)), "TF-F07", "app holds several"),
        (FieldMapping(field(Kind.CHOICE), field(Kind.DATE)), "TF-F04", "its own options"),
        (FieldMapping(TEXT, field(Kind.CHOICE, multi=True)), "TF-F07", "app holds several"),
        (FieldMapping(LOCKED, LOCKED), "TF-F05", "only be read"),
        (FieldMapping(LOCKED, TEXT, Direction.TO_HUB), "TF-F10", "f of the hub can only be read"),
        (FieldMapping(TEXT, field(Kind.INT), Direction.TO_APP), "TF-F10", "not every text"),
        (FieldMapping(LOCKED, TEXT), "TF-F09", "only to the app: f of the hub can only be read"),
    ],
)
def test_a_mapping_that_cannot_work_says_why(mapping: FieldMapping, code: str, says: str) -> None:
    (problem,) = check(rules_of(mapping))
    assert problem.code == code
    assert says in problem.sentence
    assert problem.advice
    assert problem.mapping == "f"
    assert problem.warning == (code == "TF-F09")


@pytest.mark.parametrize("share", [-0.1, 1.5, float("inf"), float("nan")])
def test_a_brake_is_a_share(share: float) -> None:
    asked = structs.replace(rules_of(FieldMapping(TEXT, TEXT)), brakes=Brakes(changes=share))
    assert codes(asked) == ["TF-B22"]
    assert codes(structs.replace(asked, brakes=Brakes(0.0, 1.0, 1.0))) == []


def test_default_mappings_may_use_labeled_and_several_values() -> None:
    emails = field(Kind.EMAIL, multi=True, labeled=True)
    assert codes(rules_of(FieldMapping(emails, emails)), ("f", "f")) == []
    assert codes(rules_of(FieldMapping(emails, emails)), ("f", "g")) == ["TF-F07", "TF-F07"]


def test_several_choices_pair_with_choices_and_go_to_an_app_s_text() -> None:
    several = field(Kind.CHOICE, multi=True)
    assert codes(rules_of(FieldMapping(several, several))) == []
    assert codes(rules_of(FieldMapping(several, TEXT, Direction.TO_APP))) == []


def test_unknown_fields() -> None:
    rules = Rules(object_type(TEXT), object_type(), (FieldMapping(TEXT, TEXT),))
    (problem,) = check(rules)
    assert (problem.code, problem.sentence) == ("TF-F01", "Contact has no field f.")


def test_a_field_is_mapped_once_per_side() -> None:
    one, two = field(Kind.TEXT, "one"), field(Kind.TEXT, "two")
    rules = rules_of(FieldMapping(one, one), FieldMapping(two, one))
    (problem,) = check(rules)
    assert problem.code == "TF-F03"
    assert problem.sentence.startswith("one of the app is mapped 2 times")


@pytest.mark.parametrize(
    ("sync", "mapping", "problems"),
    [
        (Direction.TO_APP, Direction.TO_HUB, ["TF-F15"]),
        (Direction.TO_APP, Direction.TO_APP, []),
        (Direction.TO_APP, Direction.BOTH, ["TF-F09"]),
        (Direction.BOTH, Direction.TO_HUB, []),
    ],
)
def test_a_direction_is_never_wider_than_the_sync_s(
    sync: Direction, mapping: Direction, problems: list[str]
) -> None:
    rules = rules_of(FieldMapping(TEXT, TEXT, mapping), direction=sync)
    assert codes(rules) == problems
    assert codes(rules, ("f", "f")) == [c for c in problems if c != "TF-F09"]
    narrow = mapping.narrowed(sync) is mapping
    assert [p.code for p in check(rules, told={"f"})] == ([] if narrow else ["TF-F15"])


def test_fields_that_cannot_go_the_sync_s_way_are_to_blame_before_a_direction() -> None:
    mapping = FieldMapping(LOCKED, TEXT, Direction.TO_APP)
    rules = rules_of(mapping, direction=Direction.TO_HUB)
    assert [p.code for p in check(rules, told={"f"})] == ["TF-F10"]


@pytest.mark.parametrize("sync", list(Direction))
@pytest.mark.parametrize("asked", list(Direction))
def test_a_required_field_needs_a_mapping_that_reaches_it(
    sync: Direction, asked: Direction
) -> None:
    needed = field(Kind.TEXT, "needed", required=True)
    rules = rules_of(FieldMapping(TEXT, needed, asked), direction=sync)
    reached = sync.narrowed(asked) in {Direction.BOTH, Direction.TO_APP}
    assert ("TF-F08" in codes(rules)) == (sync is not Direction.TO_HUB and not reached)


def test_a_sync_that_asks_for_emails_needs_an_email_field_where_it_sends() -> None:
    email = field(Kind.EMAIL, "email")
    mapped = rules_of(FieldMapping(email, email), require_email=True)
    assert codes(mapped) == []
    one_way = rules_of(FieldMapping(TEXT, TEXT), require_email=True, direction=Direction.TO_APP)
    problems = check(one_way, {("f", "f")})
    assert [p.code for p in problems] == ["TF-F13"]
    assert "the hub has no e-mail field" in problems[0].sentence


@pytest.mark.parametrize("timezone", ["", "Europe", "Nowhere/Else", "../etc", "a\0b", "x" * 400])
def test_unknown_time_zones(timezone: str) -> None:
    assert codes(Rules(object_type(), object_type(), (), timezone=timezone)) == ["TF-F11"]


def test_unknown_countries() -> None:
    assert codes(Rules(object_type(), object_type(), (), region="XX")) == ["TF-F12"]
    assert codes(Rules(object_type(), object_type(), (), region="NL")) == []


KINDS = [field(k, f"{k}{m}", multi=m) for k in Kind for m in (False, True)]


@pytest.mark.parametrize(("hub", "app"), list(itertools.product(KINDS, KINDS)))
def test_every_pair_travels_or_has_its_problem(hub: Field, app: Field) -> None:
    """F6b: nothing is dropped silently, and nothing that works is refused."""
    rules = rules_of(FieldMapping(hub, app))
    problems = check(rules, {(hub.name, app.name)})
    travels = conversion(rules.mappings[0], Direction.BOTH, "UTC", "").direction is not None
    assert travels == (not problems)
    assert all(p.code == "TF-F04" for p in problems)


# --- default mappings -------------------------------------------------------------------------


class Shipped(Struct, frozen=True):
    hub_field: str
    app_field: str
    to_hub: bool = True
    to_app: bool = True


def test_defaults_skip_what_cannot_be_and_narrow_what_can() -> None:
    hub = object_type(
        field(Kind.TEXT, "name"),
        field(Kind.DATETIME, "created", creatable=False, updatable=False),
        field(Kind.TEXT, "size"),
        field(Kind.CHOICE, "stage"),
        field(Kind.TEXT, "note"),
    )
    app = object_type(
        field(Kind.TEXT, "Name"),
        field(Kind.DATETIME, "Created"),
        field(Kind.INT, "Size"),
        field(Kind.DATE, "Stage"),
        field(Kind.TEXT, "Note"),
    )
    defaults = [
        Shipped("name", "Name"),
        Shipped("name", "Note"),
        Shipped("created", "Created"),
        Shipped("size", "Size"),
        Shipped("stage", "Stage"),
        Shipped("nothing", "Name"),
        Shipped("note", "Nothing"),
        Shipped("note", "Note", to_hub=False),
    ]
    mappings = default_mappings(defaults, hub, app)
    assert [(m.hub.name, m.app.name, m.direction) for m in mappings] == [
        ("name", "Name", Direction.BOTH),
        ("created", "Created", Direction.TO_APP),
        ("size", "Size", Direction.TO_HUB),
        ("note", "Note", Direction.TO_APP),
    ]
    assert check(Rules(hub, app, mappings), {(m.hub.name, m.app.name) for m in mappings}) == []


def test_defaults_that_go_nowhere_are_none() -> None:
    one = object_type(TEXT)
    assert default_mappings([Shipped("f", "f", to_hub=False, to_app=False)], one, one) == ()
    hub_only = default_mappings([Shipped("f", "f", to_app=False)], one, one)
    assert [m.direction for m in hub_only] == [Direction.TO_HUB]
