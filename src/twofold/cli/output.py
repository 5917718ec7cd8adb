"""What commands print: tables for people, one JSON document for programs.

Whatever comes from an app is shown without its control characters: a name must not move a
terminal's cursor.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from twofold.core.values import Value

_PIPED_WIDTH = 160


def plain(text: str) -> str:
    """Text that is safe to show: one line, without control or formatting characters."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def shown(value: Value) -> str:
    """A value for people."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "; ".join(map(shown, value))
    if isinstance(value, date | datetime):
        return value.isoformat()
    return plain(f"{value:f}" if isinstance(value, Decimal) else str(value))


def document(answer: Any) -> str:
    """One JSON document, in ASCII, so that any terminal and any text can carry it."""
    return json.dumps(msgspec.to_builtins(answer, builtin_types=_AS_THEY_ARE), default=_value)


def reply(answer: Any) -> None:
    """Print one JSON document."""
    click.echo(document(answer))


def say(text: str) -> None:
    """Print a sentence."""
    click.echo(plain(text))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str) -> None:
    """Print a table, or a sentence where it has no rows."""
    made = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        made.add_row(*(Text(plain(str(cell)), overflow="fold") for cell in row))
    if made.row_count:
        console().print(made)
    else:
        say(empty)


def console(*, errors: bool = False) -> Console:
    """A rich console on the stream of this moment."""
    stream = sys.stderr if errors else sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


_AS_THEY_ARE = (datetime, date, Decimal, bytes)


def _value(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return None
    raise TypeError(type(value).__name__)
