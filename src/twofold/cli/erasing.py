"""``twofold erase``: one person, everywhere."""

from __future__ import annotations

import click

from twofold.cli.command import Command, as_json, ask
from twofold.cli.confirmation import confirm
from twofold.cli.output import reply, say, table
from twofold.services import erasing
from twofold.services.access import Role, Who

_SHELL = Who("the command line", Role.ADMIN)


@click.command(cls=Command, example="twofold erase ada@example.org --hub --yes")
@click.argument("person")
@click.option("--hub", is_flag=True, help="Erase them from the hub inside, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(person: str, hub: bool, yes: bool) -> None:
    """Erase what is remembered of PERSON, known by e-mail address or by a record's id.

    Delete the person in the apps first: what is still there is read again. The answer is a receipt.
    """
    seen = ask(lambda here: erasing.look(here, _SHELL, person, hub=hub))
    if not yes:
        _show(seen)
    confirm(f"erase {len(seen.records)} remembered record(s), and {seen.hub} in the hub", yes)
    done = ask(lambda here: erasing.erase(here, _SHELL, person, hub=hub), writes=True)
    if as_json():
        reply({"receipt": done})
        return
    _show(done)
    say(f"Erased at {done.at} by {done.who}: {done.hub} record(s) of the hub, and")
    say(f"{done.history} line(s) of the history.")
    for name in done.reports:
        say(f"  {name} in the data folder mentions the person: delete it.")


def _show(receipt: erasing.Receipt) -> None:
    rows = [
        (one.connection, one.object_type, one.id, "there when last read" if one.there else "gone")
        for one in receipt.records
    ]
    table(("connection", "object type", "record", "in the app"), rows, "Nothing is remembered.")


COMMANDS = (erase,)
