"""At a person's terminal: questions, hidden answers, bars."""

from __future__ import annotations

import os
import pty
import select
import sys
from pathlib import Path

import pytest
from tests.interfaces.program import Program, Shop, connected, rows


class Terminal:
    """A process whose input, output and errors are one terminal."""

    def __init__(self, program: Program, *args: str) -> None:
        self.shown = ""
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ |= {"TWOFOLD_DATA": str(program.folder), "TERM": "xterm", "COLUMNS": "100"}
            os.execv(sys.executable, [sys.executable, "-m", "twofold.cli.main", *args])

    def expect(self, text: str) -> None:
        """Read until this is shown."""
        while text not in self.shown:
            assert self._read(), self.shown

    def type(self, text: str) -> None:
        """Answer as a person does."""
        os.write(self._terminal, f"{text}\n".encode())

    def end(self) -> int:
        """Read to the end; returns the exit code."""
        while self._read():
            pass
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self) -> bool:
        # A program that waits for an answer which no test gives hangs for ever otherwise.
        assert select.select([self._terminal], [], [], 120)[0], f"it waits; shown: {self.shown}"
        try:
            data = os.read(self._terminal, 65536)
        except OSError:  # EIO: the process has closed its end
            return False
        self.shown += data.decode("utf-8", "replace")
        return bool(data)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "data")


def test_what_is_missing_is_asked_and_secrets_are_not_echoed(
    program: Program, tmp_path: Path
) -> None:
    shop = Shop(tmp_path / "shop.db")
    terminal = Terminal(program, "connect", "sql", "--label", "shop")
    terminal.expect("Address of the database")
    terminal.type(shop.url)
    for question in ("Schema", "Columns that tell when", "Columns that tell rows", "Secret with"):
        terminal.expect(question)
        terminal.type("")
    terminal.expect("Connected shop")
    assert terminal.end() == 0
    assert shop.url not in terminal.shown
    program("connection", "test", "shop")


def test_ctrl_c_at_a_question_is_quiet(program: Program) -> None:
    terminal = Terminal(program, "connect", "sql")
    terminal.expect("Address of the database")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert "TF-U16" in terminal.shown
    assert "Traceback" not in terminal.shown


def test_a_yes_is_asked_for(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    for answer, code, left in (("n", 1, 1), ("y", 0, 0)):
        terminal = Terminal(program, "sync", "delete", "shop-contacts")
        terminal.expect("This will forget shop-contacts")
        terminal.type(answer)
        assert terminal.end() == code
        assert len(rows(program.folder / "state.db", "SELECT * FROM syncs")) == left


def test_bars_show_how_far_a_run_is(tmp_path: Path) -> None:
    program, _ = connected(tmp_path, people=2500)
    terminal = Terminal(program, "sync", "run")
    assert terminal.end() == 0
    assert "shop-contacts: scanned" in terminal.shown
    assert "shop-contacts: in progress" in terminal.shown
    assert "in sync 2500" in terminal.shown
