"""The suite's tests of describing, listing, getting and digests."""

from __future__ import annotations

import re

import pytest

from twofold.kit.conformance.capabilities import Capability, capabilities, needs
from twofold.kit.conformance.subject import Subject, holds
from twofold.kit.contract import Connector, Response
from twofold.kit.errors import ConnectorError, SchemaChanged

_HEADERS = {"retry-after": "soon", "x-ratelimit-remaining": "", "x-ratelimit-reset": "-1"}


class DescribingTests(Subject):
    """Who the app is, and what it says about itself."""

    async def test_declares_what_describe_says(self, connector: Connector) -> None:
        """The test class names each declared capability: none is left untested unseen."""
        said = capabilities(await self.kind(connector))
        assert self.declares == said, f"declares should be {sorted(said)}"

    async def test_describe_is_stable(self, connector: Connector) -> None:
        """Asked twice, also by another instance, the app says the same."""
        first = list(await connector.describe())
        assert first == list(await connector.describe())
        assert first == list(await (await self.reconnect(connector)).describe())

    async def test_describe_makes_sense(self, connector: Connector) -> None:
        """Names are unique, keys and targets exist, sizes and spans are not negative."""
        kinds = list(await connector.describe())
        known = [kind.name for kind in kinds]
        assert len(known) == len(set(known)), known
        for kind in kinds:
            names = [field.name for field in kind.fields]
            assert all(names) and len(names) == len(set(names)), (kind.name, names)  # noqa: PT018
            assert set(kind.keys) <= set(names), (kind.name, kind.keys)
            assert all(size >= 1 for size in kind.batch.values()), (kind.name, kind.batch)
            assert set(kind.batch) <= set(kind.ops), (kind.name, kind.batch)
            assert min(kind.lag, kind.resolution).total_seconds() >= 0, kind.name
            assert all(a.target in known for a in kind.associations), kind.name
            for field in kind.fields:
                values = [option.value for option in field.options]
                assert len(values) == len(set(values)), (kind.name, field.name)

    async def test_verify_names_the_account(self, connector: Connector) -> None:
        """Two instances for one account agree on its name."""
        identity = await connector.verify()
        again = await (await self.reconnect(connector)).verify()
        assert identity.account
        assert identity.label
        assert identity.account == again.account

    async def test_the_manifest_makes_sense(self, connector: Connector) -> None:
        """The connector's name can be typed; its questions have unique names and good patterns."""
        manifest = connector.manifest
        asked = [question.name for question in manifest.questions]
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", manifest.name), manifest.name
        assert len(asked) == len(set(asked)), asked
        for question in manifest.questions:
            re.compile(question.pattern)

    async def test_rate_signals_survive_any_response(self, connector: Connector) -> None:
        """Whatever a response says, ``pauses`` names limits of the manifest or nothing."""
        limits = {limit.name for limit in connector.manifest.limits}
        for status in (200, 429, 503):
            for headers in ({}, _HEADERS):
                pauses = connector.pauses(Response(status, headers, b"\xff{"))
                assert {pause.limit for pause in pauses} <= limits

    async def test_an_unknown_object_type_is_refused(self, connector: Connector) -> None:
        """Nothing is guessed."""
        with pytest.raises(SchemaChanged):
            await connector.pull("no-such-type", None, ())
        with pytest.raises(SchemaChanged):
            await connector.get("no-such-type", ["1"], ())

    async def test_an_unknown_field_is_refused_or_absent(self, connector: Connector) -> None:
        """No value is made up for a field that does not exist."""
        (made,) = await self.make(connector, 1)
        asked = [*await self.names(connector), "no-such-field"]
        try:
            found = await connector.get(self.object_type, [made], asked)
        except ConnectorError as refusal:
            assert isinstance(refusal, SchemaChanged), refusal  # noqa: PT017
        else:
            assert "no-such-field" not in found[made][0].fields


