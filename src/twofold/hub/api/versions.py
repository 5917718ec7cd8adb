"""Every version of the API that is spoken, and its paths: all of them come from these tables.

HubSpot names versions by a date, two a year, and keeps v3 (v4 of associations) beside them.
"""

from __future__ import annotations

from collections.abc import Iterator

DATED = ("2026-03", "2026-09")

_ROOTS = {
    "objects": ("/crm/v3/objects", "/crm/objects/{version}"),
    "properties": ("/crm/v3/properties", "/crm/properties/{version}"),
    "pipelines": ("/crm/v3/pipelines", "/crm/pipelines/{version}"),
    "owners": ("/crm/v3/owners", "/crm/owners/{version}"),
    "associations": ("/crm/v4/associations", "/crm/associations/{version}"),
    "account": ("/account-info/v3", "/account-info/{version}"),
    "custom": ("/crm-object-schemas/v3/schemas", "/crm-object-schemas/{version}/schemas"),
    "oauth": ("/oauth/v3", "/oauth/{version}"),
    "oauth1": ("/oauth/v1", "/oauth/v1"),
    "ties": ("/crm/v4/objects", "/crm/objects/{version}"),
}
"""Part of the API → its root with a number, and with a date."""


_SPOKEN = (
    *("/crm/", "/crm-object-schemas/", "/account-info/"),
    *("/oauth/v1/", "/oauth/v3/", *(f"/oauth/{version}/" for version in DATED)),
)


def paths(part: str, rest: str) -> Iterator[str]:
    """All paths of one operation."""
    numbered, dated = _ROOTS[part]
    yield numbered + rest
    for version in DATED:
        yield dated.format(version=version) + rest


def spoken(path: str) -> bool:
    """Whether a path belongs to this API, known or not."""
    return path == "/crm" or path.startswith(_SPOKEN)
