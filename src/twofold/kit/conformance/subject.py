"""The connector under test: what its own test class supplies, and how the suite acts on it."""

from __future__ import annotations

import asyncio
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import ClassVar

from twofold.core.records import Fields, Record, Target
from twofold.core.schema import Association, Field, ObjectType, Op
from twofold.core.values import Kind, Value
from twofold.kit.conformance.capabilities import Capability
from twofold.kit.contract import Batch, Connector, Result, Status, Write

_MOST_PAGES = 2_000
_SAMPLES: Mapping[Kind, tuple[Value, ...]] = {
    Kind.TEXT: ("Ada", "two words"),
    Kind.EMAIL: ("ada@example.org",),
    Kind.PHONE: ("+4930123456",),
    Kind.URL: ("https://example.org/a",),
    Kind.INT: (0, 7, -3),
    Kind.DECIMAL: (Decimal("1234.5"), Decimal("-0.25"), Decimal(0)),
    Kind.BOOL: (True, False),
    Kind.DATE: (date(1999, 12, 31), date(2024, 2, 29)),
    Kind.DATETIME: (datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC),),
}


class Reading:
    """All that one drain of a feed delivered."""

    def __init__(self) -> None:
        self.pages: list[Batch] = []
        self.ids: list[str] = []
        """In the order of delivery, repetitions included."""
        self.records: dict[str, Record] = {}
        """As last delivered, by id; rows without a body were fetched."""
        self.digests: dict[str, int | None] = {}
        self.gone: list[tuple[str, str | None]] = []

    @property
    def cursor(self) -> str:
        """Where the next reading goes on."""
        return self.pages[-1].cursor


