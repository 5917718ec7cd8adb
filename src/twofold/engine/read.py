"""Read what changed on one side, page by page; a page and its cursor are stored together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import accumulate

from twofold.core.guards import Brake, side_suddenly_empty
from twofold.core.records import Record
from twofold.engine.braked import Braked
from twofold.engine.observe import related
from twofold.engine.port import Port
from twofold.engine.world import World
from twofold.kit.contract import Batch
from twofold.kit.errors import ConnectorError, CursorExpired
from twofold.store.types import Known, Page, Reader, Sighting

ROWS_TOGETHER = 1_000
"""Pages are stored together up to about this many rows."""
SWEEP_EVERY = timedelta(hours=1)
"""How often a feed that never reports deletes is listed by ids only."""


def never(_: Brake) -> bool:
    """Nobody overrides a brake."""
    return False


async def read(port: Port, world: World, overridden: Callable[[Brake], bool] = never) -> int:
    """Store everything that changed on a side since the last time.

    Returns how many records were new or changed. ``overridden``: whether a person lets the reading
    go on in spite of a brake; asked only where it would stop.

    Raises:
        Braked: a full listing shows nothing of what we knew.
        ConnectorError: the side cannot be read; what was stored before stays.
    """
    resumed = _begin(port, world)
    moved = 0
    expired = False
    while True:
        reader = port.state.records.reader(port.reader)
        if reader.scanning == 2:
            await _end_listing(port, world, reader, overridden)
            if not resumed:
                return moved
            # A listing that an earlier run began may have missed what was made meanwhile.
            resumed = False
            if port.relists:
                port.state.records.restart(port.reader)
            continue
        try:
            batch = await _pull(port, world, reader)
        except CursorExpired:
            if expired or reader.cursor is None:
                raise
            expired = True
            port.state.records.restart(port.reader)
            continue
        page = await _page(port, reader, batch)
        port.state.records.take_page(reader, page, port.listeners.subscribers, port.hold)
        world.step(f"{port.side} page stored")
        moved += len(page.sightings) + len(page.gone)
        if not batch.more and not page.last:
            return moved


async def _pull(port: Port, world: World, reader: Reader) -> Batch:
    """The next pages, as one: to store few rows costs nearly as much as to store many.

    Raises:
        ConnectorError: the first of them cannot be read.
    """
    cursor = reader.cursor
    pages: list[Batch] = []
    ids: set[str] = set()
    while len(ids) < ROWS_TOGETHER:
        try:
            page = await port.connector.pull(
                port.name, cursor, reader.fields, related(reader.associations)
            )
        except ConnectorError:
            if not pages:
                raise
            break  # what was read is stored first
        if not (ids.isdisjoint(page.ids) and ids.isdisjoint(i for i, _ in page.gone)):
            break  # a record that moved while it was listed: its later state comes after
        world.step(f"{port.side} pulled")
        pages.append(page)
        ids.update(page.ids, (i for i, _ in page.gone))
        cursor = page.cursor
        if not page.more or (reader.scanning and not page.snapshot):
            break
    return _joined(pages)


def _joined(pages: Sequence[Batch]) -> Batch:
    if len(pages) == 1:
        return pages[0]
    at = [0, *accumulate(len(page.ids) for page in pages)]

    def decode(indices: Sequence[int]) -> Sequence[Record]:
        records: list[Record] = []
        for page, start, end in zip(pages, at, at[1:], strict=False):
            wanted = [i - start for i in indices if start <= i < end]
            records += page.decode(wanted) if wanted else ()
        return records

    return Batch(
        ids=[i for page in pages for i in page.ids],
        digests=[d for page in pages for d in page.digests],
        versions=[v for page in pages for v in page.versions],
        gone=[g for page in pages for g in page.gone],
        decode=decode,
        cursor=pages[-1].cursor,
        more=pages[-1].more,
        snapshot=pages[-1].snapshot,
    )


def _begin(port: Port, world: World) -> bool:
    """Begin a full listing where the feed needs one; returns whether one goes on from before."""
    reader = port.state.records.reader(port.reader)
    if reader.scanning:
        return reader.cursor is not None
    blind = not port.type.deletes
    since = abs(world.now().timestamp() - reader.swept)  # a clock may be set back
    if port.relists or (blind and since >= SWEEP_EVERY.total_seconds()):
        port.state.records.restart(port.reader)
    return False


async def _page(port: Port, reader: Reader, batch: Batch) -> Page:
    """Keep what a page says beyond what is known: unchanged rows are never decoded."""
    unmoved = _unmoved(port, reader, batch)
    if unmoved is not None:
        return _kept(reader, batch, unchanged=unmoved)
    known = port.state.records.known(reader.id, [*batch.ids, *(i for i, _ in batch.gone)])
    changed = [i for i in _differing(batch, known) if not _unchanged(port, batch, i, known)]
    shown = [
        i for i in changed if batch.digests[i] is not None and not _outrun(port, batch, i, known)
    ]
    sightings = port.sight(
        [
            (record, batch.digests[i])
            for i, record in zip(shown, batch.decode(shown) if shown else (), strict=True)
        ],
        known,
    )
    unseen = set(changed).difference(shown)
    looked, vanished = await _look(port, [batch.ids[i] for i in sorted(unseen)])
    late = [r.id for r in looked if r.id not in known]
    if late and vanished:  # survivors of merges, which the page did not name
        known = {**known, **port.state.records.known(reader.id, late)}
    sightings += port.sight([(r, r.digest) for r in looked], known, looked=True)
    here = {sighting.id for sighting in sightings}
    gone = [
        (known[i].row, into)
        for i, into in {**dict(batch.gone), **vanished}.items()
        if i in known and not known[i].gone and i not in here
    ]
    return _kept(
        reader,
        batch,
        unchanged=[known[i].row for i in batch.ids if i in known and i not in vanished],
        sightings=sightings,
        gone=gone,
        keys_gone=port.keys_of([row for row, _ in gone]),
    )


def _kept(
    reader: Reader,
    batch: Batch,
    unchanged: Sequence[int],
    sightings: Sequence[Sighting] = (),
    gone: Sequence[tuple[int, str | None]] = (),
    keys_gone: Sequence[Sequence[Sequence[int]]] = (),
) -> Page:
    scanning = reader.scanning == 1
    return Page(
        sightings=sightings,
        unchanged=unchanged if scanning else (),
        gone=gone,
        keys_gone=keys_gone,
        cursor=batch.cursor,
        listing=scanning,
        last=scanning and not (batch.snapshot and batch.more),
    )


def _unmoved(port: Port, reader: Reader, batch: Batch) -> list[int] | None:
    """The rows of a page that says nothing new, found without a look at each of its records."""
    if not reader.complete or batch.gone:
        return None
    records, digests = port.state.records, list(batch.digests)
    if None not in digests:
        return records.unmoved(reader.id, batch.ids, digests, by="digest")
    versions = list(batch.versions)
    if not port.exact_versions or None in versions or any(d is not None for d in digests):
        return None
    return records.unmoved(reader.id, batch.ids, versions, by="version")


def _differing(batch: Batch, known: Mapping[str, Known]) -> list[int]:
    """Positions whose digest does not say at once that nothing changed: usually none."""
    return [
        position
        for position, (record_id, digest) in enumerate(zip(batch.ids, batch.digests, strict=True))
        if digest is None
        or (found := known.get(record_id)) is None
        or digest != found.digest
        or found.gone
    ]


def _unchanged(port: Port, batch: Batch, position: int, known: Mapping[str, Known]) -> bool:
    found = known.get(batch.ids[position])
    if found is None or found.gone:
        return False
    digest, version = batch.digests[position], batch.versions[position]
    if digest is not None and found.digest is not None:
        return digest == found.digest
    return version is not None and version == found.version and port.exact_versions


def _outrun(port: Port, batch: Batch, position: int, known: Mapping[str, Known]) -> bool:
    """Whether we looked at the record past the feed so lately that the feed may lag behind that."""
    found = known.get(batch.ids[position])
    lag = port.type.lag.total_seconds()
    return bool(lag and found and found.looked and port.time() - found.looked <= lag)


async def _look(port: Port, ids: Sequence[str]) -> tuple[list[Record], dict[str, str | None]]:
    """Records that a page named but did not show, and those that were gone or merged by then."""
    wanted = list(dict.fromkeys(ids))
    answered = await port.get(wanted) if wanted else {}
    records: dict[str, Record] = {}
    vanished: dict[str, str | None] = {}
    for asked in wanted:
        found = answered.get(asked)
        if not found:
            vanished[asked] = None
            continue
        records[found[0].id] = found[0]
        if found[0].id != asked:
            vanished[asked] = found[0].id
    return list(records.values()), vanished


async def _end_listing(
    port: Port, world: World, reader: Reader, overridden: Callable[[Brake], bool]
) -> None:
    """What a full listing did not show is gone, once a look at it says so too."""
    gone: list[tuple[int, str | None]] = []
    if reader.scanned < reader.live:
        brake = side_suddenly_empty(port.side, port.app, reader.live, reader.scanned)
        if brake is not None and not overridden(brake):
            port.state.records.restart(port.reader)  # the next run looks once more
            raise Braked(brake)
        gone = await _confirmed(port, port.state.records.unmarked(reader.id))
    keys = port.keys_of([row for row, _ in gone])
    port.state.records.end_listing(
        reader, gone, port.listeners.subscribers, keys, world.now().timestamp(), port.hold
    )
    world.step(f"{port.side} listing ended")


async def _confirmed(
    port: Port, missing: Sequence[tuple[int, str]]
) -> list[tuple[int, str | None]]:
    """Those (row, survivor or None) that are gone indeed: a listing may miss what moves meanwhile.

    Who is answered under another id was merged into that one.
    """
    gone: list[tuple[int, str | None]] = []
    for start in range(0, len(missing), 1000):
        part = missing[start : start + 1000]
        answered = await port.connector.get(port.name, [i for _, i in part], ())
        for row, record_id in part:
            found = answered.get(record_id)
            if not found or found[0].id != record_id:
                gone.append((row, found[0].id if found else None))
    return gone
