"""One transaction's changes: drafts of the records it touches, written in bulk at its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from msgspec import Struct

from twofold.core.records import Record
from twofold.core.schema import ObjectType, Op
from twofold.hub import links as linking
from twofold.hub.links import Links
from twofold.hub.properties import (
    Properties,
    Refused,
    cleaned,
    decoder,
    kept_datetime,
    key_form,
    merged,
)
from twofold.hub.schema import APP, CONTACT_COUNT, CREATED, NAMES, NUMBERS, OBJECT_TYPES
from twofold.hub.tables import Gone
from twofold.kit.contract import Status, Write
from twofold.kit.digests import digest_bytes

Unique = Mapping[str, Collection[str]]
"""Key fields, by object type, whose values no two records may share."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)

_LOAD = """
SELECT id, type, sequence, revision, modified, gone, survivor, body, links
FROM record WHERE id IN (SELECT value FROM json_each(?))
"""


class Draft(Struct):
    """A record as it will be when the transaction ends."""

    kind: ObjectType
    id: int
    sequence: int
    revision: int
    modified: int
    gone: int
    survivor: int | None
    properties: Properties
    links: Links
    before: tuple[Properties, Links] = ({}, {})
    """What others could find it by at the start of the transaction."""
    fresh: bool = False
    """Made in this transaction."""


def number_of(record_id: str | None) -> int:
    """The id as tables hold it; 0, which no record has, for what cannot be one of ours."""
    if record_id is None or len(record_id) > 18 or not record_id.isascii():
        return 0
    return int(record_id) if record_id.isdigit() and record_id[0] != "0" else 0


def key_hash(object_type: str, field: str, value: str) -> int:
    """What ``match_key`` holds for a key value."""
    text = f"{object_type}\0{field}\0{key_form(field, value)}"
    return digest_bytes(text.encode(errors="surrogatepass"))


