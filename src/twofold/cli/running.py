"""``twofold sync run``: with bars while it lasts, a summary at the end, and an exit code."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from twofold.cli import failures
from twofold.cli.command import Command, as_json, ask_app
from twofold.cli.output import console, reply, say
from twofold.engine.run import Ending
from twofold.services import runs
from twofold.services.installation import Installation
from twofold.services.runs import Phase, Report


@click.command("run", cls=Command, example="twofold sync run shop-companies shop-contacts")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--all", "everything", is_flag=True, help="All syncs that are on; so is no name.")
@click.option(
    "--full",
    is_flag=True,
    help="Read everything again, and try again what is failing; what is equal is not written.",
)
@click.option("--allow-empty", is_flag=True, help="Believe a side that suddenly shows nothing.")
@click.option("--allow-creates", is_flag=True, help="Make all records, those held included.")
def run_command(
    names: Sequence[str], everything: bool, full: bool, allow_empty: bool, allow_creates: bool
) -> None:
    """Bring both sides into step, now and in both directions.

    Companies run before contacts, and contacts before deals. It can be stopped at any moment:
    nothing is lost, and the next run goes on from there.
    """
    if names and everything:
        raise click.UsageError("name syncs, or give --all")
    options = runs.Options(
        full=full, allow_empty=believer(allow_empty), allow_creates=allow_creates
    )

    async def work(here: Installation) -> list[Report]:
        syncs = runs.chosen(here, names)
        with bars() as tell:
            return [await runs.run(here, sync, options, tell) for sync in syncs]

    reports = ask_app(work, runs=True)
    if as_json():
        reply({"runs": [{**_described(report)} for report in reports]})
    else:
        for report in reports:
            _show(report)
        if not reports:
            say("No active syncs")
    raise click.exceptions.Exit(exit_code(reports))


def believer(allow_empty: bool) -> str:
    """Who believes a side that suddenly shows nothing; "" for nobody."""
    return getpass.getuser() if allow_empty else ""


def exit_code(reports: Sequence[Report]) -> int:
    """The worst of what happened."""
    endings = {report.ending for report in reports}
    if Ending.STOPPED in endings:
        return failures.ERROR
    if Ending.WAITING in endings:
        return failures.LATER
    return failures.SOME_FAILING if any(report.health.failing for report in reports) else 0


def _described(report: Report) -> dict[str, object]:
    return {
        "sync": report.sync,
        "ending": report.ending,
        "code": report.status.code,
        "sentence": report.status.sentence,
        "advice": report.advice,
        "did": report.did,
        "health": report.health,
        "started": report.started,
        "ended": report.ended,
        "retry_at": report.retry_at,
    }


def _show(report: Report) -> None:
    did = ", ".join(f"{count} {what}" for what, count in sorted(report.did.items())) or "nothing"
    say(f"{report.sync}: {report.ending.value}")
    say(f"  did: {did}")
    counts = report.health
    say(
        f"  in sync {counts.in_sync}, failing {counts.failing}, excluded {counts.excluded},"
        f" waiting {counts.waiting}"
    )
    if report.status.code:
        say(f"  {report.status.code} {report.status.sentence}")
        say(f"  {report.advice}")


@contextmanager
def bars() -> Iterator[runs.Tell]:
    """Progress on the error stream of a person's terminal; silent elsewhere."""
    if as_json() or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    tasks: dict[tuple[str, Phase], TaskID] = {}
    with Progress(*columns, console=console(errors=True), transient=True) as bars:

        def tell(progress: runs.Progress) -> None:
            key = (progress.sync, progress.phase)
            if key not in tasks:
                title = "scanned" if progress.phase is Phase.SCANNING else progress.phase.value
                tasks[key] = bars.add_task(f"{progress.sync}: {title}", total=None)
            bars.update(tasks[key], completed=progress.done, total=progress.total)

        yield tell
