"""The real process, over a data folder of its own: set up, started, frozen, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.chaos.companies import Company
from tests.chaos.sides import App, HubFile
from tests.interfaces.program import Program

SYNC = "shop-companies"
ROOT = Path(__file__).parents[2]
PATIENCE = 600.0
"""Seconds after which a run that should end by itself counts as hanging."""


class Ended(NamedTuple):
    """A run that ended by itself."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """What the run said about itself."""
        found: dict[str, Any] = json.loads(self.out)["runs"][0]
        return found


class Subject:
    """One installation with one sync of companies."""

    def __init__(self, folder: Path, app: App) -> None:
        self.folder = folder
        self.app = app
        self.state = folder / "state.db"
        self.hub = HubFile(folder / "hub.db")
        self.clock: Path | None = None
        """Holds the seconds by which the clock of runs differs from the machine's."""

    def set_up(self, companies: Sequence[Company]) -> None:
        """Connect the app, import the hub's companies, and add the sync."""
        program = Program(self.folder)
        given = [f"--set={name}={answer}" for name, answer in self.app.answers().items()]
        program("connect", self.app.kind, "--label", "shop", *given)
        file = self.folder / "companies.json"
        file.write_text(json.dumps(companies))
        program("hub", "records", "import", "company", str(file))
        file.unlink()
        names = ("name", "website", "address", "city", "zip", "state", "country")
        maps = [] if self.app.kind == "carddav" else [f"--map={n}={n}" for n in (*names, "domain")]
        program("sync", "add", "shop", "company", self.app.type, "--name", SYNC, *maps)

    def start_run(self) -> subprocess.Popen[str]:
        """Start a run of the sync as a process of its own."""
        program = ["twofold.cli.main"]
        if self.clock is not None:
            program = ["tests.chaos.shifted", str(self.clock)]
        return subprocess.Popen(
            [sys.executable, "-m", *program, "sync", "run", SYNC, "--json"],
            cwd=ROOT,
            env={
                **os.environ,
                "TWOFOLD_DATA": str(self.folder),
                "TWOFOLD_ALLOW_ADDRESSES": "127.0.0.1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self) -> Ended:
        """A run to its end."""
        return self.ended(self.start_run())

    @staticmethod
    def ended(process: subprocess.Popen[str]) -> Ended:
        """Wait for a process."""
        out, err = process.communicate(timeout=PATIENCE)
        return Ended(process.returncode, out, err)


@contextmanager
def frozen(process: subprocess.Popen[str]) -> Iterator[bool]:
    """The process with all its threads stopped, so that what we look at cannot move on.

    Gives false where it has ended. It goes on afterwards, unless it was killed meanwhile.
    """
    os.kill(process.pid, signal.SIGSTOP)
    how = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    here = how is not None and how.si_code == os.CLD_STOPPED
    try:
        yield here
    finally:
        if here and process.returncode is None:
            os.kill(process.pid, signal.SIGCONT)