class Writing:
    """All changes of one transaction. Make it inside the transaction; call ``finish`` last."""

    def __init__(self, connection: sqlite3.Connection, now: datetime, unique: Unique) -> None:
        self.connection = connection
        self._now = (now - EPOCH) // _TICK
        self._created = kept_datetime(now)
        self._unique = unique
        self._drafts: dict[int, Draft] = {}
        self._changed: dict[int, Draft] = {}
        self._refs: dict[str, int] = {}
        self._new_refs: dict[str, int] = {}
        self._taken: dict[int, set[int]] = {}
        self._owner_ids: Collection[str] | None = None
        self._next, self._sequence = connection.execute(
            "SELECT next_record, sequence FROM hub"
        ).fetchone()

    # --- what the changes need to know ------------------------------------------------------

    def prepare(self, writes: Sequence[Write]) -> None:
        """Load all that these writes are about in a few queries."""
        wanted = {number_of(write.id) for write in writes if write.op is not Op.CREATE}
        wanted.update(number_of(target.id) for w in writes for _, target in w.associate)
        refs = [write.ref for write in writes if write.op is Op.CREATE and write.ref]
        if refs:
            query = "SELECT ref, record FROM creation WHERE ref IN (SELECT value FROM json_each(?))"
            found = self.connection.execute(query, (orjson.dumps(refs).decode(),)).fetchall()
            self._refs.update(found)
            wanted.update(record for _, record in found)
        self._load(wanted)

    def _load(self, numbers: Iterable[int]) -> None:
        missing = [number for number in numbers if number and number not in self._drafts]
        if not missing:
            return
        for row in self.connection.execute(_LOAD, (orjson.dumps(missing).decode(),)):
            number, kind, sequence, revision, modified, gone, survivor, body, links = row
            shown = orjson.loads(body), linking.parsed(links)
            self._drafts[number] = Draft(
                OBJECT_TYPES[NAMES[kind]],
                number,
                sequence,
                revision,
                modified,
                gone,
                survivor,
                *shown,
                before=({}, {}) if gone else shown,
            )

    def _get(self, number: int) -> Draft | None:
        if number not in self._drafts:
            self._load((number,))
        return self._drafts.get(number)

    def _find(self, object_type: str, number: int) -> Draft | None:
        """The record of that type, if it is there."""
        draft = self._get(number)
        right = draft is not None and draft.kind.name == object_type and not draft.gone
        return draft if right else None

    def _survivor(self, object_type: str, number: int) -> Draft | None:
        """The record, or the one that it was merged into."""
        draft = self._get(number)
        if draft is not None and draft.survivor is not None:
            number = draft.survivor
        return self._find(object_type, number)

    def _demand(self, object_type: str, record_id: str | None, version: str | None) -> Draft:
        draft = self._find(object_type, number_of(record_id))
        if draft is None:
            raise Refused(Status.MISSING, "TF-R06", app=APP)
        if version is not None and version != str(draft.revision):
            raise Refused(Status.CONFLICT, "TF-R05", app=APP)
        return draft

    def _owners(self) -> Collection[str]:
        if self._owner_ids is None:
            found = self.connection.execute("SELECT id FROM owner WHERE active").fetchall()
            self._owner_ids = frozenset(str(number) for (number,) in found)
        return self._owner_ids

    def look(self, object_type: str, record_id: str) -> Record | None:
        """The record, or the one that it was merged into, as it is now."""
        draft = self._survivor(object_type, number_of(record_id))
        return None if draft is None else shown(draft)

    # --- changes ----------------------------------------------------------------------------

    def apply(self, object_type: str, write: Write) -> Draft:
        """Make one change and return the record after it. A change of nothing changes nothing.

        Raises:
            Refused: nothing of this write was applied; others may still be.
        """
        if write.op is Op.CREATE:
            return self.create(object_type, write)
        if write.op is Op.UPDATE:
            return self.update(object_type, write)
        gone = Gone.ARCHIVED if write.op is Op.ARCHIVE else Gone.DELETED
        return self.remove(object_type, write.id, gone, write.if_version)

    def create(self, object_type: str, write: Write) -> Draft:
        """Make a record, or find the one that an earlier create of this ref made."""
        made = self._refs.get(write.ref)
        if made is not None:
            return self._drafts[made]
        kind = OBJECT_TYPES[object_type]
        properties = merged(kind, {}, cleaned(kind, write.fields, self._owners))
        links = self._related(kind, {}, write)
        number = self._next
        self._claim(object_type, number, properties)
        properties[CREATED] = self._created
        draft = Draft(kind, number, 0, 0, 0, Gone.HERE, None, properties, links, fresh=True)
        self._next += 1
        self._drafts[number] = draft
        if write.ref:
            self._refs[write.ref] = self._new_refs[write.ref] = number
        self._touch(draft)
        return draft

    def update(self, object_type: str, write: Write) -> Draft:
        """Change what differs."""
        draft = self._demand(object_type, write.id, write.if_version)
        kind = OBJECT_TYPES[object_type]
        changes = cleaned(kind, write.fields, self._owners)
        links = self._related(kind, draft.links, write)
        properties = merged(kind, draft.properties, changes)
        if properties != draft.properties or linking.differ(links, draft.links):
            self._claim(object_type, draft.id, properties)
            draft.properties, draft.links = properties, links
            self._touch(draft)
        return draft

    def remove(
        self, object_type: str, record_id: str | None, gone: Gone, version: str | None = None
    ) -> Draft:
        """Archive or delete a record; its associations end."""
        draft = self._demand(object_type, record_id, version)
        self._redirect(draft, None)
        draft.gone, draft.links = gone, {}
        if gone is Gone.DELETED:
            draft.properties = {}
        self._touch(draft)
        return draft

    def restore(self, object_type: str, record_id: str) -> Draft:
        """Bring an archived record back, without the associations that it had."""
        draft = self._get(number_of(record_id))
        if draft is None or draft.kind.name != object_type or draft.gone != Gone.ARCHIVED:
            raise Refused(Status.MISSING, "TF-R06", app=APP)
        self._claim(object_type, draft.id, draft.properties)
        draft.gone = Gone.HERE
        self._touch(draft)
        return draft

    def merge(self, object_type: str, winner_id: str, loser_id: str) -> Draft:
        """Fold one record into another, which keeps its own values and takes what it lacks."""
        if winner_id == loser_id:
            reason = "a record cannot be merged into itself"
            raise Refused(Status.INVALID, "TF-R03", app=APP, reason=reason)
        winner = self._demand(object_type, winner_id, None)
        loser = self._demand(object_type, loser_id, None)
        self._redirect(loser, winner)
        inherited = {**loser.properties, **winner.properties}
        if object_type == "contact":
            inherited["hs_additional_emails"] = _additional_emails(winner, loser)
        winner.properties = merged(winner.kind, {}, inherited)
        for name, ends in loser.links.items():
            has_primary = any(end.primary for end in winner.links.get(name, ()))
            for end in ends:
                inherited_end = end._replace(primary=end.primary and not has_primary)
                winner.links = linking.added(winner.kind, winner.links, name, inherited_end)
        loser.gone, loser.survivor, loser.links = Gone.MERGED, winner.id, {}
        loser.properties = {}
        self.connection.execute(
            "UPDATE record SET survivor = ? WHERE survivor = ?", (winner.id, loser.id)
        )
        self._touch(loser)
        self._touch(winner)
        return winner

    def _related(self, kind: ObjectType, current: Links, write: Write) -> Links:
        """The links after a write: first what is removed, then what is added."""
        if not write.associate and not write.dissociate:
            return current
        result = current
        for name, target_id in write.dissociate:
            _demand_association(kind, name)
            result = linking.removed(result, name, number_of(target_id))
        for name, target in write.associate:
            far = _demand_association(kind, name)
            found = self._survivor(far, number_of(target.id))
            if found is None:
                reason = f"there is no {far} {target.id[:18]}"
                raise Refused(Status.INVALID, "TF-R03", app=APP, reason=reason, field=name)
            end = linking.End(found.id, target.primary, target.labels)
            result = linking.added(kind, result, name, end)
        return result

    def _redirect(self, far: Draft, survivor: Draft | None) -> None:
        """Associations that point to a record end, or move to the one it is merged into."""
        query = "SELECT source, name FROM association WHERE target = ?"
        sources = set(self.connection.execute(query, (far.id,)).fetchall())
        sources |= {
            (draft.id, name)
            for draft in self._changed.values()
            for name, target in linking.pairs(draft.links)
            if target == far.id
        }
        self._load(number for number, _ in sources)
        for number, name in sorted(sources):
            source = self._drafts[number]
            held = next((e for e in source.links.get(name, ()) if e.target == far.id), None)
            if source.gone or held is None:
                continue
            source.links = linking.removed(source.links, name, far.id)
            if survivor is not None:
                moved = held._replace(target=survivor.id)
                source.links = linking.added(source.kind, source.links, name, moved)
            self._touch(source)

    def _claim(self, object_type: str, number: int, properties: Properties) -> None:
        """Refuse a value that must be unique and that another record has."""
        for field in self._unique.get(object_type, ()):
            value = properties.get(field)
            if value is None or value == self._held(number, field):
                continue  # one that a record has stays its own, also where another has it too
            found = key_hash(object_type, field, value)
            holders = self._holders(found)
            for holder in sorted(holders - {number}):
                other = self._find(object_type, holder)
                held = None if other is None else other.properties.get(field)
                if held is not None and key_form(field, held) == key_form(field, value):
                    raise Refused(Status.DUPLICATE, "TF-R02", field=field, other_id=str(holder))
            holders.add(number)

    def _held(self, number: int, field: str) -> Any:
        draft = self._drafts.get(number)
        return None if draft is None or draft.gone else draft.properties.get(field)

    def _holders(self, found: int) -> set[int]:
        if found not in self._taken:
            query = "SELECT record FROM match_key WHERE hash = ?"
            rows = self.connection.execute(query, (found,)).fetchall()
            self._taken[found] = {number for (number,) in rows}
        return self._taken[found]

    def _touch(self, draft: Draft) -> None:
        """Count a change: a new revision at the end of the log."""
        self._sequence += 1
        draft.sequence = self._sequence
        draft.revision += 1
        draft.modified = self._now
        self._changed[draft.id] = draft

    # --- the end ----------------------------------------------------------------------------

    def finish(self) -> None:
        """Write all drafts."""
        if not self._changed:
            return
        execute_many = self.connection.executemany
        fresh = [draft for draft in self._changed.values() if draft.fresh]
        old = [draft for draft in self._changed.values() if not draft.fresh]
        execute_many(
            "INSERT INTO record (sequence, revision, modified, gone, survivor, body, links, id,"
            " type) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*_row(draft), draft.id, NUMBERS[draft.kind.name]) for draft in fresh],
        )
        execute_many(
            "UPDATE record SET sequence = ?, revision = ?, modified = ?, gone = ?, survivor = ?,"
            " body = ?, links = ? WHERE id = ?",
            [(*_row(draft), draft.id) for draft in old],
        )
        self._finish_keys()
        self._finish_associations()
        execute_many("INSERT INTO creation VALUES (?, ?)", self._new_refs.items())
        self.connection.execute(
            "UPDATE hub SET next_record = ?, sequence = ?", (self._next, self._sequence)
        )

    def _finish_keys(self) -> None:
        lost: list[tuple[int, int]] = []
        won: list[tuple[int, int]] = []
        for draft in self._changed.values():
            before, after = draft.before[0], {} if draft.gone else draft.properties
            for field in draft.kind.keys:
                old, new = before.get(field), after.get(field)
                if old != new:
                    if old is not None:
                        lost.append((key_hash(draft.kind.name, field, old), draft.id))
                    if new is not None:
                        won.append((key_hash(draft.kind.name, field, new), draft.id))
        self.connection.executemany("DELETE FROM match_key WHERE hash = ? AND record = ?", lost)
        self.connection.executemany("INSERT INTO match_key VALUES (?, ?)", won)

    def _finish_associations(self) -> None:
        lost: list[tuple[int, int, str, int]] = []
        won: list[tuple[int, int, str, int]] = []
        for draft in self._changed.values():
            if draft.links is draft.before[1]:
                continue
            before, after = linking.pairs(draft.before[1]), linking.pairs(draft.links)
            number = NUMBERS[draft.kind.name]
            lost += [(far, number, name, draft.id) for name, far in before - after]
            won += [(far, number, name, draft.id) for name, far in after - before]
        self.connection.executemany(
            "DELETE FROM association WHERE target = ? AND type = ? AND name = ? AND source = ?",
            lost,
        )
        self.connection.executemany("INSERT INTO association VALUES (?, ?, ?, ?)", won)


