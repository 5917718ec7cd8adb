"""``twofold run``: what happened before."""

from __future__ import annotations

import click

from twofold.cli.command import Group, as_json, ask
from twofold.cli.output import reply, table
from twofold.services import runs
from twofold.services.writer import writer_of
from twofold.store.syncs import Run, Sync


@click.group(cls=Group, example="twofold run list")
def run() -> None:
    """The runs so far."""


@run.command("list", example="twofold run list shop-contacts --limit 5")
@click.argument("sync", default="", required=False, metavar="[SYNC]")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def list_(sync: str, limit: int) -> None:
    """List the latest runs, newest first."""
    latest, writer = ask(
        lambda here: (runs.latest(here, sync, limit), writer_of(here.folder) is not None)
    )
    if as_json():
        reply({"runs": [_described(its_sync, line, writer) for its_sync, line in latest]})
        return
    rows = [
        (
            its_sync.name,
            line.started,
            line.ended or "",
            _ending(line, writer),
            line.summary.get("code", ""),
            ", ".join(f"{count} {what}" for what, count in _did(line).items()),
        )
        for its_sync, line in latest
    ]
    table(("sync", "started", "ended", "ending", "code", "did"), rows, "No run so far.")


def _described(sync: Sync, line: Run, writer: bool) -> dict[str, object]:
    return {
        "id": line.id,
        "sync": sync.name,
        "started": line.started,
        "ended": line.ended,
        "ending": _ending(line, writer),
        "code": line.summary.get("code", ""),
        "did": _did(line),
    }


def _ending(line: Run, writer: bool) -> str:
    """A run without an end goes on, or its process was killed."""
    return str(line.summary.get("ending", "running" if writer else "killed"))


def _did(line: Run) -> dict[str, int | str]:
    return {what: n for what, n in line.summary.items() if what not in {"ending", "code"}}


COMMANDS = (run,)
