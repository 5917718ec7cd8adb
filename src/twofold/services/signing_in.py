"""Connecting an account by the app's own page: a person goes there, and comes back with a code."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.kit import catalog, oauth
from twofold.kit.oauth import Begun
from twofold.services import connections
from twofold.services.connections import Shown
from twofold.services.installation import Installation

CALLBACK = "/oauth/callback"
"""Where people come back to, behind the address of this service."""
MINUTES = 10
"""How long a person may take."""
_SEALED_FOR = "sign-in"


class _Kept(Struct, frozen=True):
    """What is known of a sign-in that is under way."""

    app: str
    answers: dict[str, str]
    label: str
    again: bool
    """The connection of that label is there, and gets new tokens."""
    begun: Begun


def begin(
    here: Installation,
    app: str,
    answers: Mapping[str, str],
    redirect: str,
    label: str = "",
    *,
    again: bool = False,
) -> str:
    """Where to send a person who connects an account; ``redirect``: where they come back to.

    ``again``: a new sign-in for the connection of that label.

    Raises:
        TwofoldError: TF-U02 to TF-U05, see `connections`.
        AccessDenied: the app's client is not named, or it has no such sign-in.
    """
    if again:
        connection = here.connection(label)
        app, answers = connection.app, {**here.answers(connection), **answers}
    manifest = catalog.load(app).manifest
    given = connections.checked(manifest, answers, signing_in=True)
    begun = oauth.begin(manifest, given, redirect)
    kept = _Kept(app, given, label, again, begun)
    now = here.world.now().timestamp()
    text = msgspec.json.encode(kept).decode()
    sealed = here.vault.seal({_SEALED_FOR: text}, _SEALED_FOR, {})
    here.state.sign_ins.begin(_digest(begun.state), sealed, now, now + MINUTES * 60)
    return begun.address


async def finish(here: Installation, state: str, code: str) -> Shown:
    """Connect the account of a person who has come back.

    Raises:
        TwofoldError: TF-A50, this sign-in is unknown, over, or was used; and as `connections`.
        ConnectorError: the app does not take the code, or cannot be reached.
    """
    sealed = here.state.sign_ins.take(_digest(state), here.world.now().timestamp())
    if sealed is None or not code:
        raise TwofoldError("TF-A50")
    text = here.vault.open(sealed, _SEALED_FOR, {})[_SEALED_FOR]
    kept = msgspec.json.decode(text, type=_Kept)
    manifest = catalog.load(kept.app).manifest
    async with here.posting(kept.app) as post:
        tokens = await oauth.exchange(manifest, kept.answers, kept.begun, code, post, here.world)
    answers = {**kept.answers, **tokens.answers()}
    if kept.again:
        return await connections.reconnect(here, kept.label, answers)
    return await connections.connect(here, kept.app, answers, kept.label)


def _digest(state: str) -> bytes:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).digest()
