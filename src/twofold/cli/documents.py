"""``twofold export``, ``validate`` and ``apply -f``: syncs as YAML; and ``sync edit``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from twofold.cli.command import Command, as_json, ask, ask_app
from twofold.cli.confirmation import confirm
from twofold.cli.output import document, reply, say
from twofold.core.errors import TwofoldError
from twofold.kit.yaml_text import MOST_BYTES, Located
from twofold.services import applying
from twofold.services.applying import Applied, Change
from twofold.services.documents import schema
from twofold.services.edits import Effect
from twofold.services.installation import Installation
from twofold.services.settings import edited


@click.command("export", cls=Command, example="twofold export shop-contacts > shop.yaml")
@click.argument("names", nargs=-1, metavar="[SYNC]…")
def export(names: Sequence[str]) -> None:
    """Write syncs as YAML, one document each; all of them where none is named.

    'twofold apply' of such a file is the same syncs again, here or elsewhere. Credentials are
    never in it.
    """
    text = ask(lambda here: applying.exported(here, names))
    if as_json():
        reply({"yaml": text})
    else:
        click.echo(text, nl=False)


@click.command("validate", cls=Command, example="twofold validate -f shop.yaml")
@click.option("-f", "--file", "path", metavar="FILE", help="A YAML file; - is the input.")
@click.option("--schema", "wants_schema", is_flag=True, help="Print the JSON Schema instead.")
def validate(path: str | None, wants_schema: bool) -> None:
    """Check the syncs of a YAML file, and save nothing.

    Every problem is named with its line, its code and what to do. The apps are asked what fields
    they have.
    """
    if wants_schema:
        click.echo(document(schema()))
        return
    if path is None:
        raise click.UsageError("name a file with -f, or give --schema")
    data = _contents(path)
    changes = ask_app(lambda here: applying.checked(here, data, path))
    if as_json():
        reply({"syncs": [planned(change) for change in changes]})
        return
    for change in changes:
        for warning in change.warnings:
            say(_line(path, warning))
    say(f"{path}: {len(changes)} sync(s), nothing wrong.")


def apply_documents(path: str, yes: bool, dry: bool) -> None:
    """Make and edit the syncs of a file, once a person has seen what that means."""
    data = _contents(path)
    confirmed(lambda here: applying.checked(here, data, path), yes, dry)


@click.command("edit", cls=Command, example="twofold sync edit shop-contacts --set region=NL")
@click.argument("name")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting, with the keys and values of 'twofold export'.",
)
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="HUBFIELD=APPFIELD[:to-hub|:to-app]",
    help="Map two fields; takes the place of a mapping of either.",
)
@click.option("--without", multiple=True, metavar="HUBFIELD", help="Map this field no longer.")
@click.option("--dry-run", is_flag=True, help="Only tell what it would mean.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def edit(
    name: str,
    settings: Sequence[str],
    maps: Sequence[str],
    without: Sequence[str],
    dry_run: bool,
    yes: bool,
) -> None:
    """Change the rules of a sync, also of one that runs.

    It says first how many records start, stop or change. Only these are looked at again; nothing
    else is read, compared or written anew.
    """

    async def work(here: Installation) -> list[Change]:
        return await edited(here, name, settings, maps, without)

    confirmed(work, yes, dry_run)


def confirmed(work: Any, yes: bool, dry: bool) -> None:
    """Work out some changes, tell what they mean, and apply them with a person's yes."""

    async def seen(here: Installation) -> tuple[list[Change], list[Effect | None]]:
        found: list[Change] = await work(here)
        return found, applying.effects(here, found)

    changes, effects = ask_app(seen)
    if dry:
        show_planned(changes, effects)
        return
    live = [c for c in changes if c.old is not None and c.needed]
    if live and not yes:
        if not as_json():
            show_planned(changes, effects)
        confirm("change " + ", ".join(change.name for change in live), yes)
    done = ask(lambda here: applying.applied(here, changes), writes=True)
    if as_json():
        reply({"syncs": [_done(one) for one in done]})
        return
    for one in done:
        show_done(one)


def _contents(path: str) -> bytes:
    """What a file holds, at most one byte more than a document may have."""
    if path == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        with Path(path).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no path"
        raise TwofoldError("TF-Y11", path=path, reason=reason) from error


def planned(change: Change, effect: Effect | None = None) -> dict[str, Any]:
    """What a change is about to do, as JSON."""
    does = "make" if change.old is None else "edit" if change.needed else "nothing"
    found: dict[str, Any] = {
        "name": change.name,
        "does": does,
        "warnings": list(map(_problem, change.warnings)),
    }
    return found if effect is None else {**found, "effect": effect}


def show_planned(changes: Sequence[Change], effects: Sequence[Effect | None]) -> None:
    """Tell what changes would do."""
    if as_json():
        pairs = zip(changes, effects, strict=True)
        reply({"syncs": [planned(change, effect) for change, effect in pairs]})
        return
    for change, effect in zip(changes, effects, strict=True):
        if change.old is None:
            say(f"{change.name}: is made, {'on' if change.enabled else 'off'}.")
        elif not change.needed:
            say(f"{change.name}: stays as it is.")
        else:
            say(f"{change.name}: changes.")
            _show_effect(effect)


def _show_effect(effect: Effect | None) -> None:
    if effect is None:
        return
    say(
        f"  records that start: {effect.starts}, that stop: {effect.stops},"
        f" that change: {effect.changes}, that are looked at again: {effect.again}"
    )
    if effect.archives:
        say(f"  twins that will be archived: {effect.archives}")
    if effect.unread:
        say(f"  read for the first time with the next run: {', '.join(effect.unread)}")


def show_done(one: Applied) -> None:
    """Tell what became of a change."""
    ends = {"made": "is made", "edited": "is changed", "unchanged": "is as it was"}
    say(f"{one.name} {ends[one.did]}; it is {'on' if one.enabled else 'off'}.")
    _show_effect(one.effect)
    for warning in one.warnings:
        say(f"{warning.code} {warning.sentence}")


def _done(one: Applied) -> dict[str, Any]:
    return {
        "name": one.name,
        "did": one.did,
        "enabled": one.enabled,
        "effect": one.effect,
        "warnings": list(map(_problem, one.warnings)),
    }


def _problem(problem: Located) -> dict[str, Any]:
    return {"code": problem.code, "sentence": problem.sentence, "line": problem.line}


def _line(path: str, problem: Located) -> str:
    return f"{path}:{problem.line}: {problem.code} {problem.sentence}"


COMMANDS = (export, validate)
