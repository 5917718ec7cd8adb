"""The suite's tests of the feed: what it reports after a listing, and from where it goes on."""

from __future__ import annotations

import pytest

from twofold.core.records import Fields, Record
from twofold.kit.conformance.capabilities import Capability, needs
from twofold.kit.conformance.subject import Reading, Subject, holds
from twofold.kit.contract import Connector
from twofold.kit.errors import CursorExpired

_VANISH = (Capability.DELETE, Capability.ARCHIVE)


class ChangesTests(Subject):
    """Nothing is lost, and what was read does not come for ever."""

    async def listed(self, connector: Connector, *numbers: int) -> tuple[list[str], Reading]:
        """Records that were made and read once."""
        made = await self.make(connector, *numbers) if numbers else []
        await self.settle(connector)
        return made, await self.read(connector)

    async def changed(self, connector: Connector, cursor: str) -> Reading:
        """What the feed reports from a cursor on, once it can."""
        await self.settle(connector)
        return await self.read(connector, cursor)

    @needs(Capability.LOG)
    async def test_a_cursor_resumes_after_what_was_read(self, connector: Connector) -> None:
        """Exactly the new record comes, then nothing."""
        _, reading = await self.listed(connector, 1, 2, 3)
        (new,) = await self.make(connector, 4)
        reading = await self.changed(connector, reading.cursor)
        assert reading.ids == [new]
        assert (await self.changed(connector, reading.cursor)).ids == []

    @needs(Capability.WATERMARK)
    async def test_a_watermark_moves_on(self, connector: Connector) -> None:
        """The new record comes; what is older than lag and resolution comes no more."""
        _, reading = await self.listed(connector, 1)
        (old,) = await self.make(connector, 2)
        reading = await self.changed(connector, reading.cursor)
        assert old in reading.ids
        reading = await self.changed(connector, reading.cursor)
        (new,) = await self.make(connector, 3)
        reading = await self.changed(connector, reading.cursor)
        assert new in reading.ids
        assert old not in reading.ids

    @needs(Capability.SNAPSHOT)
    async def test_each_snapshot_is_whole(self, connector: Connector) -> None:
        """From any cursor at the end of a listing, a new full listing starts."""
        made, reading = await self.listed(connector, 1, 2, 3)
        (new,) = await self.make(connector, 4)
        for _ in range(2):
            reading = await self.changed(connector, reading.cursor)
            assert sorted(reading.ids) == sorted([*made, new])
            assert all(page.snapshot for page in reading.pages)

    @needs(none_of=[Capability.SNAPSHOT])
    async def test_changes_are_no_listing(self, connector: Connector) -> None:
        """Pages of changes are not marked as a listing: unseen records are not gone."""
        _, reading = await self.listed(connector, 1, 2)
        await self.make(connector, 3)
        reading = await self.changed(connector, reading.cursor)
        assert not any(page.snapshot for page in reading.pages)

    async def test_many_changes_come_over_several_pages(self, connector: Connector) -> None:
        """Changes of one instant are all delivered, whatever the page size."""
        _, reading = await self.listed(connector, 1)
        made = await self.make(connector, *range(2, 2 + max(self.several_pages, 3)))
        reading = await self.changed(connector, reading.cursor)
        assert set(made) <= set(reading.ids)
        assert len(reading.ids) == len(set(reading.ids))

    @needs(Capability.UPDATE)
    async def test_an_update_is_read_again(self, connector: Connector) -> None:
        """With its new values."""
        made, reading = await self.listed(connector, 1, 2)
        await self.update(connector, made[0], self.edited(1))
        reading = await self.changed(connector, reading.cursor)
        assert holds(reading.records[made[0]], self.edited(1))

    @needs(hooks=("outside_edit",))
    async def test_an_edit_by_another_user_is_read(self, connector: Connector) -> None:
        """The feed is not only an echo of our own writes."""
        made, reading = await self.listed(connector, 1, 2)
        await self.outside_edit(connector, made[1], self.edited(2))
        reading = await self.changed(connector, reading.cursor)
        assert holds(reading.records[made[1]], {**self.fields(2), **self.edited(2)})

    @needs(Capability.UPDATE)
    async def test_a_page_read_twice_is_the_same(self, connector: Connector) -> None:
        """A cursor stays good after it was used, since a crash may come before it is stored."""
        made, reading = await self.listed(connector, 1, 2)
        await self.update(connector, made[0], self.edited(1))
        first = await self.changed(connector, reading.cursor)
        again = await self.changed(connector, reading.cursor)
        assert made[0] in first.ids
        assert first.records == again.records

    async def test_another_instance_continues_from_the_cursor(self, connector: Connector) -> None:
        """A cursor holds all that a new process needs."""
        made, reading = await self.listed(connector, 1, 2)
        (new,) = await self.make(connector, 3)
        reading = await self.changed(await self.reconnect(connector), reading.cursor)
        assert new in reading.ids
        if Capability.LOG in self.declares:
            assert not set(made) & set(reading.ids)

    @needs(Capability.UPDATE)
    async def test_an_edit_between_pages_is_not_lost(self, connector: Connector) -> None:
        """Whoever is edited during a listing shows the new values at the latest afterwards."""
        count = max(self.several_pages, 3)
        made = await self.make(connector, *range(count))
        await self.settle(connector)
        names = await self.names(connector)
        first = await connector.pull(self.object_type, None, names)
        edits: dict[str, Fields] = {}
        for n in (0, count // 2, count - 1):
            edits[made[n]] = self.edited(n)
            await self.update(connector, made[n], self.edited(n))
        seen: dict[str, Record] = {}
        cursor = first.cursor
        for _ in range(2):
            reading = await self.changed(connector, cursor)
            seen.update(reading.records)
            cursor = reading.cursor
        for record_id, fields in edits.items():
            assert record_id in seen, f"the edit of {record_id} was never delivered"
            assert holds(seen[record_id], fields), seen[record_id]

    @needs(any_of=_VANISH)
    async def test_a_delete_between_pages_hides_nobody(self, connector: Connector) -> None:
        """No other record slips through when the listing moves up (no paging by offset)."""
        made = await self.make(connector, *range(max(self.several_pages, 3)))
        await self.settle(connector)
        names = await self.names(connector)
        first = await connector.pull(self.object_type, None, names)
        removed = next(iter(first.ids))
        await self.remove(connector, removed)
        ids = set(first.ids)
        if first.more:
            await self.settle(connector)
            ids |= set((await self.read(connector, first.cursor)).ids)
        assert ids >= set(made) - {removed}

    @needs(Capability.DELETES, any_of=_VANISH)
    async def test_a_delete_is_reported(self, connector: Connector) -> None:
        """Between listings, once, as gone and merged into nobody."""
        made, reading = await self.listed(connector, 1, 2, 3)
        await self.remove(connector, made[1])
        reading = await self.changed(connector, reading.cursor)
        assert (made[1], None) in reading.gone
        assert made[1] not in reading.ids
        assert not {made[0], made[2]} & {record_id for record_id, _ in reading.gone}

    @needs(Capability.DELETES, hooks=("outside_delete",))
    async def test_a_delete_by_another_user_is_reported(self, connector: Connector) -> None:
        """The feed is not only an echo of our own writes."""
        made, reading = await self.listed(connector, 1, 2)
        await self.outside_delete(connector, made[0])
        reading = await self.changed(connector, reading.cursor)
        assert (made[0], None) in reading.gone

    @needs(any_of=_VANISH)
    async def test_a_deleted_record_is_not_listed(self, connector: Connector) -> None:
        """A full listing shows what is there, so that what is missing is gone."""
        made, _ = await self.listed(connector, 1, 2, 3)
        await self.remove(connector, made[1])
        await self.settle(connector)
        assert sorted((await self.read(connector)).ids) == sorted([made[0], made[2]])

    @needs(Capability.MERGES, hooks=("outside_merge",))
    async def test_a_merge_is_reported(self, connector: Connector) -> None:
        """The loser is gone into the survivor."""
        (loser, survivor), reading = await self.listed(connector, 1, 2)
        await self.outside_merge(connector, loser, survivor)
        reading = await self.changed(connector, reading.cursor)
        assert (loser, survivor) in reading.gone
        assert loser not in reading.ids

    @needs(hooks=("expire_cursors",))
    async def test_an_expired_cursor_is_named(self, connector: Connector) -> None:
        """The engine starts again: CursorExpired, never a silent gap; a new listing works."""
        made, reading = await self.listed(connector, 1, 2)
        await self.expire_cursors(connector)
        with pytest.raises(CursorExpired):
            await connector.pull(self.object_type, reading.cursor, await self.names(connector))
        assert sorted((await self.read(connector)).ids) == sorted(made)
