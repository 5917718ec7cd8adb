"""``twofold approvals``: deletes that wait for a yes."""

from __future__ import annotations

import getpass
from collections.abc import Sequence

import click

from twofold.cli.command import Group, as_json, ask
from twofold.cli.output import reply, say, table
from twofold.services import approvals as service
from twofold.services.approvals import Approval
from twofold.services.installation import Installation


@click.group(cls=Group, example="twofold approvals list")
def approvals() -> None:
    """Deletes that wait for a yes or a no."""


@approvals.command("list", example="twofold approvals list --sync shop-contacts")
@click.option("--sync", default="", help="Only of this sync.")
def list_(sync: str) -> None:
    """List what waits for a decision."""
    found = ask(lambda here: service.waiting(here, sync))
    if as_json():
        reply({"approvals": found})
        return
    rows = [
        (
            one.id,
            one.sync,
            f"{one.op} {one.record} in the {one.side}",
            one.name,
            "; ".join(f"{issue.code} {issue.sentence}" for issue in one.issues),
        )
        for one in found
    ]
    table(("id", "sync", "what", "name", "why"), rows, "Nothing waits for your approval.")


@approvals.command(example="twofold approvals approve 1.17")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--all", "everything", is_flag=True, help="All that wait now.")
@click.option("--sync", default="", help="With --all: only of this sync.")
def approve(ids: Sequence[str], everything: bool, sync: str) -> None:
    """Say yes; the next run removes these records, unless they have moved by then."""
    _decide(ids, everything, sync, yes=True)


@approvals.command(example="twofold approvals reject 1.17")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--all", "everything", is_flag=True, help="All that wait now.")
@click.option("--sync", default="", help="With --all: only of this sync.")
def reject(ids: Sequence[str], everything: bool, sync: str) -> None:
    """Say no; these records stay, excluded."""
    _decide(ids, everything, sync, yes=False)


def _decide(ids: Sequence[str], everything: bool, sync: str, *, yes: bool) -> None:
    if bool(ids) is everything:
        raise click.UsageError("name what you decide, or give --all")

    def work(here: Installation) -> list[Approval]:
        named = [one.id for one in service.waiting(here, sync)] if everything else ids
        return service.decide(here, named, yes=yes, who=getpass.getuser())

    decided = ask(work, writes=True)
    word = "approved" if yes else "rejected"
    if as_json():
        reply({word: [one.id for one in decided]})
    else:
        say(f"{len(decided)} {word}; the next run carries it out.")


COMMANDS = (approvals,)
