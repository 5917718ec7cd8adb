"""Tokens of private apps: what a program shows, and what it may do with it.

Only a digest of each is stored, in the hub's own file.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence

import orjson
from msgspec import Struct

from twofold.hub.crm import Hub
from twofold.hub.schema import OBJECT_TYPES

_PLURALS = {"contact": "contacts", "company": "companies", "deal": "deals"}
_DAY = 86_400.0

SCOPES: tuple[str, ...] = (
    *(
        f"crm.{part}.{_PLURALS[name]}.{access}"
        for name in OBJECT_TYPES
        for part in ("objects", "schemas")
        for access in ("read", "write")
    ),
    "crm.objects.owners.read",
    "crm.schemas.custom.read",
)
"""All that there are, named as HubSpot names them."""


class Token(Struct, frozen=True):
    """A token as others may see it."""

    name: str
    scopes: tuple[str, ...]
    created: float
    """Seconds since 1970."""
    expires: float | None = None


def make(hub: Hub, name: str, scopes: Sequence[str], now: float, days: float | None) -> str | None:
    """Store a token and return its secret, told only now; None: the name is taken."""
    secret = f"pat-tf1-{secrets.token_urlsafe(32)}"
    expires = None if days is None else now + days * _DAY
    values = (name, digest(secret), orjson.dumps(sorted(set(scopes))), now, expires)
    with hub.database.durable_transaction() as db:
        query = "INSERT OR IGNORE INTO api_token VALUES (?, ?, ?, ?, ?)"
        return secret if db.execute(query, values).rowcount else None


def known(hub: Hub) -> list[Token]:
    """All tokens of private apps by name."""
    query = (
        "SELECT name, scopes, created, expires FROM api_token"
        " WHERE name NOT LIKE 'oauth:%' ORDER BY name"
    )
    return [_token(row) for row in hub.database.connection.execute(query)]


def revoke(hub: Hub, name: str) -> bool:
    """Forget a token; False where there is none."""
    with hub.database.durable_transaction() as db:
        return db.execute("DELETE FROM api_token WHERE name = ?", (name,)).rowcount == 1


def find(hub: Hub, secret: str) -> Token | None:
    """The token of that secret, expired or not."""
    query = "SELECT name, scopes, created, expires FROM api_token WHERE hash = ?"
    row = hub.database.connection.execute(query, (digest(secret),)).fetchone()
    return None if row is None else _token(row)


def lacking(token: Token, needed: Collection[str]) -> list[str]:
    """The scopes that it does not have."""
    return sorted(set(needed) - set(token.scopes))


def digest(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _token(row: tuple[str, bytes, float, float | None]) -> Token:
    name, scopes, created, expires = row
    return Token(name, tuple(orjson.loads(scopes)), created, expires)
