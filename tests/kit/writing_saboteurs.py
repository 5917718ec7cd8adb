"""Connectors that break a promise of writing, values, refusals or associations."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace
from tests.connectors import test_memory_conformance as stages
from tests.kit.sabotage import Names, RecordSaboteur, WriteSaboteur, caught_by

from twofold.core.records import Fields, Record, Target
from twofold.core.schema import Field, Op
from twofold.kit.contract import Result, Status, Write
from twofold.kit.digests import digest_values
from twofold.kit.memory import MemoryConnector

# --- writing --------------------------------------------------------------------------------


@caught_by("a_stale_update_is_refused")
class IgnoresTheVersion(WriteSaboteur):
    """Ignores the version."""

    def incoming(self, write: Write) -> Write:
        return replace(write, if_version=None)


@caught_by("a_stale_update_is_refused", stages.TestSnapshotComparingOldValues)
class IgnoresTheOldValues(WriteSaboteur):
    """Does not compare the old values."""

    def incoming(self, write: Write) -> Write:
        return replace(write, expected={})


@caught_by("a_stale_delete_is_refused")
class DeletesWhateverIsThere(WriteSaboteur):
    """Ignores the version of a delete."""

    def incoming(self, write: Write) -> Write:
        return replace(write, if_version=None) if write.op is Op.DELETE else write


@caught_by("one_conflict_spoils_no_other_write")
class GivesUpAtAConflict(MemoryConnector):
    """Lets one conflict stop the writes after it."""

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        results: list[Result] = []
        for write in writes:
            if any(result.status is Status.CONFLICT for result in results):
                results.append(Result(write.ref, Status.CONFLICT, write.id))
            else:
                results += await super().push(obj, [write])
        return results


@caught_by("a_result_names_the_version_to_go_on_from")
class NamesTheOldVersion(MemoryConnector):
    """Answers an update with the version from before it."""

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        results = await super().push(obj, writes)
        return [
            replace(result, version=write.if_version or result.version)
            for write, result in zip(writes, results, strict=True)
        ]


@caught_by("an_update_keeps_the_other_fields")
class ReplacesInsteadOfPatching(WriteSaboteur):
    """Replaces instead of patching."""

    def incoming(self, write: Write) -> Write:
        kind = self.app.table("contact").kind
        blank: Fields = {field.name: None for field in kind.fields if field.updatable}
        return replace(write, fields={**blank, **write.fields}) if write.id else write


@caught_by("none_clears")
class DropsNone(WriteSaboteur):
    """Drops the fields that are to be cleared."""

    def incoming(self, write: Write) -> Write:
        return replace(write, fields={n: v for n, v in write.fields.items() if v is not None})


@caught_by("a_full_batch_is_answered_in_order")
class AnswersInAnotherOrder(WriteSaboteur):
    """Answers in another order."""

    def outgoing(self, results: list[Result]) -> list[Result]:
        return results[::-1]


@caught_by("a_full_batch_is_answered_in_order")
class MixesUpTheIds(WriteSaboteur):
    """Gives the id of one create to the ref of another one."""

    def outgoing(self, results: list[Result]) -> list[Result]:
        ids = [result.id for result in results][::-1]
        return [replace(r, id=i) for r, i in zip(results, ids, strict=True)]


@caught_by("a_create_is_stored")
class ReturnsTheWrongRef(WriteSaboteur):
    """Returns refs that nobody gave."""

    def outgoing(self, results: list[Result]) -> list[Result]:
        return [replace(result, ref=f"{result.ref}-1") for result in results]


@caught_by("results_say_what_is_there")
class CallsStoredWhatWasSent(WriteSaboteur):
    """Calls stored what it would have liked to store."""

    def outgoing(self, results: list[Result]) -> list[Result]:
        return [
            replace(r, stored=replace(r.stored, fields={**r.stored.fields, "lastname": "Sent"}))
            if r.stored is not None
            else r
            for r in results
        ]


@caught_by("an_empty_push_is_no_write")
class AlwaysWrites(MemoryConnector):
    """Creates a record when there is nothing to write."""

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        return await super().push(obj, writes or [Write("none", Op.CREATE)])


@caught_by("writes_are_not_changed")
class MutatesTheWrite(WriteSaboteur):
    """Changes the write that it was given."""

    def incoming(self, write: Write) -> Write:
        fields: Any = write.fields
        fields["hs_additional_emails"] = ("added@example.org",)
        return write


@caught_by("a_repeated_ref_makes_no_duplicate", stages.TestLog)
class AppliesARepeatedRefTwice(WriteSaboteur):
    """Applies a repeated ref twice."""

    def incoming(self, write: Write) -> Write:
        fields = {name: value for name, value in write.fields.items() if name != "email"}
        count = len(self.app.calls)
        return replace(write, ref=f"{write.ref}-{count}", fields=fields)

    def outgoing(self, results: list[Result]) -> list[Result]:
        return [replace(result, ref=result.ref.rpartition("-")[0]) for result in results]


@caught_by("an_update_of_a_vanished_record_is_missing")
class RecreatesTheVanished(MemoryConnector):
    """Creates a record again when it is no longer there."""

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        results = list(await super().push(obj, writes))
        for position, write in enumerate(writes):
            if results[position].status is Status.MISSING and write.op is Op.UPDATE:
                fresh = replace(write, op=Op.CREATE, id=None, if_version=None)
                (results[position],) = await super().push(obj, [fresh])
        return results


# --- values and refusals --------------------------------------------------------------------


class ValueSaboteur(WriteSaboteur):
    """Breaks single values on their way in."""

    def value(self, field: Field, value: Any) -> Any:
        raise AssertionError("defined by each")

    def incoming(self, write: Write) -> Write:
        for kind in self.app.types:
            known = [(kind.field(name), name, value) for name, value in write.fields.items()]
            if all(field for field, _, _ in known):
                fields = {name: self.value(field, value) for field, name, value in known if field}
                return replace(write, fields=fields)
        return write


@caught_by("too_long_a_text_is_refused")
class CutsLongText(ValueSaboteur):
    """Cuts off long text in silence."""

    def value(self, field: Field, value: Any) -> Any:
        return value[: field.max_length] if isinstance(value, str) else value


@caught_by("long_text_round_trips")
class KeepsTheBeginning(ValueSaboteur):
    """Keeps the first 4,000 characters."""

    def value(self, field: Field, value: Any) -> Any:
        return value[:4000] if isinstance(value, str) else value


@caught_by("a_nul_is_refused_or_kept")
class EndsTextAtANul(ValueSaboteur):
    """Ends text at a NUL character."""

    def value(self, field: Field, value: Any) -> Any:
        return value.partition("\x00")[0] if isinstance(value, str) else value


@caught_by("hostile_text_round_trips")
class EscapesText(ValueSaboteur):
    """Escapes markup, and never undoes it."""

    def value(self, field: Field, value: Any) -> Any:
        return value.replace("<", "&lt;") if isinstance(value, str) else value


@caught_by("an_unknown_option_is_refused")
class SwallowsInvalidValues(ValueSaboteur):
    """Drops values that the app would refuse, and says OK."""

    def value(self, field: Field, value: Any) -> Any:
        options = {option.value for option in field.options}
        return None if options and isinstance(value, str) and value not in options else value


@caught_by("each_kind_round_trips")
class RoundsNumbers(ValueSaboteur):
    """Rounds decimals to whole numbers."""

    def value(self, field: Field, value: Any) -> Any:
        return Decimal(int(value)) if isinstance(value, Decimal) else value


@caught_by("each_kind_round_trips")
class ForgetsTheZone(RecordSaboteur):
    """Delivers times without their zone."""

    def shown(self, record: Record, fields: Names) -> Record:
        plain: dict[str, Any] = dict(record.fields)
        if plain.get("last_call"):
            plain["last_call"] = plain["last_call"].replace(tzinfo=None)
        return replace(record, fields=plain)


@caught_by("a_missing_required_value_is_refused", stages.TestAtomicCompanies)
class FillsInTheBlank(WriteSaboteur):
    """Makes up a value for a required field."""

    def incoming(self, write: Write) -> Write:
        return replace(write, fields={"name": "unknown", **write.fields})


@caught_by("a_duplicate_is_refused")
class BlamesSomebodyElse(WriteSaboteur):
    """Names the wrong record as the holder of a unique value."""

    def outgoing(self, results: list[Result]) -> list[Result]:
        return [
            replace(result, issue=replace(result.issue, other_id="1"))
            if result.issue is not None and result.status is Status.DUPLICATE
            else result
            for result in results
        ]


@caught_by("a_duplicate_by_update_is_refused")
class CallsADuplicateInvalid(WriteSaboteur):
    """Calls a taken value invalid."""

    def outgoing(self, results: list[Result]) -> list[Result]:
        duplicate = Status.DUPLICATE
        return [replace(r, status=Status.INVALID) if r.status is duplicate else r for r in results]


@caught_by("an_atomic_batch_is_all_or_nothing", stages.TestAtomicCompanies)
class AppliesPartOfAnAtomicBatch(MemoryConnector):
    """Applies part of an atomic batch."""

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        return [result for write in writes for result in await super().push(obj, [write])]


@caught_by("too_long_a_text_is_refused")
class GivesNoReason(WriteSaboteur):
    """Refuses without a reason."""

    def outgoing(self, results: list[Result]) -> list[Result]:
        return [replace(result, issue=None) for result in results]


# --- associations ---------------------------------------------------------------------------


@caught_by("a_field_update_keeps_relations")
class ForgetsRelations(WriteSaboteur):
    """Ends all relations with each update of fields."""

    def incoming(self, write: Write) -> Write:
        row = self.app.table("contact").live(write.id)
        if row is None or write.associate:
            return write
        targets = row.associations.get("company", ())
        return replace(write, dissociate=tuple(("company", target.id) for target in targets))


@caught_by("one_target_is_primary")
class LosesThePrimary(WriteSaboteur):
    """Does not say which target is primary."""

    def incoming(self, write: Write) -> Write:
        plain = tuple((name, Target(target.id)) for name, target in write.associate)
        return replace(write, associate=plain)


@caught_by("many_targets_are_kept")
class KeepsOneTarget(WriteSaboteur):
    """Replaces the targets of an association to many."""

    def incoming(self, write: Write) -> Write:
        row = self.app.table("contact").live(write.id)
        targets = row.associations.get("company", ()) if row is not None else ()
        old = tuple(("company", target.id) for target in targets if write.associate)
        return replace(write, dissociate=(*write.dissociate, *old))


@caught_by("a_new_relation_changes_the_digest")
class DigestsFieldsOnly(RecordSaboteur):
    """Leaves relations out of the digest."""

    def shown(self, record: Record, fields: Names) -> Record:
        return replace(record, digest=digest_values(record.fields.items()))


@caught_by("a_single_target_is_replaced", stages.TestDealsOneByOne)
class KeepsTheOldTarget(WriteSaboteur):
    """Keeps the old target of an association that has room for one."""

    def incoming(self, write: Write) -> Write:
        row = self.app.table("deal").live(write.id)
        taken = row is not None and row.associations.get("company")
        return replace(write, associate=()) if taken else write
