"""Whatever is sent, the service answers in its own words: never a fault of its own (5xx).

Requests are made from the OpenAPI document, valid and broken ones; the names in their paths are
those of things that exist, so that they reach what is behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest import SkipTest

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from tests.api.client import Client, program
from tests.interfaces.program import Shop

EXISTING = {
    "name": "shop-contacts",
    "label": "shop",
    "object_type": "contact",
    "record_id": "1",
}
ENDLESS = "/api/v1/events"
SHARED = ("/api/v1/tokens/", "/api/v1/users/", "/api/v1/session")
"""What would end the sign-in of these tests themselves."""


def operations(admin: Client) -> Iterator[Any]:
    """What the OpenAPI document describes."""
    document = admin("GET", "/openapi.json").json
    document["paths"] = {
        path: methods
        for path, methods in document["paths"].items()
        if path != ENDLESS and not path.startswith(SHARED)
    }
    made = schemathesis.openapi.from_dict(document)
    found: list[Any] = list(made.get_all_operations())
    return (one.ok() for one in found)


def _tried(strategy: Any, answered: Callable[[Any], None]) -> None:
    few: Any = settings(max_examples=12, suppress_health_check=list(HealthCheck))
    drawn: Any = given(strategy)
    few(drawn(answered))()


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_makes_it_fail(admin: Client, shop: Shop, mode: GenerationMode) -> None:
    token = program(admin, f"malformed {mode.value}", "admin").headers["Authorization"]

    def answered(case: Any) -> None:
        if case.method != "DELETE":
            for name in EXISTING.keys() & case.path_parameters.keys():
                case.path_parameters[name] = EXISTING[name]
        sent = {"Authorization": token}
        answer = case.call(base_url=f"http://{admin.netloc}", headers=sent)
        # 502 and 503 say that an app or a database cannot be used, as the request asked for it.
        assert answer.status_code < 500 or answer.status_code in {502, 503}, answer.text
        assert answer.status_code != 401
        if answer.status_code >= 400:
            assert answer.json()["error"]["advice"]

    count = 0
    for operation in operations(admin):
        try:
            strategy = operation.as_strategy(generation_mode=mode)
            _tried(strategy, answered)
        except (Unsatisfiable, SkipTest):  # nothing can be wrong with a request without parts
            continue
        count += 1
    assert count > 20
