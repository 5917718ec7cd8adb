"""Set-ups under way: a sync's document that a person changes step by step, and saves at the end.

A draft keeps what both sides declared when it was begun, so that no step needs to ask an app. When
it is saved, it is resolved anew, as every document is, and refused for the same reasons.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs

from twofold.core.errors import TwofoldError
from twofold.core.mappings import AssociationMapping, FieldMapping, Rules
from twofold.core.parts import plain_name
from twofold.core.records import Side
from twofold.core.schema import ObjectType
from twofold.core.validate import Problem
from twofold.kit import catalog
from twofold.kit.yaml_text import node_of
from twofold.services.applying import Change, applied, document, reworded, rules_of, told
from twofold.services.documents import document_of, understood
from twofold.services.edits import Effect, effect, save
from twofold.services.installation import Installation
from twofold.services.previews import Line, Planned, plan
from twofold.services.proposals import Ground, Request, propose
from twofold.services.runs import Options
from twofold.services.staged import beside, stage_problems
from twofold.services.syncs import free_name, ground_of, judged, refuse_name, refuse_twin

KEPT = 30 * 86_400.0
"""Seconds for which a draft that nobody touches is kept."""

Document = dict[str, Any]


class Draft(Struct, frozen=True):
    """A set-up under way."""

    id: str
    connection: str
    """Its label."""
    app: str
    """The connector's name."""
    document: Document
    hub: ObjectType
    """As the hub declared it when the draft was begun."""
    theirs: ObjectType
    """As the app declared it."""
    paired: tuple[tuple[str, str], ...] = ()
    """As in `Ground`."""
    base: Document | None = None
    """Of an edit: the sync's document when the draft was begun."""
    seeds: Mapping[str, Side] = msgspec.field(default_factory=dict)
    """Of an edit: by plain mapping name, the side that a new mapping begins with (F15)."""

    @property
    def name(self) -> str:
        """The name of its sync."""
        return str(self.document["name"])

    @property
    def new(self) -> bool:
        """Whether it makes a sync, and edits none."""
        return self.base is None

    @property
    def changed(self) -> bool:
        """Whether saving it would change anything."""
        return self.document != self.base

    @property
    def mappings(self) -> list[Document]:
        """The mappings as the document writes them."""
        return list(self.document.get("mappings", ()))

    @property
    def associations(self) -> list[AssociationMapping]:
        """What associations could be mapped: those whose far ends are paired."""
        pairs = {*self.paired, *catalog.load(self.app).manifest.objects.items()}
        return [
            AssociationMapping(ours.name, far.name, ours.target, far.target)
            for ours in self.hub.associations
            for far in self.theirs.associations
            if (ours.target, far.target) in pairs
        ]

    @property
    def ground(self) -> Ground:
        """What both sides declared."""
        return Ground(self.hub, self.theirs, catalog.load(self.app).manifest, self.paired)


class Judged(Struct, frozen=True):
    """The rules of a draft, and all that is wrong with them."""

    rules: Rules
    problems: tuple[Problem, ...]
    shipped: frozenset[tuple[str, str]]
    """The connector's own mappings: (hub field, app field)."""

    @property
    def sound(self) -> bool:
        """Whether it could be saved."""
        return all(problem.warning for problem in self.problems)

    def of(self, mapping: str) -> list[Problem]:
        """The problems of one mapping, by its plain name."""
        return [p for p in self.problems if plain_name(p.mapping) == mapping]

    def default(self, mapping: FieldMapping) -> bool:
        """Whether the connector brought a mapping."""
        return (mapping.hub.name, mapping.app.name) in self.shipped


class Offer(Struct, frozen=True):
    """Two object types that could sync with each other."""

    hub: str
    app: str
    app_label: str
    taken: str
    """The sync that pairs them already; empty = none."""


class Offers(Struct, frozen=True):
    """What a sync of a connection could be made of."""

    pairs: tuple[Offer, ...]
    """The connector's own pairs, and those that sync already, in the order of the hub's types."""
    hub_types: tuple[tuple[str, str], ...]
    """(name, label) of all object types of the hub."""
    app_types: tuple[tuple[str, str], ...]


