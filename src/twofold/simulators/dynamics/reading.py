"""Pages of rows: plain queries, and the change tracking with its links.

Rows "List" and "Change feed" of the facts.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from twofold.simulators.dynamics import odata
from twofold.simulators.dynamics.environment import TO, VERSION, Environment
from twofold.simulators.dynamics.tables import Column, Row, Table
from twofold.simulators.dynamics.values import Wrong

PAGE = 5_000
ANNOTATION = "Microsoft.Dynamics.CRM.lookuplogicalname"
_KNOWN = frozenset({"$select", "$filter", "$orderby", "$top", "$skiptoken", "$deltatoken"})
_UNTRACKED = ("$filter", "$orderby", "$expand", "$top")
_LITERALS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("String", "Memo"), frozenset({"text"})),
    **dict.fromkeys(("Uniqueidentifier", "Lookup", "Customer", "Owner"), frozenset({"id"})),
    **dict.fromkeys(("Integer", "Money", "Decimal"), frozenset({"number"})),
    **dict.fromkeys(("Picklist", "State", "Status"), frozenset({"number"})),
    "Boolean": frozenset({"truth"}),
    "DateTime": frozenset({"moment", "day"}),
    "MultiSelectPicklist": frozenset(),
}


class Place(Struct, frozen=True, omit_defaults=True):
    """What a token of the change tracking means."""

    start: int
    """The version when this reading began."""
    at: datetime
    since: int = 0
    """Changes after this version; 0 in a full listing."""
    after: str = ""
    """The last id of a listing."""
    last: int = 0
    """The version of the last change that was told."""
    deletes: bool = False
    """Changes are told, deletes come now."""

    def token(self) -> str:
        """As it stands in an address."""
        packed = base64.urlsafe_b64encode(msgspec.json.encode(self)).decode()
        return quote(f"{self.start}!{packed}", safe="")


class Reader:
    """Answers with rows. ``root``: what links begin with; ``days``: the life of a delta link."""

    def __init__(self, environment: Environment, root: str, days: float) -> None:
        self.environment = environment
        self.root = root
        self.days = days
        self._pages: dict[str, list[str]] = {}

    def page(self, table: Table, options: Mapping[str, str], prefers: Mapping[str, str]) -> Row:
        """One page. Raises Wrong, odata.Malformed."""
        for name in options:
            if name.startswith("$") and name not in _KNOWN:
                raise Wrong(400, "0x80060888", f"The query parameter {name} is not supported.")
        tracked = "odata.track-changes" in prefers or "$deltatoken" in options
        if not tracked:
            return self._queried(table, options, prefers)
        for name in _UNTRACKED:
            if name in options:
                text = f'The "{name}" query parameter isn\'t supported when Change Tracking is'
                raise Wrong(400, "0x80060888", f"{text} enabled.")
        if not table.tracked:
            text = f"Change tracking is not enabled for entity '{table.name}'."
            raise Wrong(400, "0x80044351", text)
        return self._changes(table, options, prefers)

    def selection(self, table: Table, options: Mapping[str, str]) -> list[str]:
        """The columns that are asked for, by their names in answers."""
        every = [column.shown for column in table.columns.values()]
        names = odata.names(options["$select"]) if "$select" in options else every
        for name in names:
            self._column(table, name)
        return names

    # --- plain queries ----------------------------------------------------------------------

    def _queried(self, table: Table, options: Mapping[str, str], prefers: Mapping[str, str]) -> Row:
        names = self.selection(table, options)
        size = _size(prefers)
        if "$skiptoken" in options:
            ids = self._pages.get(options["$skiptoken"])
            if ids is None:
                raise Wrong(400, "0x80060888", "The skip token is not valid.")
        else:
            ids = self._found(table, options)
        rows = [table.rows[one] for one in ids[:size] if one in table.rows]
        answer: Row = {"value": [shown(table, row, names, prefers) for row in rows]}
        if len(ids) > size:
            token = secrets.token_urlsafe(12)
            self._pages[token] = ids[size:]
            answer["@odata.nextLink"] = self._link(table, options, "$skiptoken", token)
        return answer

    def _found(self, table: Table, options: Mapping[str, str]) -> list[str]:
        rows = list(table.rows.values())
        if "$filter" in options:
            found = odata.filtered(options["$filter"])
            for compared in found.compared:
                self._comparable(self._column(table, compared.name), compared)
            rows = [row for row in rows if found.test(row)]
        ordered = odata.order(options["$orderby"]) if "$orderby" in options else []
        for one in ordered:
            self._column(table, one.name)
        for one in reversed([*ordered, odata.Order(table.id, False)]):
            rows.sort(key=lambda row: _place(row.get(one.name)), reverse=one.falling)
        top = options.get("$top", "")
        if top and not top.isdecimal():
            raise Wrong(400, "0x80060888", f"Invalid value '{top}' for $top.")
        return [str(row[table.id]) for row in rows][: int(top) if top else None]

    def _column(self, table: Table, name: str) -> Column:
        column = table.by_shown(name)
        if column is None:
            text = f"Could not find a property named '{name}' on type"
            raise Wrong(400, "0x80060888", f"{text} 'Microsoft.Dynamics.CRM.{table.name}'.")
        return column

    def _comparable(self, column: Column, compared: odata.Compared) -> None:
        if compared.kind != "null" and compared.kind not in _LITERALS[column.type]:
            text = f"A binary operator with incompatible types was detected: '{column.name}'"
            raise Wrong(400, "0x80060888", f"{text} is no {compared.kind}.")

    # --- change tracking --------------------------------------------------------------------

    def _changes(self, table: Table, options: Mapping[str, str], prefers: Mapping[str, str]) -> Row:
        environment = self.environment
        place = Place(environment.version, environment.clock())
        if "$skiptoken" in options:
            place = _placed(options["$skiptoken"])
        elif "$deltatoken" in options:
            told = _placed(options["$deltatoken"])
            if environment.clock() - told.at > timedelta(days=self.days):
                text = "Version stamp associated with the client has expired."
                raise Wrong(400, "0x80044352", f"{text} Please perform a full sync.")
            place = Place(place.start, place.at, told.start, last=told.start)
        names = self.selection(table, options)
        return self._told(table, place, names, options, prefers)

    def _told(
        self,
        table: Table,
        place: Place,
        names: list[str],
        options: Mapping[str, str],
        prefers: Mapping[str, str],
    ) -> Row:
        size, value = _size(prefers), list[Row]()
        if not place.since:
            ids = sorted(one for one in table.rows if one > place.after)
            value = [shown(table, table.rows[one], names, prefers) for one in ids[:size]]
            more = len(ids) > size
            onward = msgspec.structs.replace(place, after=ids[size - 1] if more else "")
        else:
            value, onward, more = self._since(table, place, names, prefers, size)
        answer: Row = {"value": value}
        if more:
            link = self._link(table, options, "$skiptoken", onward.token())
            answer["@odata.nextLink"] = link
        else:
            ended = Place(place.start, place.at)
            answer["@odata.deltaLink"] = self._link(table, options, "$deltatoken", ended.token())
        return answer

    def _since(
        self, table: Table, place: Place, names: list[str], prefers: Mapping[str, str], size: int
    ) -> tuple[list[Row], Place, bool]:
        """New and changed rows first, by version; deletes behind them."""
        value: list[Row] = []
        if not place.deletes:
            changed = [row for row in table.rows.values() if row[VERSION] > place.last]
            changed.sort(key=lambda row: int(row[VERSION]))
            value = [shown(table, row, names, prefers) for row in changed[:size]]
            if len(changed) > size:
                last = int(changed[size - 1][VERSION])
                return value, msgspec.structs.replace(place, last=last), True
            place = msgspec.structs.replace(place, deletes=True, last=place.since)
        log = self.environment.deleted.get(table.name, [])
        gone = [one for one in log if one.version > place.last]
        room = size - len(value)
        context = f"{self.root}$metadata#{table.set}/$deletedEntity"
        value += [
            {"@odata.context": context, "id": one.id, "reason": "deleted"} for one in gone[:room]
        ]
        last = gone[room - 1].version if 0 < room <= len(gone) else place.last
        return value, msgspec.structs.replace(place, last=last), len(gone) > room

    def _link(self, table: Table, options: Mapping[str, str], name: str, token: str) -> str:
        kept = {n: v for n, v in options.items() if n not in {"$skiptoken", "$deltatoken"}}
        parts = [f"{n}={quote(v, safe=',')}" for n, v in kept.items()] + [f"{name}={token}"]
        return f"{self.root}{table.set}?{'&'.join(parts)}"


def _placed(token: str) -> Place:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(token.partition("!")[2]), type=Place)
    except (ValueError, msgspec.DecodeError):
        raise Wrong(400, "0x80060888", "The token is not valid.") from None


def _size(prefers: Mapping[str, str]) -> int:
    said = prefers.get("odata.maxpagesize", "")
    return min(int(said), PAGE) if said.isdecimal() and int(said) else PAGE


def _place(value: Any) -> tuple[bool, Any]:
    """Where a row stands by a column; nothing comes first."""
    return (value is not None, value.casefold() if isinstance(value, str) else value or 0)


def shown(table: Table, row: Row, names: list[str], prefers: Mapping[str, str]) -> Row:
    """A row as an answer shows it."""
    answer: Row = {"@odata.etag": f'W/"{row[VERSION]}"'}
    annotated = prefers.get("odata.include-annotations", "")
    for name in dict.fromkeys([*names, table.id]):
        answer[name] = row.get(name)
        to = row.get(f"{name}{TO}")
        if to and (annotated == "*" or ANNOTATION in annotated):
            answer[f"{name}@{ANNOTATION}"] = to
    return answer
