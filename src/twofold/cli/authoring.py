"""``twofold connector``: for people who write one."""

from __future__ import annotations

from pathlib import Path

import click

from twofold.cli.command import Group, as_json
from twofold.cli.output import reply, say
from twofold.core.errors import TwofoldError
from twofold.services import authoring


@click.group("connector", cls=Group, example="twofold connector new acme")
def connector() -> None:
    """Write a connector of your own, and have it checked."""


@connector.command(example="twofold connector new acme")
@click.argument("name")
@click.option("--in", "folder", default=".", type=click.Path(path_type=Path), help="Where to.")
def new(name: str, folder: Path) -> None:
    """Make a package with a connector that works: change it into yours."""
    made = authoring.new(name, folder)
    if as_json():
        reply({"files": [str(path) for path in made]})
        return
    for path in made:
        say(f"made {path}")
    say(f"Install it with 'pip install -e twofold-{name}'; then 'twofold connector check {name}'.")


@connector.command(example="twofold connector check acme")
@click.argument("name")
def check(name: str) -> None:
    """Run the conformance suite on an installed connector, and read its quality file."""
    found = authoring.check(name)
    if as_json():
        reply(found)
    else:
        say(found.listing)
        todo = [rule for rule, standing in found.quality.items() if standing == "todo"]
        say(f"{len(found.passed)} passed, {len(found.failed)} failed")
        for line in found.failed:
            say(f"  failed {line}")
        for line in found.problems:
            say(f"  quality file: {line}")
        say(f"to do, by its quality file: {', '.join(todo) or 'nothing'}")
    count = len(found.failed) + len(found.problems)
    if count and not as_json():
        raise TwofoldError("TF-A13", name=name, count=count)
    if count:
        raise SystemExit(1)


COMMANDS = (connector,)
