"""The people that records of the hub inside may be given to (F13)."""

from __future__ import annotations

from twofold.core.addresses import email_key
from twofold.core.errors import TwofoldError
from twofold.core.schema import Option
from twofold.services.hub import opened
from twofold.services.installation import Installation


def every(here: Installation) -> list[Option]:
    """All owners: id, name, and e-mail address."""
    with opened(here) as hub:
        return list(hub.owners())


def add(here: Installation, email: str, name: str = "") -> Option:
    """Add an owner.

    Raises:
        TwofoldError: TF-U33, that is no e-mail address; TF-U34, somebody has it already.
    """
    email = email.strip()
    key = email_key(email)
    if key is None:
        raise TwofoldError("TF-U33", text=email[:200])
    with opened(here) as hub:
        for owner in hub.owners():
            if email_key(owner.email) == key:
                raise TwofoldError("TF-U34", email=email, name=owner.label)
        label = name.strip() or email
        return Option(hub.add_owner(email, label), label, email=email)
