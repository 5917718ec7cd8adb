"""What all commands share: two options that may stand anywhere, an example, coded errors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from twofold.app import installation, prepare
from twofold.cli import failures
from twofold.services.installation import Installation
from twofold.services.writer import only_writer, server_runs

T = TypeVar("T")

_FOLDER, _JSON = "twofold.folder", "twofold.json"
EXIT_CODES = (
    "0 done · 1 an error, or a person is asked · 2 a command that cannot be understood"
    " · 3 try again later · 4 done, and some records are failing · 130 interrupted"
)


def data_folder() -> Path:
    """The folder of this command: --data, TWOFOLD_DATA, or the user's own data folder."""
    given = click.get_current_context().meta.get(_FOLDER) or os.environ.get("TWOFOLD_DATA")
    if given:
        return Path(given).expanduser().absolute()
    # https://specifications.freedesktop.org/basedir-spec/latest/
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser().absolute() / "twofold"


def named_folder() -> Path | None:
    """The folder that --data names in this command, if it does."""
    given = click.get_current_context().meta.get(_FOLDER)
    return Path(given).expanduser() if given else None


def as_json() -> bool:
    """Whether this command answers in JSON."""
    return bool(click.get_current_context().meta.get(_JSON))


def ask(work: Callable[[Installation], T], *, writes: bool = False, runs: bool = False) -> T:
    """Call a service with the installation.

    ``writes``: as the only writer, or beside the service, whose runs begin again where what they
    know is changed; ``runs``: it runs syncs itself, which the service does not allow beside it.
    """
    folder = data_folder()
    with ExitStack() as held:
        if runs or (writes and not server_runs(folder)):
            prepare(folder)
            held.enter_context(only_writer(folder))
        return work(held.enter_context(installation(folder)))


def ask_app(
    work: Callable[[Installation], Coroutine[Any, Any, T]],
    *,
    writes: bool = False,
    runs: bool = False,
) -> T:
    """Call a service that calls an app. Ctrl-C cancels it between two effects."""
    return ask(lambda here: asyncio.run(work(here)), writes=writes, runs=runs)


class Command(click.Command):
    """A command that takes --data and --json, and shows an example."""

    def __init__(self, *args: Any, example: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.example = example
        self.params += _everywhere()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The example, and what the exit code means."""
        _epilog(self.example, formatter)


class Group(click.Group):
    """A group of commands that takes --data and --json too."""

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, example: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.example = example
        self.params += _everywhere()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The example, and what the exit code means."""
        _epilog(self.example, formatter)


class Root(Group):
    """The whole program: whatever goes wrong in it ends as one coded error."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> NoReturn:
        """Run, and leave with an exit code; never with a traceback."""
        given = list(args) if args is not None else None
        options["standalone_mode"] = False
        with failures.reported(given):
            code = super().main(given, *rest, **options)
        raise SystemExit(code if isinstance(code, int) else 0)


def _epilog(example: str, formatter: click.HelpFormatter) -> None:
    if example:
        with formatter.section("Example"):
            for line in example.strip().splitlines():
                formatter.write(f"{'':{formatter.current_indent}}{line.strip()}\n")
    with formatter.section("Exit codes"):
        formatter.write_text(EXIT_CODES)


def _everywhere() -> list[click.Parameter]:
    """Made anew for each command: click keeps them in its own lists."""
    return [
        click.Option(
            ["--data"],
            type=click.Path(path_type=Path),
            metavar="DIR",
            expose_value=False,
            callback=_remember(_FOLDER),
            is_eager=True,
            help="The data folder (or TWOFOLD_DATA); ~/.local/share/twofold where none is named.",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_remember(_JSON),
            is_eager=True,
            help="Answer with one JSON document.",
        ),
    ]


def _remember(key: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def remember(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            context.meta[key] = value
            failures.note(key, value)

    return remember
