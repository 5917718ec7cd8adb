"""The step *Limits*: who takes part, how records are recognized, what a delete means."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Response

from twofold.core.errors import TwofoldError
from twofold.core.filter_words import words
from twofold.core.filters import OPERATORS, Criterion, Filter, Group, Leaving, Operator
from twofold.core.limits_check import check_limits
from twofold.core.mappings import CustomMatching, Deletes, Matching, Rules
from twofold.core.matching import email_fields, level_names
from twofold.core.parts import plain_name
from twofold.core.records import Side
from twofold.core.schema import Field
from twofold.core.values import Kind
from twofold.services import drafts
from twofold.services.drafts import Document, Draft
from twofold.services.sampling import shares
from twofold.web.forms import Form, Given
from twofold.web.view import Editing, Page, View

router = APIRouter(route_class=Page)

_FILTERS = {Side.HUB: "hub_filter", Side.APP: "app_filter"}
_CUSTOM = "custom"


@router.get("/setup/{draft_id}/limits")
def limits(view: Editing, draft_id: str) -> Response:
    """Show the step."""
    return _step(view, drafts.opened(view.here, draft_id), Form())


@router.post("/setup/{draft_id}/limits")
def limited(view: Editing, draft_id: str, form: Given) -> Response:
    """Keep the settings, and go on."""
    draft = drafts.opened(view.here, draft_id)
    kept = drafts.told_anew(view.here, draft, _settings(form, draft))
    wrong = [p for p in drafts.judge(view.here, kept).problems if p.code.startswith("TF-M")]
    if wrong:
        form.errors["matching"] = wrong[0].sentence
        return _step(view, kept, form, 422)
    return view.go("/setup", draft.id, "review")


@router.get("/setup/{draft_id}/criterion")
def criterion(view: Editing, draft_id: str, side: str = "", field: str = "") -> Response:
    """What can be asked of a field: a part of the form that adds a limit."""
    draft = drafts.opened(view.here, draft_id)
    found = _field(draft, _side(side), field)
    return view.page("setup/criterion.html", **_asking(draft, _side(side), found), form=Form())


@router.post("/setup/{draft_id}/limits/{side}")
def filtered(view: Editing, draft_id: str, side: str, form: Given) -> Response:
    """Add a criterion or a group, or remove a criterion."""
    draft, where = drafts.opened(view.here, draft_id), _side(side)
    try:
        asked = _edited(view, draft, where, form)
        kept = drafts.told_anew(view.here, draft, {_FILTERS[where]: _plain(asked)})
        rules = drafts.judge(view.here, kept).rules
        for error in check_limits(rules):
            if error.code.startswith("TF-L0"):
                raise error
        form = Form()
    except TwofoldError as error:
        kept = drafts.told_anew(view.here, draft, {})
        form.problem = error
    if not view.partial:
        return _step(view, kept, form) if form.problem else view.go("/setup", draft.id, "limits")
    rules = drafts.judge(view.here, kept).rules
    answer = view.page("setup/filter.html", form=form, **_side_of(kept, rules, where))
    answer.headers["HX-Trigger"] = "limits-changed"
    return answer


@router.get("/setup/{draft_id}/shares")
def counted(view: Editing, draft_id: str) -> Response:
    """How many records each side would send, by a look at the first ones."""
    draft = drafts.opened(view.here, draft_id)
    rules = drafts.judge(view.here, draft).rules
    try:
        found = view.work(shares(view.here, draft.connection, rules))
    except TwofoldError as error:
        return view.page("setup/shares.html", shares={}, draft=draft, error=error)
    return view.page("setup/shares.html", shares=found, draft=draft, error=None)


# --- criteria -----------------------------------------------------------------------------------


def _edited(view: View, draft: Draft, side: Side, form: Form) -> Filter:
    """The filter of a side after what the form asks for. Raises TwofoldError (TF-L…)."""
    rules = drafts.judge(view.here, draft).rules
    groups = [list(group.criteria) for group in rules.filter_of(side).groups]
    group, number = _number(form, "group"), _number(form, "number")
    if form.text("act") == "remove":
        if 0 <= group < len(groups) and 0 <= number < len(groups[group]):
            del groups[group][number]
    else:
        made = _criterion(draft, side, form)
        if form.flag("or") or not groups:
            groups.append([made])
        else:
            groups[-1].append(made)
    return Filter(tuple(Group(tuple(criteria)) for criteria in groups if criteria))


def _criterion(draft: Draft, side: Side, form: Form) -> Criterion:
    field = _field(draft, side, form.text("field"))
    asked = form.text("operator")
    known = [operator for operator in OPERATORS[field.kind] if operator.value == asked]
    operator = known[0] if known else OPERATORS[field.kind][0]
    values = [value.strip() for value in form.many("value") if value.strip()]
    if operator is Operator.ANY_OF and not field.options:
        values = [part.strip() for value in values for part in value.split(",") if part.strip()]
    return Criterion(field.name, operator, tuple(values[: operator.most]))


def _field(draft: Draft, side: Side, name: str) -> Field:
    declared = draft.hub if side is Side.HUB else draft.theirs
    field = declared.field(name)
    if field is None:
        raise TwofoldError("TF-F01", object_type=declared.label, field=name[:100])
    return field


def _asking(draft: Draft, side: Side, field: Field) -> dict[str, Any]:
    return {
        "draft": draft,
        "side": side.value,
        "field": field,
        "operators": OPERATORS[field.kind],
        "options": [(option.value, option.label) for option in field.options[:1_000]],
        "widget": _WIDGETS.get(field.kind, "text"),
    }


_WIDGETS = {Kind.DATE: "date", Kind.BOOL: "bool"}


def _plain(asked: Filter) -> Document | None:
    found: Document | None = msgspec.to_builtins(asked) if asked else None
    return found


def _number(form: Form, name: str) -> int:
    text = form.text(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1


def _side(text: str) -> Side:
    return Side.APP if text == Side.APP else Side.HUB


# --- settings -----------------------------------------------------------------------------------


def _settings(form: Form, draft: Draft) -> Document:
    """The form's settings as the document writes them; None where they are as usual."""
    settings: Document = {"require_email": form.flag("require_email") or None}
    settings["from_now_on"] = form.flag("from_now_on") or None
    if form.text("leaving") in {word.value for word in Leaving}:
        settings["leaving"] = _unusual(form.text("leaving"), Leaving.STOP)
    if form.text("deletes") in {word.value for word in Deletes}:
        settings["deletes"] = _unusual(form.text("deletes"), Deletes.IGNORE)
    if form.text("matching") == _CUSTOM:
        lines = [line for line in form.text("rules").splitlines() if line.strip()]
        settings["matching"] = {"rules": [_names(line) for line in lines]}
    elif form.text("matching") in {word.value for word in Matching}:
        settings["matching"] = _unusual(form.text("matching"), Matching.NONE)
    stages = [stage for stage in form.many("stages") if stage]
    if draft.hub.field("lifecyclestage") is not None:
        settings["stages"] = stages or None
    return settings


