"""``twofold connect`` and ``twofold connection``: the accounts of apps."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

import click

from twofold.cli.command import Command, Group, as_json, ask, ask_app
from twofold.cli.confirmation import confirm
from twofold.cli.output import reply, say, table
from twofold.kit.contract import Question
from twofold.services import apps, connections

_SET = click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="The answer to a question; NAME=- reads it from standard input. Secrets are safer there,"
    " or in the environment as TWOFOLD_SECRET_NAME.",
)


@click.command(
    cls=Command,
    example="twofold connect carddav --set url=https://dav.example.org --set user=ada"
    " --set password=-",
)
@click.argument("app")
@click.option("--label", default="", help="The connection's name; the app's name otherwise.")
@_SET
def connect(app: str, label: str, given: Sequence[str]) -> None:
    """Connect an account of APP, after a real call with the answers.

    What is missing is asked. A refusal saves nothing.
    """
    questions = apps.one(app).questions
    answers = _answers(questions, given)
    if connections.missing(app, answers) and sys.stdin.isatty():
        answers |= _asked([q for q in questions if not answers.get(q.name)])
    made = ask_app(lambda here: connections.connect(here, app, answers, label), writes=True)
    _show(made, f"Connected {made.label}: {made.account}")


@click.group(cls=Group, example="twofold connection list")
def connection() -> None:
    """The connected accounts."""


@connection.command("list", example="twofold connection list")
def list_() -> None:
    """List all connections, the hub first."""
    found = ask(connections.every)
    if as_json():
        reply({"connections": found})
        return
    rows = [(c.label, c.app, c.account, ", ".join(c.syncs), _use(c)) for c in found]
    heads = ("connection", "app", "account", "syncs", "requests today")
    table(heads, rows, "Nothing is connected.")


@connection.command(example="twofold connection show shop")
@click.argument("label")
def show(label: str) -> None:
    """Show a connection and the object types that it offers now. Secrets are never shown."""
    found = ask(lambda here: connections.one(here, label))
    types = ask_app(lambda here: connections.object_types(here, label))
    if as_json():
        reply({"connection": found, "object_types": types})
        return
    _show(found, f"{found.label}: {found.app}, {found.account}")
    rows = [
        (
            t.name,
            t.label,
            t.feed.value,
            ", ".join(sorted(op.value for op in t.ops)) or "read only",
            ", ".join(field.name for field in t.fields),
        )
        for t in types
    ]
    table(("object type", "label", "changes by", "writes", "fields"), rows, "No object types.")


@connection.command("test", example="twofold connection test shop")
@click.argument("label")
def test_(label: str) -> None:
    """Call the app with the stored answers."""
    identity = ask_app(lambda here: connections.test(here, label))
    if as_json():
        reply({"account": identity.account, "label": identity.label, "works": True})
    else:
        say(f"{label} works: {identity.label}")


@connection.command(example="twofold connection reconnect book --set password=-")
@click.argument("label")
@_SET
def reconnect(label: str, given: Sequence[str]) -> None:
    """Give new answers, such as a changed password; mappings and links are kept."""
    found = ask(lambda here: connections.one(here, label))
    questions = apps.one(found.app).questions
    answers = _answers(questions, given)
    if not answers and sys.stdin.isatty():
        answers = _asked([q for q in questions if q.secret])
    made = ask_app(lambda here: connections.reconnect(here, label, answers), writes=True)
    _show(made, f"Connected {made.label} again: {made.account}")


@connection.command(example="twofold connection rename sql shop")
@click.argument("label")
@click.argument("new_label")
def rename(label: str, new_label: str) -> None:
    """Give a connection another name."""
    made = ask(lambda here: connections.rename(here, label, new_label), writes=True)
    _show(made, f"{label} is now {made.label}")


@connection.command(example="twofold connection poll shop --every 60")
@click.argument("label")
@click.option(
    "--every",
    type=click.FloatRange(5, 86_400),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="From the end of one poll to the next one.",
)
def poll(label: str, every: float) -> None:
    """Set how many seconds pass between two polls of an app, while the service runs.

    While somebody is at work it is polled more often, every five seconds at most.
    """
    made = ask(lambda here: connections.poll_every(here, label, every), writes=True)
    _show(made, f"{label} is polled every {every:g} seconds")


@connection.command(example="twofold connection reserve hubspot --share 30")
@click.argument("label")
@click.option(
    "--share", type=click.IntRange(0, 90), default=20, show_default=True, help="In percent."
)
def reserve(label: str, share: int) -> None:
    """Leave a share of what an app allows per day to others who use the same account.

    It matters where the app has a limit per day.
    """
    made = ask(lambda here: connections.reserve(here, label, share / 100), writes=True)
    _show(made, f"{share} percent of what {label} allows per day is left to others")


@connection.command(example="twofold connection remove shop --with-syncs --yes")
@click.argument("label")
@click.option("--with-syncs", is_flag=True, help="Delete the syncs that use it, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(label: str, with_syncs: bool, yes: bool) -> None:
    """Forget a connection, its credentials and what was read; no app is touched."""
    going = ask(lambda here: connections.contents(here, label))
    syncs = f" and the sync(s) {', '.join(going.syncs)}" if going.syncs and with_syncs else ""
    confirm(f"forget {label}, {going.records} remembered record(s){syncs}", yes)
    gone = ask(lambda here: connections.remove(here, label, with_syncs=with_syncs), writes=True)
    if as_json():
        reply({"removed": gone})
    else:
        say(f"Removed {label}{syncs}.")


def _answers(questions: Sequence[Question], given: Sequence[str]) -> dict[str, str]:
    """The answers on the command line and in the environment."""
    answers = _from_environment(questions, os.environ)
    for item in given:
        name, equals, value = item.partition("=")
        if not equals:
            raise click.UsageError(f"--set {item} is not of the form NAME=VALUE")
        answers[name] = sys.stdin.readline().rstrip("\r\n") if value == "-" else value
    return answers


def _from_environment(
    questions: Sequence[Question], environment: Mapping[str, str]
) -> dict[str, str]:
    names = {q.name: f"TWOFOLD_SECRET_{q.name.upper()}" for q in questions if q.secret}
    return {name: environment[key] for name, key in names.items() if key in environment}


def _asked(questions: Sequence[Question]) -> dict[str, str]:
    return {
        q.name: click.prompt(
            f"{q.label}{f' (such as {q.example})' if q.example else ''}"
            f"{', empty for none' if q.optional else ''}",
            hide_input=q.secret,
            default="" if q.optional else None,
            show_default=False,
        )
        for q in questions
    }


def _use(found: connections.Shown) -> str:
    """Requests of today, and how many there may be."""
    if found.per_day is None:
        return str(found.requests) if found.requests else ""
    return f"{found.requests} of {found.per_day * (1 - found.reserve):.0f}"


def _show(found: connections.Shown, headline: str) -> None:
    if as_json():
        reply({"connection": found})
        return
    say(headline)
    for name, value in found.settings.items():
        say(f"  {name}: {value}")
    for name in found.hidden:
        say(f"  {name}: stored, never shown")


COMMANDS = (connect, connection)
