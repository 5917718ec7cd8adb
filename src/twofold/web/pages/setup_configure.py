"""The step *Configure*: direction, default app, field mappings, association mappings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from msgspec import Struct, structs

from twofold.core.errors import TwofoldError
from twofold.core.mapping_check import check_mapping
from twofold.core.mappings import AssociationMapping, Direction, FieldMapping, Rules, Targets
from twofold.core.parts import find_field, plain_name
from twofold.core.records import Side
from twofold.core.schema import Field
from twofold.core.suggestions import unmapped
from twofold.core.type_matrix import shape, travels
from twofold.core.validate import Problem
from twofold.services import drafts, mappings
from twofold.services.drafts import Document, Draft, Judged
from twofold.web.forms import Form, Given
from twofold.web.view import Editing, Page, View

router = APIRouter(route_class=Page)

SHOWN = ("all", "default", "custom", "associations", "attention")
"""What the table of mappings can be narrowed to."""


class Row(Struct, frozen=True):
    """One mapping in the table."""

    hub: str
    app: str
    mapping: FieldMapping | None
    """None where a field of it does not exist."""
    ways: tuple[Direction, ...]
    """What can be chosen for it."""
    left: Direction | None
    default: bool
    enabled: bool
    problems: tuple[Problem, ...]

    @property
    def attention(self) -> bool:
        """Whether a person should look at it."""
        return any(not problem.warning for problem in self.problems)

    def shown(self, show: str, query: str) -> bool:
        """Whether it is in what the table is narrowed to."""
        narrowed = {
            "default": self.default,
            "custom": not self.default,
            "associations": False,
            "attention": self.attention,
        }
        ends = () if self.mapping is None else (self.mapping.hub.label, self.mapping.app.label)
        words = " ".join((self.hub, self.app, *ends)).casefold()
        return narrowed.get(show, True) and query.strip().casefold() in words


@router.get("/setup/{draft_id}/configure")
def configure(view: Editing, draft_id: str, show: str = "all", q: str = "") -> Response:
    """Show the step."""
    draft = drafts.opened(view.here, draft_id)
    return _step(view, draft, Form({"show": [show], "q": [q]}))


@router.post("/setup/{draft_id}/configure")
def configured(view: Editing, draft_id: str, form: Given) -> Response:
    """Keep direction and default app, and go on."""
    draft = _told(view, drafts.opened(view.here, draft_id), form)
    if view.partial:
        return _table(view, draft, form)
    return view.go("/setup", draft.id, "limits")


@router.post("/setup/{draft_id}/mappings")
def changed(view: Editing, draft_id: str, form: Given) -> Response:
    """Add, change, turn off or on, or remove a mapping."""
    draft = drafts.opened(view.here, draft_id)
    act = _ACTS.get(form.text("act"), _nothing)
    try:
        kept = drafts.remapped(view.here, draft, act(draft, form))
    except TwofoldError as error:
        form.problem = error
        return _table(view, draft, form) if view.partial else _step(view, draft, form)
    if view.partial:
        narrowed = {name: [form.text(name)] for name in ("show", "q")}
        return _table(view, kept, Form(narrowed))
    return view.go("/setup", draft.id, "configure")


@router.post("/setup/{draft_id}/associations")
def associated(view: Editing, draft_id: str, form: Given) -> Response:
    """Turn an association mapping on or off, or choose its targets."""
    draft = drafts.opened(view.here, draft_id)
    hub, app = form.text("hub"), form.text("app")
    found = [e for e in draft.document.get("associations", ()) if e["hub"] != hub]
    if form.flag("on"):
        entry = {"hub": hub, "app": app}
        found.append(entry | ({"targets": "all"} if form.text("targets") == "all" else {}))
    kept = drafts.told_anew(view.here, draft, {"associations": found or None})
    if view.partial:
        return _table(view, kept, form)
    return view.go("/setup", draft.id, "configure")


@router.get("/setup/{draft_id}/reason")
def reason(view: Editing, draft_id: str, hub: str = "", app: str = "") -> Response:
    """Say what becomes of two fields, before they are mapped."""
    draft = drafts.opened(view.here, draft_id)
    rules = drafts.judge(view.here, draft).rules
    ours, theirs = find_field(rules.hub, hub), find_field(rules.app, app)
    if ours is None or theirs is None:
        return view.page("setup/reason.html", mapping=None, errors=(), left=None)
    mapping = FieldMapping(ours, theirs)
    errors = list(check_mapping(rules, mapping, ()))
    left = travels(mapping, rules.direction)
    return view.page("setup/reason.html", mapping=mapping, errors=errors, left=left)


@router.get("/setup/{draft_id}/suggestions")
def suggested(view: Editing, draft_id: str) -> Response:
    """Offer mappings that the sync may lack."""
    draft = drafts.opened(view.here, draft_id)
    rules = drafts.judge(view.here, draft).rules
    connection = view.here.connection(draft.connection).id
    found = view.work(mappings.suggested(view.here, connection, rules))
    return view.page("setup/suggestions.html", draft=draft, suggestions=found, rules=rules)


def _told(view: View, draft: Draft, form: Form) -> Draft:
    """Keep direction and default app, where they were chosen."""
    directions = {d.value for d in Direction}
    settings: dict[str, Any] = {}
    if form.text("direction") in directions:
        asked = form.text("direction")
        settings["direction"] = None if asked == Direction.BOTH else asked
    if form.text("default_side") in {s.value for s in Side}:
        asked = form.text("default_side")
        settings["default_side"] = None if asked == Side.HUB else asked
    return drafts.told_anew(view.here, draft, settings) if settings else draft


# --- what can be done to a mapping ------------------------------------------------------------


def _add(draft: Draft, form: Form) -> list[Document]:
    hub, app, way = form.text("hub"), form.text("app"), form.text("direction")
    for declared, name in ((draft.hub, hub), (draft.theirs, app)):
        if find_field(declared, name) is None:
            raise TwofoldError("TF-F01", object_type=declared.label, field=name[:100])
    narrowed = {} if way in {"", Direction.BOTH} else {"direction": Direction(way).value}
    return mappings.adding(hub, app, narrowed)(draft.mappings)


def _direct(draft: Draft, form: Form) -> list[Document]:
    way = form.text("direction")
    asked = Direction(way).value if way in {d.value for d in Direction} else Direction.BOTH.value
    return mappings.telling(form.text("hub"), {"direction": asked})(draft.mappings)


def _switch(draft: Draft, form: Form) -> list[Document]:
    enabled = {"enabled": form.flag("on")}
    return mappings.telling(form.text("hub"), enabled)(draft.mappings)


def _remove(draft: Draft, form: Form) -> list[Document]:
    return mappings.removing(form.text("hub"))(draft.mappings)


def _nothing(draft: Draft, _form: Form) -> list[Document]:
    return draft.mappings


_ACTS: dict[str, Callable[[Draft, Form], list[Document]]] = {
    "add": _add,
    "direct": _direct,
    "switch": _switch,
    "remove": _remove,
}


# --- what is shown ----------------------------------------------------------------------------


def _step(view: View, draft: Draft, form: Form) -> Response:
    judged = drafts.judge(view.here, draft)
    return view.page("setup/configure.html", **_context(draft, judged, form))


def _table(view: View, draft: Draft, form: Form) -> Response:
    judged = drafts.judge(view.here, draft)
    return view.page("setup/mappings.html", **_context(draft, judged, form))


def _context(draft: Draft, judged: Judged, form: Form) -> dict[str, Any]:
    rows = rows_of(draft, judged)
    show = form.text("show") if form.text("show") in SHOWN else "all"
    rules = judged.rules
    return {
        "draft": draft,
        "judged": judged,
        "rules": rules,
        "form": form,
        "show": show,
        "query": form.text("q"),
        "rows": [row for row in rows if row.shown(show, form.text("q"))],
        "total": len(rows),
        "attention": sum(row.attention for row in rows),
        "associations": _associations(draft, rules) if show in {"all", "associations"} else [],
        "free": {side.value: _free(rules, side) for side in Side},
        "shape": shape,
    }


def rows_of(draft: Draft, judged: Judged) -> list[Row]:
    """All mappings of a draft: the connector's own first, in the order of the document."""
    known = {plain_name(mapping.name): mapping for mapping in judged.rules.mappings}
    rows = [_row(entry, known.get(entry["hub"]), judged) for entry in draft.mappings]
    return sorted(rows, key=lambda row: not row.default)


