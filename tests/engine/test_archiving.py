"""Records that leave their limit where that archives the twin, and how they come back (L5, D7)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from tests.engine.crashes import at_every_step, calm
from tests.engine.stage import Stage
from tests.engine.test_deletes import answer
from tests.engine.test_limits import IN, ONLY_IN, OUT, add, why
from tests.engine.test_trouble import at_step

from twofold.core.filters import Filter, Leaving
from twofold.core.health import State
from twofold.core.mappings import Deletes, Direction
from twofold.core.records import Side
from twofold.core.schema import Op
from twofold.core.validate import check
from twofold.engine.edit import Edit, Meaning, count
from twofold.store.types import Phase

ARCHIVES: dict[str, Any] = {"ops": frozenset(Op)}


def stage(**rules: Any) -> Stage:
    """The hub sends only people whose last name is "in"; who leaves, leaves the app's archive."""
    options = {"hub_filter": ONLY_IN, "leaving": Leaving.ARCHIVE, "deletes": Deletes.DELETE}
    return Stage(**{"hub": ARCHIVES, "app": ARCHIVES, **options, **rules})


async def left(**rules: Any) -> tuple[Stage, str, str]:
    """Two pairs, of which the hub's record of one leaves next; and its ids on both sides."""
    at = stage(**rules)
    hub = add(at, Side.HUB, "a@x.org", **IN, notes="one", firstname="Ada")
    add(at, Side.HUB, "b@x.org", **IN)
    add(at, Side.HUB, "never@x.org", **OUT)
    await at.run_all()
    await at.run_all()
    app = at.only_with(Side.APP, "a@x.org").id
    at.hub.edit("contact", hub, {**OUT, "notes": "two"})
    return at, hub, app


@pytest.mark.parametrize("direction", [Direction.BOTH, Direction.TO_APP])
async def test_the_twin_is_archived_and_the_pair_excluded(direction: Direction) -> None:
    at, _, _ = await left(direction=direction)
    outcome = await at.run()
    assert outcome.counts["app archived"] == 1
    await calm(at)
    assert at.values(Side.APP, "email") == ["b@x.org"]
    assert at.values(Side.HUB, "email") == ["a@x.org", "b@x.org", "never@x.org"]
    assert why(at) == ["TF-X03", "TF-X03"]
    assert (at.counts().in_sync, at.counts().total) == (1, 3)


@pytest.mark.parametrize("direction", [Direction.BOTH, Direction.TO_APP])
@pytest.mark.parametrize("before", [Leaving.ARCHIVE, Leaving.STOP])
async def test_an_edit_says_how_many_twins_it_archives(
    direction: Direction, before: Leaving
) -> None:
    """Also where the twin may go on sending: nothing but the archive tells of it then."""
    at = stage(direction=direction, hub_filter=Filter(), leaving=before)
    for name in ("a", "b", "c"):
        add(at, Side.HUB, f"{name}@x.org", **IN if name == "a" else OUT)
    await at.run_all()
    sync = at.state.syncs.get(at.contacts)
    rules = structs.replace(sync.rules, hub_filter=ONLY_IN, leaving=Leaving.ARCHIVE)
    edit = Edit(at.state, at.world, sync, rules)
    counts: dict[Meaning, int] = {}
    for touched in edit.touched():
        count(counts, touched)
    assert counts == {Meaning.ARCHIVES: 2}
    assert edit.save() == counts
    await calm(at)
    assert at.values(Side.APP, "email") == ["a@x.org"]
    assert len(at.values(Side.HUB, "email")) == 3


async def test_killed_at_every_step() -> None:
    async def scene() -> Stage:
        return (await left())[0]

    def check(at: Stage) -> None:
        assert at.values(Side.APP, "email") == ["b@x.org"]
        assert at.values(Side.HUB, "email") == ["a@x.org", "b@x.org", "never@x.org"]
        assert why(at) == ["TF-X03", "TF-X03"]
        assert (at.counts().in_sync, at.counts().total) == (1, 3)

    assert await at_every_step(scene, check) > 8


