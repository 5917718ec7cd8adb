"""The HubSpot connector: one account's CRM behind the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from msgspec import Struct

from twofold.connectors.hubspot import calls, paths, properties
from twofold.connectors.hubspot.calls import APP, Calls, Refused
from twofold.connectors.hubspot.feed import LAG, SEARCH_PAGE, Feed, parsed
from twofold.connectors.hubspot.manifest import MANIFEST
from twofold.connectors.hubspot.objects import STANDARD, Kind
from twofold.connectors.hubspot.properties import Definitions
from twofold.connectors.hubspot.records import Asked, by_id, by_key
from twofold.connectors.hubspot.relations import Relations
from twofold.connectors.hubspot.schema import object_type, within
from twofold.connectors.hubspot.writes import Writer
from twofold.core.records import Record
from twofold.core.schema import ObjectType, Option
from twofold.kit.contract import Batch, Http, Identity, Pause, Response, Result, Write
from twofold.kit.errors import Misunderstood, SchemaChanged, Stop

_NOT_OFFERED = frozenset({"TF-A03", "TF-F33"})
"""An object that this account may not read, or does not have."""


class Account(Struct, frozen=True, rename="camel"):
    """Which account this is."""

    portal_id: int
    account_type: str = ""


class Schema(Struct, frozen=True, rename="camel"):
    """A custom object."""

    name: str
    object_type_id: str
    labels: Mapping[str, str | None] = {}
    required_properties: Sequence[str] = ()


class Schemas(Struct, frozen=True):
    """All custom objects."""

    results: Sequence[Schema]


class HubSpot:
    """One account.

    Calls: the properties of an object once per instance; a listing of n records n/100, changes one
    search and one or two reads for each 200; as many again /1,000 for each association; writes one
    for each 100, and one for each association that changes.
    """

    manifest = MANIFEST

    def __init__(
        self,
        settings: Mapping[str, str],
        http: Http,
        *,
        lag: timedelta = LAG,
        size: int = SEARCH_PAGE,
    ) -> None:
        """``lag``: of the index of searches; ``size``: of a page of changes."""
        self._calls = Calls(http)
        self._lag = lag
        self._size = size
        self._kinds: dict[str, Kind] = dict(STANDARD)
        self._known: dict[str, Definitions] = {}
        self._related: dict[str, Relations] = {}

    def pauses(self, response: Response) -> Sequence[Pause]:
        """Rate signals; see `calls`."""
        return calls.pauses(response)

    async def verify(self) -> Identity:
        """The account, by its number."""
        try:
            account, _ = await self._calls.get(paths.ACCOUNT, Account)
        except Refused as refused:
            raise Misunderstood(APP, f"status {refused.status} for the account") from refused
        sort = account.account_type.lower().replace("_", " ") or "standard"
        return Identity(str(account.portal_id), f"account {account.portal_id} ({sort})")

    async def describe(self) -> Sequence[ObjectType]:
        """Objects that this account may read, with properties, owners and pipelines of now.

        Raises:
            Stop: it may read none.
        """
        await self._find_custom()
        found: list[ObjectType] = []
        denied: Stop | None = None
        people: tuple[Option, ...] | None = None
        for kind in self._kinds.values():
            try:
                defined = await Definitions(self._calls, kind).all()
                people = await properties.owners(self._calls) if people is None else people
                listed = await properties.stages(self._calls, kind)
            except Stop as error:
                if error.code not in _NOT_OFFERED:
                    raise
                denied = denied or error
                continue
            found.append(object_type(kind, defined.values(), people, listed, self._lag))
        if denied is not None and not found:
            raise denied
        known = {one.name for one in found}
        return [within(one, known) for one in found]

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        """One page; see `feed`."""
        asked = await self._asked(obj, fields, associations)
        position = parsed(cursor)
        relations = self._relations(asked.kind)
        definitions = self._definitions(asked.kind)
        feed = Feed(self._calls, asked, relations, definitions, self._lag, self._size)
        return await feed.page(position)

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        """Straight from the records, never through a search."""
        asked = await self._asked(obj, fields, associations)
        if key is None:
            by = {i: [shown] for i, shown in (await by_id(self._calls, asked, ids)).items()}
        else:
            (field,) = (await self._asked(obj, [key], ())).fields
            if not field.unique:
                raise SchemaChanged("TF-F01", object_type=obj, field=f"{key} to look up by")
            by = await by_key(self._calls, asked, field, ids)
        shown = {one.id: one for rows in by.values() for one in rows}
        await self._definitions(asked.kind).confirm(asked.silent(shown.values()))
        related = await self._relations(asked.kind).of(list(shown), asked.associations)
        return {
            i: [asked.record(one, related.get(one.id, {})) for one in rows]
            for i, rows in by.items()
        }

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        """One result per write, in order."""
        kind = await self._kind(obj)
        return await Writer(self._calls, kind, self._relations(kind)).push(writes)

    async def close(self) -> None:
        """Nothing is held open; ``Http`` belongs to who made it."""

    # --- within -----------------------------------------------------------------------------

    async def _kind(self, obj: str) -> Kind:
        """The object of that name.

        Raises:
            SchemaChanged: there is none.
        """
        if obj not in self._kinds:
            await self._find_custom()
        if obj not in self._kinds:
            known = ", ".join(self._kinds)
            raise SchemaChanged("TF-F02", app=APP, object_type=obj, known=known)
        return self._kinds[obj]

    async def _find_custom(self) -> None:
        """Learn of the account's custom objects; none where it may not read them."""
        try:
            found, _ = await self._calls.get(paths.SCHEMAS, Schemas)
        except (Stop, Refused) as error:
            if isinstance(error, Stop) and error.code != "TF-A03":
                raise
            return
        for one in found.results:
            if one.name not in STANDARD:
                needed = tuple(one.required_properties)
                self._kinds[one.name] = Kind(one.name, one.object_type_id, "custom", needed=needed)

    def _definitions(self, kind: Kind) -> Definitions:
        if kind.name not in self._known:
            self._known[kind.name] = Definitions(self._calls, kind)
        return self._known[kind.name]

    async def _asked(self, obj: str, fields: Sequence[str], associations: Sequence[str]) -> Asked:
        """What a reading asks for.

        Raises:
            SchemaChanged: a property or an association that there is not.
        """
        kind = await self._kind(obj)
        for name in associations:
            if name not in kind.ties:
                raise SchemaChanged("TF-F01", object_type=obj, field=name)
        return Asked(kind, await self._definitions(kind).fields(fields), tuple(associations))

    def _relations(self, kind: Kind) -> Relations:
        if kind.name not in self._related:
            self._related[kind.name] = Relations(self._calls, kind)
        return self._related[kind.name]
