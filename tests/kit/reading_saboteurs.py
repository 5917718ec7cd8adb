"""Connectors that break a promise of describing, listing, getting, digests or changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace
from tests.connectors import test_memory_conformance as stages
from tests.kit.sabotage import Names, PageSaboteur, RecordSaboteur, caught_by

from twofold.core.records import Fields, Record
from twofold.core.schema import ObjectType
from twofold.kit.contract import Batch, Identity, Pause, Question, Response
from twofold.kit.digests import digest_values
from twofold.kit.errors import CursorExpired
from twofold.kit.memory import MemoryConnector
from twofold.kit.memory.connector import Cursor, Stage

# --- describing -----------------------------------------------------------------------------


@caught_by("declares_what_describe_says")
class HidesACapability(MemoryConnector):
    """Does not declare that its writes are conditional."""

    async def describe(self) -> Sequence[ObjectType]:
        return [replace(kind, conditional=False) for kind in await super().describe()]


@caught_by("describe_is_stable")
class DescribesDifferently(MemoryConnector):
    """Describes its fields in another order each time."""

    async def describe(self) -> Sequence[ObjectType]:
        kinds = await super().describe()
        odd = self.app.called("describe") % 2
        return [replace(kind, fields=kind.fields[:: -1 if odd else 1]) for kind in kinds]


@caught_by("describe_makes_sense")
class NamesAKeyThatIsNoField(MemoryConnector):
    """Declares a key that no record has."""

    async def describe(self) -> Sequence[ObjectType]:
        kinds = await super().describe()
        return [replace(kind, keys=(*kind.keys, "passport")) for kind in kinds]


@caught_by("an_unknown_field_is_refused_or_absent")
class InventsValues(MemoryConnector):
    """Answers an unknown field with a blank."""

    async def get(
        self, obj: str, ids: Names, fields: Names, associations: Names = (), key: str | None = None
    ) -> Mapping[str, Sequence[Record]]:
        known = [name for name in fields if self.app.table(obj).kind.field(name)]
        found = await super().get(obj, ids, known, associations, key)
        blank: Fields = dict.fromkeys(fields)
        return {
            i: [replace(r, fields={**blank, **r.fields}) for r in records]
            for i, records in found.items()
        }


@caught_by("an_unknown_object_type_is_refused")
class AnswersForAnyType(MemoryConnector):
    """Finds nothing of a type that does not exist."""

    async def get(
        self, obj: str, ids: Names, fields: Names, associations: Names = (), key: str | None = None
    ) -> Mapping[str, Sequence[Record]]:
        known = obj in self.app.tables
        return await super().get(obj, ids, fields, associations, key) if known else {}


@caught_by("verify_names_the_account")
class NamesTheSession(MemoryConnector):
    """Names each instance instead of the account."""

    async def verify(self) -> Identity:
        return replace(await super().verify(), account=f"session-{self.app.called('verify')}")


@caught_by("the_manifest_makes_sense")
class AsksTwice(MemoryConnector):
    """Asks two questions of one name."""

    manifest = replace(MemoryConnector.manifest, questions=(Question("app", "App"),) * 2)


@caught_by("rate_signals_survive_any_response")
class TrustsHeaders(MemoryConnector):
    """Expects a number where a server may write anything."""

    def pauses(self, response: Response) -> Sequence[Pause]:
        after = response.headers.get("retry-after")
        return [] if after is None else [Pause("calls", remaining=float(after))]


# --- listing --------------------------------------------------------------------------------


@caught_by("a_listing_returns_each_record_once")
class LosesTheLastPage(PageSaboteur):
    """Loses the last page."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        return replace(batch, more=False)


@caught_by("a_listing_returns_each_record_once")
class ReadsARecordTwice(PageSaboteur):
    """Reads a record twice."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        count, honest = len(batch.ids), batch.decode
        return replace(
            batch,
            ids=[*batch.ids, *batch.ids[:1]],
            digests=[*batch.digests, *batch.digests[:1]],
            versions=[*batch.versions, *batch.versions[:1]],
            decode=lambda positions: honest([p % count for p in positions]),
        )


@caught_by("a_delete_between_pages_hides_nobody")
class PagesByOffset(MemoryConnector):
    """Pages by offset."""

    async def pull(
        self, obj: str, cursor: str | None, fields: Names, associations: Names = ()
    ) -> Batch:
        table, size = self.app.table(obj), self.app.page_size
        if cursor is not None and not cursor.isdecimal():
            return await super().pull(obj, cursor, fields, associations)
        start, position = int(cursor or 0), len(table.log)
        rows = [row for row in table.rows.values() if not row.gone][start : start + size + 1]
        asked = self._asked(obj, fields, associations)
        more = len(rows) > size
        onward = await super().pull(obj, None, fields, associations)
        while onward.more:
            onward = await super().pull(obj, onward.cursor, fields, associations)
        assert table.position == position
        following = str(start + size) if more else onward.cursor
        return self._batch(asked, rows[:size], following, more, snapshot=True)


@caught_by("an_empty_account_lists_nothing")
class InventsADelete(PageSaboteur):
    """Reports that somebody is gone who never was there."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        return replace(batch, gone=[*batch.gone, ("0", None)])


