"""The suite as a whole: which of its tests a connector's test class gets, and the list of them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from twofold.kit.conformance.capabilities import lacking
from twofold.kit.conformance.changes import ChangesTests
from twofold.kit.conformance.reading import (
    DescribingTests,
    DigestTests,
    GettingTests,
    ListingTests,
)
from twofold.kit.conformance.relating import AssociationTests
from twofold.kit.conformance.subject import defined_hooks
from twofold.kit.conformance.values import RefusalTests, RoundTripTests
from twofold.kit.conformance.writing import CreatingTests, UpdatingTests, VanishedTests


class ConnectorConformance(
    DescribingTests,
    ListingTests,
    GettingTests,
    DigestTests,
    ChangesTests,
    CreatingTests,
    UpdatingTests,
    VanishedTests,
    RoundTripTests,
    RefusalTests,
    AssociationTests,
):
    """The promises of a connector, as tests that a connector's test class inherits."""

    pytestmark = pytest.mark.asyncio
    conformance_tests: ClassVar[tuple[str, ...]] = ()
    """The tests that this class's capabilities call for."""
    not_called_for: ClassVar[dict[str, str]] = {}
    """The other tests, each with the reason."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Keep exactly the tests that the declared capabilities call for.

        Raises:
            TypeError: a test of the suite is overridden.
        """
        super().__init_subclass__(**options)
        overridden = sorted(SUITE.keys() & cls.__dict__.keys())
        if overridden:
            raise TypeError(f"{cls.__name__} overrides {', '.join(overridden)}: declare instead")
        hooks = defined_hooks(cls)
        reasons = {name: lacking(name, cls.declares, hooks) for name in SUITE}
        for name, reason in reasons.items():
            setattr(cls, name, None if reason else SUITE[name])
        cls.conformance_tests = tuple(name for name, reason in reasons.items() if not reason)
        cls.not_called_for = {name: reason for name, reason in reasons.items() if reason}

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def list_of_tests(cls, request: pytest.FixtureRequest) -> Iterator[None]:
        """Print which tests the connector is put to, and which ones not and why."""
        yield
        plugins = request.config.pluginmanager
        reporter, capture = map(plugins.get_plugin, ("terminalreporter", "capturemanager"))
        if reporter is not None and capture is not None:
            with capture.global_and_fixture_disabled():
                reporter.write(_listing(cls))


def _listing(case: type[ConnectorConformance]) -> str:
    ran, left_out = case.conformance_tests, case.not_called_for
    lines = [f"{case.__name__}: {len(ran)} conformance tests called for"]
    lines += textwrap.wrap(", ".join(map(_words, ran)), 98)
    lines += [f"{len(left_out)} not called for"]
    lines += [f"  {_words(name)}: {reason}" for name, reason in left_out.items()]
    return "\n" + "\n".join(lines) + "\n"


def _words(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


def _tests() -> dict[str, Any]:
    """The suite's tests by name, in the order of its parts."""
    parts = [part for part in reversed(ConnectorConformance.__mro__) if part is not object]
    found = {n: t for part in parts for n, t in part.__dict__.items() if n.startswith("test_")}
    return dict(sorted(found.items()))


SUITE: dict[str, Any] = _tests()
"""Every test of the suite by name."""
