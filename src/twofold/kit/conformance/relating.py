"""The suite's tests of associations."""

from __future__ import annotations

from twofold.core.records import Target
from twofold.core.schema import Association, Op
from twofold.kit.conformance.capabilities import Capability, needs
from twofold.kit.conformance.subject import Subject, holds
from twofold.kit.contract import Connector, Status, Write


class AssociationTests(Subject):
    """Relations to other records: made, read back, replaced and ended."""

    async def association(
        self, connector: Connector, *, many: bool = False, primary: bool = False
    ) -> Association:
        """The first writable association of that sort."""
        related = (await self.kind(connector)).associations
        return next(a for a in related if a.writable and a.many >= many and a.primary >= primary)

    async def targets(self, connector: Connector, record_id: str, name: str) -> dict[str, bool]:
        """Target ids with whether each is the primary one."""
        record = await self.record(connector, record_id, [name])
        return {target.id: target.primary for target in record.associations[name]}

    @needs(Capability.ASSOCIATIONS, Capability.CREATE)
    async def test_a_create_can_relate(self, connector: Connector) -> None:
        """The relation is there with the record."""
        association = await self.association(connector)
        target = await self.target(connector, association, 1)
        write = Write(
            self.ref(),
            Op.CREATE,
            fields=self.fields(1),
            associate=((association.name, Target(target)),),
        )
        (result,) = await self.push(connector, write)
        assert result.status is Status.OK, result
        assert set(await self.targets(connector, str(result.id), association.name)) == {target}

    @needs(Capability.ASSOCIATIONS, Capability.UPDATE)
    async def test_an_update_can_relate_and_end_it(self, connector: Connector) -> None:
        """Made, read back, ended; the fields stay as they are."""
        association = await self.association(connector)
        (made,) = await self.make(connector, 1)
        target = await self.target(connector, association, 1)
        assert await self.targets(connector, made, association.name) == {}
        await self.relate(connector, made, (association.name, Target(target)))
        assert set(await self.targets(connector, made, association.name)) == {target}
        await self.relate(connector, made, drop=((association.name, target),))
        assert await self.targets(connector, made, association.name) == {}
        assert holds(await self.record(connector, made), self.fields(1))

    @needs(Capability.ASSOCIATIONS, Capability.UPDATE)
    async def test_a_field_update_keeps_relations(self, connector: Connector) -> None:
        """A patch of fields is no patch of relations."""
        association = await self.association(connector)
        (made,) = await self.make(connector, 1)
        target = await self.target(connector, association, 1)
        await self.relate(connector, made, (association.name, Target(target)))
        await self.update(connector, made, self.edited(1))
        assert set(await self.targets(connector, made, association.name)) == {target}

    @needs(Capability.ASSOCIATIONS, Capability.UPDATE)
    async def test_relations_come_with_the_feed(self, connector: Connector) -> None:
        """A listing that asks for them shows them; one that does not is silent about them."""
        association = await self.association(connector)
        (made,) = await self.make(connector, 1)
        target = await self.target(connector, association, 1)
        await self.relate(connector, made, (association.name, Target(target)))
        await self.settle(connector)
        reading = await self.read(connector, associations=[association.name])
        shown = reading.records[made].associations
        assert [t.id for t in shown[association.name]] == [target]
        assert association.name not in (await self.read(connector)).records[made].associations

    @needs(Capability.ASSOCIATIONS, Capability.UPDATE)
    async def test_a_new_relation_changes_the_digest(self, connector: Connector) -> None:
        """Where relations are asked, they are part of the content."""
        association = await self.association(connector)
        (made,) = await self.make(connector, 1)
        target = await self.target(connector, association, 1)
        await self.settle(connector)
        before = await self.read(connector, associations=[association.name])
        await self.relate(connector, made, (association.name, Target(target)))
        await self.settle(connector)
        after = await self.read(connector, associations=[association.name])
        old = before.digests[made] or before.records[made].digest
        assert old is None or old != (after.digests[made] or after.records[made].digest)

    @needs(Capability.MANY, Capability.UPDATE)
    async def test_many_targets_are_kept(self, connector: Connector) -> None:
        """Adding one keeps the others; ending one keeps the others."""
        association = await self.association(connector, many=True)
        (made,) = await self.make(connector, 1)
        targets = [await self.target(connector, association, n) for n in (1, 2, 3)]
        for target in targets:
            await self.relate(connector, made, (association.name, Target(target)))
        assert set(await self.targets(connector, made, association.name)) == set(targets)
        await self.relate(connector, made, drop=((association.name, targets[1]),))
        left = await self.targets(connector, made, association.name)
        assert set(left) == {targets[0], targets[2]}

    @needs(Capability.PRIMARY, Capability.UPDATE)
    async def test_one_target_is_primary(self, connector: Connector) -> None:
        """A new primary target takes the place of the old one, which stays related."""
        association = await self.association(connector, many=True, primary=True)
        (made,) = await self.make(connector, 1)
        targets = [await self.target(connector, association, n) for n in (1, 2)]
        for target in targets:
            await self.relate(connector, made, (association.name, Target(target, primary=True)))
        shown = await self.targets(connector, made, association.name)
        assert shown == {targets[0]: False, targets[1]: True}

    @needs(Capability.ASSOCIATIONS, Capability.UPDATE, none_of=[Capability.MANY])
    async def test_a_single_target_is_replaced(self, connector: Connector) -> None:
        """Where only one fits, the new one replaces the old one."""
        association = await self.association(connector)
        (made,) = await self.make(connector, 1)
        targets = [await self.target(connector, association, n) for n in (1, 2)]
        for target in targets:
            await self.relate(connector, made, (association.name, Target(target)))
        assert set(await self.targets(connector, made, association.name)) == {targets[1]}
