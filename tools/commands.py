"""The text of docs/reference/commands.md, from the command line itself."""

from __future__ import annotations

from collections.abc import Iterator

import click

from twofold.cli.command import EXIT_CODES, Command
from twofold.cli.root import twofold

INTRODUCTION = """# Commands

Made by `make reference` from `src/twofold/cli/`. Every command also takes `--data DIR` (or
`TWOFOLD_DATA`), `--json` and `--help`.

**Exit codes:** {codes}.
"""
_EVERYWHERE = {"data", "json", "help"}


def commands_page() -> str:
    """The whole page."""
    parts = [INTRODUCTION.format(codes=EXIT_CODES)]
    parts += [_entry(path, command) for path, command in _leaves(twofold, ("twofold",))]
    return "\n".join(parts)


def _leaves(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _leaves(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def _entry(path: str, command: click.Command) -> str:
    arguments = [_needed(parameter) for parameter in command.params if _is_needed(parameter)]
    options = [p for p in command.params if isinstance(p, click.Option)]
    own = [_option(option) for option in options if option.name not in _EVERYWHERE]
    lines = [f"## {path}\n", f"`{' '.join([path, *arguments])}`\n", _prose(command)]
    lines += ["", *own] if own else []
    if isinstance(command, Command):
        lines += ["", "```console", f"$ {command.example}", "```"]
    return "\n".join(lines) + "\n"


def _is_needed(parameter: click.Parameter) -> bool:
    return parameter.required or isinstance(parameter, click.Argument)


def _needed(parameter: click.Parameter) -> str:
    values = parameter.make_metavar(click.Context(click.Command("")))
    if isinstance(parameter, click.Argument):
        return values
    return f"{parameter.opts[0]} {values.replace(' ', '_')}"


def _prose(command: click.Command) -> str:
    return " ".join((command.help or "").split())


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    values = option.make_metavar(click.Context(click.Command(""))) if not option.is_flag else ""
    value = f" `{values}`" if values else ""
    return f"- {names}{value} {option.help or ''}".rstrip()
