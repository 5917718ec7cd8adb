"""Sign-in of other programs by OAuth: their clients, codes and tokens (RFC 6749, 7636, 7009, 7662).

Facts about paths, forms and answers are those of the row "OAuth2" of HubSpot's public reference
("OAuth"). An access token lives half an hour; a refresh token until it is revoked. Only digests are
stored.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import orjson
from msgspec import Struct

from twofold.hub.api.calls import Answer, Call
from twofold.hub.api.faults import Fault
from twofold.hub.api.tokens import SCOPES, Token, digest, find
from twofold.hub.crm import Hub

ACCESS, CODE = 1_800.0, 600.0
"""Seconds that an access token and a code live."""
FREE = frozenset({"oauth"})
"""Scopes that stand for nothing here, and may be asked for."""


class Client(Struct, frozen=True):
    """A program that may ask people for access."""

    id: str
    name: str
    redirects: tuple[str, ...]
    """Where people may be sent back to."""


def make(hub: Hub, name: str, redirects: Sequence[str], now: float) -> tuple[Client, str] | None:
    """Store a client; returns it with its secret, told only now. None: the name is taken."""
    client = Client(secrets.token_hex(16), name, tuple(redirects))
    secret = secrets.token_urlsafe(32)
    values = (client.id, name, digest(secret), orjson.dumps(client.redirects), now)
    with hub.database.durable_transaction() as db:
        done = db.execute("INSERT OR IGNORE INTO api_client VALUES (?, ?, ?, ?, ?)", values)
        return (client, secret) if done.rowcount else None


def clients(hub: Hub) -> list[Client]:
    """All clients by name."""
    query = "SELECT id, name, redirects FROM api_client ORDER BY name"
    rows = hub.database.connection.execute(query)
    return [Client(number, name, tuple(orjson.loads(r))) for number, name, r in rows]


def forget(hub: Hub, name: str) -> bool:
    """End a client with all its tokens; False where there is none."""
    with hub.database.durable_transaction() as db:
        row = db.execute("SELECT id FROM api_client WHERE name = ?", (name,)).fetchone()
        if row is None:
            return False
        db.execute("DELETE FROM api_token WHERE name LIKE ?", (f"oauth:{row[0]}:%",))
        for table in ("api_refresh", "api_code"):
            db.execute(f"DELETE FROM {table} WHERE client = ?", row)
        db.execute("DELETE FROM api_client WHERE id = ?", row)
        return True


class Asked(Struct, frozen=True):
    """What a person is asked to allow."""

    client: Client
    redirect: str
    scopes: tuple[str, ...]
    state: str = ""
    challenge: str = ""


def asked(hub: Hub, given: Mapping[str, str]) -> Asked:
    """What the parameters of the page of consent ask for.

    Raises:
        Fault: 400: a client, an address or a scope that there is not. Nobody is sent anywhere.
    """
    client = next((c for c in clients(hub) if c.id == given.get("client_id", "")), None)
    if client is None:
        raise _bad("invalid_client", "There is no such client")
    redirect = given.get("redirect_uri", "")
    if redirect not in client.redirects:
        raise _bad("invalid_request", "The redirect address is not one of the client's")
    wanted = given.get("scope", "").split()
    unknown = [scope for scope in wanted if scope not in SCOPES and scope not in FREE]
    if unknown:
        raise _bad("invalid_scope", f"There is no scope {unknown[0][:60]}")
    if given.get("code_challenge_method", "S256") != "S256":
        raise _bad("invalid_request", "Only S256 proves a code")
    optional = [scope for scope in given.get("optional_scope", "").split() if scope in SCOPES]
    scopes = tuple(dict.fromkeys([*(s for s in wanted if s in SCOPES), *optional]))
    return Asked(client, redirect, scopes, given.get("state", ""), given.get("code_challenge", ""))


def grant(hub: Hub, wanted: Asked, now: float) -> str:
    """A code for what a person allowed: it counts once, and for ten minutes."""
    code = secrets.token_urlsafe(32)
    scopes = orjson.dumps(wanted.scopes)
    values = (digest(code), wanted.client.id, wanted.redirect, wanted.challenge, scopes, now + CODE)
    with hub.database.durable_transaction() as db:
        db.execute("DELETE FROM api_code WHERE expires <= ?", (now,))
        db.execute("INSERT INTO api_code VALUES (?, ?, ?, ?, ?, ?)", values)
    return code


# --- what programs call -----------------------------------------------------------------------


def token(call: Call) -> Answer:
    """Exchange a code, or a refresh token, for an access token."""
    form = _form(call)
    client = _client(call.hub, form)
    kind = form.get("grant_type", "")
    if kind == "authorization_code":
        scopes = _redeemed(call, client, form)
        refresh = secrets.token_urlsafe(32)
        with call.hub.database.durable_transaction() as db:
            row = (digest(refresh), client, orjson.dumps(scopes), call.now.timestamp())
            db.execute("INSERT INTO api_refresh VALUES (?, ?, ?, ?)", row)
    elif kind == "refresh_token":
        refresh = form.get("refresh_token", "")
        query = "SELECT scopes FROM api_refresh WHERE hash = ? AND client = ?"
        found = call.hub.database.connection.execute(query, (digest(refresh), client)).fetchone()
        if found is None:
            raise _bad("invalid_grant", "The refresh token is unknown or was revoked")
        scopes = tuple(orjson.loads(found[0]))
    else:
        raise _bad("unsupported_grant_type", "grant_type is authorization_code or refresh_token")
    body = {
        "access_token": _made(call, client, scopes),
        "refresh_token": refresh,
        "expires_in": int(ACCESS),
        "token_type": "bearer",
        "hub_id": account_number(call.hub),
        "scopes": list(scopes),
    }
    return Answer(200, body)


def introspect(call: Call) -> Answer:
    """What a token of this client is worth now."""
    form = _form(call)
    client, secret = _client(call.hub, form), form.get("token", "")
    known = find(call.hub, secret)
    if known is not None and known.name.startswith(f"oauth:{client}:") and _lives(known, call):
        return Answer(200, {**_told(call, client, known.scopes), "exp": int(known.expires or 0)})
    query = "SELECT scopes FROM api_refresh WHERE hash = ? AND client = ?"
    found = call.hub.database.connection.execute(query, (digest(secret), client)).fetchone()
    if found is None:
        return Answer(200, {"active": False})
    told = {**_told(call, client, orjson.loads(found[0])), "token_type": "refresh_token"}
    return Answer(200, told)


def revoke(call: Call) -> Answer:
    """End a token; with a refresh token all access tokens of the client end."""
    form = _form(call)
    client, gone = _client(call.hub, form), digest(form.get("token", ""))
    with call.hub.database.durable_transaction() as db:
        mine = f"oauth:{client}:%"
        db.execute("DELETE FROM api_token WHERE hash = ? AND name LIKE ?", (gone, mine))
        query = "DELETE FROM api_refresh WHERE hash = ? AND client = ?"
        if db.execute(query, (gone, client)).rowcount:
            db.execute("DELETE FROM api_token WHERE name LIKE ?", (mine,))
    return Answer(204)


def about(call: Call) -> Answer:
    """What an access token is worth: the older way to ask, with the token in the path."""
    known = find(call.hub, call.path["token"])
    if known is None or not known.name.startswith("oauth:") or not _lives(known, call):
        raise Fault(404, "NOT_FOUND", "access token not found")
    client = known.name.split(":")[1]
    body = {
        "token": call.path["token"],
        "hub_id": account_number(call.hub),
        "app_id": client,
        "scopes": list(known.scopes),
        "token_type": "access",
        "expires_in": int((known.expires or 0) - call.now.timestamp()),
    }
    return Answer(200, body)


def account_number(hub: Hub) -> int:
    """The hub's identity, as the number that HubSpot gives accounts."""
    identity, _ = hub.position()
    return int(identity[:8], 16)