def _unusual(text: str, usual: Leaving | Deletes | Matching) -> str | None:
    return None if text == usual.value else text


def _names(line: str) -> list[str]:
    return [name.strip() for name in line.split("+") if name.strip()]


def _step(view: View, draft: Draft, form: Form, status: int = 200) -> Response:
    rules = drafts.judge(view.here, draft).rules
    custom = isinstance(rules.matching, CustomMatching)
    stage = draft.hub.field("lifecyclestage")
    context: dict[str, Any] = {
        "draft": draft,
        "rules": rules,
        "form": form,
        "sides": [_side_of(draft, rules, side) for side in Side if _sends(rules, side)],
        "emails": bool(email_fields(rules, Side.HUB)),
        "matching": _CUSTOM if custom else str(rules.matching),
        "presets": tuple(Matching),
        "own_rules": _own(rules),
        "levels": level_names(rules),
        "names": [plain_name(mapping.name) for mapping in rules.mappings],
        "leavings": tuple(Leaving),
        "deletes": tuple(Deletes),
        "stages": [] if stage is None else [(o.value, o.label) for o in stage.options],
    }
    return view.page("setup/limits.html", status, **context)


def _sends(rules: Rules, side: Side) -> bool:
    return rules.direction.reaches(side.other)


def _own(rules: Rules) -> str:
    if not isinstance(rules.matching, CustomMatching):
        return ""
    return "\n".join(" + ".join(rule) for rule in rules.matching.rules)


def _side_of(draft: Draft, rules: Rules, side: Side) -> dict[str, Any]:
    """What the part of one side shows."""
    declared = rules.type_of(side)
    fields = sorted(declared.fields, key=lambda field: field.label.casefold())
    shown = [f for f in fields if f.kind in OPERATORS and not f.multi]
    groups = [[words(c) for c in group.criteria] for group in rules.filter_of(side).groups]
    first = _asking(draft, side, shown[0]) if shown else {}
    return {**first, "draft": draft, "side": side.value, "groups": groups, "fields": shown}
