"""``python -m tests.chaos``: kill -9 of real runs at random moments, on one kind of app or on all.

Prints one line for each kill, then what all of them hit and what was found afterwards. After the
kills come the other blows: a full disk, a clock set back, a server restarted, a line cut. Exits
with 1 where a promise is broken or where the kills did not hit what they had to.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.chaos.book import BookApp
from tests.chaos.checks import verdict
from tests.chaos.companies import COUNT, Expected, expected, split
from tests.chaos.kills import HEADING, Series, aims_for, missed_shares, shares
from tests.chaos.sides import App, PostgresApp, SqliteApp
from tests.chaos.subject import Subject
from tests.servers.postgres import Postgres
from tests.servers.radicale import Radicale

APPS = ("sqlite", "postgres", "carddav")
BLOWS = [Path(__file__).with_name(name) for name in ("test_faults.py", "test_blows.py")]
CARDS = 600
"""A card is one request of its own, so the book is smaller."""


@contextmanager
def app(name: str, folder: Path) -> Iterator[App]:
    """A fresh app of that kind."""
    if name == "sqlite":
        yield SqliteApp(folder / "shop.db")
    elif name == "postgres":
        with Postgres() as server, closing(PostgresApp(server)) as shop:
            yield shop
    else:
        with Radicale() as radicale, BookApp(radicale) as book:
            yield book


@contextmanager
def prepared(name: str, companies: int) -> Iterator[tuple[Subject, Expected]]:
    """An installation with both sides filled and nothing synced yet."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as made, app(name, Path(made)) as there:
        yield installed(there, Path(made) / "data", companies)


def installed(there: App, folder: Path, companies: int) -> tuple[Subject, Expected]:
    """An installation in a new folder, beside an app that is running."""
    start = split(companies, domains=there.domains)
    there.fill(start.app)
    folder.mkdir()
    subject = Subject(folder, there)
    subject.set_up(start.hub)
    return subject, expected(start)


def series(
    name: str, companies: int, kills: int, seed: int, tell: Callable[[str], None]
) -> list[str]:
    """One series on one app; returns what is wrong."""
    with prepared(name, companies) as (subject, known):
        people = max(10, companies // 20)
        found = Series(subject, known, random.Random(seed), people, tell)
        tell(HEADING)
        last = found.carry_out(aims_for(kills, found.chance))
        result = verdict(subject, known, last)
        for line in (*shares(found.kills), *result.facts):
            tell(f"       {line}")
        return [*result.broken, *missed_shares(found.kills)]


def main() -> int:
    """Read the options, run the series, print the verdicts."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=int(os.environ.get("TWOFOLD_KILLS", "30")))
    parser.add_argument("--app", choices=APPS, action="append")
    parser.add_argument("--companies", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    given = parser.parse_args()
    failed = False
    for name in given.app or APPS:
        companies = min(given.companies, CARDS) if name == "carddav" else given.companies
        say(f"\n{name}: {companies} companies, {given.kills} kills, --seed {given.seed}")
        began = time.monotonic()
        wrong = series(name, companies, given.kills, given.seed, say)
        for sentence in wrong:
            say(f"  BROKEN {sentence}")
        failed = failed or bool(wrong)
        say(f"{name}: {'BROKEN' if wrong else 'kept'}, in {time.monotonic() - began:.0f} s")
    if not given.app:
        say("\nother blows")
        failed = pytest.main(["-q", "--no-header", *map(str, BLOWS)]) != 0 or failed
    return int(failed)


def say(line: str) -> None:
    """A line at once, also where the output is a file."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