async def offers(here: Installation, label: str) -> Offers:
    """What can be chosen for a new sync of a connection.

    Raises:
        TwofoldError: TF-U05, there is no such connection.
        ConnectorError: an app cannot be asked.
    """
    connection = here.connection(label)
    async with here.between(connection.id) as both:
        ours, theirs = [await both[side].describe() for side in Side]
    labels = {declared.name: declared.label for declared in theirs}
    known = {
        (sync.rules.hub.name, sync.rules.app.name): sync.name
        for sync in here.state.syncs.all()
        if sync.connection == connection.id
    }
    shipped = catalog.load(connection.app).manifest.objects
    found = dict.fromkeys([*shipped.items(), *known])
    pairs = tuple(
        Offer(hub, app, labels[app], known.get((hub, app), ""))
        for declared in ours
        for hub, app in found
        if hub == declared.name and app in labels
    )
    return Offers(pairs, _named(ours), _named(theirs))


def _named(types: Sequence[ObjectType]) -> tuple[tuple[str, str], ...]:
    return tuple((declared.name, declared.label) for declared in types)


async def begun(here: Installation, label: str, hub_type: str, app_type: str = "") -> Draft:
    """Begin the set-up of a new sync with what the connector proposes.

    Raises:
        TwofoldError: what is named does not exist, or such a sync exists already.
        ConnectorError: an app cannot be asked.
    """
    connection = here.connection(label)
    ground = await ground_of(here, connection, hub_type, app_type)
    refuse_twin(here, connection, ground)
    rules = propose(Request(label, hub_type, ground.app.name), ground)
    name = free_name(here, f"{label}-{ground.hub.label.lower()}")
    made = document_of(name, label, rules, enabled=False)
    return _kept(here, _draft(label, connection.app, made, ground))


async def begun_edit(here: Installation, name: str) -> Draft:
    """Begin an edit of a sync, or go on with one; what is in force changes when it is saved.

    Raises:
        TwofoldError: TF-U06, there is no such sync; an object type of it is gone.
        ConnectorError: an app cannot be asked.
    """
    sync = here.sync(name)
    connection = here.state.syncs.connection(sync.connection)
    made = document(here, sync)
    for body in here.state.drafts.all():
        known = msgspec.json.decode(body, type=Draft)
        if known.base == made:
            return known
    ground = await ground_of(here, connection, sync.rules.hub.name, sync.rules.app.name)
    draft = _draft(connection.label, connection.app, made, ground)
    return _kept(here, structs.replace(draft, base=made))


def opened(here: Installation, draft_id: str) -> Draft:
    """A draft by its id. Raises TwofoldError (TF-W50) where there is none."""
    found = here.state.drafts.get(draft_id)
    if found is None:
        raise TwofoldError("TF-W50")
    return msgspec.json.decode(found, type=Draft)


def under_way(here: Installation, label: str) -> list[Draft]:
    """The new syncs of a connection that somebody has begun to set up, the latest first."""
    found = (msgspec.json.decode(body, type=Draft) for body in here.state.drafts.all())
    return [draft for draft in found if draft.connection == label and draft.new]


def discard(here: Installation, draft: Draft) -> None:
    """Forget a draft."""
    here.state.drafts.remove(draft.id)


def told_anew(here: Installation, draft: Draft, settings: Document) -> Draft:
    """Set top-level keys of the document; None takes one away, so that it is as usual."""
    merged = {**draft.document, **settings}
    changed = {key: value for key, value in merged.items() if value is not None}
    return _kept(here, structs.replace(draft, document=changed))


def remapped(
    here: Installation,
    draft: Draft,
    mappings: Sequence[Document],
    seeds: Mapping[str, Side] | None = None,
) -> Draft:
    """Set the mappings, and the sides that new ones begin with."""
    names = {entry["hub"] for entry in mappings}
    merged = {**draft.seeds, **(seeds or {})}
    kept = {name: side for name, side in merged.items() if name in names}
    changed = {**draft.document, "mappings": list(mappings)}
    return _kept(here, structs.replace(draft, document=changed, seeds=kept))


