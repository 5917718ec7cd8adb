"""Nothing that a stranger to the API sends is answered with a failure of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hub_api.serving import Serving, serving

from twofold.hub.api.operations import OPERATIONS

WORDS = st.sampled_from(
    [
        "id",
        "properties",
        "inputs",
        "email",
        "to",
        "from",
        "types",
        "filterGroups",
        "filters",
        "1",
        "propertyName",
        "operator",
        "value",
        "values",
        "EQ",
        "hs_object_id",
        "lastmodifieddate",
        "after",
        "limit",
        "sorts",
        "idProperty",
        "contacts",
        "companies",
        "0-3",
        "default",
    ]
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS, st.text(max_size=8))
BODIES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
PATHS = sorted({(entry.method, path) for entry in OPERATIONS for path in entry.paths})


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("malformed") / "hub.db") as made:
        yield made


@settings(max_examples=300)
@given(
    operation=st.sampled_from(PATHS),
    part=WORDS | st.text(min_size=1, max_size=6),
    body=BODIES,
    query=st.dictionaries(WORDS, WORDS | st.text(max_size=6), max_size=3),
)
def test_whatever_is_sent_is_answered(
    hub: Serving, operation: tuple[str, str], part: str, body: Any, query: dict[str, str]
) -> None:
    method, path = operation
    for name, value in (("type", "contacts"), ("to", "companies"), ("id", part), ("name", part)):
        path = path.replace("{" + name + "}", quote(value, safe="", errors="replace"))
    path = path.replace("{to_id}", "1").replace("{pipeline}", "default").replace("{stage}", "x")
    asked = "&".join(
        f"{name}={quote(value, safe='', errors='replace')}" for name, value in query.items()
    )
    found = hub(method, f"{path}?{asked}", raw=json.dumps(body).encode())
    assert found.status < 500, found.body


def test_an_address_with_signs_of_urls_is_found(hub: Serving) -> None:
    for email in ("a#b@example.org", "a?b@example.org", "a/b@example.org", "a%41@example.org"):
        made = hub("POST", "/crm/v3/objects/contacts", {"properties": {"email": email}})
        path = f"/crm/v3/objects/contacts/{quote(email, safe='')}?idProperty=email"
        found = hub("GET", path)
        if "/" in email:  # the path is taken apart after decoding, as by most servers
            assert found.status == 404
        else:
            assert found.json["id"] == made.json["id"]


def test_too_many_parameters(hub: Serving) -> None:
    assert hub("GET", "/crm/v3/objects/contacts?" + "a=1&" * 1_500).status == 400
