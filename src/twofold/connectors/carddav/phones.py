"""Phone numbers as text or as ``tel:`` URIs (RFC 6350 §6.4.1, RFC 3966)."""

from __future__ import annotations

from urllib.parse import quote, unquote

from twofold.connectors.carddav.vcard import Line, escaped

MOBILE = frozenset({"CELL", "IPHONE", "MOBILE"})
"""TYPE values of a mobile phone; all but the first are habits of programs."""
_SCHEME = "tel:"


def shown(value: str) -> str:
    """The number without its scheme."""
    value = value.strip()
    if not value.lower().startswith(_SCHEME):
        return value
    return unquote(value[len(_SCHEME) :])


def encoded(line: Line, number: str) -> str:
    """The number in the form that the line had: a URI stays one, its blanks become hyphens."""
    if not line.text.strip().lower().startswith(_SCHEME):
        return escaped(number)
    return _SCHEME + quote("-".join(number.split()), safe="+-.()*;=")
