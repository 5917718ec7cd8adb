"""``twofold links``: what is linked with what, and what a person decides about it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from twofold.cli.command import Group, as_json, ask
from twofold.cli.confirmation import confirm
from twofold.cli.output import reply, say, table
from twofold.core.errors import TwofoldError
from twofold.services import link_files
from twofold.services import links as service
from twofold.services.proposing import LEAST_SCORE
from twofold.services.proposing import propose as proposing


@click.group(cls=Group, example="twofold links list shop-contacts")
def links() -> None:
    """The links of a sync: which records of both sides are the same.

    What is decided here is carried out with the next run of the sync.
    """


@links.command("list", example="twofold links list shop-contacts --limit 20")
@click.argument("sync")
@click.option("--cut", "apart", is_flag=True, help="Those that were cut from each other instead.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--after", default="", help="Go on where the page before ended.")
def list_(sync: str, apart: bool, limit: int, after: str) -> None:
    """List the linked pairs of a sync."""
    found = ask(lambda here: service.page(here, sync, apart=apart, after=after, limit=limit))
    if as_json():
        reply({"links": found.lines, "next": found.next})
        return
    rows = [(line.hub_id, line.app_id, line.name, line.state) for line in found.lines]
    table(("hub id", "app id", "name", "state"), rows, "None.")
    if found.next is not None:
        say(f"There are more: --after {found.next}")


@links.command(example="twofold links make shop-contacts 17 4")
@click.argument("sync")
@click.argument("hub_id")
@click.argument("app_id")
def make(sync: str, hub_id: str, app_id: str) -> None:
    """Link two records: they are the same, whatever they are matched by.

    Both are merged with the next run as at a first meeting: the default app wins where they
    differ, and a blank never erases.
    """
    ask(lambda here: service.make(here, sync, hub_id, app_id), writes=True)
    _done("linked", hub_id, app_id)


@links.command(example="twofold links cut shop-contacts 17 4 --yes")
@click.argument("sync")
@click.argument("hub_id")
@click.argument("app_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
def cut(sync: str, hub_id: str, app_id: str, yes: bool) -> None:
    """Keep two records apart, linked or not: they are not the same.

    They are never matched to each other again, until you link or allow them. Each is planned by
    itself with the next run: one without any other match gets a twin of its own.
    """
    ask(lambda here: here.sync(sync))
    confirm(f"keep {hub_id} and {app_id} apart, and may give each a twin of its own", yes)
    ask(lambda here: service.cut(here, sync, hub_id, app_id), writes=True)
    _done("cut", hub_id, app_id)


@links.command(example="twofold links allow shop-contacts 17 4")
@click.argument("sync")
@click.argument("hub_id")
@click.argument("app_id")
def allow(sync: str, hub_id: str, app_id: str) -> None:
    """Forget that two records were cut from each other: matching decides again."""
    ask(lambda here: service.allow(here, sync, hub_id, app_id), writes=True)
    _done("allowed", hub_id, app_id)


@links.command(example="twofold links swap shop-contacts 17 18")
@click.argument("sync")
@click.argument("first", metavar="HUB_ID")
@click.argument("second", metavar="HUB_ID")
def swap(sync: str, first: str, second: str) -> None:
    """Exchange the twins of two linked records of the hub."""
    ask(lambda here: service.swap(here, sync, first, second), writes=True)
    _done("swapped", first, second)


@links.command(example="twofold links export shop-contacts links.csv")
@click.argument("sync")
@click.argument("path", type=click.Path(path_type=Path), default=Path("-"), required=False)
def export(sync: str, path: Path) -> None:
    """Write all links and cuts as CSV to a file, or to the screen where none is named."""
    if str(path) == "-":
        ask(lambda here: link_files.export(here, sync, sys.stdout))
        return
    ask(lambda here: here.sync(sync))
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            number = ask(lambda here: link_files.export(here, sync, file))
    except OSError as error:
        raise TwofoldError("TF-M33", path=path, reason=error.strerror) from error
    if as_json():
        reply({"exported": number, "path": str(path)})
    else:
        say(f"Wrote {number} line(s) to {path}.")


@links.command("import", example="twofold links import shop-contacts links.csv")
@click.argument("sync")
@click.argument("path", type=click.Path(path_type=Path))
def import_(sync: str, path: Path) -> None:
    """Make and cut the links that a CSV file names: all of them, or none.

    The first line names the columns hub_id and app_id, and decision (linked or cut) if you wish;
    others are passed over.
    """
    done = ask(lambda here: link_files.import_file(here, sync, path), writes=True)
    if as_json():
        reply(done)
    else:
        say(f"Linked {done.linked}, cut {done.cut}; {done.unchanged} were so already.")


@links.command(example="twofold links propose shop-contacts --limit 20")
@click.argument("sync")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option(
    "--least",
    type=click.IntRange(0, 100),
    default=LEAST_SCORE,
    show_default=True,
    help="How alike the two must be at least, of 100.",
)
def propose(sync: str, limit: int, least: int) -> None:
    """List unlinked records of both sides that look alike. Nothing is linked: you decide."""
    found = ask(lambda here: proposing(here, sync, limit, least))
    if as_json():
        reply({"proposals": found})
        return
    rows = [(p.score, p.hub_id, p.app_id, p.hub_name, p.app_name) for p in found]
    table(("alike", "hub id", "app id", "hub", "app"), rows, "Nothing looks alike.")
    if found:
        say(f"Link a pair with 'twofold links make {sync} HUB_ID APP_ID', or cut it.")


def _done(what: str, first: str, second: str) -> None:
    if as_json():
        reply({what: [first, second]})
    else:
        say(f"{first} and {second}: {what}. The next run of the sync carries it out.")


COMMANDS = (links,)