class ListingTests(Subject):
    """The full listing, page by page."""

    async def test_an_empty_account_lists_nothing(self, connector: Connector) -> None:
        """No rows, no deletes, a cursor to go on from."""
        reading = await self.read(connector)
        assert (reading.ids, reading.gone) == ([], [])
        assert reading.cursor

    async def test_a_listing_returns_each_record_once(self, connector: Connector) -> None:
        """All records, none twice, over as many pages as it takes."""
        made = await self.make(connector, *range(max(self.several_pages, 3)))
        await self.settle(connector)
        reading = await self.read(connector)
        assert sorted(reading.ids) == sorted(made)
        assert len(reading.pages) > 1 or not self.several_pages, "several_pages is too small"

    async def test_a_listing_shows_what_was_written(self, connector: Connector) -> None:
        """Each record comes with its own values."""
        numbers = range(max(self.several_pages, 3))
        made = await self.make(connector, *numbers)
        await self.settle(connector)
        reading = await self.read(connector)
        for record_id, n in zip(made, numbers, strict=True):
            assert holds(reading.records[record_id], self.fields(n)), reading.records[record_id]

    async def test_a_listing_says_that_it_is_one(self, connector: Connector) -> None:
        """All pages of a listing are marked, since unseen ids are gone at its end."""
        await self.make(connector, *range(max(self.several_pages, 3)))
        await self.settle(connector)
        assert all(page.snapshot for page in (await self.read(connector)).pages)

    async def test_a_listing_of_ids_alone(self, connector: Connector) -> None:
        """With no fields asked, all ids come: the sweep for deletes."""
        made = await self.make(connector, *range(max(self.several_pages, 3)))
        await self.settle(connector)
        ids = [i async for page in self.pages(connector, None, ()) for i in page.ids]
        assert sorted(ids) == sorted(made)

    async def test_another_instance_goes_on_amid_a_listing(self, connector: Connector) -> None:
        """A cursor holds all there is to know, between any two pages."""
        made = await self.make(connector, *range(max(self.several_pages, 3)))
        await self.settle(connector)
        pages = self.pages(connector, None, await self.names(connector), reconnecting=True)
        ids = [record_id async for page in pages for record_id in page.ids]
        assert sorted(ids) == sorted(made)

    async def test_decode_keeps_the_order_asked(self, connector: Connector) -> None:
        """Records come in the order of the positions, each with its id and version."""
        await self.make(connector, 1, 2, 3)
        await self.settle(connector)
        page = await connector.pull(self.object_type, None, await self.names(connector))
        bodies = [p for p, digest in enumerate(page.digests) if digest is not None]
        for positions in (bodies[::-1], bodies[:1], bodies[1:], []):
            records = page.decode(positions)
            assert [r.id for r in records] == [page.ids[p] for p in positions]
            assert [r.version for r in records] == [page.versions[p] for p in positions]

    async def test_only_asked_fields_come(self, connector: Connector) -> None:
        """A field that was not asked is absent; one that was asked is there, blank or not."""
        (made,) = await self.make(connector, 1)
        await self.settle(connector)
        for asked in ([], (await self.names(connector))[:2]):
            found = await connector.get(self.object_type, [made], asked)
            assert set(found[made][0].fields) == set(asked)
        asked = (await self.names(connector))[:2]
        reading = await self.read(connector, fields=asked)
        assert set(reading.records[made].fields) == set(asked)

    async def test_reading_changes_nothing(self, connector: Connector) -> None:
        """A listing and a get leave no trace in versions or in the feed."""
        made = await self.make(connector, 1, 2, 3)
        await self.settle(connector)
        before = await self.read(connector)
        await connector.get(self.object_type, made, await self.names(connector))
        await self.settle(connector)
        after = await self.read(connector)
        assert after.records == before.records
        if Capability.LOG in self.declares:
            assert (await self.read(connector, before.cursor)).ids == []


class GettingTests(Subject):
    """Single records, by id and by key."""

    async def test_get_returns_what_exists(self, connector: Connector) -> None:
        """By what was asked; what does not exist is absent."""
        made = await self.make(connector, 1, 2, 3)
        asked = [made[2], made[0]]
        found = await connector.get(self.object_type, asked, await self.names(connector))
        assert set(found) == set(asked)
        assert [r.id for records in found.values() for r in records] == list(found)
        assert holds(found[made[2]][0], self.fields(3))
        assert await connector.get(self.object_type, [], await self.names(connector)) == {}

    async def test_get_sees_a_write_at_once(self, connector: Connector) -> None:
        """Never through a lagging index: no waiting between write and read."""
        (made,) = await self.make(connector, 1)
        assert holds(await self.record(connector, made), self.fields(1))

    @needs(Capability.KEYS)
    async def test_get_by_key_sees_a_write_at_once(self, connector: Connector) -> None:
        """The look before a create must see a create of a moment ago."""
        kind = await self.kind(connector)
        made = await self.make(connector, 1, 2)
        names = await self.names(connector)
        tried = 0
        for key in kind.keys:
            value = self.fields(2).get(key)
            if isinstance(value, str):
                found = await connector.get(self.object_type, [value], names, key=key)
                assert made[1] in [r.id for r in found[value]], (key, found)
                tried += 1
        assert tried, "fields() fills no text key"

    @needs(Capability.KEYS, Capability.UPDATE)
    async def test_get_by_key_finds_all_carriers(self, connector: Connector) -> None:
        """A key that is not unique answers with every record that carries it, and no other."""
        kind = await self.kind(connector)
        names = await self.names(connector)
        for number, key in enumerate(kind.keys, start=1):
            first = 10 * number
            field, shared = kind.field(key), self.fields(first).get(key)
            if field is None or field.unique or not field.updatable or not isinstance(shared, str):
                continue
            made = await self.make(connector, first, first + 1, first + 2)
            await self.update(connector, made[1], {key: shared})
            asked = [shared, "nobody@nowhere.example"]
            found = await connector.get(self.object_type, asked, names, key=key)
            assert set(found) == {shared}
            assert {record.id for record in found[shared]} == set(made[:2])

    @needs(Capability.MERGES, hooks=("outside_merge",))
    async def test_get_of_a_merged_record_finds_the_survivor(self, connector: Connector) -> None:
        """Under the id that was asked, with the id of the record that it was merged into."""
        loser, survivor = await self.make(connector, 1, 2)
        await self.outside_merge(connector, loser, survivor)
        names = await self.names(connector)
        found = await connector.get(self.object_type, [loser], names)
        assert [record.id for record in found[loser]] == [survivor]