class Subject(ABC):
    """What a connector's test class gives to the suite.

    Besides these methods it defines a fixture ``connector``: a connector on an empty account.
    """

    object_type: ClassVar[str] = "contact"
    """The type of which the tests make and read records."""
    declares: ClassVar[frozenset[Capability]] = frozenset()
    """What ``describe`` says about it: decides at collection which tests there are. One of the
    tests compares it with ``describe``, so nothing can be left out."""
    several_pages: ClassVar[int] = 7
    """So many records take more than one page; 0 where a listing is always one page."""
    largest_batch: ClassVar[int] = 1000
    """A declared maximum beyond this is tried with so many records."""

    # --- to supply ------------------------------------------------------------------------

    @abstractmethod
    def fields(self, n: int) -> Fields:
        """Values of the n-th record: at least two fields, texts among them that differ by n."""

    @abstractmethod
    def edited(self, n: int) -> Fields:
        """New values for at least one, but not all, of the fields that ``fields`` fills."""

    @abstractmethod
    async def reconnect(self, connector: Connector) -> Connector:
        """A second instance for the same account, made from the settings alone."""

    # --- to supply where possible: acting as another user of the app ----------------------

    async def outside_edit(self, connector: Connector, record_id: str, fields: Fields) -> None:
        """Another user changes fields."""
        raise AssertionError("only called where it is defined")

    async def outside_touch(self, connector: Connector, record_id: str) -> None:
        """The record gets a new version, and keeps its values."""
        raise AssertionError("only called where it is defined")

    async def outside_delete(self, connector: Connector, record_id: str) -> None:
        """Another user deletes a record."""
        raise AssertionError("only called where it is defined")

    async def outside_merge(self, connector: Connector, loser: str, survivor: str) -> None:
        """Another user merges a record into another one."""
        raise AssertionError("only called where it is defined")

    async def expire_cursors(self, connector: Connector) -> None:
        """The app forgets all positions given out so far."""
        raise AssertionError("only called where it is defined")

    # --- to change where needed -----------------------------------------------------------

    async def settle(self, connector: Connector) -> None:
        """Wait until all changes show in the feed, and until versions can differ again."""
        kind = await self.kind(connector)
        await asyncio.sleep((kind.lag + kind.resolution).total_seconds())

    def samples(self, field: Field) -> Sequence[Value]:
        """Values that this field must return exactly as they were written."""
        if field.options:
            found: Sequence[Value] = [option.value for option in field.options if option.active]
        else:
            fits = field.max_length
            found = [
                value
                for value in _SAMPLES.get(field.kind, ())
                if fits is None or not isinstance(value, str) or len(value) <= fits
            ]
        if not field.multi:
            return found
        singles = [value for value in found if value is not None and not isinstance(value, tuple)]
        return [(single,) for single in singles] + [tuple(singles)]

    async def target(self, connector: Connector, association: Association, n: int) -> str:
        """The id of the n-th record that an association can point to."""
        write = Write(self.ref(), Op.CREATE, fields={"name": f"Target {n}"})
        (result,) = await connector.push(association.target, [write])
        assert result.id is not None, result
        return result.id

    async def make(self, connector: Connector, *numbers: int) -> list[str]:
        """Create these records; returns their ids in order."""
        writes = [Write(self.ref(), Op.CREATE, fields=self.fields(n)) for n in numbers]
        results = await self.push_all(connector, writes)
        for result in results:
            assert result.status is Status.OK, f"the suite's own record was refused: {result}"
        return [str(result.id) for result in results]

    # --- how the suite acts ---------------------------------------------------------------

    def ref(self) -> str:
        """A ref that no write had before."""
        return uuid.uuid4().hex

    async def kind(self, connector: Connector) -> ObjectType:
        """The object type under test."""
        kinds = await connector.describe()
        found = next((kind for kind in kinds if kind.name == self.object_type), None)
        assert found is not None, f"describe() has no {self.object_type}"
        return found

    async def names(self, connector: Connector) -> list[str]:
        """All fields that can be mapped."""
        return [f.name for f in (await self.kind(connector)).fields if not f.unmappable]

    async def pages(
        self,
        connector: Connector,
        cursor: str | None,
        fields: Sequence[str],
        associations: Sequence[str] = (),
        *,
        reconnecting: bool = False,
    ) -> AsyncIterator[Batch]:
        """The pages from a cursor on; each by a new instance where asked so."""
        for _ in range(_MOST_PAGES):
            reader = await self.reconnect(connector) if reconnecting else connector
            page = await reader.pull(self.object_type, cursor, fields, associations)
            yield page
            if not page.more:
                return
            cursor = page.cursor
        raise AssertionError("the feed never ends")

    async def read(
        self,
        connector: Connector,
        cursor: str | None = None,
        fields: Sequence[str] | None = None,
        associations: Sequence[str] = (),
    ) -> Reading:
        """Drain the feed from a cursor; fetch what came without a body."""
        asked = await self.names(connector) if fields is None else fields
        reading = Reading()
        async for page in self.pages(connector, cursor, asked, associations):
            await self._take(connector, reading, page, asked, associations)
        return reading

    async def _take(
        self,
        connector: Connector,
        reading: Reading,
        page: Batch,
        fields: Sequence[str],
        associations: Sequence[str],
    ) -> None:
        count = len(page.ids)
        assert len(page.digests) == count, "digests and ids differ in number"
        assert len(page.versions) == count, "versions and ids differ in number"
        reading.pages.append(page)
        reading.ids += page.ids
        reading.digests.update(zip(page.ids, page.digests, strict=True))
        reading.gone += page.gone
        bodies = [p for p, digest in enumerate(page.digests) if digest is not None]
        reading.records.update((r.id, r) for r in page.decode(bodies))
        missing = [i for i, digest in zip(page.ids, page.digests, strict=True) if digest is None]
        if missing:
            found = await connector.get(self.object_type, missing, fields, associations)
            reading.records.update((r.id, r) for records in found.values() for r in records)

    async def record(
        self, connector: Connector, record_id: str, associations: Sequence[str] = ()
    ) -> Record:
        """A record that must be there, whole."""
        names = await self.names(connector)
        found = await connector.get(self.object_type, [record_id], names, associations)
        assert len(found.get(record_id, ())) == 1, f"get({record_id!r}) found {found}"
        return found[record_id][0]

    async def push(self, connector: Connector, *writes: Write) -> list[Result]:
        """One push; checks the shape of the answer."""
        results = list(await connector.push(self.object_type, list(writes)))
        assert [r.ref for r in results] == [w.ref for w in writes], "refs are not in order"
        return results

    async def push_all(self, connector: Connector, writes: Sequence[Write]) -> list[Result]:
        """As many pushes as the declared maximum makes necessary."""
        kind = await self.kind(connector)
        size = kind.batch.get(writes[0].op, 1)
        results: list[Result] = []
        for start in range(0, len(writes), size):
            results += await self.push(connector, *writes[start : start + size])
        return results

    async def update(self, connector: Connector, record_id: str, fields: Fields) -> Result:
        """Change a record against what it shows now; must be accepted."""
        record = await self.record(connector, record_id)
        result = await self.try_update(connector, record, fields)
        assert result.status is Status.OK, result
        return result

    async def try_update(self, connector: Connector, planned: Record, fields: Fields) -> Result:
        """Change a record against what it showed when it was read."""
        (result,) = await self.push(connector, self.change(planned, fields))
        return result

    def change(self, planned: Record, fields: Fields) -> Write:
        """An update planned against a reading."""
        expected = {name: planned.fields.get(name) for name in fields}
        version = planned.version
        return Write(
            self.ref(), Op.UPDATE, planned.id, fields, if_version=version, expected=expected
        )

    async def relate(
        self,
        connector: Connector,
        record_id: str,
        *add: tuple[str, Target],
        drop: tuple[tuple[str, str], ...] = (),
    ) -> Result:
        """Change the associations of a record; must be accepted."""
        record = await self.record(connector, record_id)
        write = Write(
            self.ref(),
            Op.UPDATE,
            record_id,
            associate=add,
            dissociate=drop,
            if_version=record.version,
        )
        (result,) = await self.push(connector, write)
        assert result.status is Status.OK, result
        return result

    async def remove(self, connector: Connector, record_id: str) -> None:
        """Let a record vanish: by the connector where it can, else as another user."""
        kind = await self.kind(connector)
        ops = [op for op in (Op.DELETE, Op.ARCHIVE) if op in kind.ops]
        if not ops:
            await self.outside_delete(connector, record_id)
            return
        (result,) = await self.push(connector, Write(self.ref(), ops[0], record_id))
        assert result.status is Status.OK, result


HOOKS = (
    "outside_edit",
    "outside_touch",
    "outside_delete",
    "outside_merge",
    "expire_cursors",
)


def defined_hooks(subject: type[Subject]) -> frozenset[str]:
    """The optional actions that a test class defines."""
    return frozenset(n for n in HOOKS if getattr(subject, n) is not getattr(Subject, n))


def same(left: Value, right: Value) -> bool:
    """Whether two values are equal and of the same type; the order of several does not matter."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        return sorted(map(repr, left)) == sorted(map(repr, right))
    return type(left) is type(right) and left == right


def holds(record: Record, fields: Fields) -> bool:
    """Whether a record shows these values."""
    return all(same(record.fields.get(name), value) for name, value in fields.items())
