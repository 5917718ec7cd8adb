"""``twofold status`` and ``twofold health``."""

from __future__ import annotations

import click

from twofold.cli.command import Command, as_json, ask
from twofold.cli.output import reply, say, table
from twofold.services import health as service
from twofold.services.health import Health, Word


@click.command(cls=Command, example="twofold status")
@click.argument("sync", default="", required=False, metavar="[SYNC]")
def status(sync: str) -> None:
    """Where every sync stands."""
    found = ask(lambda here: service.statuses(here, sync))
    if as_json():
        reply({"status": Word.NO_ACTIVE if not found else "", "syncs": found})
        return
    rows = [
        (one.sync, one.text, f"{one.code} {one.reason}".strip(), one.last_run, one.last_ending)
        for one in found
    ]
    table(("sync", "status", "why", "last run", "ended as"), rows, Word.NO_ACTIVE)
    for one in found:
        if one.advice:
            say(f"{one.sync}: {one.advice}")


@click.command(cls=Command, example="twofold health shop-contacts")
@click.argument("sync", default="", required=False, metavar="[SYNC]")
def health(sync: str) -> None:
    """How many records are in sync, failing, excluded or waiting, and why."""
    found = ask(lambda here: service.healths(here, sync))
    if as_json():
        reply({"syncs": [_described(one) for one in found]})
        return
    rows = [
        (
            one.status.sync,
            one.counts.in_sync,
            one.counts.failing,
            one.counts.excluded,
            one.counts.waiting,
            one.status.text,
        )
        for one in found
    ]
    columns = ("sync", "in sync", "failing", "excluded", "waiting", "status")
    table(columns, rows, Word.NO_ACTIVE)
    for one in found:
        _show_causes(one)


def _described(one: Health) -> dict[str, object]:
    counts = one.counts
    return {
        "sync": one.status.sync,
        "status": one.status,
        "in_sync": counts.in_sync,
        "failing": counts.failing,
        "excluded": counts.excluded,
        "waiting": counts.waiting,
        "total": counts.total,
        "failing_causes": one.failing,
        "excluded_causes": one.excluded,
        "waiting_associations": one.waiting_associations,
        "verified": one.verified,
    }


def _show_causes(one: Health) -> None:
    for title, groups in (("failing", one.failing), ("excluded", one.excluded)):
        for cause in groups:
            say(f"{one.status.sync}, {title}: {cause.count} × {cause.code} {cause.sentence}")
            say(f"  {cause.advice}")
    if one.verified is not None and one.verified.drift:
        say(f"{one.status.sync}: {one.verified.drift} pairs had drifted and were put right")
    for waiting in one.waiting_associations:
        say(f"{one.status.sync}: {waiting.sentence}")


COMMANDS = (status, health)
