"""What is left of a sync that is deleted, where a person wants it: its links and its history (O2).

The links can be imported into a new sync of the same two object types.
"""

from __future__ import annotations

from pathlib import Path

from twofold.core.errors import TwofoldError
from twofold.database.errors import coded_os
from twofold.services import history, link_files
from twofold.services.installation import Installation

FOLDER = "kept"
"""In the data folder: where a server keeps them."""


def write_out(here: Installation, name: str, folder: Path) -> list[Path]:
    """Write a sync's links and history into a new folder, as CSV; returns the files.

    Raises:
        TwofoldError: TF-U06, there is no such sync; TF-S41, the folder is there already;
            TF-S…, it cannot be written.
    """
    here.sync(name)
    if folder.exists():
        raise TwofoldError("TF-S41", path=folder, reason="it is there already")
    links, lines = folder / "links.csv", folder / "history.csv"
    try:
        folder.mkdir(mode=0o700, parents=True)
        with links.open("x", encoding="utf-8", newline="") as file:
            link_files.export(here, name, file)
        with lines.open("x", encoding="utf-8", newline="") as file:
            file.writelines(history.exported(here, name, "csv"))
    except OSError as error:
        raise coded_os(error, folder) from error
    return [links, lines]


def folder_of(here: Installation, name: str) -> Path:
    """Where a server keeps what is left of a sync that is deleted now."""
    safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
    return here.folder / FOLDER / f"{safe}-{here.world.now():%Y%m%dT%H%M%S%f}"
