"""An org: objects with their fields, records, the recycle bin, and what is refused.

Rows "Metadata", "Encoding", "Batch", "Delete/merge" and "Errors" of the facts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from twofold.simulators.salesforce.objects import SYSTEM, Field, Row, Sobject, standard

LARGEST_NUMBER = 10**18
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Wrong(Exception):
    """A record that is refused."""

    def __init__(self, code: str, message: str, *fields: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = list(fields)

    def told(self) -> dict[str, Any]:
        """As a collection's answer says it."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}


class Org:
    """All of it, in memory."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.clock = clock
        self.objects: dict[str, Sobject] = {one.name: one for one in standard()}
        self._numbers: dict[str, int] = {}
        self.id = self._put(self.objects["Organization"], {"Name": "Rehearsal"}, clock())
        self.locked: set[str] = set()
        """Ids of records that somebody else works on: a write finds them locked."""
        self.add_user("Ada Lovelace", "ada@example.org")

    def add_user(self, name: str, email: str) -> str:
        """Somebody who can own records; returns the id."""
        fields = {"Name": name, "Email": email, "IsActive": True, "UserType": "Standard"}
        return self._put(self.objects["User"], {**fields}, self.clock())

    def kind(self, name: str) -> Sobject:
        """An object by its name. Raises Wrong (INVALID_TYPE)."""
        found = self.objects.get(name)
        if found is None:
            raise Wrong("INVALID_TYPE", f"sObject type '{name}' is not supported.")
        return found

    # --- changes ----------------------------------------------------------------------------

    def create(self, obj: str, values: Mapping[str, Any]) -> str:
        """Make a record; returns its id. Raises Wrong."""
        kind = self.kind(obj)
        taken = self._checked(kind, values, creating=True)
        missing = [
            field.name
            for field in kind.fields.values()
            if field.createable
            and not (field.nillable or field.defaulted_on_create)
            and taken.get(field.name) in {None, ""}
        ]
        if missing:
            names = ", ".join(missing)
            text = f"Required fields are missing: [{names}]"
            raise Wrong("REQUIRED_FIELD_MISSING", text, *missing)
        self._unique(kind, taken, None)
        owner = next(iter(self.objects["User"].rows))
        start = {"OwnerId": owner} if "OwnerId" in kind.fields else {}
        return self._put(kind, {**start, **taken}, self.clock())

    def update(self, obj: str, record_id: str, values: Mapping[str, Any]) -> None:
        """Change a record. Raises Wrong."""
        kind = self.kind(obj)
        row = self._living(kind, record_id)
        taken = self._checked(kind, values, creating=False)
        for field in kind.fields.values():
            if field.name in taken and taken[field.name] is None and not field.nillable:
                text = f"Required fields are missing: [{field.name}]"
                raise Wrong("REQUIRED_FIELD_MISSING", text, field.name)
        self._unique(kind, taken, record_id)
        row.update(taken)
        self._touch(row)

    def delete(self, obj: str, record_id: str) -> None:
        """Move a record into the recycle bin. Raises Wrong."""
        row = self._living(self.kind(obj), record_id)
        row["IsDeleted"] = True
        self._touch(row)

    def undelete(self, obj: str, record_id: str) -> None:
        """Take a record out of the recycle bin."""
        row = self.kind(obj).rows[record_id]
        row.update(IsDeleted=False, MasterRecordId=None)
        self._touch(row)

    def merge(self, obj: str, survivor: str, loser: str) -> None:
        """Merge a record into another; it is in the recycle bin and names the other one."""
        kind = self.kind(obj)
        gone = self._living(kind, loser)
        gone.update(IsDeleted=True, MasterRecordId=survivor)
        self._touch(gone)
        self._touch(self._living(kind, survivor))

    def purge(self, obj: str, record_id: str) -> None:
        """What happens after 15 days: nothing tells of the record any more."""
        del self.kind(obj).rows[record_id]

    # --- within -----------------------------------------------------------------------------

    def _living(self, kind: Sobject, record_id: str) -> Row:
        row = kind.rows.get(long_id(record_id))
        if row is None or not record_id.startswith(kind.prefix):
            raise Wrong("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if row["IsDeleted"]:
            raise Wrong("ENTITY_IS_DELETED", "entity is deleted")
        if row["Id"] in self.locked:
            text = "unable to obtain exclusive access to this record or 1 records"
            raise Wrong("UNABLE_TO_LOCK_ROW", text)
        return row

    def _checked(self, kind: Sobject, values: Mapping[str, Any], *, creating: bool) -> Row:
        taken: Row = {}
        for name, value in values.items():
            field = kind.fields.get(name)
            if field is None:
                text = f"No such column '{name}' on sobject of type {kind.name}"
                raise Wrong("INVALID_FIELD", text)
            if not (field.createable if creating else field.updateable):
                text = f"Unable to create/update fields: {name}."
                raise Wrong("INVALID_FIELD_FOR_INSERT_UPDATE", text, name)
            taken[name] = self._value(kind, field, value)
        return taken

    def _value(self, kind: Sobject, field: Field, value: Any) -> Any:
        if value is None or value == "":
            return False if field.type == "boolean" else None
        check = _CHECKS.get(field.type)
        if check is not None:
            return check(field, value)
        if field.type == "reference":
            return self._reference(field, value)
        if not isinstance(value, str):
            raise _unparsable(field, value)
        if field.length and len(value) > field.length:
            text = f"{field.label}: data value too large: {value[:40]} (max length={field.length})"
            raise Wrong("STRING_TOO_LONG", text, field.name)
        return value.strip() or None

    def _reference(self, field: Field, value: Any) -> str:
        for name in field.reference_to:
            row = self.objects[name].rows.get(long_id(str(value)))
            if row is not None and not row["IsDeleted"]:
                return str(row["Id"])
        text = f"{field.label}: id value of incorrect type: {value}"
        raise Wrong("MALFORMED_ID", text, field.name)

    def _unique(self, kind: Sobject, taken: Row, record_id: str | None) -> None:
        for field in kind.fields.values():
            value = taken.get(field.name)
            if not field.unique or value is None:
                continue
            for row in kind.rows.values():
                same = str(row.get(field.name) or "").casefold() == str(value).casefold()
                if same and row["Id"] != record_id and not row["IsDeleted"]:
                    text = (
                        f"duplicate value found: {field.name} duplicates value on record with id: "
                    )
                    raise Wrong("DUPLICATE_VALUE", text + str(row["Id"]))

    def _put(self, kind: Sobject, values: Row, now: datetime) -> str:
        record_id = self._next_id(kind.prefix)
        blank = {n: False if f.type == "boolean" else None for n, f in kind.fields.items()}
        stamp = stamped(now)
        row = {**blank, **values, "Id": record_id, "IsDeleted": False}
        row.update(dict.fromkeys(SYSTEM, stamp))
        if kind.mergeable:
            row.setdefault("MasterRecordId", None)
        kind.rows[record_id] = row
        _named(row)
        return record_id

    def _touch(self, row: Row) -> None:
        stamp = stamped(self.clock())
        row.update(LastModifiedDate=stamp, SystemModstamp=stamp)
        _named(row)

    def _next_id(self, prefix: str) -> str:
        number = self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return long_id(f"{prefix}Ab00000{_in_62(number):0>5}")


def _named(row: Row) -> None:
    """The compound name of a person, which nobody writes."""
    if "LastName" in row:
        parts = [row.get("FirstName"), row.get("LastName")]
        row["Name"] = " ".join(part for part in parts if part)


def stamped(at: datetime) -> str:
    """A time as the API shows it, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def long_id(record_id: str) -> str:
    """An id with the three characters that tell which letters are capitals."""
    if len(record_id) != 15:
        return record_id
    checks = ""
    for start in (0, 5, 10):
        part = record_id[start : start + 5]
        bits = sum(1 << at for at, letter in enumerate(part) if "A" <= letter <= "Z")
        checks += _LETTERS[bits]
    return record_id + checks


