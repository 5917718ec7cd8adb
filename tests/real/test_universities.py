"""10,251 organizations over two sides, matched by name or domain, beside a brute-force oracle.

A fixed seed sends 40 % to the hub, 40 % to the app, and 20 % to both: with the same name, the same
domain, or both. Names and domains that the data itself repeats (162 and 4) come on top.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from tests.interfaces.program import Program, rows
from tests.real import data, linked, oracle, watching

from twofold.core.matching import MatchKeys, match

SEED = 10_251


class Entry(NamedTuple):
    """An organization on one side."""

    name: str
    domain: str
    website: str

    def keys(self) -> oracle.Keys:
        """Name with domain; domain; name (M4). Any equal domain counts (D8)."""
        called = oracle.some(oracle.name(self.name))
        at = oracle.some(oracle.domain(self.domain), oracle.domain(self.website))
        both = frozenset(f"{one} at {where}" for one in called for where in at)
        return (both, at, called)


class Split(NamedTuple):
    """Both sides, by a number of ours."""

    hub: dict[str, Entry]
    app: dict[str, Entry]


@cache
def _split() -> Split:
    random, split = Random(SEED), Split({}, {})
    for number, found in enumerate(data.universities()):
        key = str(number + 1)
        domains = [*found["domains"], ""]
        pages = [*found["web_pages"], ""]
        # Of several domains, each side may know another one first.
        entry = Entry(found["name"], domains[0], f"https://{domains[1]}/" if domains[1] else "")
        twin = Entry(found["name"].upper(), domains[1] or domains[0], pages[0])
        where = random.choices(("hub", "app", "name", "domain", "both"), (40, 40, 7, 6, 7))[0]
        if where != "app":
            split.hub[key] = entry
        if where == "app":
            split.app[key] = entry
        elif where == "name":
            split.app[key] = twin._replace(domain=f"other{key}.example", website="")
        elif where == "domain":
            split.app[key] = twin._replace(name=f"Campus {key}")
            if domains[1]:  # another campus with the other domain: which of the two is it?
                split.app[str(number + 20_001)] = Entry(f"Institute {key}", domains[0], "")
        elif where == "both":
            split.app[key] = twin
    return split


@cache
def _truth() -> oracle.Truth:
    hub, app = ({key: e.keys() for key, e in side.items()} for side in _split())
    return oracle.decide(hub, app)


class World(NamedTuple):
    """Both sides after the first run."""

    program: Program
    shop: Path
    hub: dict[str, str]
    """Hub id by our number."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("universities")
    program, shop = Program(folder / "data"), folder / "shop.db"
    with closing(sqlite3.connect(shop)) as connection, connection:
        connection.execute(
            "CREATE TABLE organizations"
            " (id INTEGER PRIMARY KEY, name TEXT NOT NULL, domain TEXT, website TEXT)"
        )
        connection.executemany(
            "INSERT INTO organizations VALUES (?, ?, nullif(?, ''), nullif(?, ''))",
            [(int(key), *entry) for key, entry in _split().app.items()],
        )
    file = folder / "hub.json"
    # The address, which is not mapped, holds our number.
    file.write_text(
        json.dumps([{**e._asdict(), "address": key} for key, e in _split().hub.items()])
    )
    imported = program.json("hub", "records", "import", "company", str(file))
    assert (imported["created"], imported["refused"]) == (len(_split().hub), [])
    program("connect", "sql", "--label", "shop", "--set", f"url=sqlite:///{shop}")
    program("sync", "add", "shop", "company", "organizations", "--map-by-name")
    hub = linked.hub_ids(program, "address")
    report = program.json("sync", "run")["runs"][0]
    assert report["ending"] == "done"
    return World(program, shop, hub)


def _figures(truth: oracle.Truth) -> Iterator[int]:
    yield from map(len, truth.levels)
    yield len(truth.ambiguous)


def test_the_split_has_everything_in_it() -> None:
    split, truth = _split(), _truth()
    overlap = len(split.hub.keys() & split.app.keys())
    assert 0.18 < overlap / len(data.universities()) < 0.22
    assert all(number > 100 for number in _figures(truth)), list(_figures(truth))
    both = sum(len(side) for side in split)
    assert len(truth.pairs) * 2 + len(truth.ambiguous) + sum(map(len, truth.alone.values())) == both


def test_the_core_agrees_with_the_oracle_on_every_level() -> None:
    truth = _truth()
    hub, app = (
        {key: MatchKeys(tuple(map(tuple, e.keys()))) for key, e in side.items()}
        for side in _split()
    )
    found = match(hub, app)
    for level, pairs in enumerate(truth.levels):
        assert {(h, a) for h, a, at in found.pairs if at == level} == pairs
    assert {(s.value, i) for s, i in found.ambiguous} == truth.ambiguous.keys()


def test_every_link_is_the_oracles(world: World) -> None:
    truth, links = _truth(), linked.links(world.program)
    ours = set(world.hub.values())
    matched = {(h, a) for h, a in links if h in ours and a in _split().app}
    for level, pairs in enumerate(truth.levels):
        assert {(world.hub[h], a) for h, a in pairs} <= matched, level
    assert matched == {(world.hub[h], a) for h, a in truth.pairs}
    assert set(links.values()) == {linked.IN_SYNC}


def test_what_is_left_for_a_person_is_the_oracles(world: World) -> None:
    found = linked.excluded(world.program)
    ids = {"hub": world.hub, "app": {key: key for key in _split().app}}
    other = {"hub": "app", "app": "hub"}
    assert {one.code for one in found.values()} == {"TF-X12"}
    assert {place: one.candidates for place, one in found.items()} == {
        (side, ids[side][i]): frozenset(ids[other[side]][c] for c in candidates)
        for (side, i), candidates in _truth().ambiguous.items()
    }


def test_counts_add_up_and_nothing_is_multiplied(world: World) -> None:
    truth, split = _truth(), _split()
    made = {side: len(ids) for side, ids in truth.alone.items()}
    assert len(world.program.hub()) == len(split.hub) + made["app"]
    assert rows(world.shop, "SELECT count(*) FROM organizations") == [
        (len(split.app) + made["hub"],)
    ]
    pairs = len(truth.pairs) + sum(made.values())
    assert linked.counters(world.program) == {
        linked.IN_SYNC: pairs,
        linked.EXCLUDED: len(truth.ambiguous),
    }
    (health,) = world.program.json("health")["syncs"]
    assert (health["in_sync"], health["excluded"]) == (pairs, len(truth.ambiguous))
    assert health["total"] == pairs + len(truth.ambiguous)


def test_pairs_agree_on_every_mapped_field(world: World) -> None:
    """Read past the program: what one side holds, the other holds too."""
    columns = "SELECT CAST(id AS TEXT), name, domain, website FROM organizations"
    shop = {row[0]: row[1:] for row in rows(world.shop, columns)}
    found = rows(world.program.folder / "hub.db", "SELECT id, body FROM record WHERE gone = 0")
    hub = {str(number): json.loads(body) for number, body in found}
    for one, other in linked.links(world.program):
        names = (hub[one].get(name) for name in Entry._fields)
        assert tuple(names) == shop[other]


def test_a_second_run_writes_nothing(world: World) -> None:
    assert watching.run(world.program.folder, world.shop) == watching.NOTHING
    assert watching.run(world.program.folder, world.shop, restart=True) == watching.NOTHING
