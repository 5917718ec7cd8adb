"""Every address of the API comes from this one version.

A version is named by a date and lives 18 months (reference, "Overview"); another one is one change.
"""

from __future__ import annotations

VERSION = "2026-09"

ACCOUNT = f"/account-info/{VERSION}/details"
OWNERS = f"/crm/owners/{VERSION}"
SCHEMAS = f"/crm-object-schemas/{VERSION}/schemas"


def objects(type_id: str, rest: str = "") -> str:
    """Records of an object."""
    return f"/crm/objects/{VERSION}/{type_id}{rest}"


def properties(type_id: str) -> str:
    """The properties of an object."""
    return f"/crm/properties/{VERSION}/{type_id}"


def pipelines(type_id: str) -> str:
    """The pipelines of an object."""
    return f"/crm/pipelines/{VERSION}/{type_id}"


def associations(near: str, far: str, rest: str) -> str:
    """Associations from one object to another."""
    return f"/crm/associations/{VERSION}/{near}/{far}/{rest}"