@caught_by("a_listing_of_ids_alone")
class NeedsAField(PageSaboteur):
    """Lists nothing when no field is asked."""

    async def pull(
        self, obj: str, cursor: str | None, fields: Names, associations: Names = ()
    ) -> Batch:
        batch = await MemoryConnector.pull(self, obj, cursor, fields, associations)
        return batch if fields else replace(batch, ids=[], digests=[], versions=[], more=False)


@caught_by("decode_keeps_the_order_asked")
class DecodesInItsOwnOrder(PageSaboteur):
    """Decodes the asked positions in the wrong order."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        honest = batch.decode
        return replace(batch, decode=lambda positions: honest(sorted(positions)))


@caught_by("only_asked_fields_come")
class SendsEverything(RecordSaboteur):
    """Delivers fields that nobody asked for."""

    def shown(self, record: Record, fields: Names) -> Record:
        return replace(record, fields={**record.fields, "password": "hunter2"})


@caught_by("reading_changes_nothing")
class LeavesTraces(MemoryConnector):
    """Writes a new version of what it reads."""

    async def get(
        self, obj: str, ids: Names, fields: Names, associations: Names = (), key: str | None = None
    ) -> Mapping[str, Sequence[Record]]:
        for record_id in ids if key is None else ():
            if self.app.table(obj).live(record_id):
                self.app.touch(obj, record_id)
        return await super().get(obj, ids, fields, associations, key)


@caught_by("a_listing_says_that_it_is_one")
class HidesThatItIsAListing(PageSaboteur):
    """Marks the last page of a listing as changes."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        return replace(batch, snapshot=batch.snapshot and batch.more)


# --- getting --------------------------------------------------------------------------------


class LaggingGet(MemoryConnector):
    """Looks single records up in the feed's index."""

    by_key = False

    async def get(
        self, obj: str, ids: Names, fields: Names, associations: Names = (), key: str | None = None
    ) -> Mapping[str, Sequence[Record]]:
        found = await super().get(obj, ids, fields, associations, key)
        if (key is not None) is not self.by_key:
            return found
        table = self.app.table(obj)
        table.catch_up(self.app.now())
        indexed = {row.id for row in table.listing(None)}
        shown = {i: [r for r in records if r.id in indexed] for i, records in found.items()}
        return {i: records for i, records in shown.items() if records}


@caught_by("get_sees_a_write_at_once", stages.TestLogWithLagAndWithoutBodies)
class GetsThroughALaggingIndex(LaggingGet):
    """Gets through a lagging index."""


@caught_by("get_by_key_sees_a_write_at_once", stages.TestLogWithLagAndWithoutBodies)
class SearchesALaggingIndex(LaggingGet):
    """Looks keys up in a lagging index."""

    by_key = True


@caught_by("get_by_key_finds_all_carriers", stages.TestWatermark)
class FindsTheFirstCarrier(MemoryConnector):
    """Finds only the first record that carries a key."""

    async def get(
        self, obj: str, ids: Names, fields: Names, associations: Names = (), key: str | None = None
    ) -> Mapping[str, Sequence[Record]]:
        found = await super().get(obj, ids, fields, associations, key)
        return {i: records[:1] for i, records in found.items()}


@caught_by("get_of_a_merged_record_finds_the_survivor")
class ForgetsTheSurvivor(MemoryConnector):
    """Does not find the record that another one was merged into."""

    async def get(
        self, obj: str, ids: Names, fields: Names, associations: Names = (), key: str | None = None
    ) -> Mapping[str, Sequence[Record]]:
        found = await super().get(obj, ids, fields, associations, key)
        return {i: rs for i, rs in found.items() if key is not None or rs[0].id == i}


# --- digests --------------------------------------------------------------------------------


@caught_by("a_digest_ignores_the_version")
class DigestsTheVersion(RecordSaboteur):
    """Includes the version in the digest."""

    def shown(self, record: Record, fields: Names) -> Record:
        digest = digest_values([*record.fields.items(), ("version", record.version)])
        return replace(record, digest=digest)


@caught_by("digests_ignore_the_order_of_fields")
class DigestsTheOrder(RecordSaboteur):
    """Lets the digest depend on the order of the asked fields."""

    def shown(self, record: Record, fields: Names) -> Record:
        return replace(record, digest=hash(tuple(record.fields.values())))


@caught_by("digests_tell_records_apart")
class DigestsNothing(RecordSaboteur):
    """Gives all records one digest."""

    def shown(self, record: Record, fields: Names) -> Record:
        return replace(record, digest=7)


