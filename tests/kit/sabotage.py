"""What the broken connectors have in common: each breaks one promise, and one test must see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace
from tests.connectors import test_memory_conformance as stages
from tests.connectors.test_memory_conformance import MemoryConformance

from twofold.core.records import Record
from twofold.kit.contract import Batch, Result, Write
from twofold.kit.memory import MemoryConnector

Names = Sequence[str]
Decode = Callable[[Sequence[int]], Sequence[Record]]


class Saboteur(NamedTuple):
    """A broken connector, the stage that it plays on, and the test that must fail."""

    connector: type[MemoryConnector]
    stage: type[MemoryConformance]
    test: str

    @property
    def name(self) -> str:
        """What it does, in words."""
        return (self.connector.__doc__ or "").rstrip(".")


SABOTEURS: list[Saboteur] = []


def caught_by(
    test: str, stage: type[MemoryConformance] = stages.TestLog
) -> Callable[[type[MemoryConnector]], type[MemoryConnector]]:
    """Enter a saboteur into the list."""

    def enter(connector: type[MemoryConnector]) -> type[MemoryConnector]:
        SABOTEURS.append(Saboteur(connector, stage, f"test_{test}"))
        return connector

    return enter


def each_record(batch: Batch, change: Callable[[Record], Record]) -> Batch:
    """A page whose records come out changed."""
    honest: Decode = batch.decode
    return replace(batch, decode=lambda positions: [change(r) for r in honest(positions)])


class PageSaboteur(MemoryConnector):
    """Breaks pages on their way out."""

    def page(self, batch: Batch, cursor: str | None) -> Batch:
        raise AssertionError("defined by each")

    async def pull(
        self, obj: str, cursor: str | None, fields: Names, associations: Names = ()
    ) -> Batch:
        return self.page(await super().pull(obj, cursor, fields, associations), cursor)


class WriteSaboteur(MemoryConnector):
    """Breaks writes on their way in, or results on their way out."""

    def incoming(self, write: Write) -> Write:
        return write

    def outgoing(self, results: list[Result]) -> list[Result]:
        return results

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        results = await super().push(obj, [self.incoming(write) for write in writes])
        return self.outgoing(list(results))


class RecordSaboteur(MemoryConnector):
    """Breaks records, however they are read."""

    def shown(self, record: Record, fields: Names) -> Record:
        raise AssertionError("defined by each")

    async def pull(
        self, obj: str, cursor: str | None, fields: Names, associations: Names = ()
    ) -> Batch:
        batch = await super().pull(obj, cursor, fields, associations)
        everything = range(len(batch.ids))
        digests = [self.shown(record, fields).digest for record in batch.decode(everything)]
        return replace(each_record(batch, lambda r: self.shown(r, fields)), digests=digests)

    async def get(
        self, obj: str, ids: Names, fields: Names, associations: Names = (), key: str | None = None
    ) -> Mapping[str, Sequence[Record]]:
        found = await super().get(obj, ids, fields, associations, key)
        return {i: [self.shown(r, fields) for r in records] for i, records in found.items()}
