"""The catalog of apps: what each connector is, asks and ships."""

from __future__ import annotations

from msgspec import Struct

from twofold.core.errors import Issue, TwofoldError
from twofold.kit import catalog
from twofold.kit.contract import DefaultMapping, Manifest, Question


class App(Struct, frozen=True):
    """One app of the catalog."""

    name: str
    label: str
    summary: str
    questions: tuple[Question, ...] = ()
    objects: dict[str, str] = {}
    """Hub object type → the app's object type that pairs with it by default."""
    defaults: dict[str, tuple[DefaultMapping, ...]] = {}
    """By hub object type."""
    limits: tuple[str, ...] = ()
    issue: Issue | None = None
    """Why it cannot be used."""


def every() -> list[App]:
    """All apps by name; a broken connector is listed with its issue."""
    return [_listed(name) for name in catalog.names()]


def one(name: str) -> App:
    """One app.

    Raises:
        TwofoldError: TF-A10, there is none of that name; TF-A11, its connector is broken.
    """
    return _app(catalog.load(name).manifest)


def _listed(name: str) -> App:
    try:
        return one(name)
    except TwofoldError as error:
        return App(name, name, error.sentence, issue=error.issue)


def _app(manifest: Manifest) -> App:
    return App(
        manifest.name,
        manifest.label,
        manifest.summary,
        tuple(question for question in manifest.questions if question.asked),
        dict(manifest.objects),
        {hub_type: tuple(pairs) for hub_type, pairs in manifest.defaults.items()},
        _limits(manifest),
    )


def _limits(manifest: Manifest) -> tuple[str, ...]:
    return tuple(
        f"{limit.permits:g} {limit.name} at a time"
        if limit.concurrent
        else f"{limit.permits:g} {limit.name} in {limit.per.total_seconds():g} s"
        for limit in manifest.limits
    )
