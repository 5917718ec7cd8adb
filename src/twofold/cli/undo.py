"""``twofold undo``: take back what was written."""

from __future__ import annotations

import getpass

import click

from twofold.cli.command import Command, as_json, ask
from twofold.cli.confirmation import confirm
from twofold.cli.output import reply, say, shown, table
from twofold.core.records import Side
from twofold.services import undo as service


@click.command(
    cls=Command,
    example="""twofold undo shop-contacts --record ada@example.org --field phone
    twofold undo shop-contacts --run 12 --dry-run""",
)
@click.argument("sync")
@click.option("--record", default="", help="Of this record and its twin: an id or a match key.")
@click.option("--side", type=click.Choice([side.value for side in Side]), help="Of that id.")
@click.option("--field", default="", help="Only this field of the record, by the hub's name.")
@click.option("--run", type=int, help="What this run wrote; 'twofold run list' has them.")
@click.option("--since", default="", help="Everything written since this day or moment.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be put back.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def undo(
    sync: str,
    record: str,
    side: str | None,
    field: str,
    run: int | None,
    since: str,
    dry_run: bool,
    yes: bool,
) -> None:
    """Put back what fields held before a sync wrote to them.

    A value goes back where it was written and nowhere else, with the next run. Where somebody
    changed the field since, it is left alone. Of a record, without --run or --since, it is what
    the last run that wrote to it wrote.
    """
    where = None if side is None else Side(side)
    target = service.Target(record, where, field, run, since)
    found = ask(lambda here: service.preview(here, sync, target))
    if not dry_run and found.fields:
        if not as_json():
            _show(found)
        confirm(f"put back {found.fields} field(s)", yes)
    if not dry_run:
        who = getpass.getuser()
        found = ask(lambda here: service.undo(here, sync, target, who=who), writes=True)
    if as_json():
        reply({"undo": found, "asked": not dry_run})
        return
    if dry_run:
        _show(found)
    left = f"; {found.conflicts} left alone" if found.conflicts else ""
    when = "would be put back" if dry_run else "go back with the next run"
    say(f"{found.fields} field(s) {when}{left}.")


def _show(found: service.Undo) -> None:
    rows = [
        (
            item.side.value,
            item.name or item.record,
            item.field,
            shown(item.now),
            shown(item.back),
            item.conflict,
        )
        for item in found.items
    ]
    table(("side", "record", "field", "now", "back to", "left alone because"), rows, "Nothing.")


COMMANDS = (undo,)
