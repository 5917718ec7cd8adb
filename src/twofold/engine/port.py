"""One side of one sync: its connector, and how what it answers becomes what the store keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twofold.core.records import Record, Side
from twofold.core.schema import Feed, ObjectType, Op
from twofold.engine.composed import composed
from twofold.engine.observe import Audience, related, shown
from twofold.engine.world import World
from twofold.kit.contract import Connector
from twofold.store.codec import decode, encode
from twofold.store.fences import Hold
from twofold.store.state import State
from twofold.store.types import Known, Sighting, Stored


class Port:
    """Where one sync touches one app."""

    def __init__(
        self,
        state: State,
        side: Side,
        connector: Connector,
        object_type: ObjectType,
        reader: int,
        app: str,
        world: World,
        hold: Hold | None = None,
    ) -> None:
        """``hold``: what the run holds; None where nothing will be stored."""
        self.state = state
        self.world = world
        self.side = side
        self.type = object_type
        self.app = app
        """The connection's label, for sentences."""
        self.reader = reader
        self.hold = hold
        found = state.records.reader(reader)
        self.fields, self.associations = found.fields, found.associations
        self.connector = composed(connector, found.fields)
        self.survivors: set[str] = set()
        """Records seen unasked while a chunk was worked on: others were merged into them."""
        self.related = related(found.associations)
        """The associations by the app's own names."""
        self.listeners = Audience(state.syncs.on_reader(reader))

    def relisten(self) -> None:
        """Learn anew which syncs want to know what is read here."""
        self.listeners = Audience(self.state.syncs.on_reader(self.reader))

    @property
    def name(self) -> str:
        """The app's own name of the object type."""
        return self.type.name

    @property
    def exact_versions(self) -> bool:
        """Whether equal versions prove that nothing changed."""
        return not self.type.resolution

    @property
    def relists(self) -> bool:
        """Whether every reading is a full listing."""
        return self.type.feed is Feed.SNAPSHOT

    def time(self) -> float:
        """Now, in seconds since 1970."""
        return self.world.now().timestamp()

    def batch(self, op: Op) -> int:
        """The most writes in one push."""
        return max(1, self.type.batch.get(op, 1))

    async def get(
        self, ids: Sequence[str], key: str | None = None
    ) -> Mapping[str, Sequence[Record]]:
        """Look at records through a strongly consistent read, with all fields that are kept."""
        return await self.connector.get(self.name, ids, self.fields, self.related, key=key)

    async def refresh(self, ids: Sequence[str]) -> dict[str, Record]:
        """Look at records and store what they show; those that are gone are stored as gone.

        Returns what was found, by the id that was asked; a merged record is not under its old id.
        """
        if not ids:
            return {}
        wanted = list(dict.fromkeys(ids))
        answered = await self.get(wanted)
        records = {asked: found[0] for asked, found in answered.items() if found}
        merged = {asked: r.id for asked, r in records.items() if r.id != asked}
        self.survivors.update(merged.values())
        gone = {i: None for i in wanted if i not in records}
        self.store(list(records.values()), {**gone, **merged})
        return {asked: r for asked, r in records.items() if asked not in merged}

    async def survivor(self, record_id: str) -> str | None:
        """Look at a record that was never read; stores what is found, and returns its id."""
        answered = await self.get([record_id])
        found = answered.get(record_id)
        if not found:
            return None
        self.store([found[0]], {})
        return found[0].id

    async def learn_merges(self, gone: Sequence[Stored]) -> bool:
        """Look whether records that are gone were merged into others; stores what it learns."""
        wanted = {stored.record.id: stored.row for stored in gone}
        answered = await self.connector.get(self.name, list(wanted), ())
        self.world.step(f"{self.side} looked after deletes")
        merges = {
            wanted[asked]: found[0].id
            for asked, found in answered.items()
            if found and asked in wanted and found[0].id != asked
        }
        if merges:
            self.state.records.learn_merges(merges, self.listeners.subscribers)
        return bool(merges)

    def store(self, records: Sequence[Record], gone: Mapping[str, str | None]) -> None:
        """Store what was seen of records outside the feed: records, and (id → survivor or None)."""
        known = self.state.records.known(self.reader, [*(r.id for r in records), *gone])
        unique = {record.id: record for record in records}
        sightings = self.sight([(r, r.digest) for r in unique.values()], known, looked=True)
        moved = [
            s
            for s in sightings
            if s.before != s.shown or s.was_gone or s.version != known[s.id].version
        ]
        left = [
            (known[i].row, into) for i, into in gone.items() if i in known and not known[i].gone
        ]
        if moved or left:
            keys = self.keys_of([row for row, _ in left])
            listeners = self.listeners.subscribers
            self.state.records.refresh(
                self.reader, moved, left, keys, listeners, self.hold, self._looked()
            )

    def _looked(self) -> float:
        """When a look is made; kept only where the feed lags behind it, and 0 elsewhere."""
        return self.time() if self.type.lag else 0.0

    def sight(
        self,
        records: Sequence[tuple[Record, int | None]],
        known: Mapping[str, Known],
        *,
        looked: bool = False,
    ) -> list[Sighting]:
        """Prepare records (with their digests) for the store, beside what it knows of them.

        ``looked``: they were read past the feed, by a look or in the answer to a write.
        """
        at = self._looked() if looked else 0.0
        rows = [known[r.id].row for r, _ in records if r.id in known]
        before = self.state.records.shown(rows) if rows else {}
        sightings = []
        for record, digest in records:
            fields = shown(record, self.fields, self.associations)
            keys = self.listeners.keys(fields)
            sighting = Sighting(record.id, digest, record.version, encode(fields), keys, looked=at)
            found = known.get(record.id)
            if found is not None:
                sighting.row, sighting.was_gone = found.row, found.gone
                sighting.before = before[found.row]
                if not found.gone and sighting.before != sighting.shown:
                    sighting.keys_before = self.listeners.keys(decode(sighting.before))
            sightings.append(sighting)
        return sightings

    def keys_of(self, rows: Sequence[int]) -> list[list[list[int]]]:
        """The match keys that records carried when they were last seen, per subscriber."""
        before = self.state.records.shown(rows) if rows else {}
        return [self.listeners.keys(decode(before[row])) for row in rows]
