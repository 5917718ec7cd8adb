"""Syncs: made from a request that was checked, turned on and off, deleted."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from twofold.core.errors import TwofoldError, sentence
from twofold.core.mappings import Rules
from twofold.core.records import Side
from twofold.core.schema import ObjectType, Op
from twofold.core.stages import check_beside
from twofold.core.validate import Problem, check
from twofold.engine.setup import install
from twofold.kit import catalog
from twofold.services.installation import Installation
from twofold.services.proposals import Ground, Request, propose, shipped
from twofold.services.staged import beside, stage_problems
from twofold.store.syncs import HUB_CONNECTION, Connection, Sync


class Refused(TwofoldError):
    """A request with problems; nothing was saved."""

    def __init__(
        self, problems: Sequence[Problem], code: str = "TF-U07", /, **facts: object
    ) -> None:
        self.problems = tuple(problems)
        super().__init__(code, count=len(problems), **facts)


class Draft(Struct, frozen=True):
    """A sync as it would be saved."""

    name: str
    connection: Connection
    rules: Rules
    warnings: tuple[Problem, ...]


async def draft(here: Installation, request: Request) -> Draft:
    """Work out what a request means, and check it.

    Raises:
        Refused: TF-U07, with all problems of the rules.
        TwofoldError: what the request names does not exist, or such a sync exists already.
    """
    connection = here.connection(request.connection)
    ground = await ground_of(here, connection, request.hub_type, request.app_type)
    refuse_twin(here, connection, ground)
    rules = propose(request, ground)
    told = {wish.hub_field for wish in request.wishes if wish.direction is not None}
    problems = judged(rules, ground, told)
    others = beside(here, connection.id, rules)
    problems += stage_problems(rules, request.enabled, others)
    fatal = [problem for problem in problems if not problem.warning]
    if fatal:
        raise Refused(fatal)
    name = request.name or free_name(here, f"{connection.label}-{ground.hub.label.lower()}")
    refuse_name(name)
    return Draft(name, connection, rules, tuple(problems))


async def add(here: Installation, request: Request) -> tuple[Sync, tuple[Problem, ...]]:
    """Save a sync; returns it with the warnings of the check. Raises as ``draft`` does."""
    made = await draft(here, request)
    install(
        here.state,
        made.name,
        made.connection.id,
        made.rules,
        enabled=request.enabled,
        described=here.world.now().timestamp(),
    )
    return here.sync(made.name), made.warnings


def every(here: Installation) -> list[Sync]:
    """All syncs, in the order in which they were made."""
    return here.state.syncs.all()


def turn(here: Installation, name: str, *, on: bool) -> Sync:
    """Turn a sync on, which catches up and repeats nothing, or off (O1, O2).

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-L18 or TF-L19, another one that is on
            takes the same stages (S9).
    """
    sync = here.sync(name)
    for error in check_beside(sync.rules, on, beside(here, sync.connection, sync.rules)):
        if on:
            raise error
    here.state.syncs.enable(sync.id, on)
    return here.sync(name)


def delete(here: Installation, name: str) -> Sync:
    """Forget a sync with its links and history; no record on either side is touched."""
    sync = here.sync(name)
    here.state.syncs.delete(sync.id)
    return sync


def judged(rules: Rules, ground: Ground, told: Collection[str] = ()) -> list[Problem]:
    """All that is wrong with rules, whichever way they were written down.

    ``told``: the mappings whose direction a person wrote out, by name.
    """
    return [*_read_only(rules), *check(rules, shipped(ground), told)]


MOST_NAME = 100
"""Characters in the name of a sync."""


def refuse_name(name: str) -> None:
    """Raise TwofoldError (TF-U31) where a name could not be typed or shown."""
    reason = ""
    if not name.strip() or name != name.strip():
        reason = "it is blank, or has a space at an end"
    elif len(name) > MOST_NAME:
        reason = f"it is longer than {MOST_NAME} characters"
    elif "/" in name:
        reason = "it has a '/', which stands between the parts of an address"
    elif not name.isprintable():
        reason = "it has characters that cannot be shown"
    elif name.startswith("-"):
        reason = "a command would take it for an option"
    if reason:
        raise TwofoldError("TF-U31", name=name, reason=reason)


def refuse_twin(
    here: Installation,
    connection: Connection,
    ground: Ground,
    more: Sequence[tuple[str, int, Rules]] = (),
) -> None:
    """Refuse a second sync of the same two object types.

    Raises:
        TwofoldError: TF-U21, there is one; TF-U32, the hub would sync with itself.
    """
    if connection.id == HUB_CONNECTION:
        raise TwofoldError("TF-U32", label=connection.label)
    known = [(sync.name, sync.connection, sync.rules) for sync in here.state.syncs.all()]
    for name, its_connection, rules in (*known, *more):
        types = (rules.hub.name, rules.app.name)
        if its_connection == connection.id and types == (ground.hub.name, ground.app.name):
            facts = {"hub_type": types[0], "app_type": types[1], "name": name}
            raise TwofoldError("TF-U21", label=connection.label, **facts)


async def ground_of(
    here: Installation, connection: Connection, hub_type: str, app_type: str = ""
) -> Ground:
    """What both sides declare of two object types; the connector may pair the app's by itself.

    Raises:
        TwofoldError: TF-F02, there is no such object type; TF-U08, none is paired.
        ConnectorError: the app cannot be asked, or its records cannot be told apart.
    """
    manifest = catalog.load(connection.app).manifest
    hub = here.state.syncs.connection(HUB_CONNECTION)
    async with here.opened(hub) as connector:
        ours = await connector.describe()
    declared_hub = _pick(ours, hub.label, hub_type)
    app_type = app_type or manifest.objects.get(hub_type, "")
    async with here.opened(connection) as connector:
        theirs = await connector.describe()
        if not app_type:
            facts = {"hub_type": hub_type, "known": ", ".join(t.name for t in theirs)}
            raise TwofoldError("TF-U08", label=connection.label, **facts)
        declared = _pick(theirs, connection.label, app_type)
        await connector.get(app_type, (), ())  # what cannot be read at all says so here
    paired = tuple(
        (sync.rules.hub.name, sync.rules.app.name)
        for sync in here.state.syncs.all()
        if sync.connection == connection.id
    )
    return Ground(declared_hub, declared, manifest, paired)


def _read_only(rules: Rules) -> list[Problem]:
    """Sides that this sync would write to, and that take no writes at all, such as views."""
    return [
        Problem("TF-F14", sentence("TF-F14", {"object_type": declared.label, "side": side.value}))
        for side in Side
        if rules.direction.reaches(side)
        and not (declared := rules.type_of(side)).ops & {Op.CREATE, Op.UPDATE}
    ]


def _pick(types: Sequence[ObjectType], label: str, name: str) -> ObjectType:
    for object_type in types:
        if object_type.name == name:
            return object_type
    known = ", ".join(t.name for t in types) or "none"
    raise TwofoldError("TF-F02", app=label, object_type=name, known=known)


def free_name(here: Installation, wanted: str) -> str:
    """A name for a new sync: the wanted one, or the first of a row that is not taken."""
    taken = {sync.name for sync in here.state.syncs.all()}
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    return name
