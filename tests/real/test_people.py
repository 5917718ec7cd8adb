"""1,000 people, many of them several times: links and ambiguities are those of brute force.

Even ids are in the hub, odd ids in the app.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.interfaces.program import Program, rows
from tests.real import data, linked, oracle, watching

Person = dict[str, str]
HUB_NAMES = {"email": "email", "first_name": "firstname", "surname": "lastname"}


class Case(NamedTuple):
    """How the sync is set up."""

    name: str
    only_with_email: bool = True
    city_as_company: bool = False
    """The city stands in for the company: the second step of M2 has something to decide."""


CASES = (
    Case("as it is by default"),
    Case("without the e-mail rule", only_with_email=False),
    Case("with a company", city_as_company=True),
    Case("with a company, without the e-mail rule", only_with_email=False, city_as_company=True),
)


class World(NamedTuple):
    """Both sides after the first run."""

    program: Program
    shop: Path
    hub: dict[str, str]
    """Hub id by the person's own id."""
    report: dict[str, object]


def _sides() -> tuple[list[Person], list[Person]]:
    people = data.people()
    return (
        [person for person in people if int(person["unique_id"]) % 2 == 0],
        [person for person in people if int(person["unique_id"]) % 2 == 1],
    )


def _world(folder: Path, case: Case) -> World:
    program, shop = Program(folder / "data"), folder / "shop.db"
    even, odd = _sides()
    with closing(sqlite3.connect(shop)) as connection, connection:
        connection.execute(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, first TEXT, last TEXT,"
            " city TEXT)"
        )
        connection.executemany(
            "INSERT INTO people VALUES (?, ?, ?, ?, ?)",
            [
                (int(p["unique_id"]), p["email"], p["first_name"], p["surname"], p["city"])
                for p in odd
            ],
        )
    file = folder / "hub.json"
    file.write_text(json.dumps([_contact(person, case) for person in even]))
    imported = program.json("hub", "records", "import", "contact", str(file))
    assert (imported["created"], imported["refused"]) == (500, [])
    place = "company=city" if case.city_as_company else "city=city"
    program("connect", "sql", "--label", "shop", "--set", f"url=sqlite:///{shop}")
    maps = ["email=email", "firstname=first", "lastname=last", place]
    options = [] if case.only_with_email else ["--all-contacts"]
    program(
        "sync", "add", "shop", "contact", "people", "--no-default-mappings", *options,
        *(part for pair in maps for part in ("--map", pair)),
    )  # fmt: skip
    hub = linked.hub_ids(program, "address")
    report = program.json("sync", "run")["runs"][0]
    return World(program, shop, hub, report)


def _contact(person: Person, case: Case) -> dict[str, str]:
    """A contact; the address, which is not mapped, holds the person's own id."""
    found = {ours: person[theirs] for theirs, ours in HUB_NAMES.items() if person[theirs]}
    if person["city"]:
        found["company" if case.city_as_company else "city"] = person["city"]
    return {**found, "address": person["unique_id"]}


def _keys(person: Person, case: Case) -> oracle.Keys:
    full = oracle.name(f"{person['first_name']} {person['surname']}")
    city = oracle.name(person["city"]) if case.city_as_company else ""
    both = f"{full} at {city}" if full and city else ""
    return (oracle.some(oracle.email(person["email"])), oracle.some(both))


def _truth(case: Case) -> oracle.Truth:
    """By the people's own ids."""
    even, odd = ({p["unique_id"]: _keys(p, case) for p in side} for side in _sides())

    def may_be(level: int, hub: str, app: str) -> bool:
        """Two people who both have e-mail addresses, and not the same, are not one person."""
        return level == 0 or not even[hub][0] or not odd[app][0] or even[hub][0] == odd[app][0]

    return oracle.decide(even, odd, may_be)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_links_and_ambiguities_are_the_oracles(tmp_path: Path, case: Case) -> None:
    truth, world = _truth(case), _world(tmp_path, case)
    hub = world.hub
    links = linked.links(world.program)
    known = {"hub": set(hub.values()), "app": {p["unique_id"] for p in _sides()[1]}}
    matched = {(h, a) for h, a in links if h in known["hub"] and a in known["app"]}
    assert matched == {(hub[h], a) for h, a in truth.pairs}

    found = linked.excluded(world.program)
    ambiguous = {place: one.candidates for place, one in found.items() if one.code == "TF-X12"}
    ids = {"hub": dict(hub), "app": {a: a for a in known["app"]}}
    other = {"hub": "app", "app": "hub"}
    assert ambiguous == {
        (side, ids[side][i]): frozenset(ids[other[side]][c] for c in candidates)
        for (side, i), candidates in truth.ambiguous.items()
    }
    _check_counts(world, case, truth, found)


