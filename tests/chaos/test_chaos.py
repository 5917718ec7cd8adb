"""A smaller part of `make chaos`: a few kills on each kind of app, and checks that can fail."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.chaos.__main__ import prepared
from tests.chaos.checks import verdict
from tests.chaos.companies import COUNT, Company, Expected, broken_promises, expected, split
from tests.chaos.kills import CONFIRM, MATCH, READ, WRITE, Aim, Kill, Series, missed_shares
from tests.chaos.sides import SqliteApp
from tests.chaos.watch import Moment, Phase

SEED = 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("app", "companies", "aims"),
    [
        ("sqlite", 1200, [MATCH, WRITE, CONFIRM, WRITE, CONFIRM]),
        ("postgres", 600, [READ, WRITE, CONFIRM]),
        ("carddav", 100, [WRITE, CONFIRM]),
    ],
)
def test_nothing_is_lost_or_doubled_by_kills(app: str, companies: int, aims: list[Aim]) -> None:
    with prepared(app, companies) as (subject, known):
        series = Series(subject, known, random.Random(SEED), people=50, tell=print)
        found = verdict(subject, known, series.carry_out(aims))
        assert found.broken == []
        assert any(kill.moment.app_write for kill in series.kills)


def _tagged(*tags: str) -> dict[str, Company]:
    return {tag: {"name": tag, "address": tag} for tag in tags}


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        (["H1"], "hub: H2 is missing"),
        (["H1", "H2", "H2"], "hub: H2 is here 2 times"),
        (["H1", "H2", "H3"], "hub: H3 must not be here"),
    ],
)
def test_the_checks_tell_what_is_lost_doubled_or_strange(held: list[str], sentence: str) -> None:
    (told,) = broken_promises("hub", [_tagged(t)[t] for t in held], _tagged("H1", "H2"))
    assert told.startswith(sentence)


def test_the_checks_tell_another_value() -> None:
    held = {"name": "H1", "address": "H1", "city": "A7"}
    (told,) = broken_promises("hub", [held], _tagged("H1"))
    assert told == "hub: H1 holds city 'A7' instead of None"


def test_a_series_must_hit_every_phase_and_writes_in_flight() -> None:
    written = [Kill(n, "", 0.0, Moment(Phase.NOTED, app_write=True)) for n in range(10)]
    others = [Kill(9, "", 0.0, Moment(p)) for p in (Phase.READ, Phase.MATCH, Phase.WRITTEN)]
    assert list(missed_shares([*written[:7], *others])) == []
    assert list(missed_shares([*written[:3], *others])) == [
        "only 3 of 6 kills had a write in flight"
    ]
    assert list(missed_shares(written)) == [
        f"no kill hit the phase {phase}" for phase in ("read", "match", "write–confirm")
    ]


def test_an_open_transaction_is_seen_from_outside(tmp_path: Path) -> None:
    """By another process: a process does not see its own locks (fcntl(2))."""
    shop = SqliteApp(tmp_path / "shop.db")
    with closing(sqlite3.connect(shop.path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert _seen_by_another(shop)
        writer.execute("ROLLBACK")
        assert not _seen_by_another(shop)


def _seen_by_another(shop: SqliteApp) -> bool:
    code = (
        "import sys, pathlib; from tests.chaos.sides import is_locked;"
        f"sys.exit(is_locked(pathlib.Path({str(shop.path)!r}), 0x40000001))"
    )
    folder = Path(__file__).parents[2]
    return subprocess.run([sys.executable, "-c", code], cwd=folder, check=False).returncode == 1


@pytest.mark.parametrize("domains", [True, False])
def test_what_is_expected_covers_every_company_once(domains: bool) -> None:
    start = split(COUNT, domains=domains)
    known: Expected = expected(start)
    assert len(start.hub) + len(start.app) > COUNT
    alone = len(known.alone["hub"]) + len(known.alone["app"])
    assert len(known.both) + known.pairs + alone == len(start.hub) + len(start.app)
    assert known.pairs > COUNT * 0.15
    assert alone > 0
