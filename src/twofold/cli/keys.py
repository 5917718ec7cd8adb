"""``twofold key``: the key of the credentials."""

from __future__ import annotations

import click

from twofold.cli.command import Group, as_json, ask
from twofold.cli.output import reply, say
from twofold.services import keys


@click.group(cls=Group, example="twofold key rotate")
def key() -> None:
    """The key with which credentials are sealed."""


@key.command(example="twofold key rotate")
def rotate() -> None:
    """Seal all credentials with a new key; the old one opens nothing any more.

    Stop the service first. Where the key comes from TWOFOLD_KEY or TWOFOLD_KEY_COMMAND, set that to
    the new key, and TWOFOLD_KEY_OLD to the old one. Backups made before need the old key.
    """
    done = ask(keys.rotate, runs=True)
    if as_json():
        reply({"rotated": done})
        return
    say(f"The credentials of {done.connections} connection(s) are sealed with a new key.")
    if done.source == "outside":
        say(
            "The file 'key' in the data folder, if there is one, is not needed any more: delete it."
        )


COMMANDS = (key,)
