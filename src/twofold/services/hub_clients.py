"""Programs that ask people for access to the hub inside, by OAuth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode, urlsplit

from twofold.core.errors import TwofoldError
from twofold.hub.api import oauth
from twofold.hub.api.faults import Fault
from twofold.hub.api.oauth import Asked, Client
from twofold.services.hub import opened
from twofold.services.installation import Installation

__all__ = ["Asked", "Client", "allow", "asked", "listed", "make", "refuse", "remove"]


def make(here: Installation, name: str, redirects: Sequence[str]) -> tuple[Client, str]:
    """Make a client; returns it with its secret, which is told only now.

    Raises:
        TwofoldError: TF-W06, name or address is none; TF-W20, the name is taken.
    """
    name = name.strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise TwofoldError("TF-W06", reason="a name has 1 to 100 printable characters")
    for address in redirects:
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.fragment:
            raise TwofoldError("TF-W06", reason="a redirect address is an http or https address")
    with opened(here) as hub:
        made = oauth.make(hub, name, redirects, here.world.now().timestamp())
    if made is None:
        raise TwofoldError("TF-W20", name=name)
    return made


def listed(here: Installation) -> list[Client]:
    """All clients."""
    with opened(here) as hub:
        return oauth.clients(hub)


def remove(here: Installation, name: str) -> None:
    """End a client and all that people allowed it.

    Raises:
        TwofoldError: TF-W15, there is none of that name.
    """
    with opened(here) as hub:
        if not oauth.forget(hub, name):
            raise TwofoldError("TF-W15", kind="client", name=name)


def asked(here: Installation, given: Mapping[str, str]) -> Asked:
    """What a person is asked to allow.

    Raises:
        TwofoldError: TF-W06, the program asks for something that there is not.
    """
    with opened(here) as hub:
        try:
            return oauth.asked(hub, given)
        except Fault as fault:
            raise TwofoldError("TF-W06", reason=fault.message) from fault


def allow(here: Installation, wanted: Asked) -> str:
    """Allow it; returns where the person goes with the code."""
    with opened(here) as hub:
        code = oauth.grant(hub, wanted, here.world.now().timestamp())
    return _back(wanted, code=code)


def refuse(wanted: Asked) -> str:
    """Where the person goes who does not allow it (RFC 6749, section 4.1.2.1)."""
    return _back(wanted, error="access_denied")


def _back(wanted: Asked, **more: str) -> str:
    joint = "&" if "?" in wanted.redirect else "?"
    return f"{wanted.redirect}{joint}{urlencode({**more, 'state': wanted.state})}"
