"""The suite's tests of writing: order, patches, versions, refs, and what vanished."""

from __future__ import annotations

import copy

from twofold.core.errors import TwofoldError
from twofold.core.records import Fields
from twofold.core.schema import Op
from twofold.kit.conformance.capabilities import Capability, needs
from twofold.kit.conformance.subject import Subject, holds, same
from twofold.kit.contract import Connector, Status, Write

_VANISH = (Capability.DELETE, Capability.ARCHIVE)


class CreatingTests(Subject):
    """New records."""

    @needs(Capability.CREATE)
    async def test_a_create_is_stored(self, connector: Connector) -> None:
        """Under the id that the result names, with the values that were sent."""
        (made,) = await self.make(connector, 1)
        assert holds(await self.record(connector, made), self.fields(1))

    @needs(Capability.CREATE, Capability.BATCH)
    async def test_a_full_batch_is_answered_in_order(self, connector: Connector) -> None:
        """The declared maximum is taken, and each result belongs to its write."""
        kind = await self.kind(connector)
        count = min(kind.batch[Op.CREATE], self.largest_batch)
        writes = [Write(self.ref(), Op.CREATE, fields=self.fields(n)) for n in range(count)]
        results = await self.push(connector, *writes)
        ids = [str(result.id) for result in results]
        found = await connector.get(self.object_type, ids, await self.names(connector))
        assert len(set(ids)) == count
        for write, record_id in zip(writes, ids, strict=True):
            assert holds(found[record_id][0], write.fields), (write, found[record_id])

    @needs(Capability.CREATE)
    async def test_results_say_what_is_there(self, connector: Connector) -> None:
        """Version and stored record of a result, where given, are those of this very write."""
        write = Write(self.ref(), Op.CREATE, fields=self.fields(1))
        (result,) = await self.push(connector, write)
        record = await self.record(connector, str(result.id))
        assert result.version in (None, record.version)
        if result.stored is not None:
            assert result.stored.id == record.id
            shown = {n: v for n, v in result.stored.fields.items() if n in record.fields}
            assert holds(record, shown), (result.stored, record)

    @needs(Capability.CREATE)
    async def test_writes_are_not_changed(self, connector: Connector) -> None:
        """What the engine passes in is the engine's: lists and mappings stay as they were."""
        writes = [Write(self.ref(), Op.CREATE, fields=dict(self.fields(1)))]
        before = copy.deepcopy(writes)
        (result,) = await connector.push(self.object_type, writes)
        assert writes == before
        ids, names = [str(result.id)], await self.names(connector)
        asked = list(names)
        await connector.get(self.object_type, ids, asked)
        await connector.pull(self.object_type, None, asked)
        assert (ids, asked) == ([str(result.id)], names)

    @needs(Capability.CREATE)
    async def test_an_empty_push_is_no_write(self, connector: Connector) -> None:
        """No writes, no results, no record."""
        assert list(await connector.push(self.object_type, [])) == []
        assert (await self.read(connector)).ids == []

    @needs(Capability.IDEMPOTENT, Capability.CREATE)
    async def test_a_repeated_ref_makes_no_duplicate(self, connector: Connector) -> None:
        """A create whose answer was lost can be sent again, also after a restart."""
        write = Write(self.ref(), Op.CREATE, fields=self.fields(1))
        (first,) = await self.push(connector, write)
        (again,) = await self.push(await self.reconnect(connector), write)
        assert again.status in (Status.OK, Status.DUPLICATE), again
        known = again.id if again.status is Status.OK else again.issue and again.issue.other_id
        assert known in ((first.id,) if again.status is Status.OK else (first.id, None))
        await self.settle(connector)
        assert (await self.read(connector)).ids == [first.id]

    @needs(Capability.CREATE)
    async def test_another_ref_makes_another_record(self, connector: Connector) -> None:
        """Two creates are two records."""
        made = await self.make(connector, 1, 2)
        assert len(set(made)) == 2


