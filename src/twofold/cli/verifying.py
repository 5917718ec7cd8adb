"""``twofold sync verify`` and ``twofold sync unfreeze``."""

from __future__ import annotations

import click

from twofold.cli.command import Command, as_json, ask, ask_app
from twofold.cli.output import reply, say
from twofold.core.records import Side
from twofold.services.frozen import unfreeze
from twofold.services.verifying import verify


@click.command("verify", cls=Command, example="twofold sync verify shop-contacts")
@click.argument("name")
def verify_command(name: str) -> None:
    """Compare every linked pair in full with what both apps show.

    Runs do that by themselves, all pairs within a day. What something was missed of is drift: it
    is counted, and put right with the next run.
    """
    found = ask_app(lambda here: verify(here, name), writes=True)
    if as_json():
        reply({"sync": name, "checked": found.checked, "drift": found.drift})
    else:
        after = "; the next run puts them right" if found.drift else ""
        say(f"{found.checked} pairs compared, {found.drift} had drifted{after}.")


@click.command("unfreeze", cls=Command, example="twofold sync unfreeze shop-contacts 17")
@click.argument("name")
@click.argument("record")
@click.option(
    "--side",
    type=click.Choice([side.value for side in Side]),
    help="Whose id RECORD is; both are looked at otherwise.",
)
def unfreeze_command(name: str, record: str, side: str | None) -> None:
    """Let two apps try once more that kept rewriting each other's value.

    RECORD is an id of either side, as in 'twofold records failing'.
    """
    where = None if side is None else Side(side)
    fields = ask(lambda here: unfreeze(here, name, record, where), writes=True)
    if as_json():
        reply({"sync": name, "record": record, "fields": fields})
    else:
        say(f"{', '.join(fields)} travels again with the next run.")
