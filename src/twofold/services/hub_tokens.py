"""Tokens for programs that use the API of the hub inside."""

from __future__ import annotations

from collections.abc import Sequence

from twofold.core.errors import TwofoldError
from twofold.hub.api import tokens
from twofold.hub.api.tokens import SCOPES, Token
from twofold.services.hub import opened
from twofold.services.installation import Installation

__all__ = ["SCOPES", "Token", "listed", "make", "revoke"]

_LONGEST_NAME = 100


def make(
    here: Installation, name: str, scopes: Sequence[str] = (), days: float | None = None
) -> str:
    """Make a token with these scopes, or all; returns its secret, which is told only now.

    Raises:
        TwofoldError: TF-W06, the name is none; TF-W19, there is no such scope; TF-W20, the name is
            taken.
    """
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise TwofoldError("TF-W06", reason="a name has 1 to 100 printable characters")
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise TwofoldError("TF-W19", scope=unknown[0][:100], known=", ".join(SCOPES))
    now = here.world.now().timestamp()
    with opened(here) as hub:
        secret = tokens.make(hub, name, scopes or SCOPES, now, days)
    if secret is None:
        raise TwofoldError("TF-W20", name=name)
    return secret


def listed(here: Installation) -> list[Token]:
    """All tokens, without their secrets."""
    with opened(here) as hub:
        return tokens.known(hub)


def revoke(here: Installation, name: str) -> None:
    """Forget a token; from now on it opens nothing.

    Raises:
        TwofoldError: TF-W15, there is none of that name.
    """
    with opened(here) as hub:
        if not tokens.revoke(hub, name):
            raise TwofoldError("TF-W15", kind="token", name=name)