class UpdatingTests(Subject):
    """Changes of records that are there."""

    @needs(Capability.UPDATE)
    async def test_an_update_keeps_the_other_fields(self, connector: Connector) -> None:
        """A patch, not a replacement."""
        made = await self.make(connector, 1, 2)
        await self.update(connector, made[0], self.edited(1))
        expected = {**self.fields(1), **self.edited(1)}
        assert holds(await self.record(connector, made[0]), expected)
        assert holds(await self.record(connector, made[1]), self.fields(2))

    @needs(Capability.UPDATE)
    async def test_none_clears(self, connector: Connector) -> None:
        """A field that is written as None is blank afterwards, and only that one."""
        (made,) = await self.make(connector, 1)
        name = await self.clearable(connector)
        await self.update(connector, made, {name: None})
        record = await self.record(connector, made)
        rest = {n: v for n, v in self.fields(1).items() if n != name}
        assert record.fields[name] is None
        assert holds(record, rest)

    async def clearable(self, connector: Connector) -> str:
        """A field of the suite's records that may be blank."""
        kind = await self.kind(connector)
        for field in kind.fields:
            free = field.nullable and not field.required and field.updatable
            if free and self.fields(1).get(field.name) is not None and field.name not in kind.keys:
                return field.name
        raise AssertionError("fields() fills no field that may be cleared and is not a key")

    @needs(Capability.UPDATE)
    async def test_updates_are_answered_in_order(self, connector: Connector) -> None:
        """As many as the declared maximum at once, each to its own record."""
        kind = await self.kind(connector)
        count = min(kind.batch.get(Op.UPDATE, 1), self.largest_batch)
        made = await self.make(connector, *range(count))
        names = await self.names(connector)
        found = await connector.get(self.object_type, made, names)
        planned = [found[record_id][0] for record_id in made]
        changes = [self.change(record, self.edited(n)) for n, record in enumerate(planned)]
        results = await self.push(connector, *changes[::-1])
        assert [result.status for result in results] == [Status.OK] * count
        found = await connector.get(self.object_type, made, names)
        for n, record_id in enumerate(made):
            assert holds(found[record_id][0], self.edited(n))

    @needs(Capability.UPDATE)
    async def test_an_update_that_changes_nothing_is_accepted(self, connector: Connector) -> None:
        """Sending what is there already is harmless."""
        (made,) = await self.make(connector, 1)
        await self.update(connector, made, self.fields(1))
        assert holds(await self.record(connector, made), self.fields(1))

    @needs(Capability.UPDATE)
    async def test_a_repeated_update_is_the_same(self, connector: Connector) -> None:
        """The same change sent twice leaves what one leaves."""
        (made,) = await self.make(connector, 1)
        await self.update(connector, made, self.edited(1))
        await self.update(connector, made, self.edited(1))
        assert holds(await self.record(connector, made), {**self.fields(1), **self.edited(1)})

    @needs(Capability.UPDATE, Capability.CONDITIONAL)
    async def test_a_stale_update_is_refused(self, connector: Connector) -> None:
        """A change planned against an older state is a conflict, and nothing is written."""
        (made,) = await self.make(connector, 1)
        planned = await self.record(connector, made)
        await self.settle(connector)
        await self.update(connector, made, self.edited(1))
        late = {name: self.fields(5)[name] for name in self.edited(1)}
        result = await self.try_update(connector, planned, late)
        assert result.status is Status.CONFLICT, result
        assert holds(await self.record(connector, made), {**self.fields(1), **self.edited(1)})

    @needs(Capability.UPDATE, Capability.CONDITIONAL, hooks=("outside_edit",))
    async def test_an_edit_by_another_user_is_a_conflict(self, connector: Connector) -> None:
        """Somebody's edit of the same field between our read and our write survives."""
        (made,) = await self.make(connector, 1)
        planned = await self.record(connector, made)
        await self.settle(connector)
        await self.outside_edit(connector, made, self.edited(1))
        late = {name: self.fields(5)[name] for name in self.edited(1)}
        result = await self.try_update(await self.reconnect(connector), planned, late)
        assert result.status is Status.CONFLICT, result
        assert holds(await self.record(connector, made), self.edited(1))

    @needs(Capability.UPDATE, Capability.CONDITIONAL, Capability.BATCH, none_of=[Capability.ATOMIC])
    async def test_one_conflict_spoils_no_other_write(self, connector: Connector) -> None:
        """In one batch, current plans are applied and the stale one is refused."""
        made = await self.make(connector, 1, 2, 3)
        planned = [await self.record(connector, record_id) for record_id in made]
        await self.settle(connector)
        await self.update(connector, made[1], self.edited(2))
        late = {name: self.fields(5)[name] for name in self.edited(2)}
        writes = [
            self.change(planned[0], self.edited(1)),
            self.change(planned[1], late),
            self.change(planned[2], self.edited(3)),
        ]
        results = await self.push_all(connector, writes)
        assert [r.status for r in results] == [Status.OK, Status.CONFLICT, Status.OK]
        for record_id, n in zip(made, (1, 2, 3), strict=True):
            assert holds(await self.record(connector, record_id), self.edited(n))

    @needs(Capability.UPDATE, Capability.CONDITIONAL)
    async def test_a_result_names_the_version_to_go_on_from(self, connector: Connector) -> None:
        """Two changes in a row: the second is planned against the first one's result."""
        (made,) = await self.make(connector, 1)
        record = await self.record(connector, made)
        result = await self.try_update(connector, record, self.edited(1))
        assert result.status is Status.OK
        if record.version is None or result.version is None:
            return
        back: Fields = {name: record.fields[name] for name in self.edited(1)}
        write = Write(self.ref(), Op.UPDATE, made, back, if_version=result.version)
        (second,) = await self.push(connector, write)
        assert second.status is Status.OK, second
        assert holds(await self.record(connector, made), self.fields(1))


