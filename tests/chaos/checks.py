"""What must hold after a series, read from both sides' own data, never asked of Twofold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.chaos.companies import TAG, Expected, broken_promises
from tests.chaos.sides import integrity, rows
from tests.chaos.subject import Ended, Subject

_MOST_SHOWN = 20


class Verdict(NamedTuple):
    """The result of all checks."""

    facts: list[str]
    broken: list[str]


def verdict(subject: Subject, known: Expected, last: Ended) -> Verdict:
    """Check everything, and run once more: that run must write nothing."""
    broken = [*_broken(subject, known, last), *_writes_again(subject, known)]
    held = {"hub": subject.hub.companies(), "app": subject.app.companies()}
    pairs = {s: sum(1 for c in found if c.keys() >= set(TAG.values())) for s, found in held.items()}
    facts = [
        f"hub {len(held['hub'])} companies, app {len(held['app'])}",
        f"on both sides {len(known.both)}, of them pairs: hub {pairs['hub']}, app {pairs['app']}",
        f"ambiguous, left: hub {len(known.alone['hub'])}, app {len(known.alone['app'])}",
    ]
    hidden = len(broken) - _MOST_SHOWN
    return Verdict(facts, broken[:_MOST_SHOWN] + ([f"… and {hidden} more"] if hidden > 0 else []))


def _broken(subject: Subject, known: Expected, last: Ended) -> Iterator[str]:
    if last.code != 0:
        yield f"the last run ended with {last.code}: {last.out or last.err}"
    yield from broken_promises("hub", subject.hub.companies(), known.of("hub"))
    yield from broken_promises("app", subject.app.companies(), known.of("app"))
    for path in (subject.state, subject.hub.path):
        if (found := integrity(path)) != "ok":
            yield f"{path.name} is damaged: {found}"
    if (found := subject.app.verdict()) != "ok":
        yield f"the app's data is damaged: {found}"


def _writes_again(subject: Subject, known: Expected) -> Iterator[str]:
    before = subject.app.written(), subject.hub.written()
    again = subject.run()
    if (now := (subject.app.written(), subject.hub.written())) != before:
        yield f"a second run wrote: the sides had taken {before} writes before, {now} after"
    if again.code != 0:
        yield f"the second run ended with {again.code}: {again.out or again.err}"
        return
    health = again.report["health"]
    wanted = {
        "in_sync": len(known.both),
        "failing": 0,
        "excluded": len(known.alone["hub"]) + len(known.alone["app"]),
        "waiting": 0,
    }
    if health != wanted:
        yield f"it counts {health} instead of {wanted}"
    for table in ("creations", "due", "retries"):
        ((left,),) = rows(subject.state, f"SELECT count(*) FROM {table}")
        if left:
            yield f"{left} rows are left in the state's table {table}"
