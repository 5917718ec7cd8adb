"""Figures, their goals and verdicts, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import orjson
from msgspec import Struct, to_builtins
from rich import box
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


class Figure(Struct):
    """One measured figure; smaller is better."""

    name: str
    unit: str
    values: list[float]
    """One per round."""
    goal: float | None = None
    """The most that the median may be; None = for information."""
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is reached, if there is one."""
        return self.goal is None or median(self.values) <= self.goal

    @property
    def verdict(self) -> str:
        """One word."""
        if self.goal is None:
            return ""
        return "met" if self.met else "MISSED"


def show(figures: Sequence[Figure], command: str) -> None:
    """Print the table."""
    table = Table(box=box.SIMPLE, caption=command, caption_justify="left")
    for heading in ("figure", "goal", "measured", "spread", "rounds", "verdict"):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    for figure in figures:
        table.add_row(
            figure.name + (f"\n  {figure.note}" if figure.note else ""),
            "" if figure.goal is None else f"≤ {_number(figure.goal)} {figure.unit}",
            f"{_number(median(figure.values))} {figure.unit}",
            f"{_number(min(figure.values))}–{_number(max(figure.values))}",
            str(len(figure.values)),
            figure.verdict,
            style=None if figure.met else "bold red",
        )
    Console(width=None if Console().is_terminal else 130).print(table)


def write(figures: Sequence[Figure], command: str) -> None:
    """Keep the figures beside the program, outside of version control."""
    RESULTS.mkdir(exist_ok=True)
    kept = [to_builtins(f) | {"median": median(f.values), "verdict": f.verdict} for f in figures]
    content = orjson.dumps({"command": command, "figures": kept}, option=orjson.OPT_INDENT_2)
    (RESULTS / "latest.json").write_bytes(content)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
