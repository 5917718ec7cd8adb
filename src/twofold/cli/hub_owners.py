"""``twofold hub owners``: the people that records of the hub inside may be given to."""

from __future__ import annotations

import click

from twofold.cli.command import Group, as_json, ask
from twofold.cli.output import reply, say, table
from twofold.services import hub_owners as service


@click.group(cls=Group, example="twofold hub owners list")
def owners() -> None:
    """The people that records may be given to; a sync pairs them by e-mail."""


@owners.command(example="twofold hub owners add ada@example.org --name 'Ada Lovelace'")
@click.argument("email")
@click.option("--name", default="", help="As lists show them; the e-mail address otherwise.")
def add(email: str, name: str) -> None:
    """Add an owner."""
    made = ask(lambda here: service.add(here, email, name))
    if as_json():
        reply({"owner": {"id": made.value, "name": made.label, "email": made.email}})
    else:
        say(f"Owner {made.value}: {made.label} <{made.email}>")


@owners.command("list", example="twofold hub owners list")
def list_() -> None:
    """List owners by id."""
    found = ask(service.every)
    if as_json():
        reply({"owners": [{"id": o.value, "name": o.label, "email": o.email} for o in found]})
        return
    rows = [(owner.value, owner.label, owner.email) for owner in found]
    table(("id", "name", "e-mail"), rows, "None.")