async def test_killed_at_every_step_of_coming_back() -> None:
    async def scene() -> Stage:
        at, hub, _ = await left()
        await calm(at)
        at.hub.edit("contact", hub, IN)
        return at

    def check(at: Stage) -> None:
        assert at.values(Side.APP, "email") == ["a@x.org", "b@x.org"]
        assert at.only_with(Side.APP, "a@x.org").fields["notes"] == "two"
        assert (at.counts().in_sync, at.counts().total) == (2, 3)

    assert await at_every_step(scene, check) > 4


async def test_leaving_again_after_coming_back() -> None:
    at, hub, _ = await left()
    await calm(at)
    at.hub.edit("contact", hub, IN)
    await calm(at)
    at.hub.edit("contact", hub, OUT)
    await calm(at)
    assert at.values(Side.APP, "email") == ["b@x.org"]


async def test_a_restored_twin_stays_and_rejoins_with_what_was_seen() -> None:
    at, hub, app = await left(direction=Direction.TO_APP)
    await calm(at)
    at.app.restore("contact", app)
    await calm(at)
    assert at.only_with(Side.APP, "a@x.org").fields["notes"] == "one"
    assert why(at) == ["TF-X03", "TF-X03"]
    at.app.edit("contact", app, {"firstname": "Eve"})
    at.hub.edit("contact", hub, IN)
    await calm(at)
    twin = at.only_with(Side.APP, "a@x.org")
    kept = "Eve"  # an edit of the receiving side since the two agreed: they do not meet anew
    assert (twin.id, twin.fields["notes"], twin.fields["firstname"]) == (app, "two", kept)
    assert (at.counts().in_sync, at.counts().total) == (2, 3)


async def test_an_edited_twin_goes_only_with_a_yes() -> None:
    at, _, app = await left()
    at.app.edit("contact", app, {"phone": "+31612345678"})
    await calm(at)
    assert why(at, State.WAITING) == ["TF-D09"]
    assert len(at.values(Side.APP, "email")) == 2
    assert len(answer(at, Phase.APPROVED)) == 1
    await calm(at)
    assert at.values(Side.APP, "email") == ["b@x.org"]
    assert why(at) == ["TF-X03", "TF-X03"]


async def test_a_no_leaves_the_pair_as_if_it_had_stopped() -> None:
    at, hub, app = await left()
    at.app.edit("contact", app, {"phone": "+31612345678"})
    await calm(at)
    answer(at, Phase.REJECTED)
    await calm(at)
    assert at.only_with(Side.APP, "a@x.org").fields["notes"] == "one"
    assert at.only_with(Side.HUB, "a@x.org").fields["phone"] == "+31612345678", "it may receive"
    at.hub.edit("contact", hub, IN)
    await calm(at)
    at.hub.edit("contact", hub, OUT)
    await calm(at)
    assert at.values(Side.APP, "email") == ["b@x.org"], "it left once more"


@pytest.mark.parametrize("step", ["app pulled", "app looked before removals", "removals noted"])
async def test_an_edit_right_before_the_archive_is_seen(step: str) -> None:
    at, _, app = await left()
    at_step(at, step, lambda: at.app.edit("contact", app, {"notes": "wait"}))
    await calm(at)
    assert why(at, State.WAITING) == ["TF-D09"]
    assert len(at.values(Side.APP, "email")) == 2


@pytest.mark.parametrize("step", ["hub pulled", "settled", "app pulled"])
async def test_who_is_back_before_the_archive_keeps_the_twin(step: str) -> None:
    at, hub, app = await left()
    at_step(at, step, lambda: at.hub.edit("contact", hub, IN))
    await calm(at)
    assert (at.counts().in_sync, at.counts().total) == (2, 3)
    assert at.only_with(Side.APP, "a@x.org").fields["notes"] == "two"
    if step == "settled":
        assert at.only_with(Side.APP, "a@x.org").id == app


async def test_where_both_left_nothing_is_archived() -> None:
    at, _, app = await left(app_filter=ONLY_IN)
    at.app.edit("contact", app, OUT)
    await calm(at)
    assert len(at.values(Side.APP, "email")) == 2
    assert why(at) == ["TF-X03", "TF-X03"]
    at.app.edit("contact", app, IN)
    await calm(at)
    assert len(at.values(Side.HUB, "email")) == 3
    assert len(at.values(Side.APP, "email")) == 2


