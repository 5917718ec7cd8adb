"""Writes → the values of columns, or the issue that says why a write does not fit."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from twofold.connectors.sql.columns import Column, Misfit, like
from twofold.connectors.sql.tables import Keeper, Reference, Table, id_of, key_of
from twofold.core.errors import Issue, TwofoldError
from twofold.core.records import Target
from twofold.core.values import Kind, Value
from twofold.kit.contract import Write

Values = dict[str, Any]
"""Driver's values by column name."""
_REFS = uuid.UUID("6a1c2f5e-0b0e-5d0c-9a3e-6f0d8a5b7c41")
"""Name space of the keys that we derive from ``Write.ref`` (RFC 9562, section 5.5)."""


class Unfit(Exception):
    """This write cannot be sent as it is."""

    def __init__(self, code: str, **facts: object) -> None:
        self.issue: Issue = TwofoldError(code, **facts).issue
        super().__init__(code)


def creation(table: Table, write: Write, app: str, moment: datetime) -> Values:
    """The values of a new row. What is left out gets the database's default.

    Raises:
        Unfit: a field is unknown or read-only, a value does not fit, or a needed one is missing.
    """
    values = {k: v for k, v in _fields(table, write, True, app).items() if v is not None}
    values |= _pointers(table, write, None, app)
    if table.derived:
        key = table.key[0]
        values[key.name] = key.parse(str(uuid.uuid5(_REFS, write.ref)))
    for name in sorted(table.unfilled):
        clock = table.keepers[name] is Keeper.CLOCK
        values[name] = stamp(table, table.columns[name], moment, None) if clock else 1
    for name in table.columns:
        if name in table.needed and values.get(name) is None:
            raise Unfit("TF-R04", app=app, field=name)
    return values


def modification(
    table: Table, write: Write, current: Mapping[str, Any], app: str, moment: datetime
) -> Values:
    """The changed values of a row that now holds ``current``; clocks that we keep included.

    Raises:
        Unfit: as for ``creation``.
    """
    values = _fields(table, write, False, app) | _pointers(table, write, current, app)
    for name, keeper in table.keepers.items():
        if keeper is Keeper.CLOCK and values:
            values[name] = stamp(table, table.columns[name], moment, current[name])
    return values


def stamp(table: Table, column: Column, moment: datetime, sample: Any) -> Any:
    """A time in the form of the row's present one, so that all of a column's times compare."""
    if table.family != "sqlite" and column.field.kind is Kind.DATETIME:
        return column.encode(moment)
    empty = {Kind.INT: 0, Kind.DECIMAL: 0.0}.get(column.field.kind, "")
    return like(empty if sample is None else sample, moment)


def _fields(table: Table, write: Write, creating: bool, app: str) -> Values:
    values: Values = {}
    for name, value in write.fields.items():
        column = table.columns.get(name)
        if column is None:
            raise Unfit("TF-F01", object_type=table.name, field=name)
        if not (column.field.creatable if creating else column.field.updatable):
            raise Unfit("TF-R03", app=app, reason=f"{name} is read-only", field=name)
        values[name] = _driver_value(column, value, creating, app)
    return values


def _driver_value(column: Column, value: Value, creating: bool, app: str) -> Any:
    if value is None:
        if not column.field.nullable and not creating:
            raise Unfit("TF-R04", app=app, field=column.name)
        return None
    try:
        return column.encode(value)
    except Misfit as misfit:
        raise Unfit("TF-R01", field=column.name, value=value, expected=misfit.expected) from None


def _pointers(table: Table, write: Write, current: Mapping[str, Any] | None, app: str) -> Values:
    """Foreign keys that the write's associations set or clear."""
    values: Values = {}
    for name, target_id in write.dissociate:
        reference = _reference(table, name)
        if current is not None and _target_of(reference, current) == target_id:
            values.update(dict.fromkeys((c.name for c in reference.columns), None))
    for name, target in write.associate:
        values.update(_pointing(_reference(table, name), target))
    for name, value in values.items():
        if value is None and not table.columns[name].field.nullable:
            raise Unfit("TF-R04", app=app, field=name)
        if current is not None and table.columns[name] in table.key:
            raise Unfit("TF-R03", app=app, reason=f"{name} is part of the key", field=name)
    return values


def _reference(table: Table, name: str) -> Reference:
    reference = table.references.get(name)
    if reference is None:
        raise Unfit("TF-F01", object_type=table.name, field=name)
    return reference


def _target_of(reference: Reference, current: Mapping[str, Any]) -> str | None:
    values = [current[c.name] for c in reference.columns]
    return None if any(value is None for value in values) else id_of(values)


def _pointing(reference: Reference, target: Target) -> Values:
    try:
        key = key_of(reference.columns, target.id)
    except Misfit as misfit:
        raise Unfit(
            "TF-R01", field=reference.name, value=target.id, expected=misfit.expected
        ) from None
    return dict(zip((c.name for c in reference.columns), key, strict=True))
