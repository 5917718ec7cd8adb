"""The suite's tests of values: what is written comes back, or is refused in so many words."""

from __future__ import annotations

from twofold.core.codes import CODES
from twofold.core.records import Fields
from twofold.core.schema import Field, Op
from twofold.core.values import Kind, Value
from twofold.kit.conformance.capabilities import (
    Capability,
    is_bounded,
    is_closed,
    is_writable,
    needs,
)
from twofold.kit.conformance.subject import Subject, holds, same
from twofold.kit.contract import Connector, Result, Status, Write

HOSTILE = (
    'O\'Brien "the" \\ `x`; DROP TABLE contact; --',
    "=cmd|'/C calc'!A0",
    "<script>alert(1)</script> &amp; ]]> ${7*7} {{7*7}} %s %00",
    "\u202eright to left \u05d0\u05d1\u05d2 \u0645\u0631\u062d\u0628\u0627",
    "emoji \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1ea\U0001f1fa",
    "e\u0301 is not \u00e9",
    "line one\nline two\n\nline four",
    "a;b,c:d|e\tf",
    "null",
)


class RoundTripTests(Subject):
    """Values of every kind come back as they were sent."""

    async def accepted(self, connector: Connector, n: int, extra: Fields) -> bool:
        """Create a record with more values; whether they came back, or were refused."""
        fields = {**self.fields(n), **extra}
        (result,) = await self.push(connector, Write(self.ref(), Op.CREATE, fields=fields))
        if result.status is not Status.OK:
            assert_refused(result)
            return False
        record = await self.record(connector, str(result.id))
        for name, value in extra.items():
            assert same(record.fields[name], value), (name, value, record.fields[name])
        return True

    @needs(Capability.CREATE)
    async def test_each_kind_round_trips(self, connector: Connector) -> None:
        """Decimals, aware times, dates, truth values, choices and several values at once."""
        number = 100
        for field in (await self.kind(connector)).fields:
            for value in self.samples(field) if is_writable(field) else ():
                number += 1
                taken = await self.accepted(connector, number, {field.name: value})
                assert taken, f"{field.name} ({field.kind}) refuses {value!r}"

    @needs(Capability.CREATE, Capability.UPDATE)
    async def test_each_kind_can_be_updated(self, connector: Connector) -> None:
        """The same values, written over other ones."""
        (made,) = await self.make(connector, 1)
        for field in (await self.kind(connector)).fields:
            for value in self.samples(field) if is_writable(field) else ():
                await self.update(connector, made, {field.name: value})
                shown = (await self.record(connector, made)).fields[field.name]
                assert same(shown, value), (field.name, value, shown)

    @needs(Capability.CREATE)
    async def test_hostile_text_round_trips(self, connector: Connector) -> None:
        """Text is never interpreted: it comes back, or it is refused."""
        field = await self.free_text(connector)
        if field is None:
            return
        for n, text in enumerate(HOSTILE, start=1):
            if field.max_length is None or len(text) <= field.max_length:
                await self.accepted(connector, n, {field.name: text})
        (plain,) = await self.make(connector, len(HOSTILE) + 1)
        assert holds(await self.record(connector, plain), self.fields(len(HOSTILE) + 1))

    @needs(Capability.CREATE)
    async def test_long_text_round_trips(self, connector: Connector) -> None:
        """Up to the declared length, or 10,000 characters, nothing is cut off."""
        field = await self.free_text(connector)
        if field is not None:
            length = min(field.max_length or 10_000, 10_000)
            await self.accepted(connector, 1, {field.name: ("äbc " * 2500)[: length - 1] + "."})

    @needs(Capability.CREATE)
    async def test_a_nul_is_refused_or_kept(self, connector: Connector) -> None:
        """A NUL character does not silently end the text, nor the connection."""
        field = await self.free_text(connector)
        if field is not None:
            await self.accepted(connector, 1, {field.name: "before\x00after"})
            (made,) = await self.make(connector, 2)
            assert holds(await self.record(connector, made), self.fields(2))

    async def free_text(self, connector: Connector) -> Field | None:
        """The text field that takes the most."""
        kind = await self.kind(connector)
        free = [
            field
            for field in kind.fields
            if field.kind is Kind.TEXT
            and is_writable(field)
            and not (field.multi or field.options or field.unique or field.name in kind.keys)
        ]
        return max(free, key=lambda field: field.max_length or 1 << 40, default=None)


