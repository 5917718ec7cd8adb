"""A person takes back what was written: it goes back where it was written, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from tests.engine.stage import Stage
from tests.engine.test_trouble import LOST, at_step, calm, linked, trouble

from twofold.core.records import Side
from twofold.core.undo import PutBack
from twofold.kit.memory import Phase
from twofold.store.undo import Wish


async def written(stage: Stage, **fields: str) -> tuple[str, str]:
    """The hub's edit of notes from old to new has travelled to the app."""
    hub, app = await linked(stage, notes="old", **fields)
    stage.hub.edit("contact", hub, {"notes": "new"})
    await calm(stage)
    assert stage.only(Side.APP).fields["notes"] == "new"
    return hub, app


def take_back(stage: Stage, before: Any = "old", after: Any = "new", name: str = "notes") -> None:
    """A person wants back what the app held."""
    (link,) = stage.state.links.after(stage.contacts, 0, 9)
    wish = Wish(link.hub.row, PutBack(Side.APP, name, before, after))
    stage.state.undos.ask(stage.contacts, [wish], "ada")


def notes(stage: Stage) -> tuple[Any, Any]:
    hub, app = (stage.only(side).fields.get("notes") for side in Side)
    return hub, app


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "without an answer"])
async def test_a_value_goes_back_and_rests_there(lost: bool) -> None:
    stage = Stage()
    hub, app = await written(stage)
    take_back(stage)
    if lost:
        trouble(stage.app, "push", Phase.AFTER, LOST)
        await stage.run()
    await calm(stage)
    assert notes(stage) == ("new", "old")
    assert stage.counts().in_sync == 1
    assert not stage.state.undos.any(stage.contacts)
    newest = stage.state.history.page(stage.contacts, before=None, limit=1)[0]
    (change,) = newest.changes
    assert (change.before, change.after, change.rule) == ("new", "old", "" if lost else "UNDONE")
    stage.app.edit("contact", app, {"phone": "+31201234567"})
    await calm(stage)
    assert notes(stage) == ("new", "old"), "it stays until one of the two changes"
    stage.hub.edit("contact", hub, {"notes": "newer"})
    await calm(stage)
    assert notes(stage) == ("newer", "newer")


async def test_what_was_edited_since_is_left_alone() -> None:
    stage = Stage()
    _, app = await written(stage)
    take_back(stage)
    stage.app.edit("contact", app, {"notes": "by hand"})
    await calm(stage)
    assert notes(stage) == ("by hand", "by hand")
    assert not stage.state.undos.any(stage.contacts)


async def test_an_edit_between_the_note_and_the_write_wins() -> None:
    stage = Stage()
    _, app = await written(stage)
    take_back(stage)
    at_step(stage, "noted", lambda: stage.app.edit("contact", app, {"notes": "by hand"}))
    await calm(stage)
    assert notes(stage) == ("by hand", "by hand")


async def test_edits_of_other_fields_travel_as_ever() -> None:
    stage = Stage()
    hub, app = await written(stage)
    stage.hub.edit("contact", hub, {"lastname": "Lovelace"})
    stage.app.edit("contact", app, {"firstname": "Augusta"})
    take_back(stage)
    await calm(stage)
    assert notes(stage) == ("new", "old")
    for side in Side:
        found = stage.only(side).fields
        assert (found["lastname"], found["firstname"]) == ("Lovelace", "Augusta")


async def test_nothing_goes_back_into_a_pair_that_is_excluded() -> None:
    stage = Stage()
    await written(stage)
    (link,) = stage.state.links.after(stage.contacts, 0, 9)
    places = [(Side.HUB, link.hub.row), (Side.APP, link.app.row)]
    stage.state.limits.exclude(stage.contacts, places, "a test", None)
    await calm(stage)
    take_back(stage)
    await calm(stage)
    assert notes(stage) == ("new", "new")
    assert stage.counts().excluded == 1
    assert not stage.state.undos.any(stage.contacts)


async def test_a_field_that_is_mapped_no_more_is_left_alone() -> None:
    stage = Stage()
    await written(stage)
    take_back(stage, name="gone")
    await calm(stage)
    assert notes(stage) == ("new", "new")
