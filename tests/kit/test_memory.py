"""The memory app beyond the contract: time, faults, and what its users do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from twofold.core.records import Target
from twofold.core.schema import Feed, Op
from twofold.kit.contract import Batch, Status, Write
from twofold.kit.errors import CursorExpired, OutcomeUnknown, Unavailable
from twofold.kit.memory import (
    APPS,
    Call,
    Fail,
    Fault,
    Habits,
    Items,
    Meanwhile,
    MemoryApp,
    MemoryConnector,
    Partly,
    Phase,
    Reorder,
    company,
    contact,
    deal,
)

FIELDS = ("email", "firstname")


def creates(*names: str) -> list[Write]:
    return [Write(f"ref-{n}", Op.CREATE, fields={"email": f"{n}@example.org"}) for n in names]


def emails(app: MemoryApp) -> list[str]:
    return [str(record.fields["email"]).partition("@")[0] for record in app.all("contact")]


async def changes(connector: MemoryConnector, cursor: str | None) -> tuple[list[str], str]:
    """Drain the feed; returns ids in order, and the last cursor."""
    ids: list[str] = []
    while True:
        page: Batch = await connector.pull("contact", cursor, FIELDS)
        ids += page.ids
        cursor = page.cursor
        if not page.more:
            return ids, cursor


@pytest.mark.parametrize("feed", [Feed.LOG, Feed.WATERMARK])
async def test_a_change_appears_after_the_lag(feed: Feed) -> None:
    app = MemoryApp([contact(feed=feed, lag=timedelta(seconds=10))])
    connector = MemoryConnector.over(app)
    made = app.create("contact", {"email": "a@example.org"})
    listed, cursor = await changes(connector, None)
    app.advance(timedelta(seconds=11))
    shown, cursor = await changes(connector, cursor)
    assert (listed, shown) == ([], [made])
    app.edit("contact", made, {"firstname": "A"})
    at_once = await connector.get("contact", [made], FIELDS)
    assert at_once[made][0].fields["firstname"] == "A"
    app.advance(timedelta(seconds=5))
    _, cursor = await changes(connector, cursor)  # a round that comes too early to see it
    app.advance(timedelta(seconds=6))
    assert (await changes(connector, cursor))[0] == [made]


async def test_a_crowded_instant_is_delivered_whole() -> None:
    app = MemoryApp([contact(feed=Feed.WATERMARK, resolution=timedelta(days=1))], page_size=3)
    connector = MemoryConnector.over(app)
    _, cursor = await changes(connector, None)
    made = [app.create("contact", {"email": f"{n}@example.org"}) for n in range(10)]
    assert {record.version for record in app.all("contact")} == {"2026-01-01T00:00:00+00:00"}
    assert sorted((await changes(connector, cursor))[0]) == sorted(made)


async def test_a_cursor_lives_as_long_as_declared() -> None:
    app = MemoryApp([contact(retention=timedelta(days=30))])
    connector = MemoryConnector.over(app)
    _, cursor = await changes(connector, None)
    app.advance(timedelta(days=29))
    _, cursor = await changes(connector, cursor)
    app.advance(timedelta(days=31))
    with pytest.raises(CursorExpired):
        await changes(connector, cursor)


async def test_twins_within_an_atomic_batch_are_duplicates() -> None:
    kind = contact(atomic=True)
    fields = [replace(field, unique=field.name == "email") for field in kind.fields]
    app = MemoryApp([replace(kind, fields=tuple(fields))])
    results = await MemoryConnector.over(app).push("contact", creates("a", "b", "a"))
    assert [r.status for r in results] == [Status.RETRY, Status.RETRY, Status.DUPLICATE]
    assert emails(app) == []


async def test_faults_before_the_effect_leave_nothing() -> None:
    app = MemoryApp([contact()])
    app.fault = lambda call: (
        Fail(Unavailable("memory", "scripted")) if call.phase is Phase.BEFORE else None
    )
    with pytest.raises(Unavailable):
        await MemoryConnector.over(app).push("contact", creates("a"))
    assert (emails(app), app.writes, app.called("push", "contact")) == ([], 0, 1)


async def test_a_lost_answer_leaves_the_effect() -> None:
    app = MemoryApp([contact()])
    app.fault = lambda call: (
        Fail(OutcomeUnknown("memory", "scripted")) if call.phase is Phase.AFTER else None
    )
    with pytest.raises(OutcomeUnknown):
        await MemoryConnector.over(app).push("contact", creates("a"))
    assert emails(app) == ["a"]


async def test_a_batch_can_break_in_the_middle() -> None:
    app = MemoryApp([contact()])
    app.fault = lambda call: Partly(2)
    with pytest.raises(OutcomeUnknown):
        await MemoryConnector.over(app).push("contact", creates("a", "b", "c"))
    assert emails(app) == ["a", "b"]


async def test_single_items_can_be_in_doubt() -> None:
    app = MemoryApp([contact()])
    statuses = {0: Status.UNKNOWN, 2: Status.RETRY}
    app.fault = lambda call: Items(statuses, applied=True) if call.phase is Phase.BEFORE else None
    results = await MemoryConnector.over(app).push("contact", creates("a", "b", "c"))
    assert [r.status for r in results] == [Status.UNKNOWN, Status.OK, Status.RETRY]
    assert [r.ref for r in results] == ["ref-a", "ref-b", "ref-c"]
    assert emails(app) == ["a", "b"]


async def test_a_user_can_act_between_a_read_and_a_write() -> None:
    app = MemoryApp([contact()])
    connector = MemoryConnector.over(app)
    made = app.create("contact", {"email": "a@example.org"})
    version = (await connector.get("contact", [made], FIELDS))[made][0].version

    def fault(call: Call) -> Fault | None:
        if call.name == "push" and call.phase is Phase.BEFORE:
            return Meanwhile(lambda: app.edit("contact", made, {"firstname": "user"}))
        return None

    app.fault = fault
    write = Write("w", Op.UPDATE, made, {"firstname": "ours"}, if_version=version)
    (result,) = await connector.push("contact", [write])
    record = app.read("contact", made)
    assert result.status is Status.CONFLICT
    assert record is not None
    assert record.fields["firstname"] == "user"


async def test_a_reordered_page_still_decodes_by_position() -> None:
    app = MemoryApp([contact()])
    made = [app.create("contact", {"email": f"{n}@example.org"}) for n in range(3)]
    app.fault = lambda call: Reorder()
    page = await MemoryConnector.over(app).pull("contact", None, FIELDS)
    assert list(page.ids) == made[::-1]
    assert [record.id for record in page.decode([2, 0])] == [made[0], made[2]]


async def test_the_app_rewrites_values_and_shows_what_it_stored() -> None:
    habits = Habits(rewrite={"firstname": lambda value: str(value).strip().title()})
    app = MemoryApp([contact()], habits=habits)
    write = Write("w", Op.CREATE, fields={"firstname": "  ann "})
    (result,) = await MemoryConnector.over(app).push("contact", [write])
    assert result.stored is not None
    assert result.stored.fields["firstname"] == "Ann"


async def test_a_merge_moves_relations_and_names_the_survivor() -> None:
    app = MemoryApp([contact(), company(merges=True), deal()])
    connector = MemoryConnector.over(app)
    lost, kept = (app.create("company", {"name": name}) for name in ("Lost", "Kept"))
    app.edit("company", lost, {"domain": "example.org"})
    person = app.create("contact", {"email": "a@example.org"}, [("company", Target(lost, True))])
    cursor = (await connector.pull("company", None, ("name",))).cursor
    app.merge("company", lost, kept)
    page = await connector.pull("company", cursor, ("name",))
    survivor = (await connector.get("company", [lost], ("name", "domain")))[lost][0]
    shown = app.read("contact", person)
    assert shown is not None
    assert list(page.gone) == [(lost, kept)]
    assert survivor.id == kept
    assert survivor.fields == {"name": "Kept", "domain": "example.org"}
    assert shown.associations["company"] == (Target(kept, True),)


def test_a_relation_ends_with_its_target_and_needs_one() -> None:
    app = MemoryApp([contact(), company()])
    firm = app.create("company", {"name": "Firm"})
    person = app.create("contact", {"email": "a@example.org"}, [("company", Target(firm))])
    app.delete("company", firm)
    shown = app.read("contact", person)
    assert shown is not None
    assert shown.associations["company"] == ()
    with pytest.raises(ValueError, match="there is no company 1"):
        app.associate("contact", person, "company", Target(firm))


def test_users_cannot_enter_what_the_app_refuses() -> None:
    app = MemoryApp([contact()])
    with pytest.raises(ValueError, match="expects at most 100 characters"):
        app.create("contact", {"firstname": "x" * 101})
    assert app.all("contact") == []


async def test_a_connector_finds_its_app_by_name() -> None:
    app = MemoryApp([contact()], name="by-name")
    APPS[app.name] = app
    try:
        connector = MemoryConnector({"app": "by-name"})
        assert (await connector.verify()).account == "by-name"
    finally:
        del APPS[app.name]
    with pytest.raises(Unavailable, match="no app named 'by-name'"):
        MemoryConnector({"app": "by-name"})