def _check_counts(
    world: World,
    case: Case,
    truth: oracle.Truth,
    found: dict[tuple[str, str], linked.Single],
) -> None:
    """Nobody is multiplied: each person alone has a twin, unless no valid address keeps it back."""
    people = {p["unique_id"]: p for p in data.people()}
    sent = {
        side: {i for i in alone if not case.only_with_email or oracle.email(people[i]["email"])}
        for side, alone in truth.alone.items()
    }
    assert len(rows(world.shop, "SELECT id FROM people")) == 500 + len(sent["hub"])
    assert len(world.program.hub()) == 500 + len(sent["app"])
    kept = {
        (side, world.hub[i] if side == "hub" else i)
        for side, alone in truth.alone.items()
        for i in alone - sent[side]
    }
    # A pair of which neither end has an address is linked, and no direction is open for it (D5).
    shut = {
        ("hub", world.hub[hub])
        for hub, app in truth.pairs
        if case.only_with_email and not any(oracle.email(people[i]["email"]) for i in (hub, app))
    }
    assert {place for place, one in found.items() if one.code == "TF-X01"} == kept | shut
    in_sync = len(truth.pairs) + len(sent["hub"]) + len(sent["app"]) - len(shut)
    excluded = len(truth.ambiguous) + len(kept) + len(shut)
    counts = linked.counters(world.program)
    assert counts == {linked.IN_SYNC: in_sync, linked.EXCLUDED: excluded}
    health = {"in_sync": in_sync, "failing": 0, "excluded": excluded, "waiting": 0}
    assert world.report["health"] == health


@pytest.mark.parametrize("case", CASES[:2], ids=lambda case: case.name)
def test_a_second_run_changes_nothing(tmp_path: Path, case: Case) -> None:
    world = _world(tmp_path, case)
    assert watching.run(world.program.folder, world.shop) == watching.NOTHING
    assert watching.run(world.program.folder, world.shop, restart=True) == watching.NOTHING


def test_a_malformed_address_is_nobodys(tmp_path: Path) -> None:
    """Two people with the same malformed address are not one, and neither is sent by default."""
    malformed = {p["email"] for p in data.people() if p["email"] and not oracle.email(p["email"])}
    assert 25 <= len(malformed) <= 31
    world = _world(tmp_path, CASES[0])
    odd = {p["unique_id"] for p in _sides()[1] if p["email"] in malformed}
    even = {world.hub[p["unique_id"]] for p in _sides()[0] if p["email"] in malformed}
    codes = {place: one.code for place, one in linked.excluded(world.program).items()}
    assert {codes["app", i] for i in odd} == {codes["hub", i] for i in even} == {"TF-X01"}


def test_the_oracle_has_something_to_decide() -> None:
    truth = _truth(CASES[2])
    assert [len(pairs) > 5 for pairs in truth.levels] == [True, True]
    assert len(truth.ambiguous) > 100
    assert Counter(bool(p["email"]) for p in data.people())[False] == 211


def test_some_are_decided_by_hand_and_the_rest_is_the_oracles(tmp_path: Path) -> None:
    """Whoever is linked by hand leaves the groups; what remains is decided by the same rules."""
    case = CASES[1]
    truth, world = _truth(case), _world(tmp_path, case)
    made: dict[str, str] = {}
    for (side, record), candidates in sorted(truth.ambiguous.items()):
        free = sorted(candidates - set(made.values()))
        if side == "hub" and free and len(made) < 5:
            made[record] = free[0]
    lines = "".join(f"{world.hub[h]},{a}\n" for h, a in made.items())
    (tmp_path / "links.csv").write_text(f"hub_id,app_id\n{lines}")
    program, name = world.program, world.program.json("sync", "list")["syncs"][0]["name"]
    assert program.json("links", "import", name, str(tmp_path / "links.csv"))["linked"] == 5
    program("sync", "run")
    even, odd = ({p["unique_id"]: _keys(p, case) for p in side} for side in _sides())
    left = oracle.decide(
        {i: k for i, k in even.items() if ("hub", i) in truth.ambiguous and i not in made},
        {i: k for i, k in odd.items() if ("app", i) in truth.ambiguous and i not in made.values()},
    )
    known = {p["unique_id"] for p in _sides()[1]}
    links = linked.links(program)
    matched = {(h, a) for h, a in links if h in world.hub.values() and a in known}
    expected = truth.pairs | left.pairs | set(made.items())
    assert matched == {(world.hub[h], a) for h, a in expected}
    found = linked.excluded(program)
    ambiguous = {place for place, one in found.items() if one.code == "TF-X12"}
    assert ambiguous == {(side, world.hub[i] if side == "hub" else i) for side, i in left.ambiguous}
