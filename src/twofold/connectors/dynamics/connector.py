"""The Dynamics 365 connector: one environment behind the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct

from twofold.connectors.dynamics import calls
from twofold.connectors.dynamics.batches import Reply
from twofold.connectors.dynamics.calls import APP, Calls, Refused, Rows, decoded, refusal_of, said
from twofold.connectors.dynamics.feed import (
    OVERLAP,
    PAGE,
    Asked,
    Feed,
    living,
    matching,
    parsed,
    survivor,
)
from twofold.connectors.dynamics.manifest import MANIFEST
from twofold.connectors.dynamics.schema import OWNERS, object_type
from twofold.connectors.dynamics.tables import EACH, LIST, STANDARD, Listed, Table, questions, table
from twofold.connectors.dynamics.values import quoted
from twofold.connectors.dynamics.writes import Writer
from twofold.core.records import Record
from twofold.core.schema import ObjectType, Option
from twofold.kit.contract import Batch, Http, Identity, Pause, Response, Result, Write
from twofold.kit.errors import Misunderstood, SchemaChanged, Stop

_KEYS_AT_ONCE = 50
_TABLES_AT_ONCE = 10


class _Definitions(Struct, frozen=True):
    value: Sequence[Listed]


class Dynamics:
    """One environment.

    Calls: the list of tables and the users once per instance, and a batch for each table that is
    used; a listing of n records n/5,000, changes one and one more for each 5,000; writes one for
    each 100.
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
        """``overlap``: of rounds of changes, where a table is not tracked; ``size``: of a page."""
        self._calls = Calls(http)
        self._overlap = overlap
        self._size = size
        self._listed: dict[str, Listed] = {}
        self._people: tuple[Option, ...] = ()
        self._known: dict[str, tuple[Table, ObjectType]] = {}

    def pauses(self, response: Response) -> Sequence[Pause]:
        """Rate signals; see `calls`."""
        return calls.pauses(response)

    async def verify(self) -> Identity:
        """The organization, by its id."""
        try:
            who, _ = await self._calls.get("WhoAmI", dict[str, Any])
            account = str(who["OrganizationId"]).lower()
            found, _ = await self._calls.get(
                f"organizations({account})", dict[str, Any], select="name"
            )
        except (Refused, KeyError) as error:
            raise Misunderstood(APP, "no organization, as an environment has one") from error
        return Identity(account, str(found.get("name") or account))

    async def describe(self) -> Sequence[ObjectType]:
        """Contacts, accounts, opportunities, leads and custom tables.

        Raises:
            Stop: this user may not read definitions.
        """
        self._listed, self._known = {}, {}
        await self._tables()
        names = [n for n in STANDARD if n in self._listed]
        names += sorted(self._listed.keys() - set(STANDARD))
        for start in range(0, len(names), _TABLES_AT_ONCE):
            await self._learn(names[start : start + _TABLES_AT_ONCE])
        return [self._known[name][1] for name in names]

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
        """Straight from the tables."""
        if key is not None:
            return await self._by_key(obj, key, ids, fields, associations)
        asked = await self._asked(obj, fields, associations)
        rows = await living(self._calls, asked, ids)
        return {record_id: [asked.record(row)] for record_id, row in rows.items()}

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        """One result per write, in order."""
        found, kind = await self._type(obj)
        return await Writer(self._calls, found, kind, self._listed).push(writes)

    async def close(self) -> None:
        """Nothing is held open; ``Http`` belongs to who made it."""

    # --- within -----------------------------------------------------------------------------

    async def _by_key(
        self,
        obj: str,
        key: str,
        texts: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str],
    ) -> dict[str, list[Record]]:
        """Records by a field; filters compare texts without their letters' case."""
        _, kind = await self._type(obj)
        if key not in kind.keys:
            raise SchemaChanged("TF-F01", object_type=obj, field=f"{key} to look up by")
        asked = await self._asked(obj, fields, associations)
        looking = await self._asked(obj, list(dict.fromkeys([*fields, key])), associations)
        wanted = {text.casefold(): text for text in texts if text.strip()}
        found: dict[str, list[Record]] = {}
        keys = list(wanted)
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            part = keys[start : start + _KEYS_AT_ONCE]
            test = " or ".join(f"{key} eq {quoted(text)}" for text in part)
            for row in await matching(self._calls, looking, test):
                text = wanted.get(str(row.get(key) or "").casefold())
                if text is not None and survivor(row) is None:
                    found.setdefault(text, []).append(asked.record(row))
        return found

    async def _tables(self) -> None:
        """The tables that sync, and who may own records."""
        if self._listed:
            return
        path, params = LIST
        found, _ = await self._calls.get(path, _Definitions, **params)
        names = "fullname,internalemailaddress,isdisabled"
        people = await self._calls.rows(OWNERS, select=names, orderby="systemuserid")
        self._people = tuple(_person(row) for row in people)
        self._listed = {one.logical_name: one for one in found.value if one.syncs}

    async def _learn(self, names: Sequence[str]) -> None:
        """What these tables have, by one batch."""
        parts = [part for name in names for part in questions(name)]
        replies = await self._calls.batch(parts, safe=True)
        if len(replies) != len(parts):
            raise Misunderstood(APP, "a batch with answers missing")
        for at, name in enumerate(names):
            answers = [_told(name, one) for one in replies[at * EACH : (at + 1) * EACH]]
            try:
                made = table(self._listed[name], answers)
            except msgspec.ValidationError as error:
                raise Misunderstood(APP, f"a definition of another form: {error}") from None
            self._known[name] = made, object_type(made, self._listed, self._people)

    async def _type(self, obj: str) -> tuple[Table, ObjectType]:
        """The table of that name. Raises SchemaChanged where there is none."""
        if obj not in self._known:
            await self._tables()
            if obj not in self._listed:
                known = ", ".join(sorted(self._listed))
                raise SchemaChanged("TF-F02", app=APP, object_type=obj, known=known)
            await self._learn([obj])
        return self._known[obj]

    async def _asked(self, obj: str, fields: Sequence[str], associations: Sequence[str]) -> Asked:
        """What a reading asks for. Raises SchemaChanged where there is no such field."""
        found, kind = await self._type(obj)
        named = [(name, kind.field(name)) for name in fields]
        tied = [(name, kind.association(name)) for name in associations]
        for name, there in (*named, *tied):
            if there is None:
                raise SchemaChanged("TF-F01", object_type=obj, field=name)
        present = tuple(field for _, field in named if field is not None)
        return Asked(found, present, tuple(tie for _, tie in tied if tie is not None))


def _told(name: str, reply: Reply) -> Sequence[Mapping[str, Any]]:
    """The rows of one answer in a batch of questions about a table."""
    if reply.status < 300:
        return decoded(reply.content, Rows).value
    reason = said(refusal_of(reply.content)) or f"status {reply.status}"
    if reply.status == 403:
        raise Stop("TF-A03", app=APP, action=reason)
    raise SchemaChanged("TF-F33", app=APP, object_type=name, reason=reason)


def _person(row: Mapping[str, Any]) -> Option:
    number = str(row["systemuserid"]).lower()
    email = str(row.get("internalemailaddress") or "")
    return Option(number, str(row.get("fullname") or number), not row.get("isdisabled"), email)