def _row(draft: Draft) -> tuple[object, ...]:
    return (
        draft.sequence,
        draft.revision,
        draft.modified,
        draft.gone,
        draft.survivor,
        orjson.dumps(draft.properties),
        linking.kept(draft.links),
    )


def _demand_association(kind: ObjectType, name: str) -> str:
    """The object type at the far end."""
    association = kind.association(name)
    if association is None:
        raise Refused(Status.INVALID, "TF-F01", object_type=kind.name, field=name)
    return association.target


def _additional_emails(winner: Draft, loser: Draft) -> list[str] | None:
    """No address is lost in a merge: the ones that are not the winner's main one."""
    known = [
        *winner.properties.get("hs_additional_emails", ()),
        *([loser.properties["email"]] if "email" in loser.properties else ()),
        *loser.properties.get("hs_additional_emails", ()),
    ]
    main = str(winner.properties.get("email", loser.properties.get("email", ""))).casefold()
    others = {email.casefold(): email for email in reversed(known) if email.casefold() != main}
    return list(reversed(others.values())) or None


_STORED = {
    kind.name: decoder(kind, [field.name for field in kind.fields if field.name != CONTACT_COUNT])
    for kind in OBJECT_TYPES.values()
}
_ASSOCIATIONS = {
    kind.name: tuple(association.name for association in kind.associations)
    for kind in OBJECT_TYPES.values()
}


def shown(draft: Draft) -> Record:
    """The record with all that is kept of it."""
    name = draft.kind.name
    return Record(
        str(draft.id),
        _STORED[name](draft.properties),
        str(draft.revision),
        linking.targets(draft.links, _ASSOCIATIONS[name]),
        None,
        EPOCH + timedelta(microseconds=draft.modified),
    )