def _row(entry: Document, mapping: FieldMapping | None, judged: Judged) -> Row:
    hub, app, enabled = entry["hub"], entry["app"], entry.get("enabled", True)
    problems = tuple(judged.of(hub))
    if mapping is None or plain_name(mapping.app.name) != app:
        return Row(hub, app, None, (), None, False, enabled, problems)
    freed = structs.replace(mapping, direction=Direction.BOTH)
    widest = travels(freed, judged.rules.direction)
    ways = tuple(Direction) if widest is Direction.BOTH else (widest,) if widest else ()
    left = travels(mapping, judged.rules.direction)
    default = judged.default(mapping)
    return Row(hub, app, mapping, ways, left, default, enabled, problems)


def _associations(draft: Draft, rules: Rules) -> list[tuple[AssociationMapping, bool, bool]]:
    """Associations that can be mapped: (the pair, whether it is mapped, with all targets)."""
    mapped = {(m.hub, m.app): m for m in rules.associations}
    offered = {(m.hub, m.app): m for m in draft.associations}
    return [
        (pair, key in mapped, key in mapped and mapped[key].targets is Targets.ALL)
        for key, pair in {**offered, **mapped}.items()
    ]


def _free(rules: Rules, side: Side) -> list[Field]:
    """The fields of a side that a mapping may still use, by what people call them."""
    return sorted(unmapped(rules, side), key=lambda field: field.label.casefold())