class RefusalTests(Subject):
    """What the app does not take is said per record, with a code; the others are taken."""

    async def refused(self, connector: Connector, fields: Fields, named: str) -> None:
        """Among good ones, a bad record is refused and nothing of it is written."""
        kind = await self.kind(connector)
        bad = Write(self.ref(), Op.CREATE, fields=fields)
        alone = kind.batch.get(Op.CREATE, 1) < 3 or kind.atomic
        if alone:
            results = await self.push(connector, bad)
        else:
            good = [Write(self.ref(), Op.CREATE, fields=self.fields(n)) for n in (8, 9)]
            results = await self.push(connector, good[0], bad, good[1])
        assert_refused(results[0 if alone else 1], named)
        await self.settle(connector)
        expected = [] if alone else [str(results[0].id), str(results[2].id)]
        assert sorted((await self.read(connector)).ids) == sorted(expected)

    @needs(Capability.CREATE, Capability.BOUNDED)
    async def test_too_long_a_text_is_refused(self, connector: Connector) -> None:
        """Never cut off in silence."""
        fields = [
            f for f in (await self.kind(connector)).fields if is_writable(f) and is_bounded(f)
        ]
        field = next((f for f in fields if f.kind is Kind.TEXT), fields[0])
        text = "x" * ((field.max_length or 0) + 1)
        value: Value = (text,) if field.multi else text
        await self.refused(connector, {**self.fields(1), field.name: value}, field.name)

    @needs(Capability.CREATE, Capability.CLOSED)
    async def test_an_unknown_option_is_refused(self, connector: Connector) -> None:
        """A choice is one of the options."""
        fields = (await self.kind(connector)).fields
        field = next(f for f in fields if is_writable(f) and is_closed(f))
        value: Value = ("no such option",) if field.multi else "no such option"
        await self.refused(connector, {**self.fields(1), field.name: value}, field.name)

    @needs(Capability.CREATE, Capability.REQUIRED)
    async def test_a_missing_required_value_is_refused(self, connector: Connector) -> None:
        """A create without it names the field."""
        fields = (await self.kind(connector)).fields
        field = next(f for f in fields if is_writable(f) and f.required)
        rest = {name: value for name, value in self.fields(1).items() if name != field.name}
        await self.refused(connector, rest, field.name)

    @needs(Capability.CREATE, Capability.UPDATE, Capability.READ_ONLY)
    async def test_a_read_only_field_is_not_written(self, connector: Connector) -> None:
        """Refused or left alone; its value stays."""
        (made,) = await self.make(connector, 1)
        record = await self.record(connector, made)
        field = next(f for f in (await self.kind(connector)).fields if f.read_only)
        samples = [v for v in self.samples(field) if not same(v, record.fields[field.name])]
        if samples:
            result = await self.try_update(connector, record, {field.name: samples[0]})
            if result.status is not Status.OK:
                assert_refused(result)
            shown = (await self.record(connector, made)).fields[field.name]
            assert same(shown, record.fields[field.name])

    @needs(Capability.CREATE, Capability.UNIQUE)
    async def test_a_duplicate_is_refused(self, connector: Connector) -> None:
        """A taken value is DUPLICATE; the holder is named, or nobody, never somebody else."""
        kind = await self.kind(connector)
        field = next(f for f in kind.fields if is_writable(f) and f.unique)
        value = self.fields(2).get(field.name)
        assert value is not None, f"fields() does not fill the unique field {field.name}"
        made = await self.make(connector, 1, 2)
        write = Write(self.ref(), Op.CREATE, fields={**self.fields(3), field.name: value})
        (result,) = await self.push(connector, write)
        assert result.status is Status.DUPLICATE, result
        assert_refused(result)
        assert result.issue is not None
        assert result.issue.other_id in (made[1], None)
        await self.settle(connector)
        assert sorted((await self.read(connector)).ids) == sorted(made)

    @needs(Capability.CREATE, Capability.UPDATE, Capability.UNIQUE)
    async def test_a_duplicate_by_update_is_refused(self, connector: Connector) -> None:
        """The record keeps its own value; writing that one again is no duplicate."""
        kind = await self.kind(connector)
        field = next(f for f in kind.fields if is_writable(f) and f.unique)
        made = await self.make(connector, 1, 2)
        record = await self.record(connector, made[0])
        taken: Fields = {field.name: self.fields(2)[field.name]}
        assert (await self.try_update(connector, record, taken)).status is Status.DUPLICATE
        await self.update(connector, made[0], {field.name: self.fields(1)[field.name]})
        assert holds(await self.record(connector, made[0]), self.fields(1))

    @needs(Capability.ATOMIC, Capability.BATCH, any_of=[Capability.BOUNDED, Capability.REQUIRED])
    async def test_an_atomic_batch_is_all_or_nothing(self, connector: Connector) -> None:
        """One bad record: none is written, no other one is called OK."""
        kind = await self.kind(connector)
        bad: dict[str, Value] = dict(self.fields(2))
        required = next((f for f in kind.fields if is_writable(f) and f.required), None)
        if required is not None:
            del bad[required.name]
        else:
            field = next(f for f in kind.fields if is_writable(f) and is_bounded(f))
            bad[field.name] = "x" * ((field.max_length or 0) + 1)
        rows = (self.fields(1), bad, self.fields(3))[: kind.batch[Op.CREATE]]
        results = await self.push(
            connector, *(Write(self.ref(), Op.CREATE, fields=row) for row in rows)
        )
        assert Status.OK not in {result.status for result in results}
        await self.settle(connector)
        assert (await self.read(connector)).ids == []


def assert_refused(result: Result, field: str | None = None) -> None:
    """A refusal says what is wrong, by a registered code and in a sentence."""
    refusals = (Status.INVALID, Status.DUPLICATE, Status.DENIED)
    assert result.status in refusals, result
    assert result.issue is not None, result
    assert result.issue.code in CODES, result.issue
    assert result.issue.sentence, result.issue
    if field is not None:
        assert result.status is Status.INVALID, result
        assert result.issue.field in (field, None), result.issue
