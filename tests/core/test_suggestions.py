"""Suggestions: what they are made of, and that they never offer what cannot be (F16)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.core.fields import anything, field, object_type

from twofold.core.mapping_check import check_mapping
from twofold.core.mappings import Direction, FieldMapping, Rules
from twofold.core.records import Side
from twofold.core.suggestions import suggest, unmapped
from twofold.core.values import Kind, Value

NOTHING: dict[Side, dict[str, list[Value]]] = {Side.HUB: {}, Side.APP: {}}


def rules(
    hub: dict[str, Kind], app: dict[str, Kind], direction: Direction = Direction.BOTH
) -> Rules:
    ours, theirs = ([field(kind, name) for name, kind in fields.items()] for fields in (hub, app))
    return Rules(object_type(*ours), object_type(*theirs, label="Customer"), (), direction)


def test_names_that_mean_the_same_are_suggested_and_the_surest_come_first() -> None:
    made = rules(
        {"jobtitle": Kind.TEXT, "zip": Kind.TEXT, "firstname": Kind.TEXT, "odd": Kind.TEXT},
        {"First_Name": Kind.TEXT, "Postcode": Kind.TEXT, "Function": Kind.TEXT, "Z9": Kind.TEXT},
    )
    found = suggest(made, NOTHING)
    assert [(s.hub, s.app) for s in found] == [
        ("firstname", "First_Name"),
        ("jobtitle", "Function"),
        ("zip", "Postcode"),
    ]
    assert found[0].confidence > found[1].confidence >= 0.5
    assert all(s.reasons for s in found)


def test_values_tell_what_names_do_not() -> None:
    made = rules({"city": Kind.TEXT}, {"F17": Kind.TEXT, "F18": Kind.TEXT})
    cities: list[Value] = [f"City {n}" for n in range(20)]
    samples: dict[Side, dict[str, list[Value]]] = {
        Side.HUB: {"city": cities},
        Side.APP: {"F17": [c.upper() for c in map(str, cities)], "F18": list(reversed(cities))},
    }
    (one,) = suggest(made, samples)
    assert (one.hub, one.app) == ("city", "F18")
    assert "100 % of the sampled values" in one.reasons[0]


def test_fields_that_are_mapped_are_not_suggested() -> None:
    made = rules({"city": Kind.TEXT}, {"city": Kind.TEXT})
    mapping = FieldMapping(made.hub.fields[0], made.app.fields[0])
    assert suggest(made, NOTHING)
    mapped = Rules(made.hub, made.app, (mapping,))
    assert suggest(mapped, NOTHING) == []
    assert unmapped(mapped, Side.HUB) == []


names = st.sampled_from(["city", "town", "email", "Mail", "a", "Firstname", "x y", "é", "_"])
kinds = st.sampled_from(Kind)
columns = st.dictionaries(names, kinds, max_size=4)


@given(columns, columns, st.sampled_from(Direction), st.data())
def test_what_is_suggested_works_once_each_and_has_a_confidence(
    hub: dict[str, Kind], app: dict[str, Kind], direction: Direction, data: st.DataObject
) -> None:
    made = rules(hub, app, direction)
    values = st.lists(anything, max_size=6)
    samples = {
        Side.HUB: {name: data.draw(values) for name in hub},
        Side.APP: {name: data.draw(values) for name in app},
    }
    found = suggest(made, samples, least=0.0)
    assert len({s.hub for s in found}) == len({s.app for s in found}) == len(found)
    for one in found:
        assert 0 <= one.confidence <= 1
        ends = made.hub.field(one.hub), made.app.field(one.app)
        assert ends[0] is not None
        assert ends[1] is not None
        problems = [e.code for e in check_mapping(made, FieldMapping(ends[0], ends[1]), ())]
        assert set(problems) <= {"TF-F09"}
