"""``twofold history``: what was written to records."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from twofold.cli.command import Group, as_json, ask
from twofold.cli.output import reply, say, shown, table
from twofold.core.records import Side
from twofold.services import history as service
from twofold.services.installation import Installation

_SINCE = click.option("--since", default="", help="Only since this day or moment.")
_RUN = click.option("--run", type=int, help="Only of this run; 'twofold run list' has them.")


@click.group(cls=Group, example="twofold history show shop-contacts --record ada@example.org")
def history() -> None:
    """What was written to records: before, after, in which run and by which rule."""


@history.command("show", example="twofold history show shop-contacts --record ada@example.org")
@click.argument("sync")
@click.option("--record", default="", help="Of this record and its twin: an id or a match key.")
@click.option("--side", type=click.Choice([side.value for side in Side]), help="Of that id.")
@_RUN
@_SINCE
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--after", default="", help="Go on where the page before ended.")
def show(
    sync: str,
    record: str,
    side: str | None,
    run: int | None,
    since: str,
    limit: int,
    after: str,
) -> None:
    """Show what a sync wrote, newest first."""

    def work(here: Installation) -> service.HistoryPage:
        if record:
            where = None if side is None else Side(side)
            return service.HistoryPage(tuple(service.of_record(here, sync, record, where)), None)
        return service.page(here, sync, after=after, limit=limit, run=run, since=since)

    found = ask(work)
    if as_json():
        reply({"entries": found.entries, "next": found.next})
        return
    rows = [
        (e.at, e.run, e.did, e.side.value, e.name or e.record, f.field, shown(f.before), *rest(f))
        for e in found.entries
        for f in e.fields or (service.FieldChange("", None, None, None, e.rule),)
    ]
    columns = ("when", "run", "did", "side", "record", "field", "before", "after", "because")
    table(columns, rows, "Nothing was written.")
    if found.next is not None:
        say(f"There is more: --after {found.next}")


def rest(one: service.FieldChange) -> tuple[str, str]:
    """The last two columns."""
    return shown(one.after), one.rule


@history.command("export", example="twofold history export shop-contacts --output history.csv")
@click.argument("sync")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json"]),
    default="csv",
    show_default=True,
    help="json: one document per line.",
)
@_RUN
@_SINCE
@click.option("--output", type=click.Path(path_type=Path), help="A file instead of the terminal.")
def export(sync: str, form: str, run: int | None, since: str, output: Path | None) -> None:
    """Write out what a sync wrote, newest first.

    Cells of CSV that a spreadsheet would take for a formula begin with an apostrophe.
    """

    def work(here: Installation) -> int:
        lines = service.exported(here, sync, form, run=run, since=since)
        if output is None:
            return sum(bool(sys.stdout.write(line)) for line in lines)
        with output.open("w", encoding="utf-8", newline="") as file:
            return sum(bool(file.write(line)) for line in lines)

    number = ask(work)
    if output is not None:
        lines = number - (form == "csv")
        if as_json():
            reply({"file": str(output), "lines": lines})
        else:
            say(f"{output}: {lines} line(s).")


@history.command("keep", example="twofold history keep 90")
@click.argument("days", type=int, required=False)
def keep(days: int | None) -> None:
    """Show or set for how many days history is kept; the service forgets what is older."""
    if days is not None:
        ask(lambda here: service.keep(here, days), writes=True)
    kept = ask(service.keep_days)
    if as_json():
        reply({"days": kept})
    else:
        say(f"History is kept for {kept} days.")


COMMANDS = (history,)