@caught_by("a_digest_depends_on_asked_fields_only")
class DigestsAllFields(RecordSaboteur):
    """Includes fields in the digest that nobody asked for."""

    def shown(self, record: Record, fields: Names) -> Record:
        whole = self.app.read("contact", record.id)
        return replace(record, digest=digest_values((whole or record).fields.items()))


@caught_by("get_and_pull_agree_on_digests")
class DigestsTwice(PageSaboteur):
    """Computes the digest of a page in another way than that of get."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        return replace(batch, digests=[d and d ^ 1 for d in batch.digests])


# --- changes --------------------------------------------------------------------------------


@caught_by("a_cursor_resumes_after_what_was_read")
class NeverMovesTheCursor(MemoryConnector):
    """Never moves the cursor."""

    async def pull(
        self, obj: str, cursor: str | None, fields: Names, associations: Names = ()
    ) -> Batch:
        batch = await super().pull(obj, cursor, fields, associations)
        return batch if cursor is None or batch.more else replace(batch, cursor=cursor)


@caught_by("a_watermark_moves_on", stages.TestWatermark)
class NeverMovesTheWatermark(MemoryConnector):
    """Starts each round from the very first watermark."""

    async def pull(
        self, obj: str, cursor: str | None, fields: Names, associations: Names = ()
    ) -> Batch:
        batch = await super().pull(obj, cursor, fields, associations)
        if cursor is None or batch.more or batch.snapshot:
            return batch
        return replace(batch, cursor=cursor)


@caught_by("many_changes_come_over_several_pages", stages.TestWatermark)
class SkipsACrowdedInstant(PageSaboteur):
    """Goes on behind the last timestamp, and skips what shares it."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        return batch if batch.snapshot else replace(batch, more=False)


@caught_by("an_edit_between_pages_is_not_lost")
class ForgetsWhereTheListingBegan(PageSaboteur):
    """Starts the changes where the listing ended, not where it began."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        return replace(batch, cursor=moved_on(self, batch)) if batch.snapshot else batch


def moved_on(connector: MemoryConnector, batch: Batch) -> str:
    at = msgspec.json.decode(batch.cursor, type=Cursor)
    position = connector.app.table("contact").position
    later = replace(at, position=position) if at.stage is Stage.CHANGES else at
    return msgspec.json.encode(later).decode()


@caught_by("changes_are_no_listing")
class CallsChangesAListing(PageSaboteur):
    """Marks changes as a full listing."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        return replace(batch, snapshot=True)


@caught_by("each_snapshot_is_whole", stages.TestSnapshotComparingOldValues)
class ListsOnlyOnce(PageSaboteur):
    """Has nothing more to list after the first time."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        if cursor is None or cursor.startswith("page") or batch.more:
            return batch
        return replace(batch, ids=[], digests=[], versions=[])


@caught_by("another_instance_continues_from_the_cursor")
class KeepsItsPlaceInMemory(MemoryConnector):
    """Keeps its place in the instance, and nothing in the cursor."""

    async def pull(
        self, obj: str, cursor: str | None, fields: Names, associations: Names = ()
    ) -> Batch:
        places: dict[str, str] = self.__dict__.setdefault("places", {})
        known = None if cursor is None else places.get(cursor)
        batch = await super().pull(obj, known, fields, associations)
        places[str(len(places))] = batch.cursor
        return replace(batch, cursor=str(len(places) - 1))


@caught_by("a_page_read_twice_is_the_same")
class BurnsItsCursors(MemoryConnector):
    """Takes each cursor once only."""

    async def pull(
        self, obj: str, cursor: str | None, fields: Names, associations: Names = ()
    ) -> Batch:
        used: set[str] = self.app.__dict__.setdefault("used", set())
        if cursor in used:
            raise CursorExpired("memory")
        used |= {cursor} if cursor is not None else set()
        return await super().pull(obj, cursor, fields, associations)


@caught_by("a_delete_is_reported")
class ForgetsDeletes(PageSaboteur):
    """Forgets deletes."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        return replace(batch, gone=[])


@caught_by("a_merge_is_reported")
class ReportsAMergeAsADelete(PageSaboteur):
    """Reports a merge as a delete."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        return replace(batch, gone=[(record_id, None) for record_id, _ in batch.gone])


@caught_by("an_expired_cursor_is_named")
class SwallowsAnExpiredCursor(MemoryConnector):
    """Goes on from now, in silence, when its cursor has expired."""

    async def pull(
        self, obj: str, cursor: str | None, fields: Names, associations: Names = ()
    ) -> Batch:
        try:
            return await super().pull(obj, cursor, fields, associations)
        except CursorExpired:
            batch = await super().pull(obj, None, fields, associations)
            return replace(batch, ids=[], digests=[], versions=[], more=False)
