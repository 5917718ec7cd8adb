"""``python -m tests.soak --minutes 30``: the service under steady edits, while things go wrong.

A hub, a PostgreSQL server and a Radicale server, kept in step by ``twofold up``. People edit the
same contacts in all three. In the first part servers go away and processes are killed; the second
part is calm, and memory is watched. Then nobody edits any more: all must have arrived, all places
must agree, and nothing may be written any more. Prints what it measured; exits with 1 where it
falls short.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.interfaces.program import Program
from tests.servers.postgres import Postgres
from tests.servers.radicale import Radicale
from tests.service.service import Service, service
from tests.soak.arrivals import Arrivals, Edit, percentile
from tests.soak.faults import Fault, all_faults
from tests.soak.places import BookPlace, HubPlace, Place, ShopPlace

SYNCS = ("shop-contacts", "book-contacts")
POLL = 20
"""Seconds between two polls when nobody is at work."""
PUSHED, POLLED = 5.0, 60.0
"""Seconds within which 99 % arrive in calm times (R3); polled ones from their poll on."""
ALL = 600.0
"""Seconds within which everything arrives, whatever goes wrong (R2)."""
TROUBLED = 0.6
"""The share of the time in which things go wrong."""
GROWTH_SHARE, GROWTH_BYTES = 1.10, 8 << 20
"""What memory may grow by from the first to the last quarter of the calm part."""


class Pace(NamedTuple):
    """How much happens, in seconds."""

    minutes: float
    edit_every: float = 0.5
    fault_every: float = 30.0
    calm_after: float = 20.0
    """Seconds after a fault until a time counts as calm again."""
    contacts: int = 40
    quiet: float = 2.5 * POLL


class Soak:
    """One run of it."""

    def __init__(self, pace: Pace, up: Service, places: list[Place], faults: list[Fault]) -> None:
        self._pace = pace
        self._up = up
        self._places = {place.name: place for place in places}
        self._faults = faults
        self._dice = random.Random(1)
        self._emails: list[str] = []
        self._away = ""
        self._last_fault = -1e9
        self.arrivals = Arrivals(list(self._places))
        self.did: list[str] = []
        self.memory: dict[str, list[int]] = {"web": [], "worker": []}

    def run(self) -> list[str]:
        """Do all of it; returns where it falls short."""
        began = time.monotonic()
        end = began + self._pace.minutes * 60
        troubled = began + self._pace.minutes * 60 * TROUBLED
        fault_at, edit_at, sample_at = began + self._pace.fault_every / 2, began, troubled
        under_way: tuple[float, Fault] | None = None
        while (now := time.monotonic()) < end or under_way:
            if under_way and now >= under_way[0]:
                under_way[1].end()
                self._away, under_way = "", None
                self._last_fault = time.monotonic()
            elif not under_way and fault_at <= now < troubled:
                under_way = self._begin(now)
                fault_at = now + self._pace.fault_every
            if now >= edit_at:
                self._edit()
                edit_at = now + self._pace.edit_every * self._dice.uniform(0.5, 1.5)
            if now >= max(sample_at, self._last_fault + self._pace.calm_after):
                self._sample()
                sample_at = now + 1.0
            self._look()
            time.sleep(0.05)
        return [*self._ending(), *self._measured()]

    # --- while it goes on --------------------------------------------------------------------

    def _begin(self, now: float) -> tuple[float, Fault]:
        fault = self._faults[len(self.did) % len(self._faults)]
        self.did.append(fault.name)
        self.arrivals.disturb()
        self._away, self._last_fault = fault.away, now
        fault.begin()
        return now + fault.lasts, fault

    def _edit(self) -> None:
        """Somebody, somewhere that can be reached, changes or enters a contact."""
        name = self._dice.choice(sorted(set(self._places) - {self._away}))
        at = time.monotonic()
        calm = at - self._last_fault > self._pace.calm_after and not self._away
        title = f"Title {self.arrivals.made}"
        free = [email for email in self._emails if email not in self.arrivals.open]
        if len(self._emails) < self._pace.contacts and self._dice.random() < 0.5:
            email = f"c{len(self._emails)}@soak.example"
            self._emails.append(email)
            self._places[name].create(email, title)
            self.arrivals.add(Edit(email, title, name, at, created=True, calm=calm))
        elif free:
            email = self._dice.choice(free)
            self._places[name].edit(email, title)
            self.arrivals.add(Edit(email, title, name, at, created=False, calm=calm))

    def _look(self) -> None:
        found = {n: place.titles() for n, place in self._places.items() if n != self._away}
        self.arrivals.look(time.monotonic(), found)

    def _sample(self) -> None:
        for name, sizes in self.memory.items():
            sizes.append(_resident(self._up.pid(name)))

    # --- at the end --------------------------------------------------------------------------

    def _ending(self) -> Iterator[str]:
        """Wait until all has arrived and nothing moves; what does not is told."""
        deadline = time.monotonic() + ALL
        while self.arrivals.open and time.monotonic() < deadline:
            self._look()
            time.sleep(0.1)
        for edit in self.arrivals.open.values():
            yield f"an edit of {edit.email} at the {edit.place} never reached {edit.missing}"
        while not self._up.settled(*SYNCS) and time.monotonic() < deadline:
            time.sleep(0.5)
        if not self._up.settled(*SYNCS):
            yield "a sync does not come to rest"
        time.sleep(2)
        before = {name: place.state() for name, place in self._places.items()}
        time.sleep(self._pace.quiet)
        for name, place in self._places.items():
            if place.state() != before[name]:
                yield f"the {name} was written to although nobody edited anything"
            if doubled := place.doubled():
                yield f"the {name} holds more than once: {doubled}"
        if not self._places["hub"].titles():
            yield "the hub is empty"
        for name, place in self._places.items():
            if place.titles() != self._places["hub"].titles():
                yield f"the {name} differs from the hub"

    def _measured(self) -> Iterator[str]:
        took = self.arrivals.took
        print(f"edits: {self.arrivals.made} of {len(self._emails)} contacts")
        for way in sorted(took):
            found = took[way]
            print(
                f"{way:14} n={len(found):5}  p50 {percentile(found, 0.5):6.2f} s"
                f"  p99 {percentile(found, 0.99):6.2f} s  longest {max(found):6.2f} s"
            )
        print(
            f"faults: {len(self.did)}"
            + "".join(f"; {n} {self.did.count(n)}" for n in _once(self.did))
        )
        for way, most in (("pushed, calm", PUSHED), ("polled, calm", POLL + POLLED)):
            if took[way] and percentile(took[way], 0.99) > most:
                yield f"99 % of {way} do not arrive within {most:g} s"
        if max((max(found) for found in took.values() if found), default=ALL + 1) > ALL:
            yield f"something arrived later than after {ALL:g} s, or nothing did"
        for name, sizes in self.memory.items():
            yield from _grown(name, sizes)
        if failed := self._up.events("run failed"):
            yield f"{len(failed)} runs failed for a reason of our own: {failed[0]}"


def _grown(name: str, sizes: list[int]) -> Iterator[str]:
    quarter = len(sizes) // 4
    if not quarter:
        yield f"the memory of the {name} process was not measured"
        return
    first, last = (sorted(part)[quarter // 2] for part in (sizes[:quarter], sizes[-quarter:]))
    print(f"memory of the {name} process: {first / 1e6:.1f} MB, then {last / 1e6:.1f} MB")
    if last > first * GROWTH_SHARE + GROWTH_BYTES:
        yield f"the memory of the {name} process grows"


def _once(names: list[str]) -> list[str]:
    return sorted(set(names))


def _resident(pid: int) -> int:
    """Bytes in memory (proc_pid_statm(5))."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def prepared(pace: Pace) -> Iterator[Soak]:
    """Servers, connections, syncs and the service, running."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        postgres, radicale = stack.enter_context(Postgres()), stack.enter_context(Radicale())
        program = Program(folder / "data")
        program("network", "allow", "127.0.0.1")
        shop = ShopPlace(postgres)
        program("connect", "sql", "--label", "shop", "--set", f"url={postgres.url('shop')}")
        given = [word for item in radicale.settings.items() for word in ("--set", "=".join(item))]
        program("connect", "carddav", "--label", "book", *given)
        program("sync", "add", "shop", "contact", "people", "--map-by-name")
        program("sync", "add", "book", "contact")
        for label in ("shop", "book"):
            program("connection", "poll", label, "--every", str(POLL))
        up = stack.enter_context(service(program.folder))
        places: list[Place] = [HubPlace(program.folder / "hub.db"), shop, BookPlace(radicale)]
        yield Soak(pace, up, places, all_faults(up, postgres, radicale))


def main() -> int:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    minutes = parser.parse_args().minutes
    print(f"soak of {minutes:g} minutes on {os.cpu_count()} cores", flush=True)
    with prepared(Pace(minutes)) as soak:
        short = soak.run()
    for line in short:
        print(f"FALLS SHORT: {line}")
    print("fell short" if short else "all arrived, quiet at the end, memory flat")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
