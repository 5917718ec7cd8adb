"""Mappings of a sync: listed with what holds them back, added, told, turned off and on, removed.

Each edit is one of the sync's own document, judged and counted like any other edit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.core.mapping_check import check_mapping
from twofold.core.mappings import Direction, FieldMapping, Rules
from twofold.core.parts import plain_name
from twofold.core.records import Side
from twofold.core.suggestions import Suggestion, suggest, unmapped
from twofold.core.type_matrix import travels
from twofold.core.values import Value
from twofold.kit import catalog
from twofold.kit.contract import Connector
from twofold.services.applying import Change, document, reworded
from twofold.services.edits import Effect, effect, save
from twofold.services.installation import Installation
from twofold.services.sampling import sampled

Entry = dict[str, Any]
"""One mapping as the sync's document writes it."""
Edit = Callable[[list[Entry]], list[Entry]]

MOST_SAMPLED = 500
"""Records of each side that a suggestion looks at."""


class Line(Struct, frozen=True):
    """One mapping, and what it comes to."""

    mapping: FieldMapping
    left: Direction | None
    """The way that is open; None = none."""
    default: bool
    """The connector brought it."""
    reasons: tuple[str, ...]
    """What narrows it, in words."""


def lines(here: Installation, name: str) -> list[Line]:
    """The mappings of a sync: the connector's own first (F1). Raises TwofoldError (TF-U06)."""
    sync = here.sync(name)
    rules = sync.rules
    app = here.state.syncs.connection(sync.connection).app
    pairs = catalog.load(app).manifest.defaults.get(rules.hub.name, ())
    shipped = frozenset((pair.hub_field, pair.app_field) for pair in pairs)
    found = [
        Line(
            mapping,
            travels(mapping, rules.direction),
            (mapping.hub.name, mapping.app.name) in shipped,
            tuple(error.sentence for error in check_mapping(rules, mapping, shipped)),
        )
        for mapping in rules.mappings
    ]
    return sorted(found, key=lambda line: not line.default)


async def edited(here: Installation, name: str, edit: Edit) -> Change:
    """What an edit of the mappings of a sync asks for, checked; nothing is saved.

    Raises:
        Refused: TF-U07, with all problems of the new rules.
        TwofoldError: TF-U06, there is no such sync; what the edit raises.
        ConnectorError: an app cannot be asked.
    """
    found = document(here, here.sync(name))
    found["mappings"] = edit(list(found.get("mappings", [])))
    (change,) = await reworded(here, found, name)
    return change


def counted(here: Installation, change: Change, seeds: Mapping[str, Side]) -> Effect:
    """What an edit would mean to the records of its sync; nothing is written."""
    assert change.old is not None
    return effect(here, change.old, change.rules, _named(change, seeds))


def saved(here: Installation, change: Change, seeds: Mapping[str, Side]) -> Effect:
    """Save an edit. Raises TwofoldError (TF-E01) where the sync was edited meanwhile."""
    assert change.old is not None
    named = _named(change, seeds)
    return save(here, change.old, change.rules, enabled=change.enabled, seeds=named)


def _named(change: Change, seeds: Mapping[str, Side]) -> dict[str, Side]:
    """By the names of mappings, as the core knows them."""
    names = {plain_name(mapping.name): mapping.name for mapping in change.rules.mappings}
    return {names[name]: side for name, side in seeds.items() if name in names}


# --- edits ------------------------------------------------------------------------------------


def adding(hub_field: str, app_field: str, settings: Entry) -> Edit:
    """Map two fields, in place of a mapping that uses either of them."""

    def edit(entries: list[Entry]) -> list[Entry]:
        kept = [e for e in entries if e["hub"] != hub_field and e["app"] != app_field]
        return [*kept, {"hub": hub_field, "app": app_field, **settings}]

    return edit


def telling(hub_field: str, settings: Entry) -> Edit:
    """Change settings of a mapping; the edit raises TwofoldError (TF-U23) where there is none."""

    def edit(entries: list[Entry]) -> list[Entry]:
        found = _the(entries, hub_field)
        return [{**e, **settings} if e is found else e for e in entries]

    return edit


def removing(hub_field: str) -> Edit:
    """Map a field no longer; the edit raises TwofoldError (TF-U23) where it is not mapped."""

    def edit(entries: list[Entry]) -> list[Entry]:
        found = _the(entries, hub_field)
        return [e for e in entries if e is not found]

    return edit


def _the(entries: Sequence[Entry], hub_field: str) -> Entry:
    for entry in entries:
        if entry["hub"] == hub_field:
            return entry
    raise TwofoldError("TF-U23", field=hub_field)


# --- suggestions ------------------------------------------------------------------------------


async def suggestions(here: Installation, name: str) -> list[Suggestion]:
    """Mappings that a sync may lack, the surest first (F16). Some records are read, none kept.

    Raises:
        TwofoldError: TF-U06, there is no such sync.
        ConnectorError: an app cannot be asked.
    """
    sync = here.sync(name)
    return await suggested(here, sync.connection, sync.rules)


async def suggested(here: Installation, connection: int, rules: Rules) -> list[Suggestion]:
    """Mappings that rules may lack; as ``suggestions``, of a sync that need not be saved yet."""
    samples: dict[Side, dict[str, list[Value]]] = {}
    async with here.between(connection) as connectors:
        for side in Side:
            samples[side] = await _sampled(connectors[side], rules, side)
    return suggest(rules, samples)


async def _sampled(connector: Connector, rules: Rules, side: Side) -> dict[str, list[Value]]:
    names = [field.name for field in unmapped(rules, side)]
    if not names:
        return {}
    found = await sampled(connector, rules.type_of(side).name, names, MOST_SAMPLED)
    return {name: [record.fields.get(name) for record in found.records] for name in names}
