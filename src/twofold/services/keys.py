"""A new key for the credentials: all are sealed again, and the old one opens nothing more (Z1)."""

from __future__ import annotations

from msgspec import Struct

from twofold.services.installation import Installation
from twofold.services.upkeep import KEY_FILE
from twofold.store import vault_key
from twofold.store.secrets import Vault


class Rotated(Struct, frozen=True):
    """What became of it."""

    connections: int
    """Whose credentials were sealed again."""
    source: str
    """``file``, or ``outside``: the environment or a command gave the key."""


def rotate(here: Installation) -> Rotated:
    """Seal everything with another key, as the only process that has the installation open.

    A crash at any moment leaves credentials that open: the next key is on the disk before anything
    is sealed with it, all are sealed again in one transaction, and then it takes the old one's
    place. Until then both files open them, and giving the command again ends it. Where the key
    comes from outside, that key is the new one; the old one is in the file, or in
    ``TWOFOLD_KEY_OLD``.

    Raises:
        TwofoldError: TF-S22, credentials that no key opens: nothing was changed.
    """
    path = here.folder / KEY_FILE
    outside = vault_key.from_outside()
    key = outside if outside is not None else vault_key.next_key(path)
    vault = Vault(key)
    sealed = {}
    for connection in here.state.syncs.connections():
        if connection.secrets:
            secrets = here.vault.open(connection.secrets, connection.app, connection.settings)
            sealed[connection.id] = vault.seal(secrets, connection.app, connection.settings)
    here.state.syncs.seal_again(sealed)
    if outside is None:
        vault_key.adopt(path)
    here.vault = vault
    return Rotated(len(sealed), "file" if outside is None else "outside")
