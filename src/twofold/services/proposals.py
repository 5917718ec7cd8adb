"""From what a person asks of a sync to its rules: defaults, mappings, associations.

Everything is taken from what both sides declare at this moment, and nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from twofold.core.defaults import default_mappings
from twofold.core.errors import TwofoldError
from twofold.core.filter_words import parsed
from twofold.core.filters import Leaving
from twofold.core.mappings import (
    AssociationMapping,
    Brakes,
    CustomMatching,
    Deletes,
    Direction,
    FieldMapping,
    Matching,
    Rules,
    Targets,
)
from twofold.core.records import Side
from twofold.core.schema import Association, ObjectType
from twofold.kit.contract import DefaultMapping, Manifest


class Wish(Struct, frozen=True):
    """One mapping that a person asked for."""

    hub_field: str
    app_field: str
    direction: Direction | None = None
    """None = as the sync."""


class Request(Struct, frozen=True):
    """What a person asks of a new sync."""

    connection: str
    """Its label."""
    hub_type: str
    app_type: str = ""
    """Empty: the one that the connector pairs with the hub's by default."""
    name: str = ""
    direction: Direction = Direction.BOTH
    default_side: Side = Side.HUB
    wishes: tuple[Wish, ...] = ()
    use_defaults: bool = True
    by_name: bool = False
    """Also map the fields whose names are equal but for case and punctuation."""
    without: tuple[str, ...] = ()
    """Hub fields that are not to be mapped."""
    matching: Matching | CustomMatching | None = None
    """None: the preset of the hub's object type."""
    require_email: bool | None = None
    """None: yes for contacts (L1)."""
    associations: tuple[tuple[str, str], ...] = ()
    """(hub's association, app's association), besides those that pair by themselves."""
    all_targets: tuple[str, ...] = ()
    """The hub's associations of which all targets sync, not the primary one alone (A5)."""
    timezone: str = "UTC"
    region: str = ""
    deletes: Deletes = Deletes.IGNORE
    brakes: Brakes = Brakes()
    enabled: bool = True
    hub_limit: tuple[str, ...] = ()
    """Criteria of what the hub sends, in words (`twofold.core.filter_words`)."""
    app_limit: tuple[str, ...] = ()
    """Criteria of what the app sends."""
    leaving: Leaving = Leaving.STOP
    stages: tuple[str, ...] = ()
    """Lifecycle stages of the hub whose records belong to this sync (S9)."""
    from_now_on: bool = False


class Ground(Struct, frozen=True):
    """What both sides declare, and which of their object types sync with each other already."""

    hub: ObjectType
    app: ObjectType
    manifest: Manifest
    paired: tuple[tuple[str, str], ...] = ()
    """(hub object type, app object type) of the other syncs of this connection."""


_PRESETS = {
    "contact": Matching.CONTACTS,
    "company": Matching.COMPANIES,
    "product": Matching.PRODUCTS,
}


def propose(request: Request, ground: Ground) -> Rules:
    """Return the rules of a sync, not yet checked for more than names.

    Raises:
        TwofoldError: TF-F01, a wish names a field that does not exist; TF-U23, ``without`` names
            one that is not mapped; TF-U25, an association does not exist; TF-L07 or
            TF-L10, a limit cannot be read.
    """
    hub_type = ground.hub.name
    email = hub_type == "contact" if request.require_email is None else request.require_email
    return Rules(
        hub=ground.hub,
        app=ground.app,
        mappings=_mappings(request, ground),
        direction=request.direction,
        default_side=request.default_side,
        matching=request.matching or _PRESETS.get(hub_type, Matching.NONE),
        associations=_associations(request, ground),
        require_email=email,
        timezone=request.timezone,
        region=request.region.upper(),
        hub_filter=parsed(request.hub_limit, [field.name for field in ground.hub.fields]),
        app_filter=parsed(request.app_limit, [field.name for field in ground.app.fields]),
        leaving=request.leaving,
        stages=request.stages,
        from_now_on=request.from_now_on,
        deletes=request.deletes,
        brakes=request.brakes,
    )


def shipped(ground: Ground) -> frozenset[tuple[str, str]]:
    """The default mappings of the connector, which alone may use labeled fields (F7)."""
    pairs = ground.manifest.defaults.get(ground.hub.name, ())
    return frozenset((pair.hub_field, pair.app_field) for pair in pairs)


def _mappings(request: Request, ground: Ground) -> tuple[FieldMapping, ...]:
    wished = [_wished(wish, ground) for wish in request.wishes]
    taken = {m.hub.name for m in wished}
    used = {m.app.name for m in wished}
    offers: list[DefaultMapping] = []
    if request.use_defaults:
        offers += ground.manifest.defaults.get(ground.hub.name, ())
    if request.by_name:
        offers += _same_names(ground)
    offered = default_mappings(
        [o for o in offers if o.hub_field not in taken and o.app_field not in used],
        ground.hub,
        ground.app,
    )
    mappings = [*offered, *wished]
    for field in request.without:
        if all(mapping.hub.name != field for mapping in mappings):
            raise TwofoldError("TF-U23", field=field)
    return tuple(m for m in mappings if m.hub.name not in request.without)


def _wished(wish: Wish, ground: Ground) -> FieldMapping:
    hub, app = ground.hub.field(wish.hub_field), ground.app.field(wish.app_field)
    if hub is None:
        raise TwofoldError("TF-F01", object_type=ground.hub.label, field=wish.hub_field)
    if app is None:
        raise TwofoldError("TF-F01", object_type=ground.app.label, field=wish.app_field)
    return FieldMapping(hub, app, wish.direction or Direction.BOTH)


def _same_names(ground: Ground) -> list[DefaultMapping]:
    ours = {_plain(field.name): field.name for field in ground.hub.fields}
    return [
        DefaultMapping(ours[_plain(field.name)], field.name)
        for field in ground.app.fields
        if _plain(field.name) in ours
    ]


def _plain(name: str) -> str:
    """``First_Name`` and ``firstname`` are one name."""
    return "".join(filter(str.isalnum, name)).casefold()


def _associations(request: Request, ground: Ground) -> tuple[AssociationMapping, ...]:
    """Associations whose far ends are paired, one on each side, and those asked for."""
    found = [_named(pair, ground) for pair in request.associations]
    pairs = {*ground.paired, *ground.manifest.objects.items()}
    for ours in ground.hub.associations:
        if any(ours.name == mapping.hub for mapping in found):
            continue
        theirs = [
            a
            for a in ground.app.associations
            if (ours.target, a.target) in pairs and all(a.name != m.app for m in found)
        ]
        if len(theirs) == 1:
            far = theirs[0]
            found.append(AssociationMapping(ours.name, far.name, ours.target, far.target))
    for name in request.all_targets:
        if all(name != mapping.hub for mapping in found):
            known = ", ".join(mapping.hub for mapping in found) or "none"
            raise TwofoldError("TF-M41", name=name, known=known)
    return tuple(
        msgspec.structs.replace(m, targets=Targets.ALL) if m.hub in request.all_targets else m
        for m in found
    )


def _named(pair: Sequence[str], ground: Ground) -> AssociationMapping:
    ours, theirs = (
        _association(object_type, name)
        for object_type, name in zip((ground.hub, ground.app), pair, strict=True)
    )
    return AssociationMapping(ours.name, theirs.name, ours.target, theirs.target)


def _association(object_type: ObjectType, name: str) -> Association:
    found = object_type.association(name)
    if found is None:
        known = ", ".join(a.name for a in object_type.associations) or "none"
        raise TwofoldError("TF-U25", side=object_type.label, name=name, known=known)
    return found