async def test_what_leaves_in_the_app_archives_in_the_hub() -> None:
    at = stage(hub_filter=Filter(), app_filter=ONLY_IN, direction=Direction.TO_HUB)
    app = add(at, Side.APP, "a@x.org", **IN)
    await at.run_all()
    at.app.edit("contact", app, OUT)
    await calm(at)
    assert at.values(Side.HUB, "email") == []
    assert at.values(Side.APP, "email") == ["a@x.org"]


async def test_a_source_deleted_meanwhile_sends_no_delete_of_its_own() -> None:
    at, hub, app = await left()
    at.app.edit("contact", app, {"notes": "mine"})
    await calm(at)
    at.hub.delete("contact", hub)
    await calm(at)
    assert len(at.values(Side.APP, "email")) == 2
    assert answer(at, Phase.APPROVED) == []


async def test_many_that_leave_at_once_pull_the_brake_on_deletes() -> None:
    at = stage()
    ids = [add(at, Side.HUB, f"{n}@x.org", **IN) for n in range(40)]
    await at.run_all()
    await at.run_all()
    for record in ids[:30]:
        at.hub.edit("contact", record, OUT)
    outcome = await at.run()
    assert outcome.status.code == "TF-B02"
    assert "40" in outcome.status.sentence
    assert len(at.values(Side.APP, "email")) == 40


@pytest.mark.parametrize("side", list(Side))
def test_an_app_that_cannot_archive_refuses_the_choice(side: Side) -> None:
    plain = {"ops": frozenset({Op.CREATE, Op.UPDATE, Op.DELETE})}
    at = stage(**{side.value: plain}, app_filter=ONLY_IN)
    rules = at.state.syncs.get(at.contacts).rules
    assert [p.code for p in check(rules)] == ["TF-D10"]


# --- the choice is made, or taken back, later -------------------------------------------------


def edit(at: Stage, **changes: Any) -> None:
    sync = at.state.syncs.get(at.contacts)
    Edit(at.state, at.world, sync, structs.replace(sync.rules, **changes)).save()


@pytest.mark.parametrize("leaving", [Leaving.STOP, Leaving.KEEP])
async def test_taken_back_nothing_is_asked_any_more(leaving: Leaving) -> None:
    at, _, app = await left()
    at.app.edit("contact", app, {"phone": "+31612345678"})
    await calm(at)
    assert why(at, State.WAITING) == ["TF-D09"]
    edit(at, leaving=leaving)
    assert answer(at, Phase.APPROVED) == []
    await calm(at)
    assert len(at.values(Side.APP, "email")) == 2
    assert at.counts().waiting == 0


async def test_chosen_later_only_who_leaves_then_is_archived() -> None:
    at, hub, _ = await left(leaving=Leaving.STOP)
    await calm(at)
    edit(at, leaving=Leaving.ARCHIVE)
    await calm(at)
    assert len(at.values(Side.APP, "email")) == 2, "it had left before"
    at.hub.edit("contact", at.only_with(Side.HUB, "b@x.org").id, OUT)
    await calm(at)
    assert at.values(Side.APP, "email") == ["a@x.org"]
    at.hub.edit("contact", hub, IN)
    await calm(at)
    assert at.only_with(Side.APP, "a@x.org").fields["notes"] == "two"


async def test_stopped_later_what_was_archived_stays_excluded_until_it_is_back() -> None:
    at, hub, _ = await left()
    await calm(at)
    edit(at, leaving=Leaving.STOP)
    await calm(at)
    assert at.values(Side.APP, "email") == ["b@x.org"]
    assert why(at) == ["TF-X03", "TF-X03"]
    at.hub.edit("contact", hub, IN)
    await calm(at)
    assert at.values(Side.APP, "email") == ["a@x.org", "b@x.org"]


async def test_a_record_paused_by_hand_leaves_nothing_behind() -> None:
    at, hub, _ = await left()
    row = at.state.outcomes.row_of(at.state.syncs.get(at.contacts).hub_reader, hub)
    assert row is not None
    at.state.limits.exclude(at.contacts, [(Side.HUB, row)], "a test", None)
    await calm(at)
    assert len(at.values(Side.APP, "email")) == 2
    at.state.limits.include(at.contacts, [(Side.HUB, row)])
    await calm(at)
    assert at.values(Side.APP, "email") == ["b@x.org"]
