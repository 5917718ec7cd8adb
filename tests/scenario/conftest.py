"""Prints what became of each chapter with each app."""

from __future__ import annotations

import pytest

TABLE: dict[tuple[str, str], str] = {}
"""(chapter, app) → passes, FAILED, or what the app does not declare."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not TABLE:
        return
    apps = list(dict.fromkeys(app for _, app in TABLE))
    chapters = list(dict.fromkeys(chapter for chapter, _ in TABLE))
    cells = [["", *apps]]
    cells += [[chapter, *(TABLE.get((chapter, app), "") for app in apps)] for chapter in chapters]
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))]
    terminalreporter.section("the scenario, app by app")
    for row in cells:
        terminalreporter.line("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)))
