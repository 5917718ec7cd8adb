"""The hub against a model of a few lines, with a reader that follows its feed page by page."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import Struct, field
from tests.hub.consistency import assert_consistent
from tests.hub.values import fields, kept

from twofold.core.records import Fields, Record, Target
from twofold.core.schema import Op
from twofold.core.values import Value
from twofold.hub.connector import HubConnector
from twofold.hub.crm import Hub
from twofold.hub.schema import OBJECT_TYPES
from twofold.kit.contract import Status, Write

TYPES = st.sampled_from(sorted(OBJECT_TYPES))
READ_ONLY = {"createdate", "hs_full_name_or_email", "num_associated_contacts"}
Answer = TypeVar("Answer")


def at_once(call: Coroutine[Any, Any, Answer]) -> Answer:
    """The answer of a call that never waits."""
    try:
        call.send(None)
    except StopIteration as stop:
        answer: Answer = stop.value
        return answer
    raise AssertionError("the hub's connector waits for nothing")


labels = st.sampled_from([(), (), ("Owner",), ("Owner", "Adviser")])


class Expected(Struct):
    """A record as the model has it."""

    kind: str
    fields: dict[str, Value] = field(default_factory=dict)
    links: dict[str, dict[str, tuple[bool, frozenset[str]]]] = field(default_factory=dict)
    """Targets by association: whether it is the primary one, and its labels."""

    def put(self, changes: Fields) -> None:
        self.fields.update({name: kept(value) for name, value in changes.items()})

    def link(self, name: str, target: str, primary: bool, labels: Iterable[str] = ()) -> None:
        declared = OBJECT_TYPES[self.kind].association(name)
        assert declared is not None
        ends = self.links.setdefault(name, {})
        primary = declared.primary and (primary or not ends)
        if primary:
            ends.update({other: (False, kept) for other, (_, kept) in ends.items()})
        was, had = ends.get(target, (False, frozenset()))
        ends[target] = (primary or was, had | set(labels))

    def unlink(self, name: str, target: str) -> None:
        self.links.get(name, {}).pop(target, None)


class SmallPages(HubConnector):
    page_size = 2


class Reader:
    """Mirrors one object type through the connector, one page at a time."""

    def __init__(self, hub: Hub, kind: str) -> None:
        self.connector = SmallPages.over(hub)
        declared = OBJECT_TYPES[kind]
        self.asked = (
            kind,
            tuple(f.name for f in declared.fields if not f.silent),
            tuple(association.name for association in declared.associations),
        )
        self.mirror: dict[str, Record] = {}
        self.cursor: str | None = None
        self.listed: set[str] = set()

    def list_again(self) -> None:
        self.cursor = None
        self.listed = set()

    def page(self) -> bool:
        kind, names, associations = self.asked
        batch = at_once(self.connector.pull(kind, self.cursor, names, associations))
        for record in batch.decode(range(len(batch.ids))):
            self.mirror[record.id] = record
        for lost, _ in batch.gone:
            self.mirror.pop(lost, None)
        self.listed.update(batch.ids)
        if batch.snapshot and not batch.more:
            for unseen in self.mirror.keys() - self.listed:
                del self.mirror[unseen]
        self.cursor = batch.cursor
        return batch.more or batch.snapshot

    def get(self, ids: list[str]) -> dict[str, Record]:
        kind, names, associations = self.asked
        found = at_once(self.connector.get(kind, ids, names, associations))
        return {asked: records[0] for asked, records in found.items()}


def has(*kinds: str) -> Callable[[Any], bool]:
    """A precondition: some record of one of these types is there."""
    return lambda machine: any(e.kind in kinds for e in machine.records.values())


has_records = has(*OBJECT_TYPES)


class HubAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub.open(None)
        self.records: dict[str, Expected] = {}
        self.away: dict[str, Expected] = {}
        self.survivors: dict[str, str] = {}
        self.readers = {kind: Reader(self.hub, kind) for kind in OBJECT_TYPES}
        self.refs: dict[str, str] = {}

    def some(self, data: st.DataObject, *kinds: str) -> str:
        """The id of a record that is there, of one of these types."""
        return data.draw(st.sampled_from([i for i, e in self.records.items() if e.kind in kinds]))

    # --- what happens -----------------------------------------------------------------------

    @initialize()
    def a_small_world(self) -> None:
        for kind in ("company", "company", "contact", "contact", "deal"):
            self.records[self.hub.create(kind, {}).id] = Expected(kind)

    @rule(kind=TYPES, data=st.data())
    def create(self, kind: str, data: st.DataObject) -> None:
        made = self.hub.create(kind, values := data.draw(fields(OBJECT_TYPES[kind])))
        self.records[made.id] = Expected(kind)
        self.records[made.id].put(values)

    @precondition(has_records)
    @rule(data=st.data())
    def update(self, data: st.DataObject) -> None:
        record = self.some(data, *OBJECT_TYPES)
        expected = self.records[record]
        changes = data.draw(fields(OBJECT_TYPES[expected.kind]))
        self.hub.update(expected.kind, record, changes)
        expected.put(changes)

    @precondition(has_records)
    @rule(data=st.data())
    def change_nothing(self, data: st.DataObject) -> None:
        record = self.some(data, *OBJECT_TYPES)
        expected = self.records[record]
        before = self.hub.position()
        shown = self.hub.read(expected.kind, record)
        assert self.hub.update(expected.kind, record, expected.fields) == shown
        assert self.hub.position() == before

    @precondition(has("company"))
    @precondition(has("contact", "deal"))
    @rule(data=st.data(), primary=st.booleans(), as_user=st.booleans(), labels=labels)
    def relate(
        self, data: st.DataObject, primary: bool, as_user: bool, labels: tuple[str, ...]
    ) -> None:
        source = self.some(data, "contact", "deal")
        expected = self.records[source]
        far = self.some(data, "company")
        added = (("company", Target(far, primary, labels)),)
        if as_user:
            self.hub.update(expected.kind, source, {}, associate=added)
        else:
            write = Write("w", Op.UPDATE, source, associate=added)
            (result,) = self.hub.write(expected.kind, [write])
            assert result.status is Status.OK
        expected.link("company", far, primary, labels)

    @precondition(has("contact"))
    @precondition(has("deal"))
    @rule(data=st.data())
    def relate_to_a_person(self, data: st.DataObject) -> None:
        source, far = self.some(data, "deal"), self.some(data, "contact")
        self.hub.update("deal", source, {}, associate=[("contact", Target(far, primary=True))])
        self.records[source].link("contact", far, primary=False)

    @precondition(has("contact", "deal"))
    @rule(data=st.data())
    def end_a_relation(self, data: st.DataObject) -> None:
        source = self.some(data, "contact", "deal")
        expected = self.records[source]
        ends = [(name, far) for name, ends in expected.links.items() for far in ends]
        name, far = data.draw(st.sampled_from([*ends, ("company", "999")]))
        self.hub.update(expected.kind, source, {}, dissociate=[(name, far)])
        expected.unlink(name, far)

    @precondition(has_records)
    @rule(data=st.data())
    def archive(self, data: st.DataObject) -> None:
        record = self.some(data, *OBJECT_TYPES)
        expected = self.records.pop(record)
        self.hub.archive(expected.kind, record)
        self._unlink_everywhere(record)
        self.away[record] = Expected(expected.kind, expected.fields)

    @precondition(lambda self: bool(self.away))
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(list(self.away)))
        self.records[record] = self.away.pop(record)
        self.hub.restore(self.records[record].kind, record)

    @precondition(has_records)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        record = self.some(data, *OBJECT_TYPES)
        self.hub.delete(self.records.pop(record).kind, record)
        self._unlink_everywhere(record)

    @precondition(has_records)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        winner = self.some(data, *OBJECT_TYPES)
        one = self.records[winner]
        loser = self.some(data, one.kind)
        if winner == loser:
            return
        self.hub.merge(one.kind, winner, loser)
        other = self.records.pop(loser)
        self.survivors = {a: winner if b == loser else b for a, b in self.survivors.items()}
        self.survivors[loser] = winner
        known = {name: value for name, value in one.fields.items() if value is not None}
        one.fields = {**other.fields, **known}
        if one.kind == "contact":  # has a test of its own
            shown = self.hub.read("contact", winner)
            assert shown is not None
            one.fields["hs_additional_emails"] = shown.fields["hs_additional_emails"]
        self._inherit_links(one, other, winner, loser)

    def _inherit_links(self, one: Expected, other: Expected, winner: str, loser: str) -> None:
        for name, ends in other.links.items():
            had_one = any(primary for primary, _ in one.links.get(name, {}).values())
            for far, (primary, known) in sorted(ends.items(), key=lambda end: int(end[0])):
                one.link(name, far, primary and not had_one, known)
        for source in self.records.values():
            for name, ends in source.links.items():
                if loser in ends:
                    primary, known = ends.pop(loser)
                    source.link(name, winner, primary, known)

    def _unlink_everywhere(self, far: str) -> None:
        for source in self.records.values():
            for ends in source.links.values():
                ends.pop(far, None)

    @rule(kind=TYPES, ref=st.sampled_from("abc"), data=st.data())
    def create_by_ref(self, kind: str, ref: str, data: st.DataObject) -> None:
        values = data.draw(fields(OBJECT_TYPES[kind]))
        (result,) = self.hub.write(kind, [Write(f"{kind} {ref}", Op.CREATE, fields=values)])
        assert result.status is Status.OK
        assert result.id is not None
        if f"{kind} {ref}" in self.refs:
            assert result.id == self.refs[f"{kind} {ref}"]
            return
        self.refs[f"{kind} {ref}"] = result.id
        self.records[result.id] = Expected(kind)
        self.records[result.id].put(values)

    @precondition(has_records)
    @rule(data=st.data(), behind=st.integers(1, 3))
    def plan_against_an_old_version(self, data: st.DataObject, behind: int) -> None:
        record = self.some(data, *OBJECT_TYPES)
        kind = self.records[record].kind
        shown = self.hub.read(kind, record)
        assert shown is not None
        assert shown.version is not None
        stale = str(int(shown.version) - behind)
        name = "dealname" if kind == "deal" else "phone"
        write = Write("w", Op.UPDATE, record, {name: "stale"}, if_version=stale)
        (result,) = self.hub.write(kind, [write])
        assert result.status is Status.CONFLICT

    @rule(kind=TYPES)
    def read_a_page(self, kind: str) -> None:
        self.readers[kind].page()

    @rule(kind=TYPES)
    def list_again(self, kind: str) -> None:
        self.readers[kind].list_again()

    # --- what must hold ---------------------------------------------------------------------

    @invariant()
    def tables_agree(self) -> None:
        assert_consistent(self.hub)

    @invariant()
    def every_record_is_as_expected(self) -> None:
        for kind, reader in self.readers.items():
            expected = {i: e for i, e in self.records.items() if e.kind == kind}
            asked = [*expected, *self.away, *self.survivors, "999"]
            shown = reader.get(asked)
            for record_id, record in expected.items():
                assert _fields(shown[record_id]) == _complete(kind, record.fields)
                assert _links(shown[record_id]) == {n: e for n, e in record.links.items() if e}
            for lost, survivor in self.survivors.items():
                if survivor in expected:
                    assert shown[lost] == shown[survivor]
            merged = {lost for lost, survivor in self.survivors.items() if survivor in expected}
            assert shown.keys() == expected.keys() | merged

    def teardown(self) -> None:
        """A reader that was interrupted anywhere ends with what is there, digests included."""
        for kind, reader in self.readers.items():
            while reader.page():
                pass
            ids = [record_id for record_id, e in self.records.items() if e.kind == kind]
            assert reader.mirror == reader.get(ids)
        self.hub.close()


def _fields(record: Record) -> dict[str, Value]:
    return {name: value for name, value in record.fields.items() if name not in READ_ONLY}


def _complete(kind: str, known: dict[str, Value]) -> dict[str, Value]:
    names = (f.name for f in OBJECT_TYPES[kind].fields if f.name not in READ_ONLY)
    return {name: known.get(name) for name in names}


def _links(record: Record) -> dict[str, dict[str, tuple[bool, frozenset[str]]]]:
    return {
        name: {target.id: (target.primary, frozenset(target.labels)) for target in targets}
        for name, targets in record.associations.items()
        if targets
    }


HubAgainstModel.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, phases=set(Phase) - {Phase.explain}
)
TestHubAgainstModel = HubAgainstModel.TestCase