def judge(here: Installation, draft: Draft) -> Judged:
    """The rules that a draft comes to, as far as they can be made out; no app is asked."""
    ground = draft.ground
    read = understood(node_of(draft.document))
    problems: list[Problem] = list(read.problems)
    located = list(read.problems)
    rules = rules_of(read, ground, located)
    problems += located[len(read.problems) :]
    try:
        refuse_name(draft.name)
    except TwofoldError as error:
        problems.append(Problem(error.code, error.sentence))
    problems += judged(rules, ground, told(read))
    enabled = bool(draft.document.get("enabled"))
    others = beside(here, here.connection(draft.connection).id, rules)
    problems += stage_problems(rules, enabled, others)
    pairs = ground.manifest.defaults.get(rules.hub.name, ())
    shipped = frozenset((pair.hub_field, pair.app_field) for pair in pairs)
    return Judged(rules, tuple(problems), shipped)


async def resolved(here: Installation, draft: Draft, *, enabled: bool | None = None) -> Change:
    """A draft against what both sides declare now, checked; nothing is saved.

    Raises:
        Refused: TF-U07, with all problems.
        TwofoldError: TF-E01, the sync was edited since the draft was begun; TF-U06, it is gone.
        ConnectorError: an app cannot be asked.
    """
    whole = draft.document if enabled is None else {**draft.document, "enabled": enabled}
    if draft.base is not None and document(here, here.sync(draft.name)) != draft.base:
        raise TwofoldError("TF-E01", name=draft.name)
    (change,) = await reworded(here, whole, draft.name)
    return change


def effect_of(here: Installation, draft: Draft, rules: Rules) -> Effect | None:
    """What an edit would mean to the records of its sync; None for a new one."""
    if draft.base is None:
        return None
    return effect(here, here.sync(draft.name), rules, seeds_of(draft, rules))


def saved(here: Installation, draft: Draft, change: Change) -> None:
    """Save what a draft came to, and forget the draft.

    Raises:
        TwofoldError: TF-E01, the sync was edited meanwhile.
    """
    store(here, draft, change)
    discard(here, draft)


def store(here: Installation, draft: Draft, change: Change) -> None:
    """Make or edit the sync of a draft; the draft stays. Raises as ``saved`` does."""
    if change.old is None:
        applied(here, [change])
    else:
        seeds = seeds_of(draft, change.rules)
        save(here, change.old, change.rules, enabled=change.enabled, seeds=seeds)


async def previewed(here: Installation, draft: Draft, most: int) -> tuple[Planned, list[Line]]:
    """What a run of the draft would do, and its first parts; no app is written to.

    Raises:
        Refused: TF-U07, the draft cannot be saved as it is.
        TwofoldError: TF-E12, a side cannot be read.
        ConnectorError: an app cannot be asked.
    """
    change = await resolved(here, draft, enabled=True)
    header, lines = await plan(
        here,
        [draft.name],
        None,
        Options(),
        most=most,
        prepare=lambda there: store(there, draft, change),
    )
    return header.syncs[0], lines


def seeds_of(draft: Draft, rules: Rules) -> dict[str, Side]:
    """The seeds of a draft by the names that the core knows mappings by."""
    names = {plain_name(mapping.name): mapping.name for mapping in rules.mappings}
    return {names[name]: side for name, side in draft.seeds.items() if name in names}


def _draft(label: str, app: str, made: Document, ground: Ground) -> Draft:
    return Draft(secrets.token_urlsafe(12), label, app, made, ground.hub, ground.app, ground.paired)


def _kept(here: Installation, draft: Draft) -> Draft:
    now = here.world.now().timestamp()
    here.state.drafts.remove_older(now - KEPT)
    here.state.drafts.put(draft.id, msgspec.json.encode(draft), now)
    return draft
