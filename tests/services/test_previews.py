"""A plan is what the run then does, over random worlds; and it writes nothing."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from tests.engine.stage import Stage

from twofold.core.filters import Criterion, Operator, all_of
from twofold.core.mappings import Direction
from twofold.core.records import Record, Side, Target
from twofold.engine.edit import Edit
from twofold.engine.run import Ending
from twofold.kit.contract import Connector
from twofold.kit.memory import MemoryConnector
from twofold.kit.oauth import Post
from twofold.services import previews, runs
from twofold.services.installation import Installation
from twofold.services.previews import Carried, Header, Line
from twofold.services.runs import Options, Report
from twofold.store.secrets import Vault
from twofold.store.syncs import HUB_CONNECTION, Connection

SYNCS = ("company", "contact")
OPTIONS = Options()


class NoWay:
    """Leads to no app: the stage has its own."""

    def opened(self, *_: object) -> AbstractAsyncContextManager[Connector]:
        raise AssertionError

    def posting(self, app: str) -> AbstractAsyncContextManager[Post]:
        raise AssertionError


class Home(Installation):
    """An installation over a stage."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        super().__init__(folder, stage.state, Vault(b"k" * 32), stage.world, NoWay())
        self.stage = stage

    def opened(self, connection: Connection) -> AbstractAsyncContextManager[Connector]:
        side = Side.HUB if connection.id == HUB_CONNECTION else Side.APP
        return self._over(side)

    @asynccontextmanager
    async def _over(self, side: Side) -> AsyncIterator[Connector]:
        yield MemoryConnector.over(self.stage.apps[side])

    async def plan(self, path: Path | None = None) -> tuple[Header, list[Line]]:
        return await previews.plan(self, SYNCS, path, OPTIONS, most=10_000)

    async def run(self) -> list[Report]:
        return [await runs.run(self, s, OPTIONS) for s in runs.chosen(self, SYNCS)]

    async def carry_out(self, path: Path) -> list[Carried]:
        return await previews.carry_out(self, path, OPTIONS)

    def shown(self) -> dict[Side, dict[str, list[Record]]]:
        return {side: {o: self.stage.apps[side].all(o) for o in SYNCS} for side in Side}


def _home(folder: Path, chance: random.Random) -> Home:
    limit = all_of(Criterion("lastname", Operator.IS_NOT, ("L1",)))
    rules: dict[str, Any] = {
        "direction": chance.choice(list(Direction)),
        "default_side": chance.choice(list(Side)),
    }
    stage = Stage(with_companies=True, **rules)
    if chance.random() < 0.4:
        folder.mkdir(exist_ok=True)
        sync = stage.state.syncs.get(stage.contacts)
        Edit(stage.state, stage.world, sync, structs.replace(sync.rules, hub_filter=limit)).save()
    folder.mkdir(exist_ok=True)
    return Home(stage, folder)


def _contact(chance: random.Random) -> dict[str, Any]:
    n = chance.randrange(9)
    return {
        "email": chance.choice([f"{n}@x.example", f"{n}@x.example", None]),
        "firstname": chance.choice(["", f"F{n}", "F"]),
        "lastname": f"L{n % 3}",
        "phone": chance.choice([None, f"+31 6 {n}"]),
        "visits": chance.choice([None, n]),
    }


def _live(home: Home, chance: random.Random, steps: int) -> None:
    """People work in both apps."""
    for _ in range(steps):
        side = chance.choice(list(Side))
        app = home.stage.apps[side]
        companies, contacts = app.all("company"), app.all("contact")
        what = chance.random()
        if what < 0.2 or not companies:
            n = chance.randrange(5)
            app.create("company", {"name": f"N{n}", "domain": chance.choice([None, f"d{n}.com"])})
        elif what < 0.6 or not contacts:
            made = app.create("contact", _contact(chance))
            if chance.random() < 0.6:
                target = Target(chance.choice(companies).id, primary=True)
                app.associate("contact", made, "company", target)
        elif what < 0.9:
            name, value = chance.choice(list(_contact(chance).items()))
            app.edit("contact", chance.choice(contacts).id, {name: value})
        else:
            app.delete("contact", chance.choice(contacts).id)


def _state(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    db = home.state.database.connection
    names = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in names}


DONE = ("created", "updated", "linked", "deleted", "archived")
"""What becomes of records; a stale version, which is looked at again, is none of it."""


def _effects(counts: Iterable[Mapping[str, int]]) -> list[dict[str, int]]:
    return [{k: n for k, n in c.items() if k.endswith(DONE)} for c in counts]


@pytest.mark.parametrize("seed", range(25))
async def test_a_plan_is_what_the_run_then_does(tmp_path: Path, seed: int) -> None:
    homes = [_home(tmp_path / str(n), random.Random(seed)) for n in range(2)]
    work = [random.Random(seed + 1000) for _ in homes]
    path = tmp_path / "the.plan"
    for steps in (25, 12, 6):
        for home, chance in zip(homes, work, strict=True):
            _live(home, chance, steps)
        assert homes[0].shown() == homes[1].shown()
        before, writes = _state(homes[0]), homes[0].stage.writes()
        header, _ = await homes[0].plan(path)
        assert (_state(homes[0]), homes[0].stage.writes()) == (before, writes), "it only looked"

        reports = await homes[1].run()
        assert {report.ending for report in reports} == {Ending.DONE}
        done = _effects(report.did for report in reports)
        assert _effects(planned.counts for planned in header.syncs) == done

        carried = await homes[0].carry_out(path)
        assert [c.refused for c in carried] == [{}, {}]
        assert [c.left for c in carried] == [0, 0]
        assert _effects(c.report.did for c in carried) == done
        assert homes[0].shown() == homes[1].shown()
        assert (await homes[0].plan())[1] == [], "nothing is left to plan"


@pytest.mark.parametrize("seed", range(12))
async def test_what_moves_after_the_plan_is_refused_and_nothing_else(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    home = _home(tmp_path / "a", chance)
    _live(home, chance, 30)
    path = tmp_path / "the.plan"
    _, lines = await home.plan(path)
    _live(home, chance, 5)
    carried = await home.carry_out(path)
    total = sum(c.done + sum(c.refused.values()) for c in carried)
    assert total == len(lines)
    assert sum(c.done for c in carried) > 0
    await home.run()
    assert (await home.plan())[1] == [], "the next run does what was refused"
    for sync in (home.stage.companies, home.stage.contacts):
        assert home.stage.counts(sync).waiting == 0
