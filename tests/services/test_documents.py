"""A sync as a document: what is written is read back as it was, and nothing else is understood."""

from __future__ import annotations

import functools
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import fields
from tests.core.configured import APP, HUB, TEXTS, rules

from twofold.core.mappings import AssociationMapping, FieldMapping, Rules
from twofold.kit.contract import Manifest
from twofold.kit.yaml_text import MOST_BYTES, Located, Node, Unreadable, node_of, read, write
from twofold.services.applying import rules_of
from twofold.services.documents import document_of, schema, understood
from twofold.services.proposals import Ground

GROUND = Ground(HUB, APP, Manifest("memory", "Memory", ""))
LEAST = "twofold: 1\nname: n\nconnection: c\nhub: contact\napp: '5'\n"


@functools.cache
def validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def only(text: str) -> Node:
    (node,) = read(text.encode())
    return node


def problems(text: str) -> list[tuple[int, str]]:
    """(line, code) of all that is wrong with a text."""
    try:
        nodes = read(text.encode("utf-8", "surrogatepass"))
    except Unreadable as error:
        return [(error.problem.line, error.problem.code)]
    return [(p.line, p.code) for node in nodes for p in understood(node).problems]


# --- there and back -------------------------------------------------------------------------------


@given(rules, TEXTS, TEXTS, st.booleans())
def test_written_and_read_back_is_the_same(
    before: Rules, name: str, connection: str, enabled: bool
) -> None:
    plain = document_of(name, connection, before, enabled)
    document = understood(only(write([plain])))
    assert understood(node_of(plain)).values == document.values
    assert document.problems == ()
    found: list[Located] = []
    assert rules_of(document, GROUND, found) == before
    assert found == []
    kept = (document.values["name"], document.values["connection"], document.values["enabled"])
    assert kept == (name, connection, enabled)


@given(rules)
def test_the_schema_admits_what_is_written(before: Rules) -> None:
    plain = document_of("n", "c", before, True)
    validator().validate(only(write([plain])).plain())


@given(rules)
def test_what_is_as_usual_is_not_written(before: Rules) -> None:
    plain = document_of("n", "c", before, True)
    usual = {f.name: f.default for f in fields(Rules)}
    for name, value in usual.items():
        if name in plain and name not in {"hub", "app", "mappings", "associations"}:
            assert getattr(before, name) != value


def test_every_setting_has_a_key() -> None:
    keys = schema()["$defs"]
    for of, name, but in (
        (Rules, "SyncDocument", set()),
        (FieldMapping, "MappingDocument", set()),
        (AssociationMapping, "AssociationDocument", {"hub_target", "app_target"}),
    ):
        assert {f.name for f in fields(of)} - but <= set(keys[name]["properties"])


plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(plain_values)
def test_any_data_comes_back(data: Any) -> None:
    if isinstance(data, dict | list | str):
        assert only(write([data])).plain() == data


# --- bad input ------------------------------------------------------------------------------------


@given(st.text() | st.text(alphabet="-:?[]{},&*!|>'\"%@` \n\ta1~#<"))
@example("a: &x [*x]\n")
@example("!!python/object/apply:os.system ['true']")
@example("%YAML 99999999999999999999.1\n---\na\n")
@example("? [a]\n: b\n")
@example('"\\ud800"')
@example("a: " + "9" * 5000)
@example("\x00")
@example("{" * 5000)
def test_no_text_is_a_traceback(text: str) -> None:
    for _, code in problems(text):
        assert code.startswith("TF-Y")


keys = st.sampled_from(sorted(schema()["$defs"]["SyncDocument"]["properties"])) | TEXTS


@given(st.dictionaries(keys, plain_values, max_size=8))
def test_no_structure_is_a_traceback_and_the_schema_agrees(data: dict[str, Any]) -> None:
    found = understood(only(write([data]))).problems
    assert all(problem.line > 0 for problem in found)
    assert bool(found) is not validator().is_valid(data), found


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(Unreadable) as refusal:
        read(b"a: b\nc: \xff\n")
    assert (refusal.value.problem.line, refusal.value.problem.code) == (2, "TF-Y01")


def test_bombs() -> None:
    laughs = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*a, *a]\n" for n in "bcdefgh")
    assert problems(laughs) == [(1, "TF-Y03")]
    assert problems("a: " + "[" * 100) == [(1, "TF-Y04")]
    assert problems("- a\n" * 150_000) == [(100_000, "TF-Y04")]
    assert problems("#" * (MOST_BYTES + 1)) == [(0, "TF-Y04")]


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ("region: NL\nregion: NL\n", [(7, "TF-Y02")]),
        ("mappings:\n  - {hub: a, hub: b, app: c}\n", [(7, "TF-Y02")]),
        ("regionn: NL\n", [(6, "TF-Y05")]),
        ("mappings:\n  - {hub: a, app: b, way: both}\n", [(7, "TF-Y05")]),
        ("matching:\n  rules: [[a]]\n  more: 1\n", [(8, "TF-Y05")]),
        ("direction: sideways\n", [(6, "TF-Y06")]),
        ("require_email: yes\n", [(6, "TF-Y06")]),
        ("mappings:\n  - hub: a\n    app: 5\n", [(8, "TF-Y06")]),
        ("mappings: 5\n", [(6, "TF-Y06")]),
        ("mappings:\n  - hub: a\n  - app: b\n", [(7, "TF-Y07"), (8, "TF-Y07")]),
        ("region: 5\ntimezone: [a]\nbogus: 1\n", [(6, "TF-Y06"), (7, "TF-Y06"), (8, "TF-Y05")]),
        ("region: &a NL\n", [(6, "TF-Y03")]),
        ("region: !!str NL\n", [(6, "TF-Y03")]),
        ("region: [NL\n", [(7, "TF-Y01")]),
        ("<<: {region: NL}\n", [(6, "TF-Y05")]),
    ],
)
def test_what_is_wrong_is_told_by_line(more: str, found: list[tuple[int, str]]) -> None:
    assert problems(LEAST + more) == found


def test_what_is_no_sync() -> None:
    assert problems("- a\n") == [(1, "TF-Y06")]
    assert problems("hello\n") == [(1, "TF-Y06")]
    assert problems("twofold: 2\nname: n\nconnection: c\nhub: h\napp: a\n") == [(1, "TF-Y06")]
    assert [code for _, code in problems("{}\n")] == ["TF-Y07"] * 5


def test_a_country_is_no_boolean() -> None:
    assert only("region: NO\non: off\n").plain() == {"region": "NO", "on": "off"}


def test_the_schema_is_plain_json() -> None:
    assert json.loads(json.dumps(schema())) == schema()
