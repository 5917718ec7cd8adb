"""Cells of CSV files that no spreadsheet takes for a formula.

https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

_FORMULA = tuple("=+-@\t\r'")
"""What a spreadsheet takes for a formula, and the sign that says it is none."""


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: such a one begins with an apostrophe."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def unguarded(cell: str) -> str:
    """The inverse of ``guarded``."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def csv_line(cells: Iterable[str]) -> str:
    """One line of CSV with its end, every cell guarded."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerow(map(guarded, cells))
    return file.getvalue()
