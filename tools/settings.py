"""The text of docs/reference/settings.md: environment, exit codes, files, bounds; from the code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import entry_points

from tools.tree import ROOT
from twofold.app import KEY_FILE, STATE_FILE
from twofold.cli.command import EXIT_CODES
from twofold.core.guards import EMPTY_FROM
from twofold.database.sqlite import WAIT
from twofold.engine.apply import MOST_TURNS, RETRY_AFTER
from twofold.engine.chunk import MOST_CARRIERS, MOST_RELATED
from twofold.engine.read import SWEEP_EVERY
from twofold.engine.run import LARGEST_CHUNK, SMALLEST_CHUNK
from twofold.kit import catalog
from twofold.services.installation import HUB_FILE
from twofold.services.writer import LOCK_FILE

INTRODUCTION = """# Settings and exit codes

Made by `make reference` from the code. There is no configuration file: what a person sets up is
kept in the data folder, and everything else is an option of a [command](commands.md).
"""

ENVIRONMENT = {
    "TWOFOLD_DATA": "The data folder, where `--data` does not name one.",
    "TWOFOLD_ALLOW_ADDRESSES": "Addresses within the own network that connections may reach,"
    " besides those of `twofold network allow`; with commas between them.",
    "TWOFOLD_KEY": "The key of the credentials, as 64 hexadecimal digits or base64, instead of the"
    " file `key`.",
    "TWOFOLD_KEY_COMMAND": "A command that prints that key, such as that of a key ring.",
    "TWOFOLD_KEY_OLD": "The key before it, for `twofold key rotate`.",
    "XDG_DATA_HOME": "Where neither is given, the data folder is `twofold` in it;"
    " else `~/.local/share/twofold`.",
}
"""Variable → what it does. Secrets come on top, by the questions of the connectors."""

MAKE = {
    "PYTHON": "which Python makes `.venv`",
    "SEEDS": "histories of `make simulate`",
    "KILLS": "kills of `make chaos`",
    "MINUTES": "length of `make soak`",
    "PORT": "where `make serve` listens",
    "PYTEST": "further arguments for pytest",
}
"""Variable of the Makefile → what it is."""

FILES = {
    STATE_FILE: "what Twofold remembers: connections, syncs, links, observations",
    HUB_FILE: "the hub inside",
    KEY_FILE: "the key of the stored credentials, 32 bytes",
    LOCK_FILE: "which process writes; only the lock on it counts",
}

BOUNDS = (
    (
        "Records planned together",
        f"{SMALLEST_CHUNK} to {LARGEST_CHUNK:,}, by the batches of the apps",
    ),
    ("Known records from which a side may not become empty", f"{EMPTY_FROM}"),
    ("Between two looks for deletes, of feeds without them", f"{SWEEP_EVERY}"),
    (
        "Before the first retry of a record; doubled each time",
        f"{RETRY_AFTER:g} s, at most an hour",
    ),
    ("Turns of one record in one run", f"{MOST_TURNS}"),
    ("Unlinked records loaded per match key and side", f"{MOST_CARRIERS}"),
    ("Records in one group of shared match keys", f"{MOST_RELATED:,}"),
    ("Waiting for another process that writes a database", f"{WAIT:g} s"),
)
"""Limits that nobody can set: (what, how much)."""


def settings_page() -> str:
    """The whole page."""
    parts = [
        INTRODUCTION,
        "## Environment\n",
        _table(("variable", "meaning"), [(f"`{n}`", text) for n, text in ENVIRONMENT.items()]),
        "Secret answers to `twofold connect` may come from the environment instead of `--set`:\n",
        _table(("variable", "secret answer for"), [(f"`{n}`", text) for n, text in secrets()]),
        "## Exit codes\n",
        _table(("code", "meaning"), exit_codes()),
        "## Files in the data folder\n",
        _table(("file", "holds"), [(f"`{name}`", text) for name, text in FILES.items()]),
        "`error-….txt` is the report of a failure that nobody foresaw (TF-U17).",
        "It may hold personal values.\n",
        "## Bounds\n",
        "Fixed in this version:\n",
        _table(("what", "how much"), BOUNDS),
        "## Variables of make\n",
        _table(("variable", "meaning", "default"), make_variables()),
    ]
    return "\n".join(parts)


def secrets() -> list[tuple[str, str]]:
    """(environment variable, connectors and their question) of our own connectors."""
    found: dict[str, list[str]] = {}
    for point in sorted(entry_points(group=catalog.GROUP), key=lambda point: point.name):
        if point.dist is not None and point.dist.name == "twofold":
            for question in catalog.load(point.name).manifest.questions:
                if question.secret and question.asked:
                    words = f"{point.name}: {question.label}"
                    found.setdefault(f"TWOFOLD_SECRET_{question.name.upper()}", []).append(words)
    return [(name, "; ".join(words)) for name, words in found.items()]


def exit_codes() -> list[tuple[str, str]]:
    """(code, meaning), in order."""
    entries = (entry.partition(" ") for entry in EXIT_CODES.split(" · "))
    return [(code, meaning) for code, _, meaning in entries]


def make_variables() -> list[tuple[str, str, str]]:
    """(variable, meaning, default) of the Makefile."""
    defaults = re.findall(r"^(\w+) *\?= *(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return [(f"`{name}`", MAKE[name], default and f"`{default}`") for name, default in defaults]


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
