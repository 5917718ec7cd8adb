"""Which connectors there are: every installed package can add some, by entry points."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from twofold.core.errors import TwofoldError
from twofold.kit.contract import Connector, Http, Manifest

GROUP = "twofold.connectors"
_CALLS = ("pauses", "verify", "describe", "pull", "get", "push", "close")


class ConnectorClass(Protocol):
    """What an entry point leads to."""

    manifest: Manifest

    def __call__(self, settings: Mapping[str, str], http: Http) -> Connector:
        """Make a connector for one connection."""
        ...


class UnknownConnector(TwofoldError):
    """No installed package offers a connector of that name."""

    def __init__(self, name: str, known: str) -> None:
        super().__init__("TF-A10", name=name, known=known)


class BrokenConnector(TwofoldError):
    """A package offers a connector that cannot be used."""

    def __init__(self, name: str, package: str, reason: str) -> None:
        super().__init__("TF-A11", name=name, package=package, reason=reason)


def names() -> list[str]:
    """The names of all connectors, sorted, without importing any."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def load(name: str) -> ConnectorClass:
    """The connector class of that name.

    Raises:
        UnknownConnector: there is none.
        BrokenConnector: its package fails, or what it offers is not a connector.
    """
    points = tuple(entry_points(group=GROUP, name=name))
    if not points:
        raise UnknownConnector(name, ", ".join(names()))
    if len({point.value for point in points}) > 1:
        packages = ", ".join(sorted(map(_package, points)))
        raise BrokenConnector(name, packages, "several packages use this name")
    return _checked(points[0])


def _checked(point: EntryPoint) -> ConnectorClass:
    try:
        found: ConnectorClass = point.load()
    except Exception as error:  # whatever a foreign package does when it is imported
        reason = f"importing it fails with {type(error).__name__}"
        raise BrokenConnector(point.name, _package(point), reason) from error
    manifest = getattr(found, "manifest", None)
    if not isinstance(manifest, Manifest) or manifest.name != point.name:
        raise BrokenConnector(point.name, _package(point), "it has no manifest of that name")
    missing = [call for call in _CALLS if not callable(getattr(found, call, None))]
    if missing or not callable(found):
        reason = f"it lacks {', '.join(missing) or 'a constructor'}"
        raise BrokenConnector(point.name, _package(point), reason)
    return found


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