class DigestTests(Subject):
    """The fingerprints by which unchanged records are left undecoded."""

    async def digests(
        self, connector: Connector, fields: list[str] | None = None
    ) -> dict[str, int | None]:
        """The digest of each record, from the page or from get."""
        reading = await self.read(connector, fields=fields)
        return {
            record_id: digest if digest is not None else reading.records[record_id].digest
            for record_id, digest in reading.digests.items()
        }

    async def test_digests_are_stable(self, connector: Connector) -> None:
        """Read twice, by two instances, nothing looks changed; numbers fit signed 64 bit."""
        await self.make(connector, 1, 2, 3)
        await self.settle(connector)
        first = await self.digests(connector)
        again = await self.digests(await self.reconnect(connector))
        assert first == again
        assert all(d is None or -(2**63) <= d < 2**63 for d in first.values())

    async def test_digests_tell_records_apart(self, connector: Connector) -> None:
        """Different values, different digests."""
        await self.make(connector, 1, 2, 3)
        await self.settle(connector)
        known = [d for d in (await self.digests(connector)).values() if d is not None]
        assert len(known) == len(set(known))

    async def test_digests_ignore_the_order_of_fields(self, connector: Connector) -> None:
        """The same fields asked in another order are the same content."""
        await self.make(connector, 1, 2)
        await self.settle(connector)
        names = await self.names(connector)
        assert await self.digests(connector, names) == await self.digests(connector, names[::-1])

    @needs(Capability.UPDATE)
    async def test_a_digest_moves_with_the_values(self, connector: Connector) -> None:
        """An edit changes the digest of its record, and of no other."""
        made = await self.make(connector, 1, 2)
        await self.settle(connector)
        before = await self.digests(connector)
        await self.update(connector, made[0], self.edited(1))
        await self.settle(connector)
        after = await self.digests(connector)
        if before[made[0]] is not None:
            assert before[made[0]] != after[made[0]]
        assert before[made[1]] == after[made[1]]

    @needs(Capability.UPDATE)
    async def test_a_digest_depends_on_asked_fields_only(self, connector: Connector) -> None:
        """An edit of another field is no change to this reading."""
        (made,) = await self.make(connector, 1)
        await self.settle(connector)
        asked = sorted(set(self.fields(1)) - set(self.edited(1)))
        before = await self.digests(connector, asked)
        await self.update(connector, made, self.edited(1))
        await self.settle(connector)
        assert await self.digests(connector, asked) == before

    @needs(hooks=("outside_touch",))
    async def test_a_digest_ignores_the_version(self, connector: Connector) -> None:
        """A new version with the same values is not a change."""
        made = await self.make(connector, 1, 2)
        await self.settle(connector)
        before = await self.digests(connector)
        await self.outside_touch(connector, made[0])
        await self.settle(connector)
        assert await self.digests(connector) == before

    async def test_get_and_pull_agree_on_digests(self, connector: Connector) -> None:
        """Where both give one, it is the same."""
        made = await self.make(connector, 1, 2, 3)
        await self.settle(connector)
        reading = await self.read(connector)
        for record_id in made:
            fetched = (await self.record(connector, record_id)).digest
            assert fetched in (None, reading.digests[record_id]) or (
                reading.digests[record_id] is None
            )