def _in_62(number: int) -> str:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    text = ""
    while number:
        number, rest = divmod(number, 62)
        text = digits[rest] + text
    return text or "0"


# --- values -------------------------------------------------------------------------------------


def _unparsable(field: Field, value: Any) -> Wrong:
    text = f"Cannot deserialize instance of {field.type} from value {str(value)[:60]}"
    return Wrong("JSON_PARSER_ERROR", text, field.name)


def _truth(field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _unparsable(field, value)
    return value


def _number(field: Field, value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unparsable(field, value)
    if abs(value) >= LARGEST_NUMBER:
        text = f"{field.label}: value outside of valid range"
        raise Wrong("NUMBER_OUTSIDE_VALID_RANGE", text, field.name)
    return int(value) if field.type == "int" else float(value)


def _day(field: Field, value: Any) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise _unparsable(field, value) from None


def _moment(field: Field, value: Any) -> str:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        raise _unparsable(field, value) from None
    return stamped(found if found.tzinfo else found.replace(tzinfo=UTC))


def _email(field: Field, value: Any) -> str:
    if not isinstance(value, str) or not _EMAIL.fullmatch(value.strip()):
        text = f"{field.label}: invalid email address: {str(value)[:60]}"
        raise Wrong("INVALID_EMAIL_ADDRESS", text, field.name)
    return value.strip()


def _choice(field: Field, value: Any) -> str:
    known = {one["value"] for one in field.picklist_values if one["active"]}
    parts = str(value).split(";") if field.type == "multipicklist" else [str(value)]
    bad = [part for part in parts if part not in known]
    if bad and field.restricted_picklist:
        text = f"{field.label}: bad value for restricted picklist field: {bad[0][:60]}"
        raise Wrong("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, field.name)
    return ";".join(parts)


_CHECKS: Mapping[str, Callable[[Field, Any], Any]] = {
    "boolean": _truth,
    "int": _number,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "date": _day,
    "datetime": _moment,
    "email": _email,
    "picklist": _choice,
    "multipicklist": _choice,
}
