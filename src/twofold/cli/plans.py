"""``twofold plan``, and ``twofold apply`` of a saved plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from twofold.cli.command import Command, as_json, ask_app
from twofold.cli.documents import apply_documents
from twofold.cli.output import plain, reply, say
from twofold.cli.running import bars, believer, exit_code
from twofold.core.codes import CODES
from twofold.core.errors import sentence
from twofold.engine.parts import Kind
from twofold.services import previews
from twofold.services.installation import Installation
from twofold.services.previews import Carried, Header, Line
from twofold.services.runs import Options

_WORDS = {
    Kind.CREATE: "to create",
    Kind.UPDATE: "to update",
    Kind.LINK: "to link",
    Kind.AMBIGUOUS: "ambiguous",
    Kind.EXCLUDE: "to exclude",
    Kind.FAIL: "to fail",
    Kind.AGREE: "in agreement again",
    Kind.REMOVE: "to remove",
}


@click.command("plan", cls=Command, example="twofold plan shop-contacts -o contacts.plan")
@click.argument("names", nargs=-1, metavar="[SYNC]…")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Save the plan, for 'twofold apply FILE'. It holds personal values.",
)
@click.option(
    "--limit",
    type=click.IntRange(0, 100_000),
    default=20,
    show_default=True,
    help="How many records to show here.",
)
@click.option("--full", is_flag=True, help="Plan a run with --full.")
@click.option("--allow-empty", is_flag=True, help="Believe a side that suddenly shows nothing.")
def plan(
    names: Sequence[str], output: Path | None, limit: int, full: bool, allow_empty: bool
) -> None:
    """Show what a run would do, and write to no app.

    Both sides are read, and the run is rehearsed over a copy of the state: exact counts, and every
    record and value that would be created, updated, linked, left ambiguous, excluded or refused.
    A sync that is off is planned as if it were on.
    """
    options = Options(full=full, allow_empty=believer(allow_empty))

    async def work(here: Installation) -> tuple[Header, list[Line]]:
        with bars() as tell:
            return await previews.plan(here, names, output, options, tell, limit)

    header, lines = ask_app(work, writes=True)
    if as_json():
        reply({"plan": header, "parts": lines})
        return
    for one in header.syncs:
        counts = [f"{one.counts[kind]} {_WORDS[kind]}" for kind in Kind if kind in one.counts]
        say(f"{one.sync}: {', '.join(counts) or 'nothing to do'}")
        for code, number in sorted(one.reasons.items()):
            say(f"  {number} x {code}: {_hint(code)}")
        if one.status:
            say(f"  It would stop: {one.status}")
    for line in lines:
        _show(line)
    if output is not None:
        say(f"Saved; carry it out with 'twofold apply {output}'.")


def _hint(code: str) -> str:
    entry = CODES.get(code)
    return "" if entry is None else entry.advice


def _show(line: Line) -> None:
    part = line.part
    ends = " = ".join(
        f"{side} {end}" for side, end in (("hub", part.hub), ("app", part.app)) if end is not None
    )
    say(f"{line.sync}: {part.kind.value} {ends}")
    for write in part.writes:
        for change in write.fields:
            before = "" if change.before is None else f"{_value(change.before)} -> "
            say(f"    {write.side.value} {change.field}: {before}{_value(change.after)}")
        for end in write.associate:
            say(f"    {write.side.value} {end.association}: with the twin of {end.twin}")
        for name, far in write.dissociate:
            say(f"    {write.side.value} {name}: no longer with {far}")
    for code, text in part.reasons:
        say(f"    {code} {text}")


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return plain(str(next(iter(value.values()), "")))
    return plain(str(value))


@click.command("apply", cls=Command, example="twofold apply contacts.plan")
@click.argument("plan_file", required=False, type=click.Path(path_type=Path), metavar="[PLAN]")
@click.option("-f", "--file", "path", metavar="FILE", help="A YAML file of syncs; - is the input.")
@click.option("--dry-run", is_flag=True, help="With -f: only tell what it would mean.")
@click.option("--yes", is_flag=True, help="With -f: do not ask.")
@click.option("--allow-empty", is_flag=True, help="Believe a side that suddenly shows nothing.")
def apply(
    plan_file: Path | None, path: str | None, dry_run: bool, yes: bool, allow_empty: bool
) -> None:
    """Carry out a saved plan; or, with -f, make or edit the syncs of a YAML file.

    A plan: both sides are read again, and exactly what the plan says is done. What moved since, or
    would be decided otherwise now, is refused and counted; the next run does it.

    A YAML file: a sync is turned on or off where its document says so under 'enabled'; a new one
    is off otherwise. Everything is checked before anything is saved.
    """
    if (plan_file is None) is (path is None):
        raise click.UsageError("name a saved plan, or a YAML file with -f")
    if path is not None:
        apply_documents(path, yes, dry_run)
        return
    saved = plan_file or Path()

    async def work(here: Installation) -> list[Carried]:
        with bars() as tell:
            options = Options(allow_empty=believer(allow_empty))
            return await previews.carry_out(here, saved, options, tell)

    done = ask_app(work, writes=True)
    if as_json():
        reply({"syncs": [_described(one) for one in done]})
    else:
        for one in done:
            _show_carried(one)
    raise click.exceptions.Exit(exit_code([one.report for one in done]))


def _described(one: Carried) -> dict[str, object]:
    report = one.report
    return {
        "sync": report.sync,
        "ending": report.ending,
        "code": report.status.code,
        "did": report.did,
        "done": one.done,
        "refused": one.refused,
        "left": one.left,
    }


def _show_carried(one: Carried) -> None:
    refused = sum(one.refused.values())
    say(f"{one.report.sync}: {one.done} part(s) done, {refused} not, {one.left} not in the plan")
    for code, number in sorted(one.refused.items()):
        say(f"  {number} x {code} {sentence(code, {})}")
    if one.report.status.code:
        say(f"  {one.report.status.code} {one.report.status.sentence}")


COMMANDS = (plan, apply)
