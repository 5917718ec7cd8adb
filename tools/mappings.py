"""The text of docs/reference/mappings.md: what may be mapped to what, and the transforms."""

from __future__ import annotations

from collections.abc import Iterable

from twofold.core.mappings import Direction
from twofold.core.transforms import CATALOG
from twofold.core.type_matrix import MATRIX, Shape

_SIGNS = {
    Direction.BOTH: "<->",
    Direction.TO_HUB: "to hub",
    Direction.TO_APP: "to app",
    None: "-",
}

INTRODUCTION = """# Mappings

Made by `make reference` from `src/twofold/core/type_matrix.py` and
`src/twofold/core/transforms.py`, which `twofold sync` checks by. What they mean:
[mappings](../concepts/mappings.md).

## What may be mapped to what

Rows are fields of the hub, columns fields of the app: `<->` both ways, one way, or `-` not at all.
"""

NOTES = """
- *Text* includes e-mail addresses, phone numbers and URLs; *number* includes calculations and
  scores.
- *Several texts* are labeled values (home, work), which only a connector's default mappings use.
- *Several values* are several numbers, dates, checkboxes or owners.
- A *choice* or *owner* of the app becomes text in the hub where the connector can tell what it is
  called.
- A field that can only be read makes its mapping one-way, away from it; so does a transform without
  inverse.

## Why not
"""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _matrix() -> list[str]:
    lines = [_row(["hub \\ app", *Shape]), "|" + "---|" * (len(Shape) + 1)]
    for hub in Shape:
        signs = (_SIGNS[MATRIX[hub, app].direction] for app in Shape)
        lines.append(_row([f"**{hub}**", *signs]))
    return lines


def _reasons() -> list[str]:
    pairs: dict[str, list[str]] = {}
    for (hub, app), cell in MATRIX.items():
        if cell.reason:
            pairs.setdefault(cell.reason, []).append(f"{hub} / {app}")
    lines = [_row(["because", "hub / app"]), "|---|---|"]
    return [*lines, *(_row([reason, _listed(found)]) for reason, found in pairs.items())]


def _listed(pairs: list[str]) -> str:
    return ", ".join(pairs) if len(pairs) <= _MOST_LISTED else "every other pair with one"


_MOST_LISTED = 20


def _transforms() -> list[str]:
    lines = [_row(["transform", "there", "and back"]), "|---|---|---|"]
    rows = ((f"`{c}`", e.explanation, e.undone) for c, e in CATALOG.items())
    return [*lines, *map(_row, rows)]


def mappings_page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, *_matrix(), NOTES, *_reasons(), "\n## Transforms\n", *_transforms()]
    return "\n".join(parts) + "\n"