def _lives(known: Token, call: Call) -> bool:
    return known.expires is None or known.expires > call.now.timestamp()


def _told(call: Call, client: str, scopes: Sequence[str]) -> dict[str, Any]:
    return {
        "active": True,
        "client_id": client,
        "hub_id": account_number(call.hub),
        "scope": " ".join(scopes),
        "token_type": "access_token",
    }


def _redeemed(call: Call, client: str, form: Mapping[str, str]) -> tuple[str, ...]:
    """The scopes of a code, which is used up; who sends it must know what it was asked with."""
    query = (
        "DELETE FROM api_code WHERE hash = ? RETURNING client, redirect, challenge, scopes, expires"
    )
    with call.hub.database.durable_transaction() as db:
        found = db.execute(query, (digest(form.get("code", "")),)).fetchone()
    if found is None or found[0] != client or found[4] <= call.now.timestamp():
        raise _bad("invalid_grant", "The code is unknown, was used, or is too old")
    if found[1] != form.get("redirect_uri", ""):
        raise _bad("invalid_grant", "The redirect address is another one than before")
    proof = hashlib.sha256(form.get("code_verifier", "").encode("utf-8", "surrogatepass")).digest()
    proven = base64.urlsafe_b64encode(proof).decode().rstrip("=")
    if found[2] and not hmac.compare_digest(found[2], proven):
        raise _bad("invalid_grant", "The code verifier is wrong")
    return tuple(orjson.loads(found[3]))


def _made(call: Call, client: str, scopes: Sequence[str]) -> str:
    """A new access token."""
    secret, now = secrets.token_urlsafe(48), call.now.timestamp()
    name = f"oauth:{client}:{secrets.token_hex(8)}"
    values = (name, digest(secret), orjson.dumps(sorted(scopes)), now, now + ACCESS)
    with call.hub.database.durable_transaction() as db:
        over = "DELETE FROM api_token WHERE name LIKE 'oauth:%' AND expires <= ?"
        db.execute(over, (now,))
        db.execute("INSERT INTO api_token VALUES (?, ?, ?, ?, ?)", values)
    return secret


def _client(hub: Hub, form: Mapping[str, str]) -> str:
    """The client that a form proves to come from."""
    query = "SELECT hash FROM api_client WHERE id = ?"
    number = form.get("client_id", "")
    found = hub.database.connection.execute(query, (number,)).fetchone()
    if found is None or not hmac.compare_digest(found[0], digest(form.get("client_secret", ""))):
        raise _bad("invalid_client", "The client is unknown, or its secret is wrong")
    return number


def _form(call: Call) -> dict[str, str]:
    try:
        found = parse_qs(call.content.decode("ascii"), max_num_fields=20)
    except (ValueError, UnicodeDecodeError):
        raise _bad("invalid_request", "The body is not a form") from None
    return {name: values[-1] for name, values in found.items()}


def _bad(error: str, words: str) -> Fault:
    return Fault(400, "BAD_REQUEST", words, error=error, error_description=words)