class VanishedTests(Subject):
    """Records that are no longer there."""

    @needs(any_of=_VANISH)
    async def test_a_deleted_record_is_gone(self, connector: Connector) -> None:
        """For get as well; its neighbors stay."""
        made = await self.make(connector, 1, 2)
        await self.remove(connector, made[0])
        found = await connector.get(self.object_type, made, await self.names(connector))
        assert set(found) == {made[1]}

    @needs(Capability.UPDATE, any_of=_VANISH)
    async def test_an_update_of_a_vanished_record_is_missing(self, connector: Connector) -> None:
        """It is not created again, and no other write of the call suffers."""
        made = await self.make(connector, 1, 2)
        planned = [await self.record(connector, record_id) for record_id in made]
        await self.remove(connector, made[0])
        result = await self.try_update(connector, planned[0], self.edited(1))
        assert result.status is Status.MISSING, result
        await self.settle(connector)
        assert (await self.read(connector)).ids == [made[1]]

    @needs(any_of=_VANISH)
    async def test_deleting_twice_is_harmless(self, connector: Connector) -> None:
        """The second time the record is missing, or the app does not mind."""
        made = await self.make(connector, 1, 2)
        await self.remove(connector, made[0])
        kind = await self.kind(connector)
        op = Op.DELETE if Op.DELETE in kind.ops else Op.ARCHIVE
        (result,) = await self.push(connector, Write(self.ref(), op, made[0]))
        assert result.status in (Status.MISSING, Status.OK), result
        await self.settle(connector)
        assert (await self.read(connector)).ids == [made[1]]

    @needs(Capability.CONDITIONAL, Capability.UPDATE, any_of=_VANISH)
    async def test_a_stale_delete_is_refused(self, connector: Connector) -> None:
        """What was edited since the plan is not deleted."""
        (made,) = await self.make(connector, 1)
        planned = await self.record(connector, made)
        if planned.version is None:
            return
        await self.settle(connector)
        await self.update(connector, made, self.edited(1))
        kind = await self.kind(connector)
        op = Op.DELETE if Op.DELETE in kind.ops else Op.ARCHIVE
        write = Write(self.ref(), op, made, if_version=planned.version)
        (result,) = await self.push(connector, write)
        assert result.status is Status.CONFLICT, result
        assert holds(await self.record(connector, made), self.edited(1))

    @needs(Capability.CREATE)
    async def test_an_id_that_never_was_is_absent(self, connector: Connector) -> None:
        """Ids are hostile too: nothing else is found, and nothing breaks."""
        (made,) = await self.make(connector, 1)
        names = await self.names(connector)
        for odd in ("0", "no such id", "../..", "' OR 1=1 --", "\u202e\U0001f600", "%2F", ""):
            try:
                found = await connector.get(self.object_type, [odd, made], names)
            except TwofoldError as refusal:
                raise AssertionError(f"get({odd!r}) raised {refusal!r}") from refusal
            assert set(found) == {made}
            assert same(found[made][0].id, made)
