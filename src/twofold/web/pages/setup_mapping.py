"""One mapping in full: when it writes, blanks, conflicts, options, transforms."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from twofold.core.errors import TwofoldError
from twofold.core.mappings import Blanks, FieldMapping, When
from twofold.core.parts import plain_name
from twofold.core.records import Side
from twofold.core.schema import Field
from twofold.core.transforms import Change
from twofold.core.type_matrix import shape
from twofold.core.values import Kind
from twofold.services import drafts
from twofold.services.drafts import Document, Draft
from twofold.services.transform_words import described, transform_of
from twofold.web.forms import Form, Given
from twofold.web.view import Editing, Page, View

router = APIRouter(route_class=Page)

MOST_OPTIONS = 200
"""Lines of an option table on a page; a longer one is kept in the sync's YAML."""
_OPTION = "option:"


@router.get("/setup/{draft_id}/mapping")
def one(view: Editing, draft_id: str, hub: str = "") -> Response:
    """Show all settings of a mapping."""
    draft = drafts.opened(view.here, draft_id)
    return _shown(view, draft, hub, Form())


@router.post("/setup/{draft_id}/mapping")
def told(view: Editing, draft_id: str, form: Given) -> Response:
    """Keep the settings of a mapping."""
    draft = drafts.opened(view.here, draft_id)
    hub = form.text("hub")
    mapping, entry = _found(view, draft, hub)
    try:
        settings = _settings(form, mapping)
    except TwofoldError as error:
        form.errors["transforms"] = view.words.sentence(error)
        return _shown(view, draft, hub, form, 422)
    usual = {"options", "transforms", "hub_fallback", "app_fallback", *_PLAIN}
    kept = {key: value for key, value in entry.items() if key not in usual} | settings
    entries = [kept if e["hub"] == hub else e for e in draft.mappings]
    seed = form.text("seed")
    seeds = {hub: Side(seed)} if seed in {s.value for s in Side} else {}
    after = drafts.remapped(view.here, draft, entries, seeds)
    wrong = [p for p in drafts.judge(view.here, after).of(hub) if not p.warning]
    if wrong:
        drafts.remapped(view.here, draft, draft.mappings)
        form.errors["mapping"] = wrong[0].sentence
        return _shown(view, draft, hub, form, 422)
    return view.go("/setup", draft.id, "configure", said=view.say("The mapping is changed."))


_PLAIN: dict[str, tuple[type[When | Blanks | Side], str]] = {
    "when": (When, When.ALWAYS.value),
    "blanks": (Blanks, Blanks.NEVER_ERASE.value),
    "default_side": (Side, ""),
}
"""Settings that are one choice: their words, and the usual one, which is not written down."""


def _settings(form: Form, mapping: FieldMapping) -> Document:
    """The form as the document writes it. Raises TwofoldError (TF-F23)."""
    found: Document = {}
    for name, (words, usual) in _PLAIN.items():
        asked = form.text(name)
        if asked != usual and asked in {word.value for word in words}:
            found[name] = asked
    pairs = [[ours, theirs] for ours, theirs in form.starting(_OPTION).items() if theirs]
    shown = {option.value for option in mapping.hub.options[:MOST_OPTIONS]}
    pairs += [list(pair) for pair in mapping.options if pair[0] not in shown]
    if pairs:
        found["options"] = pairs
    for side in Side:
        if form.text(f"{side}_fallback"):
            found[f"{side}_fallback"] = form.text(f"{side}_fallback")
    whole = Side.APP if mapping.hub.parts else Side.HUB
    lines = [line.strip() for line in form.text("transforms").splitlines() if line.strip()]
    transforms = [transform_of(line, whole) for line in lines]
    if transforms:
        found["transforms"] = transforms
    return found


def _found(view: View, draft: Draft, hub: str) -> tuple[FieldMapping, Document]:
    """A mapping and its entry. Raises TwofoldError (TF-U23) where there is none."""
    rules = drafts.judge(view.here, draft).rules
    for mapping in rules.mappings:
        for entry in draft.mappings:
            if plain_name(mapping.name) == hub == entry["hub"]:
                return mapping, entry
    raise TwofoldError("TF-U23", field=hub[:100])


def _shown(view: View, draft: Draft, hub: str, form: Form, status: int = 200) -> Response:
    mapping, entry = _found(view, draft, hub)
    context: dict[str, Any] = {
        "draft": draft,
        "hub": hub,
        "mapping": mapping,
        "entry": entry,
        "form": form,
        "pairs": dict(mapping.options),
        "options": {side.value: _options(mapping.end(side)) for side in Side},
        "paired": shape(mapping.hub) is shape(mapping.app) and mapping.hub.kind in _OPTIONED,
        "transforms": form.text("transforms") or "\n".join(map(described, mapping.transforms)),
        "changes": tuple(Change),
        "fresh": not draft.new and all(e["hub"] != hub for e in (draft.base or {})["mappings"]),
        "seed": draft.seeds.get(hub),
    }
    return view.page("setup/mapping.html", status, **context)


_OPTIONED = frozenset({Kind.CHOICE, Kind.OWNER})


def _options(field: Field) -> list[tuple[str, str]]:
    return [(option.value, option.label) for option in field.options[:MOST_OPTIONS]]
