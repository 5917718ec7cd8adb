"""``twofold sync limit``, and records that a person excludes by hand."""

from __future__ import annotations

from collections.abc import Sequence

import click

from twofold.cli.command import Command, as_json, ask
from twofold.cli.documents import confirmed
from twofold.cli.output import reply, say
from twofold.core.filters import Leaving
from twofold.core.mappings import Rules
from twofold.core.records import Side
from twofold.services import exclusions, limits
from twofold.services.applying import Change
from twofold.services.installation import Installation

LEAVING = {choice.value.replace("_", "-"): choice for choice in Leaving}
SIDE = click.option(
    "--side",
    type=click.Choice([side.value for side in Side]),
    help="Where RECORD is an id; both are looked at otherwise.",
)


@click.command(
    cls=Command,
    example="""twofold sync limit shop-contacts --to-app 'country is any of Belgium, Netherlands'
    twofold sync limit shop-contacts --to-hub 'spent is greater than 100' --dry-run""",
)
@click.argument("name")
@click.option(
    "--to-app",
    multiple=True,
    metavar="CRITERION",
    help="What the hub's records must meet to be sent; all of them, or an 'or' between two groups.",
)
@click.option(
    "--to-hub", multiple=True, metavar="CRITERION", help="The same for the app's records."
)
@click.option("--all-to-app", is_flag=True, help="No limit for the hub's records.")
@click.option("--all-to-hub", is_flag=True, help="No limit for the app's records.")
@click.option(
    "--leaving",
    type=click.Choice(list(LEAVING)),
    help="What happens to a synced record that no longer meets its limit.",
)
@click.option(
    "--from-now-on/--with-history",
    default=None,
    help="Whether what was there before the first run takes part only once it changes.",
)
@click.option(
    "--stage",
    "stages",
    multiple=True,
    metavar="STAGE",
    help="A lifecycle stage of the hub whose contacts belong to this sync, and to no other.",
)
@click.option("--all-stages", is_flag=True, help="Contacts of any stage belong to this sync.")
@click.option("--dry-run", is_flag=True, help="Only tell how many records start, stop or change.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def limit(
    name: str,
    to_app: Sequence[str],
    to_hub: Sequence[str],
    all_to_app: bool,
    all_to_hub: bool,
    leaving: str | None,
    from_now_on: bool | None,
    stages: Sequence[str],
    all_stages: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Limit which records a sync sends.

    A CRITERION is FIELD OPERATOR VALUE, such as 'created is in the last 30 days'. What is given
    takes the place of that side's limit. How many records it concerns is told before it is saved.
    """
    given = ((to_app, all_to_app), (to_hub, all_to_hub), (stages, all_stages))
    if any(lines and everything for lines, everything in given):
        raise click.UsageError("something is limited, or it is not")
    wanted = limits.Wanted(
        to_app if to_app or all_to_app else None,
        to_hub if to_hub or all_to_hub else None,
        None if leaving is None else LEAVING[leaving],
        from_now_on,
        stages if stages or all_stages else None,
    )
    if wanted == limits.Wanted():
        raise click.UsageError("name a limit with --to-app or --to-hub, or another option")

    async def work(here: Installation) -> list[Change]:
        return await limits.changed(here, name, wanted)

    confirmed(work, yes, dry_run)


@click.command(
    cls=Command, example="twofold records exclude shop-contacts ada@example.org --reason test"
)
@click.argument("sync")
@click.argument("record")
@click.option(
    "--reason",
    default="no reason given",
    show_default=True,
    help="Why; shown wherever the record is listed.",
)
@click.option("--until", default="", metavar="WHEN", help="Only until this day or time.")
@SIDE
def exclude(sync: str, record: str, reason: str, until: str, side: str | None) -> None:
    """Exclude one record and its pair by hand, or pause it with --until.

    RECORD is an id of either side, or what records are matched by, such as an e-mail address.
    Nothing is written to it on either side until it is included again; nothing is deleted.
    """
    where = None if side is None else Side(side)
    title = ask(
        lambda here: exclusions.exclude(here, sync, record, reason, until, where), writes=True
    )
    if as_json():
        reply({"excluded": title, "sync": sync, "until": until or None})
    else:
        say(f"{title} is excluded from {sync}{f' until {until}' if until else ''}.")


@click.command(cls=Command, example="twofold records include shop-contacts ada@example.org")
@click.argument("sync")
@click.argument("record")
@SIDE
def include(sync: str, record: str, side: str | None) -> None:
    """Let a record that was excluded by hand take part again; its edits meanwhile are merged."""
    where = None if side is None else Side(side)
    title = ask(lambda here: exclusions.include(here, sync, record, where), writes=True)
    if as_json():
        reply({"included": title, "sync": sync})
    else:
        say(f"{title} takes part in {sync} again, with the next run.")


def show_limits(rules: Rules) -> None:
    """Print the limits of a sync in words."""
    if rules.stages:
        say(f"  of the hub, only the stages: {', '.join(rules.stages)}")
    for side in Side:
        lines = limits.told(rules, side)
        if lines:
            say(f"  to the {side.other}, only where: {', '.join(lines).replace(', or, ', ' or ')}")
    if rules.hub_filter or rules.app_filter:
        say(f"  a record that leaves: {rules.leaving.value.replace('_', ' ')}")
    if rules.from_now_on:
        say("  from now on: what was there before takes part once it changes")
