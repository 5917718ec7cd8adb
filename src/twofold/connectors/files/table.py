"""What every kind of file gives and takes: rows, and a way to write them all anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Protocol

from msgspec import Struct

from twofold.core.schema import Field
from twofold.core.values import Kind, Value


class Row(Struct):
    """One row with something in it."""

    number: int
    """As a person counts rows of this file, from 1, the header included."""
    cells: Mapping[str, Any]
    """By the names of the table's columns."""
    version: str
    """Moves with every change of the row, also of columns that are not shown."""
    formulas: frozenset[str] = frozenset()
    """Columns whose cell is made by a formula."""
    native: Any = None
    """What the file's own form keeps of it."""


class Column(Struct, frozen=True):
    """One column as the file itself tells of it."""

    name: str
    kind: Kind | None = None
    """None: the file does not tell."""
    multi: bool = False
    unmappable: str = ""


Decide = Callable[[Row], Mapping[str, Any] | None]
"""A row → its new cells by column (none: it stays as it is), or None: it goes."""


class Unreadable(Exception):
    """The file is not, or not yet, what it should be; ``reason`` is said to a person."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Table(Protocol):
    """One table of one file, in the form of that file. All its methods may raise Unreadable."""

    def columns(self) -> Sequence[Column]:
        """The columns with a name of their own, in their order."""
        ...

    def rows(self) -> Iterator[Row]:
        """All rows with something in them, from the first on."""
        ...

    def encode(self, value: Value, field: Field) -> Any:
        """A value as a cell. Raises ``values.Unfit``."""
        ...

    def rewrite(self, out: BinaryIO, decide: Decide, added: Sequence[Mapping[str, Any]]) -> None:
        """Write the file anew; ``added`` are new rows, at the end.

        What is not decided otherwise stays as it is, byte for byte where the form allows it.
        """
        ...
