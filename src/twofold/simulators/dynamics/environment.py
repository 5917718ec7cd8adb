"""An environment: tables with their records, versions, what was deleted, and what is refused.

Rows "Metadata", "Types", "Write single", "Delete/merge", "Concurrency" and "Errors" of the facts.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from twofold.simulators.dynamics.tables import Column, Row, Table, standard
from twofold.simulators.dynamics.values import Wrong, stamped, stored

VERSION, TO = "@version", "@to"
_BIND = "@odata.bind"
_TARGET = re.compile(r"(?:.*/)?(?P<set>[a-z_0-9]+)\((?P<id>[0-9a-fA-F-]{36})\)")
_BY_ACTIONS = frozenset({"opportunity", "lead"})


class Deleted(NamedTuple):
    """What the change tracking knows of a record that is gone."""

    version: int
    id: str


class Environment:
    """All of it, in memory."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.clock = clock
        self.version = 1_000
        """Of the last change; grows by one with each."""
        self.tables: dict[str, Table] = {one.name: one for one in standard()}
        self.deleted: dict[str, list[Deleted]] = {}
        self.denied: set[tuple[str, str]] = set()
        """(table, column) that the user may not update; with "" the whole table is out of reach."""
        self.user = self.add_user("Ada Lovelace", "ada@example.org")
        organization = self.tables["organization"]
        self.id = str(uuid.uuid4())
        self._put(organization, {organization.id: self.id, "name": "Rehearsal"})

    def add_user(self, name: str, email: str) -> str:
        """Somebody who can own records; returns the id."""
        row = {"fullname": name, "internalemailaddress": email, "isdisabled": False}
        return self._put(self.tables["systemuser"], {"systemuserid": str(uuid.uuid4()), **row})

    def by_set(self, name: str) -> Table:
        """A table by its name in addresses. Raises Wrong."""
        found = next((one for one in self.tables.values() if one.set == name), None)
        if found is None:
            text = f"Resource not found for the segment '{name}'."
            raise Wrong(404, "0x8006088a", text)
        return found

    # --- changes ----------------------------------------------------------------------------

    def create(self, name: str, values: Mapping[str, Any]) -> str:
        """Make a record; returns its id. Raises Wrong."""
        table = self.tables[name]
        self._allowed(table, "Create")
        taken = self._taken(table, values, creating=True)
        record_id = str(taken.setdefault(table.id, str(uuid.uuid4()))).lower()
        if record_id in table.rows:
            raise Wrong(412, "0x80040237", "Cannot insert duplicate key.")
        owner = {"_ownerid_value": self.user, f"_ownerid_value{TO}": "systemuser"}
        start = {"statecode": 0, "statuscode": 1, **(owner if "ownerid" in table.columns else {})}
        row: Row = {**start, **taken, table.id: record_id}
        self._whole(table, row)
        self._unique(table, row, record_id)
        return self._put(table, row)

    def update(self, name: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Change a record. Raises Wrong."""
        table = self.tables[name]
        self._allowed(table, "Write")
        row = self.there(table, record_id)
        taken = self._taken(table, values, creating=False)
        self._state(table, row, taken)
        self._whole(table, {**row, **taken})
        self._unique(table, {**row, **taken}, record_id.lower())
        row.update(taken)
        self._touch(table, row)

    def delete(self, name: str, record_id: str) -> None:
        """Delete a record for good; lookups that name it are empty then. Raises Wrong."""
        table = self.tables[name]
        self._allowed(table, "Delete")
        self.there(table, record_id)
        del table.rows[record_id.lower()]
        self.version += 1
        self.deleted.setdefault(name, []).append(Deleted(self.version, record_id.lower()))
        for other in self.tables.values():
            for row in other.rows.values():
                pointing = [c.shown for c in other.columns.values() if c.lookup]
                for shown in (one for one in pointing if row.get(one) == record_id.lower()):
                    row[shown] = row[f"{shown}{TO}"] = None
                    self._touch(other, row)

    def merge(self, name: str, survivor: str, loser: str) -> None:
        """Merge a record into another: it is inactive then, and names the other one."""
        table = self.tables[name]
        row = self.there(table, loser)
        row.update(merged=True, statecode=1, statuscode=2, _masterid_value=survivor.lower())
        row[f"_masterid_value{TO}"] = name
        self._touch(table, row)
        self._touch(table, self.there(table, survivor))

    def qualify(self, lead_id: str) -> str:
        """Make a contact of a lead; returns the contact's id."""
        leads = self.tables["lead"]
        lead = self.there(leads, lead_id)
        copied = {n: lead.get(n) for n in ("firstname", "lastname", "emailaddress1")}
        origin = {f"originatingleadid{_BIND}": f"/leads({lead_id})"}
        contact = self.create("contact", {**copied, **origin})
        lead.update({"statecode": 1, "statuscode": 3, "_parentcontactid_value": contact})
        lead[f"_parentcontactid_value{TO}"] = "contact"
        self._touch(leads, lead)
        return contact

    def there(self, table: Table, record_id: str) -> Row:
        """A record. Raises Wrong."""
        row = table.rows.get(record_id.lower())
        if row is None:
            text = f"{table.name} With Id = {record_id} Does Not Exist"
            raise Wrong(404, "0x80040217", text)
        return row

    # --- within -----------------------------------------------------------------------------

    def _put(self, table: Table, row: Row) -> str:
        record_id = str(row[table.id])
        table.rows[record_id] = row
        row["createdon"] = stamped(self.clock())
        self._touch(table, row)
        return record_id

    def _touch(self, table: Table, row: Row) -> None:
        self.version += 1
        row[VERSION] = self.version
        row["modifiedon"] = stamped(self.clock())
        if table.name == "contact":
            parts = [row.get("firstname"), row.get("lastname")]
            row["fullname"] = " ".join(part for part in parts if part) or None

    def _allowed(self, table: Table, privilege: str) -> None:
        if (table.name, "") in self.denied:
            name = f"prv{privilege}{table.name.capitalize()}"
            text = f"Principal user (Id={self.user}) is missing {name} privilege"
            raise Wrong(403, "0x80040220", text)

    def _taken(self, table: Table, values: Mapping[str, Any], *, creating: bool) -> Row:
        """The columns of a payload. Columns that may not be written are passed over."""
        taken: Row = {}
        for name, value in values.items():
            if name.endswith(_BIND):
                taken.update(self._bound(table, name.removesuffix(_BIND), value))
                continue
            column = table.columns.get(name)
            if column is None or column.lookup:
                text = f"An undeclared property '{name}' which only has property annotations in"
                raise Wrong(400, "0x80048d19", f"{text} the payload of '{table.set}'.")
            if (table.name, name) in self.denied:
                text = f"Caller does not have update permissions for the {name} secured attribute"
                raise Wrong(403, "0x8004f507", f"{text} on entity {table.name}.")
            checked = stored(table, column, value)
            if column.creatable if creating else column.updatable:
                taken[name] = checked
        return taken

    def _bound(self, table: Table, navigation: str, value: Any) -> Row:
        column, target = self._navigated(table, navigation)
        if value is None:
            if column.required:
                raise Wrong(400, "0x80040203", f"The column {column.name} cannot be null.")
            return {column.shown: None, f"{column.shown}{TO}": None}
        match = _TARGET.fullmatch(str(value))
        if match is None or match["set"] != self.tables[target].set:
            text = f"'{value}' is no address of a record for '{navigation}{_BIND}'."
            raise Wrong(400, "0x80048d19", text)
        self.there(self.tables[target], match["id"])
        return {column.shown: match["id"].lower(), f"{column.shown}{TO}": target}

    def _navigated(self, table: Table, navigation: str) -> tuple[Column, str]:
        for column in table.columns.values():
            for target in column.targets:
                if column.navigation(target) == navigation and (
                    column.creatable or column.updatable
                ):
                    return column, target
        text = f"An undeclared property '{navigation}' which only has property annotations"
        raise Wrong(400, "0x80048d19", f"{text} in the payload of '{table.set}'.")

    def _state(self, table: Table, row: Row, taken: Row) -> None:
        """A state and its reason fit each other; one that is not named follows."""
        if "statecode" not in taken and "statuscode" not in taken:
            return
        if table.name in _BY_ACTIONS:
            raise Wrong(400, "0x80048408", f"The state of '{table.name}' is changed by actions.")
        states = dict(table.columns["statuscode"].states)
        state = taken.get("statecode")
        state = int(row["statecode"]) if state is None else int(state)
        stays = row["statuscode"] if states[row["statuscode"]] == state else None
        first = next(reason for reason, of in states.items() if of == state)
        reason = int(taken.get("statuscode") or stays or first)
        taken.update(statecode=state, statuscode=reason)
        if states[reason] != state:
            text = f"{reason} is not a valid status code for state code {state} of 'statuscode'."
            raise Wrong(400, "0x80048408", text)

    def _whole(self, table: Table, row: Row) -> None:
        for column in table.columns.values():
            if column.required and row.get(column.shown) is None:
                text = f"The column '{column.name}' cannot be null for entity '{table.name}'."
                raise Wrong(400, "0x80040203", text)

    def _unique(self, table: Table, row: Row, record_id: str) -> None:
        for key in table.keys:
            held = tuple(_folded(row.get(name)) for name in key)
            if None in held:
                continue
            for other_id, other in table.rows.items():
                if other_id != record_id and tuple(_folded(other.get(n)) for n in key) == held:
                    text = f"A record with the same value for {', '.join(key)} already exists."
                    raise Wrong(412, "0x80060892", f"Entity Key {'_'.join(key)} violated. {text}")


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
