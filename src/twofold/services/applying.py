"""Documents of syncs, resolved against what both sides declare, checked, and applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.core.mappings import AssociationMapping, FieldMapping, Rules
from twofold.core.parts import find_field, plain_name
from twofold.core.stages import Beside
from twofold.core.validate import Problem
from twofold.engine.setup import install
from twofold.kit.errors import ConnectorError
from twofold.kit.yaml_text import Located, Node, Unreadable, read, write
from twofold.services.documents import Read, document_of, extras, understood
from twofold.services.edits import Effect, effect, save
from twofold.services.installation import Installation
from twofold.services.proposals import Ground
from twofold.services.staged import beside, stage_problems
from twofold.services.syncs import Refused, ground_of, judged, refuse_name, refuse_twin
from twofold.store.syncs import HUB_CONNECTION, Connection, Sync


class Change(Struct, frozen=True):
    """What one document asks for, checked."""

    name: str
    connection: Connection
    rules: Rules
    enabled: bool
    old: Sync | None
    """The sync as it is; None = it is made."""
    warnings: tuple[Located, ...] = ()

    @property
    def needed(self) -> bool:
        """Whether anything would be another than it is."""
        old = self.old
        return old is None or (old.rules, old.enabled) != (self.rules, self.enabled)


class Applied(Struct, frozen=True):
    """What became of one document."""

    name: str
    did: str
    """``made``, ``edited`` or ``unchanged``."""
    effect: Effect | None
    warnings: tuple[Located, ...]
    enabled: bool


def exported(here: Installation, names: Sequence[str]) -> str:
    """Syncs as YAML; all of them for no name. Raises TwofoldError (TF-U06)."""
    found = [here.sync(name) for name in names] if names else here.state.syncs.all()
    return write([document(here, sync) for sync in found])


def document(here: Installation, sync: Sync) -> dict[str, Any]:
    """One sync as plain data."""
    label = here.state.syncs.connection(sync.connection).label
    return document_of(sync.name, label, sync.rules, sync.enabled)


async def checked(here: Installation, data: bytes, path: str) -> list[Change]:
    """What the documents of a YAML text ask for.

    Raises:
        Refused: TF-Y09, with all problems of all documents, each with its line.
        TwofoldError: TF-Y12, there is no document.
        ConnectorError: an app cannot be asked.
    """
    try:
        nodes = read(data)
    except Unreadable as error:
        raise _refused([error.problem], path) from error
    if not nodes:
        raise TwofoldError("TF-Y12", path=path)
    return await resolved(here, nodes, path)


async def resolved(here: Installation, nodes: Sequence[Node], path: str) -> list[Change]:
    """What documents ask for. Raises as ``checked`` does."""
    documents = [understood(node) for node in nodes]
    problems = list(_twice(documents))
    changes: list[Change] = []
    for document in documents:
        found = await _resolved(here, document, changes)
        problems += found[1]
        if found[0] is not None:
            changes.append(found[0])
    nodes_by_name = {document.name: document.node for document in documents}
    for change in changes:
        problems += _beside(here, change, changes, nodes_by_name[change.name])
    fatal = [problem for problem in problems if not problem.warning]
    if fatal:
        raise _refused(fatal, path)
    return changes


async def reworded(here: Installation, document: dict[str, Any], name: str) -> list[Change]:
    """What a sync's own document asks for, as a command changed it.

    Raises:
        Refused: TF-U07, with all problems; nobody has seen this document, so they have no lines.
        ConnectorError: an app cannot be asked.
    """
    try:
        return await resolved(here, read(write([document]).encode()), name)
    except Refused as error:
        found = [Problem(p.code, p.sentence, p.mapping, p.warning) for p in error.problems]
        raise Refused(found) from error


def effects(here: Installation, changes: Iterable[Change]) -> list[Effect | None]:
    """What each change would do to the records of its sync; None for a new one. Writes nothing."""
    return [
        None if c.old is None or not c.needed else effect(here, c.old, c.rules) for c in changes
    ]


def applied(here: Installation, changes: Sequence[Change]) -> list[Applied]:
    """Make and edit syncs. Raises TwofoldError (TF-E01) where one was edited meanwhile."""
    return [_apply(here, change) for change in changes]


def _apply(here: Installation, change: Change) -> Applied:
    done: Effect | None = None
    if change.old is None:
        install(
            here.state,
            change.name,
            change.connection.id,
            change.rules,
            enabled=change.enabled,
            described=here.world.now().timestamp(),
        )
        did = "made"
    elif change.needed:
        done = save(here, change.old, change.rules, enabled=change.enabled)
        did = "edited"
    else:
        did = "unchanged"
    return Applied(change.name, did, done, change.warnings, change.enabled)


async def _resolved(
    here: Installation, document: Read, earlier: Sequence[Change]
) -> tuple[Change | None, list[Located]]:
    """One document against what both sides declare, and what is wrong with it."""
    node, values = document.node, document.values
    problems = list(document.problems)
    if not {"name", "connection", "hub", "app"} <= values.keys():
        return None, problems
    try:
        refuse_name(document.name)
        connection = here.connection(values["connection"])
        ground = await ground_of(here, connection, values["hub"], values["app"])
        old = _same_named(here, document.name, connection, ground)
        if old is None:
            taken = [(c.name, c.connection.id, c.rules) for c in earlier]
            refuse_twin(here, connection, ground, taken)
    except ConnectorError:
        raise
    except TwofoldError as error:
        return None, [*problems, _located(node, _place(here, error), error)]
    rules = rules_of(document, ground, problems)
    problems += [_placed(document, problem) for problem in judged(rules, ground, told(document))]
    if old is not None and old.indexed and rules.from_now_on and not old.rules.from_now_on:
        late = TwofoldError("TF-L11", name=old.name)
        problems.append(_located(node, ("from_now_on",), late))
    asked = values.get("enabled")
    enabled = asked if asked is not None else (old is not None and old.enabled)
    warnings = tuple(problem for problem in problems if problem.warning)
    return Change(document.name, connection, rules, enabled, old, warnings), problems


def _beside(
    here: Installation, change: Change, changes: Sequence[Change], node: Node
) -> list[Located]:
    """Where a stage would belong to two syncs, as they will be (S9)."""
    coming = [
        Beside(other.name, other.enabled, other.rules)
        for other in changes
        if other.connection.id == change.connection.id
    ]
    others = beside(here, change.connection.id, change.rules, coming)
    line = node.at(("stages",))
    return [
        Located(problem.code, problem.sentence, line=line)
        for problem in stage_problems(change.rules, change.enabled, others)
    ]


_PLACE = {"TF-U05": "connection", "TF-U31": "name", "TF-U32": "connection", "TF-Y10": "name"}
"""The keys that errors of the services are about."""


def _place(here: Installation, error: TwofoldError) -> tuple[str, ...]:
    if error.code == "TF-F02":
        hub = here.state.syncs.connection(HUB_CONNECTION).label
        return ("hub",) if error.facts.get("app") == hub else ("app",)
    key = _PLACE.get(error.code)
    return () if key is None else (key,)


def _same_named(
    here: Installation, name: str, connection: Connection, ground: Ground
) -> Sync | None:
    for sync in here.state.syncs.all():
        if sync.name == name:
            now = (sync.connection, sync.rules.hub.name, sync.rules.app.name)
            if now != (connection.id, ground.hub.name, ground.app.name):
                label = here.state.syncs.connection(sync.connection).label
                known = f"{now[1]} with {now[2]} of {label}"
                raise TwofoldError("TF-Y10", name=name, known=known)
            return sync
    return None


def told(document: Read) -> set[str]:
    """The mappings whose direction is written out, by name."""
    items = document.values.get("mappings", ())
    written = document.node.plain()["mappings"] if items else ()
    return {
        plain_name(item.hub)
        for item, entry in zip(items, written, strict=True)
        if item is not None and "direction" in entry
    }


def rules_of(document: Read, ground: Ground, problems: list[Located]) -> Rules:
    """The rules, of everything in the document that names what exists; the rest are problems."""
    node = document.node
    mappings = (
        _mapping(node, position, item, ground, problems)
        for position, item in enumerate(document.values.get("mappings", ()))
        if item is not None
    )
    associations = (
        _association(node, position, item, ground, problems)
        for position, item in enumerate(document.values.get("associations", ()))
        if item is not None
    )
    settings = document.settings()
    settings["region"] = settings.get("region", "").upper()
    return Rules(
        hub=ground.hub,
        app=ground.app,
        mappings=tuple(m for m in mappings if m is not None),
        associations=tuple(a for a in associations if a is not None),
        **settings,
    )


def _mapping(
    node: Node, position: int, item: Any, ground: Ground, problems: list[Located]
) -> FieldMapping | None:
    ends = []
    for key, declared in (("hub", ground.hub), ("app", ground.app)):
        name = getattr(item, key)
        field = find_field(declared, name)
        if field is None:
            error = TwofoldError("TF-F01", object_type=declared.label, field=name)
            problems.append(_located(node, ("mappings", position, key), error))
        else:
            ends.append(field)
    if len(ends) != 2:
        return None
    hub, app = ends
    return FieldMapping(hub, app, **extras(item, FieldMapping))


def _association(
    node: Node, position: int, item: Any, ground: Ground, problems: list[Located]
) -> AssociationMapping | None:
    ends = []
    for key, declared in (("hub", ground.hub), ("app", ground.app)):
        name = getattr(item, key)
        found = declared.association(name)
        if found is None:
            known = ", ".join(a.name for a in declared.associations) or "none"
            error = TwofoldError("TF-U25", side=declared.label, name=name, known=known)
            problems.append(_located(node, ("associations", position, key), error))
        else:
            ends.append(found)
    if len(ends) != 2:
        return None
    hub, app = ends
    more = extras(item, AssociationMapping)
    return AssociationMapping(hub.name, app.name, hub.target, app.target, **more)


def _twice(documents: Sequence[Read]) -> Iterable[Located]:
    names: set[str] = set()
    for document in documents:
        if document.name and document.name in names:
            yield _located(document.node, ("name",), TwofoldError("TF-Y08", name=document.name))
        names.add(document.name)


_KEYS = {
    "TF-B21": "most_creates",
    "TF-B22": "brakes",
    "TF-F11": "timezone",
    "TF-F12": "region",
    "TF-F13": "require_email",
    "TF-F14": "direction",
}


def _placed(document: Read, problem: Problem) -> Located:
    """A problem of the rules, at the line that it is about."""
    path: tuple[str | int, ...] = (_KEYS.get(problem.code, "mappings"),)
    if problem.code.startswith("TF-M"):
        path = ("associations" if problem.code == "TF-M40" else "matching",)
    if problem.code.startswith("TF-L"):
        keys = ("stages",) if problem.code == "TF-L17" else ("hub_filter", "app_filter", "stages")
        path = (next((key for key in keys if key in document.values), keys[0]),)
    for position, item in enumerate(document.values.get("mappings", ())):
        if item is not None and problem.mapping and item.hub == problem.mapping:
            path = ("mappings", position)
    line = document.node.at(path)
    return Located(problem.code, problem.sentence, problem.mapping, problem.warning, line)


def _located(node: Node, path: Sequence[str | int], error: TwofoldError) -> Located:
    return Located(error.code, error.sentence, line=node.at(path))


def _refused(problems: Sequence[Located], path: str) -> Refused:
    ordered = sorted(problems, key=lambda problem: problem.line)
    return Refused(ordered, "TF-Y09", path=path)
