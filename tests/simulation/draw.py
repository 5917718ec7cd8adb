"""One seed = one script: what is drawn, and how often."""

from __future__ import annotations

from random import Random

from msgspec import structs
from tests.simulation.apps import EDITED, REWRITES
from tests.simulation.braking import draw_brakes
from tests.simulation.faults import KINDS, STEP
from tests.simulation.limits import draw_limits
from tests.simulation.mapped import draw_mapped
from tests.simulation.script import Act, AppScript, Round, Script, SyncScript, Trouble
from tests.simulation.users import ACTS
from tests.simulation.verifying import draw_verification

from twofold.core.filters import Leaving
from twofold.core.mappings import Deletes, Direction, When
from twofold.core.records import Side
from twofold.core.schema import Feed

ROUNDS = 7
"""Beside those that surely crash."""
CRASHES = 2
ACTS_PER_ROUND = (3, 7)
FEWEST_ACTS = 44
"""Some of them may be refused by the app."""
LIMITED = 0.3
"""The share of histories with limits."""
ARCHIVED = 0.3
"""The share of histories whose apps can archive."""
SIDES = tuple(Side)


def draw(seed: int) -> Script:
    """The script of a seed."""
    random = Random(seed)
    sync = draw_sync(random)
    hub, app = draw_app(random), draw_app(random)
    rounds = [draw_round(random, sync) for _ in range(ROUNDS)]
    missing = FEWEST_ACTS - sum(len(one.acts) for one in rounds)
    for _ in range(CRASHES):
        acts = tuple(draw_act(random, sync) for _ in range(max(2, missing // CRASHES + 1)))
        crash = Trouble("crash between effects", STEP, random.randint(1, 4))
        rounds.insert(random.randrange(len(rounds) + 1), Round(acts, 60, (crash,)))
    script = Script(hub, app, sync, tuple(rounds))
    if random.random() < LIMITED:
        script = draw_limits(random, script)
    sync, rounds = draw_write_rules(random, script.sync, list(script.rounds))
    script = structs.replace(script, sync=sync, rounds=tuple(rounds))
    # Each of these draws by chance of its own: what a seed led to before stays as it was.
    for more in (draw_archives, draw_brakes, draw_verification, draw_mapped):
        script = more(seed, script)
    return script


def draw_archives(seed: int, script: Script) -> Script:
    """Apps that can put records away, and rules that do so."""
    random = Random(f"archives {seed}")
    if random.random() >= ARCHIVED:
        return script
    sync = script.sync
    if sync.hub_limit or sync.app_limit:
        sync = structs.replace(sync, leaving=Leaving.ARCHIVE)
    if random.random() < 0.5:
        sync = structs.replace(sync, deletes=Deletes.ARCHIVE)
    hub, app = (structs.replace(script.side(side), archives=True) for side in Side)
    return structs.replace(script, hub=hub, app=app, sync=sync)


def draw_write_rules(
    random: Random, sync: SyncScript, rounds: list[Round]
) -> tuple[SyncScript, list[Round]]:
    """Rules of single mappings, and a mapping that is off for a while."""
    one, two, three = random.sample(EDITED["contact"], 3)
    limited = sync.hub_limit or sync.app_limit  # whose promises ask what arrived in each field
    if random.random() < 0.25 and not limited:
        when = random.choice((When.IF_EMPTY, When.ON_CREATE))
        sync = structs.replace(sync, when=((one, when),))
    if random.random() < 0.25:
        sync = structs.replace(sync, wins=((two, random.choice(SIDES)),))
    if random.random() < 0.25:
        off, on = sorted(random.sample(range(len(rounds)), 2))
        for number in (off, on):
            rounds[number] = structs.replace(rounds[number], turn=three)
    return sync, rounds


def draw_sync(random: Random) -> SyncScript:
    """What a person configured."""
    chance = random.random
    types: tuple[str, ...] = ("contact",)
    if chance() < 0.45:
        types = ("company", *types)
        if chance() < 0.4:
            types = (*types, "deal")
    one_way: list[tuple[str, Direction]] = []
    if chance() < 0.15:
        direction = random.choice((Direction.TO_HUB, Direction.TO_APP))
        one_way.append((random.choice(EDITED["contact"]), direction))
    return SyncScript(
        types=types,
        direction=random.choice([Direction.BOTH] * 4 + [Direction.TO_HUB, Direction.TO_APP]),
        default=random.choice(SIDES),
        require_email=chance() < 0.25,
        clears=chance() < 0.3,
        one_way=tuple(one_way),
        deletes=random.choice(
            [Deletes.IGNORE] * 3 + [Deletes.DELETE, Deletes.DELETE, Deletes.APPROVE]
        ),
    )


def draw_app(random: Random) -> AppScript:
    """What an app can do."""
    chance = random.random
    feed = random.choice(list(Feed))
    watermark = feed is Feed.WATERMARK
    coarse = watermark and chance() < 0.5
    return AppScript(
        feed=feed,
        resolution=1 if coarse else 0,
        lag=2 if watermark and chance() < 0.5 else 0,
        conditional=not coarse and chance() < 0.8,
        versions=coarse or chance() < 0.85,
        idempotent=chance() < 0.5,
        atomic=chance() < 0.2,
        keyed=chance() < 0.7,
        unique=chance() < 0.15,
        merges=chance() < 0.5,
        batch=random.choice((1, 3, 10)),
        page=random.choice((2, 5, 50)),
        stored=chance() < 0.6,
        bodies=chance() < 0.7,
        holders=chance() < 0.7,
        rewrites=tuple(word for word in REWRITES if chance() < 0.15),
        short=chance() < 0.1,
    )


def draw_act(random: Random, sync: SyncScript) -> Act:
    """What somebody does."""
    words, weights = zip(*((word, act.weight) for word, act in ACTS.items()), strict=True)
    (what,) = random.choices(words, weights)
    pick, more = random.randrange(1000), random.randrange(1000)
    return Act(what, random.choice(SIDES), random.choice(sync.types), pick, more)


def draw_round(random: Random, sync: SyncScript) -> Round:
    """People act, then everything runs, mostly with trouble."""
    acts = tuple(draw_act(random, sync) for _ in range(random.randint(*ACTS_PER_ROUND)))
    troubles = [draw_trouble(random, sync) for _ in range(random.choice((0, 1, 2, 2, 3)))]
    wait = random.choice((0, 1, 30, 600))
    if random.random() < 0.02:
        wait = -7200
    return Round(acts, wait, tuple(troubles), random.choice((None, None, 1, 2)))


def draw_trouble(random: Random, sync: SyncScript) -> Trouble:
    """Something that goes wrong, somewhere."""
    names, weights = zip(*((name, kind.weight) for name, kind in KINDS.items()), strict=True)
    (name,) = random.choices(names, weights)
    kind = KINDS[name]
    nth = 1 + min(int(random.expovariate(1 / kind.typical)), 10 * kind.typical)
    act = draw_act(random, sync) if kind.acts else None
    return Trouble(name, random.choice(kind.places), nth, random.randrange(1000), act)
