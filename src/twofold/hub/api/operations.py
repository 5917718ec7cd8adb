"""All operations: their methods, their paths in every version, and the scopes that each needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from twofold.hub.api import associating, batch, oauth, objects, schemas, search
from twofold.hub.api.calls import Call, Operation
from twofold.hub.api.kinds import named
from twofold.hub.api.versions import paths

OPEN = "open"
"""The part of what programs ask before they have a token; bodies are forms there."""


class Entry(Struct, frozen=True):
    """One operation."""

    method: str
    paths: tuple[str, ...]
    operation: Operation
    area: str
    """``objects.read``, ``schemas.write`` …: what of a type it touches, and how."""


def _entries(part: str, area: str, *rows: tuple[str, str, Operation, str]) -> Iterator[Entry]:
    for method, rest, operation, access in rows:
        yield Entry(method, tuple(paths(part, rest)), operation, f"{area}.{access}")


OPERATIONS: tuple[Entry, ...] = (
    *_entries(
        "ties",
        "objects",
        ("GET", "/{type}/{id}/associations/{to}", associating.read, "read"),
        (
            "PUT",
            "/{type}/{id}/associations/default/{to}/{to_id}",
            associating.put_default,
            "write",
        ),
        ("PUT", "/{type}/{id}/associations/{to}/{to_id}", associating.put, "write"),
        ("DELETE", "/{type}/{id}/associations/{to}/{to_id}", associating.remove, "write"),
    ),
    *_entries(
        "associations",
        "objects",
        ("POST", "/{type}/{to}/batch/read", associating.batch_read, "read"),
        ("POST", "/{type}/{to}/batch/create", associating.batch_create, "write"),
        ("POST", "/{type}/{to}/batch/associate/default", associating.batch_default, "write"),
        ("POST", "/{type}/{to}/batch/archive", associating.batch_archive, "write"),
        ("POST", "/{type}/{to}/batch/labels/archive", associating.batch_unlabel, "write"),
        ("GET", "/{type}/{to}/labels", associating.labels, "read"),
        ("POST", "/{type}/{to}/labels", associating.make_label, "write"),
    ),
    *_entries(
        "objects",
        "objects",
        ("POST", "/{type}/batch/create", batch.create, "write"),
        ("POST", "/{type}/batch/read", batch.read, "read"),
        ("POST", "/{type}/batch/update", batch.update, "write"),
        ("POST", "/{type}/batch/upsert", batch.upsert, "write"),
        ("POST", "/{type}/batch/archive", batch.archive, "write"),
        ("POST", "/{type}/search", search.search, "read"),
        ("POST", "/{type}/merge", objects.merge, "write"),
        ("POST", "/{type}/gdpr-delete", objects.erase, "write"),
        ("GET", "/{type}", objects.listed, "read"),
        ("POST", "/{type}", objects.create, "write"),
        ("GET", "/{type}/{id}", objects.read, "read"),
        ("PATCH", "/{type}/{id}", objects.update, "write"),
        ("DELETE", "/{type}/{id}", objects.archive, "write"),
    ),
    *_entries(
        "properties",
        "schemas",
        ("GET", "/{type}/groups", schemas.groups, "read"),
        ("POST", "/{type}/groups", schemas.fixed, "write"),
        ("GET", "/{type}/groups/{name}", schemas.one_group, "read"),
        ("PATCH", "/{type}/groups/{name}", schemas.fixed, "write"),
        ("DELETE", "/{type}/groups/{name}", schemas.fixed, "write"),
        ("GET", "/{type}", schemas.properties, "read"),
        ("POST", "/{type}", schemas.fixed, "write"),
        ("GET", "/{type}/{name}", schemas.one_property, "read"),
        ("PATCH", "/{type}/{name}", schemas.fixed, "write"),
        ("DELETE", "/{type}/{name}", schemas.fixed, "write"),
    ),
    *_entries(
        "pipelines",
        "schemas",
        ("GET", "/{type}", schemas.pipelines, "read"),
        ("POST", "/{type}", schemas.fixed, "write"),
        ("GET", "/{type}/{pipeline}", schemas.one_pipeline, "read"),
        ("PATCH", "/{type}/{pipeline}", schemas.fixed, "write"),
        ("PUT", "/{type}/{pipeline}", schemas.fixed, "write"),
        ("DELETE", "/{type}/{pipeline}", schemas.fixed, "write"),
        ("GET", "/{type}/{pipeline}/stages", schemas.stages, "read"),
        ("GET", "/{type}/{pipeline}/stages/{stage}", schemas.one_stage, "read"),
    ),
    *_entries(
        "oauth",
        OPEN,
        ("POST", "/token", oauth.token, "write"),
        ("POST", "/token/introspect", oauth.introspect, "read"),
        ("POST", "/token/revoke", oauth.revoke, "write"),
    ),
    *_entries(
        "oauth1",
        OPEN,
        ("POST", "/token", oauth.token, "write"),
        ("GET", "/access-tokens/{token}", oauth.about, "read"),
    ),
    *_entries("account", "none", ("GET", "/details", schemas.account, "read")),
    *_entries("custom", "custom", ("GET", "", schemas.custom, "read")),
    *_entries(
        "owners",
        "owners",
        ("GET", "", schemas.owners, "read"),
        ("GET", "/{id}", schemas.one_owner, "read"),
    ),
)


_ALONE: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "owners": ("crm.objects.owners.read",),
    "custom": ("crm.schemas.custom.read",),
}
"""Scopes of what belongs to no one type."""


def needed(call: Call, area: str) -> list[str]:
    """The scopes that a request needs.

    Raises:
        Fault: 400, its path names a type that the hub inside does not have.
    """
    part, _, access = area.partition(".")
    if part in _ALONE:
        return list(_ALONE[part])
    kinds = [call.kind, *([named(call.path["to"])] if "to" in call.path else [])]
    return [f"crm.{part}.{kind.plural}.{access}" for kind in kinds]
