"""The Salesforce connector: one org behind the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from msgspec import Struct

from twofold.connectors.salesforce import calls
from twofold.connectors.salesforce.calls import APP, Calls, Refused
from twofold.connectors.salesforce.feed import PAGE, Asked, Feed, by_id, parsed, selected, survivors
from twofold.connectors.salesforce.manifest import MANIFEST
from twofold.connectors.salesforce.schema import (
    OVERLAP,
    STANDARD,
    Listed,
    Sobject,
    object_type,
)
from twofold.connectors.salesforce.values import long_id, quoted
from twofold.connectors.salesforce.writes import Writer
from twofold.core.records import Record
from twofold.core.schema import ObjectType, Option
from twofold.kit.contract import Batch, Http, Identity, Pause, Response, Result, Write
from twofold.kit.errors import Misunderstood, SchemaChanged

_KEYS_AT_ONCE = 100


class Organization(Struct, frozen=True):
    """Which org this is."""

    Id: str
    Name: str = ""


class Salesforce:
    """One org.

    Calls: the description of each object once per instance; a listing of n records n/2,000, changes
    one query for each 2,000; writes one for each 200.
    """

    manifest = MANIFEST

    def __init__(
        self,
        settings: Mapping[str, str],
        http: Http,
        *,
        overlap: timedelta = OVERLAP,
        size: int = PAGE,
    ) -> None:
        """``overlap``: of rounds of changes; ``size``: of a page."""
        self._calls = Calls(http)
        self._overlap = overlap
        self._size = size
        self._known: dict[str, ObjectType] = {}

    def pauses(self, response: Response) -> Sequence[Pause]:
        """Rate signals; see `calls`."""
        return calls.pauses(response)

    async def verify(self) -> Identity:
        """The org, by its id."""
        try:
            rows, _ = await self._calls.query("SELECT Id, Name FROM Organization LIMIT 1")
        except Refused as refused:
            raise Misunderstood(APP, f"status {refused.status} for the org") from refused
        if not rows.records:
            raise Misunderstood(APP, "an org without a name")
        found = rows.records[0]
        return Identity(str(found["Id"]), str(found.get("Name") or found["Id"]))

    async def describe(self) -> Sequence[ObjectType]:
        """Contacts, accounts, opportunities, leads and custom objects that this user may read.

        Raises:
            Stop: it may read none.
        """
        listed, _ = await self._calls.get("/sobjects", Listed)
        names = {
            one.name
            for one in listed.sobjects
            if one.queryable and (one.name in STANDARD or (one.custom and not one.custom_setting))
        }
        people = await self._people()
        order = [n for n in STANDARD if n in names] + sorted(names.difference(STANDARD))
        found = [
            object_type(await self._sobject(name), names, people, self._overlap) for name in order
        ]
        self._known = {one.name: one for one in found}
        return found

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        """One page; see `feed`."""
        asked = await self._asked(obj, fields, associations)
        return await Feed(self._calls, asked, self._overlap, self._size).page(parsed(cursor))

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        """Straight from the records; an id of 15 characters is the same as one of 18."""
        asked = await self._asked(obj, fields, associations)
        if key is not None:
            return await self._by_key(asked, key, ids)
        longs = {i: long_id(i) for i in dict.fromkeys(ids)}
        rows = await by_id(self._calls, asked, list(longs.values()))
        absent = [long for long in longs.values() if long not in rows]
        if absent and asked.merges:
            into = await survivors(self._calls, asked, absent)
            there = await by_id(self._calls, asked, list(into.values()))
            rows.update((loser, there[end]) for loser, end in into.items() if end in there)
        return {i: [asked.record(rows[long])] for i, long in longs.items() if long in rows}

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        """One result per write, in order."""
        await self._type(obj)
        return await Writer(self._calls, obj).push(writes)

    async def close(self) -> None:
        """Nothing is held open; ``Http`` belongs to who made it."""

    # --- within -----------------------------------------------------------------------------

    async def _by_key(
        self, asked: Asked, key: str, texts: Sequence[str]
    ) -> dict[str, list[Record]]:
        """Records by a field; SOQL compares texts without their letters' case."""
        kind = await self._type(asked.obj)
        if key not in kind.keys:
            raise SchemaChanged("TF-F01", object_type=asked.obj, field=f"{key} to look up by")
        wanted = {text.casefold(): text for text in texts if text.strip()}
        found: dict[str, list[Record]] = {}
        keys = list(wanted)
        names = ["Id", "SystemModstamp", key, *asked.names]
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            part = ", ".join(quoted(text) for text in keys[start : start + _KEYS_AT_ONCE])
            soql = selected(names, asked.obj, f"{key} IN ({part})", "Id")
            rows, _ = await self._calls.query(soql)
            for row in rows.records:
                text = wanted.get(str(row.get(key) or "").casefold())
                if text is not None:
                    found.setdefault(text, []).append(asked.record(row))
        return found

    async def _sobject(self, name: str) -> Sobject:
        try:
            return (await self._calls.get(f"/sobjects/{name}/describe", Sobject))[0]
        except Refused as refused:
            reason = refused.refusal.message[:200].rstrip(".") or f"status {refused.status}"
            raise SchemaChanged("TF-F33", app=APP, object_type=name, reason=reason) from refused

    async def _people(self) -> tuple[Option, ...]:
        """Users who can own records, by id."""
        soql = "SELECT Id, Name, Email, IsActive FROM User WHERE UserType = 'Standard' ORDER BY Id"
        rows, _ = await self._calls.query(soql)
        return tuple(_person(row) for row in rows.records)

    async def _type(self, obj: str) -> ObjectType:
        """The object of that name. Raises SchemaChanged where there is none."""
        if obj not in self._known:
            await self.describe()
        if obj not in self._known:
            known = ", ".join(self._known)
            raise SchemaChanged("TF-F02", app=APP, object_type=obj, known=known)
        return self._known[obj]

    async def _asked(self, obj: str, fields: Sequence[str], associations: Sequence[str]) -> Asked:
        """What a reading asks for. Raises SchemaChanged where there is no such field."""
        kind = await self._type(obj)
        found = [kind.field(name) for name in fields]
        known = {field.name for field in found if field is not None}
        ties = {tie.name for tie in kind.associations}
        for name in (*fields, *associations):
            if name not in known and name not in ties:
                raise SchemaChanged("TF-F01", object_type=obj, field=name)
        present = tuple(field for field in found if field is not None)
        return Asked(obj, present, tuple(associations), kind.merges)


def _person(row: Mapping[str, Any]) -> Option:
    number, email = str(row["Id"]), str(row.get("Email") or "")
    return Option(number, str(row.get("Name") or number), bool(row.get("IsActive", True)), email)
