"""``twofold records`` and ``twofold explain``."""

from __future__ import annotations

import click

from twofold.cli.command import Command, Group, as_json, ask, ask_app
from twofold.cli.limits import exclude, include
from twofold.cli.output import reply, say, shown, table
from twofold.core.health import State
from twofold.core.records import Side
from twofold.services import explain as explaining
from twofold.services import records as service
from twofold.services import requests

_TITLES = {
    State.FAILING: ("failing", "Records with an error, and what to do about it."),
    State.EXCLUDED: ("excluded", "Records that do not take part, and why."),
    State.IN_SYNC: ("in-sync", "Pairs on which both sides agree."),
    State.WAITING: ("waiting", "Records that were read and wait for their turn."),
}


@click.group(cls=Group, example="twofold records failing")
def records() -> None:
    """Records by where they stand; each counts exactly once."""


def _listing(state: State) -> Command:
    name, help_text = _TITLES[state]

    @click.command(name, cls=Command, help=help_text, example=f"twofold records {name} --limit 20")
    @click.option("--sync", default="", help="Only of this sync.")
    @click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
    @click.option("--after", default="", help="Go on where the page before ended.")
    def listing(sync: str, limit: int, after: str) -> None:
        found = ask(lambda here: service.page(here, state, sync, after, limit))
        if as_json():
            reply({"records": [_described(line) for line in found.lines], "next": found.next})
            return
        rows = [
            (
                line.sync,
                line.hub_id or "",
                line.app_id or "",
                line.name,
                "; ".join(f"{issue.code} {issue.sentence}" for issue in line.issues),
            )
            for line in found.lines
        ]
        table(("sync", "hub id", "app id", "name", "why"), rows, "None.")
        if found.next is not None:
            say(f"There are more: --after {found.next}")

    return listing


for _state in _TITLES:
    records.add_command(_listing(_state))


@records.command(
    "retry",
    example="""twofold records retry shop-contacts --code TF-R03
    twofold records retry shop-contacts 117 --side app""",
)
@click.argument("sync")
@click.argument("record", default="", required=False)
@click.option("--side", type=click.Choice([side.value for side in Side]), help="Of that id.")
@click.option("--code", default="", help="Only those with this cause.")
def retry(sync: str, record: str, side: str | None, code: str) -> None:
    """Try failing records again with the next run: one by its id, those of a cause, or all."""
    where = None if side is None else Side(side)
    number = ask(
        lambda here: requests.retry(here, sync, record=record, side=where, code=code), writes=True
    )
    if as_json():
        reply({"records": number})
    else:
        say(f"{number} record(s) are tried again with the next run.")


records.add_command(exclude)
records.add_command(include)


@click.command(cls=Command, example="twofold explain shop-contacts ada@example.org")
@click.argument("sync")
@click.argument("record")
@click.option(
    "--side",
    type=click.Choice([side.value for side in Side]),
    help="Where RECORD is an id; both are looked at otherwise.",
)
def explain(sync: str, record: str, side: str | None) -> None:
    """Explain what is done with one record, and why.

    RECORD is an id of either side, or what records are matched by, such as an e-mail address.
    Nothing is written and no app is called.
    """
    where = None if side is None else Side(side)
    found = ask_app(lambda here: explaining.explain(here, sync, record, where))
    if as_json():
        reply({"records": found})
        return
    for one in found:
        _show(one)


def _described(line: service.Line) -> dict[str, object]:
    issues = [
        {"code": i.code, "sentence": i.sentence, "field": i.field, "advice": i.advice, "raw": i.raw}
        for i in line.issues
    ]
    return {
        "sync": line.sync,
        "state": line.state,
        "hub_id": line.hub_id,
        "app_id": line.app_id,
        "name": line.name,
        "issues": issues,
        "candidates": line.candidates,
    }


def _show(one: explaining.Explanation) -> None:
    say(f"{one.name or 'A record'}: hub {one.hub_id or '-'}, app {one.app_id or '-'}: {one.state}")
    say(f"  filter: {one.filter}")
    say(f"  match: {one.match}")
    for issue in one.issues:
        say(f"  {issue.code} {issue.sentence}")
    rows = [
        (
            line.field,
            shown(line.hub),
            shown(line.app),
            line.reason,
            "" if line.to is None else f"write {shown(line.value)} to the {line.to}",
        )
        for line in one.fields
    ]
    table(("field", "hub", "app", "because", "then"), rows, "No field is mapped.")
    say(f"  next: {one.next}")


COMMANDS = (records, explain)
