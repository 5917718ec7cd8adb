"""The step *Review*: what was chosen, what it would do, and saving it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from twofold.core.errors import TwofoldError
from twofold.core.filter_words import filter_words
from twofold.core.mappings import CustomMatching, Direction
from twofold.core.matching import level_names
from twofold.core.records import Side
from twofold.core.type_matrix import travels
from twofold.services import drafts
from twofold.services.drafts import Draft
from twofold.services.syncs import Refused
from twofold.web.forms import Form, Given
from twofold.web.previewing import Previews
from twofold.web.view import Editing, Page, View

router = APIRouter(route_class=Page)


@router.get("/setup/{draft_id}/review")
def review(view: Editing, draft_id: str) -> Response:
    """Show the step."""
    return _step(view, drafts.opened(view.here, draft_id), Form())


@router.get("/setup/{draft_id}/effect")
def effect(view: Editing, draft_id: str) -> Response:
    """What an edit would mean to the records of its sync."""
    draft = drafts.opened(view.here, draft_id)
    judged = drafts.judge(view.here, draft)
    found = drafts.effect_of(view.here, draft, judged.rules) if judged.sound else None
    return view.page("setup/effect.html", effect=found, draft=draft)


@router.post("/setup/{draft_id}/preview")
def preview(view: Editing, draft_id: str) -> Response:
    """Begin a preview: a run that writes nothing."""
    draft = drafts.opened(view.here, draft_id)
    _previews(view).begin(view.request.app.state.pool, draft)
    if view.partial:
        return _previewed(view, draft)
    return view.go("/setup", draft.id, "review")


@router.get("/setup/{draft_id}/preview")
def previewed(view: Editing, draft_id: str) -> Response:
    """How far a preview is, or what it found."""
    return _previewed(view, drafts.opened(view.here, draft_id))


@router.post("/setup/{draft_id}/save")
def save(view: Editing, draft_id: str, form: Given) -> Response:
    """Save the sync, and turn it on where that was asked."""
    draft = drafts.opened(view.here, draft_id)
    enabled = {"on": True, "off": False}.get(form.text("enabled"))
    try:
        change = view.work(drafts.resolved(view.here, draft, enabled=enabled))
        drafts.saved(view.here, draft, change)
    except Refused as error:
        return _step(view, draft, form, 422, [p for p in error.problems if not p.warning])
    except TwofoldError as error:
        form.problem = error
        return _step(view, draft, form, 422)
    view.note("sync saved" if draft.new else "sync edited", draft.name, draft.connection)
    said = view.say("%(name)s is saved.", name=draft.name)
    return view.go("/health", said=said)


def _step(
    view: View, draft: Draft, form: Form, status: int = 200, refused: list[Any] | None = None
) -> Response:
    judged = drafts.judge(view.here, draft)
    rules = judged.rules
    ways = [travels(mapping, rules.direction) for mapping in rules.mappings if mapping.enabled]
    context: dict[str, Any] = {
        "draft": draft,
        "rules": rules,
        "form": form,
        "judged": judged,
        "problems": refused or [p for p in judged.problems if not p.warning],
        "warnings": [p for p in judged.problems if p.warning],
        "ways": {way.value: ways.count(way) for way in Direction},
        "custom": isinstance(rules.matching, CustomMatching),
        "levels": level_names(rules),
        "filters": {side.value: filter_words(rules.filter_of(side)) for side in Side},
        "preview": _previews(view).of(draft),
    }
    return view.page("setup/review.html", status, **context)


def _previewed(view: View, draft: Draft) -> Response:
    found = _previews(view).of(draft)
    return view.page("setup/preview.html", draft=draft, preview=found)


def _previews(view: View) -> Previews:
    found: Previews = view.request.app.state.previews
    return found
