"""Which addresses within the own network connections may reach (Z3)."""

from __future__ import annotations

import os

from twofold.core.errors import TwofoldError
from twofold.kit.network import Block, Network, block
from twofold.services import access
from twofold.services.access import Who
from twofold.services.installation import Installation
from twofold.store.state import State


def reachable(state: State) -> Network:
    """What connections may reach now: the internet, what is stored, and what the environment says.

    Raises:
        TwofoldError: TF-A41, the environment names something else than addresses.
    """
    return Network(tuple(map(_block, [*state.addresses.all(), *from_environment()])))


def from_environment() -> list[str]:
    """What the environment allows: addresses and blocks, with commas between them."""
    return os.environ.get("TWOFOLD_ALLOW_ADDRESSES", "").replace(",", " ").split()


def allowed(here: Installation) -> list[str]:
    """What is allowed within the own network."""
    return here.state.addresses.all()


def allow(here: Installation, who: Who, text: str) -> str:
    """Allow an address or a block of them; returns it as it is stored.

    Raises:
        TwofoldError: TF-A41, it is neither.
    """
    found = str(_block(text))
    here.state.addresses.add(found)
    access.note(here, who, "address allowed", found, "")
    return found


def forbid(here: Installation, who: Who, text: str) -> str:
    """Take that back; connections that need it stop with their next run.

    Raises:
        TwofoldError: TF-A41, it is no address; TF-A42, it was not allowed.
    """
    found = str(_block(text))
    if not here.state.addresses.remove(found):
        raise TwofoldError("TF-A42", text=found, known=", ".join(allowed(here)) or "nothing")
    access.note(here, who, "address forbidden", found, "")
    return found


def _block(text: str) -> Block:
    try:
        return block(text)
    except ValueError:
        raise TwofoldError("TF-A41", text=text[:100]) from None
