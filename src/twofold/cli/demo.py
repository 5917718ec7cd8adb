"""``twofold demo``: everything once, on data of its own making."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.rule import Rule
from rich.status import Status
from rich.table import Table
from rich.text import Text

from twofold.app import installation
from twofold.cli.command import Command, as_json, named_folder
from twofold.cli.output import console, plain, reply
from twofold.core.errors import TwofoldError
from twofold.demo import story, telling
from twofold.demo.telling import Chapter
from twofold.services.writer import only_writer

FOLDER = ".demo"
_NEXT = ("health", "records failing", "hub records list contact --limit 5", "run list")


@click.command(cls=Command, example="twofold demo --data .demo")
@click.option("--small", is_flag=True, help="Only the hub and a shop: no CardDAV server.")
def demo(small: bool) -> None:
    """See it work: a hub, a CardDAV address book and a shop, brought and kept in step.

    Everything is made up and stays on this machine, in the folder .demo unless --data names
    another. It ends with an error where what it claims does not hold.
    """
    folder = (named_folder() or Path(FOLDER)).absolute()
    listener = _Heard() if as_json() else _Shown(console())
    began = time.monotonic()
    story.prepare(folder)
    with (
        only_writer(folder),
        story.server(folder, small=small) as book,
        installation(folder) as here,
    ):
        told = story.Story(here, book, listener)
        asyncio.run(told.tell())
    if as_json():
        reply({"chapters": listener.chapters, "failed": told.failed})
    else:
        _end(console(), folder, time.monotonic() - began)
    if told.failed:
        raise TwofoldError("TF-U30", count=told.failed)


class _Heard:
    """Keeps all chapters, for one JSON document."""

    def __init__(self) -> None:
        self.chapters: list[Chapter] = []

    def begin(self, title: str) -> None:
        """Nothing to show yet."""

    def end(self, chapter: Chapter) -> None:
        """Keep it."""
        self.chapters.append(chapter)


class _Shown(_Heard):
    """Shows each chapter on the terminal as soon as it is complete."""

    def __init__(self, out: Console) -> None:
        super().__init__()
        self._out = out
        self._busy: Status | None = None

    def begin(self, title: str) -> None:
        """Say what is under way."""
        self._out.print(Rule(Text(title, "bold"), align="left", style="cyan"))
        self._busy = self._out.status("at work") if self._out.is_terminal else None
        if self._busy:
            self._busy.start()

    def end(self, chapter: Chapter) -> None:
        """Show what happened."""
        super().end(chapter)
        if self._busy:
            self._busy.stop()
        for made in map(_table, chapter.tables):
            self._out.print(made)
        for line in chapter.lines:
            self._out.print(Text(plain(line)))
        for check in chapter.checks:
            self._out.print(_verdict(check))
        self._out.print()


def _table(given: telling.Table) -> Table:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for number, title in enumerate(given.columns):
        counts = all(isinstance(row[number], int) for row in given.rows)
        made.add_column(title, justify="right" if counts else "left", overflow="fold")
    for row in given.rows:
        made.add_row(*(_cell(cell) for cell in row))
    return made


def _cell(cell: str | int) -> Text:
    return Text(plain(str(cell)), "dim" if cell == 0 else "")


def _verdict(check: telling.Check) -> Text:
    mark, style = ("ok   ", "green") if check.holds else ("WRONG", "bold red")
    found = f": {check.found}" if check.found else ""
    return Text.assemble((mark, style), "  ", plain(check.claim + found))


def _end(out: Console, folder: Path, seconds: float) -> None:
    out.print(Rule(Text("Look around", "bold"), align="left", style="cyan"))
    out.print(f"Done in {seconds:.1f} seconds. The hub, the shop and the state are in {folder}:")
    where = Path(FOLDER) if folder == Path(FOLDER).absolute() else folder
    for words in _NEXT:
        out.print(Text(f"  {_program()} {words} --data {where}", "bold"))


def _program() -> str:
    """How to call this program again: by its path where the shell does not find it."""
    called = Path(sys.argv[0])
    if shutil.which("twofold") or called.name != "twofold":
        return "twofold"
    return str(called)


COMMANDS = (demo,)
