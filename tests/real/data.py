"""Real data, used where it lies beside the repository: a folder ``shared/data`` above this one.

It is never copied into the repository; a test works on a copy in its temporary folder.
"""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any


def folder() -> Path | None:
    """The folder with the data; None where there is none."""
    above = (parent / "shared" / "data" for parent in Path(__file__).resolve().parents)
    return next((found for found in above if found.is_dir()), None)


def path(name: str) -> Path:
    """One of its files."""
    found = folder()
    assert found is not None, "tests over shared/data do not exist where it is absent"
    return found / name


@cache
def universities() -> list[dict[str, Any]]:
    """10,251 organizations with their domains."""
    found: list[dict[str, Any]] = json.loads(path("universities.json").read_text())
    return found


@cache
def people() -> list[dict[str, str]]:
    """1,000 people, many of them several times."""
    with path("people-with-duplicates.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
