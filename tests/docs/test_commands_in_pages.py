"""Every command that a page shows is one that the command line understands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from tools.tree import ROOT

from twofold.cli.root import twofold

BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def shown(page: str) -> list[str]:
    """The command lines of a page: in blocks, and in running text where they name a command."""
    blocks = re.findall(r"^```(?:console|sh)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    inline = re.findall(r"`([^`\n]+)`", BLOCK.sub("", page))
    return [line for line in (*lines, *inline) if re.match(r"(?:\S*/)?twofold [a-z]", line)]


def understood(line: str) -> None:
    """Raise click's UsageError where the program would; words in capitals stand for anything."""
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = twofold
    path = []
    while isinstance(command, click.Group) and words:
        path.append(words.pop(0))
        found = command.get_command(click.Context(command), path[-1])
        if found is None:
            raise click.UsageError(f"no command {' '.join(path)}")
        command = found
    if words:
        try:
            command.make_context(path[-1], list(words))
        except click.MissingParameter:
            raise
        except click.BadParameter:
            if not any(word.isupper() for word in words):
                raise


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_shows_commands_that_exist(page: Path) -> None:
    for line in shown(page.read_text()):
        try:
            understood(line)
        except click.UsageError as error:
            pytest.fail(f"{line}: {error.format_message()}")


def test_commands_are_found() -> None:
    found = [line for page in PAGES for line in shown(page.read_text())]
    assert len(found) > 60
    assert "twofold sync run shop-contacts" in found


@pytest.mark.parametrize(
    "line",
    [
        "twofold synch run",
        "twofold sync run --fast",
        "twofold sync x",
        "twofold hub client make NAME",
        "twofold connection reserve shop --share much",
    ],
)
def test_what_does_not_exist_is_caught(line: str) -> None:
    with pytest.raises(click.UsageError):
        understood(line)
