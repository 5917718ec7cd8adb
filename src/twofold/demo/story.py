"""The demo's story: three places come into step, a record changes in each, and all is checked.

What is claimed is read past every sync: the shop with SQLite, the address book over CardDAV.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twofold.core.errors import TwofoldError
from twofold.core.records import Side
from twofold.demo import address_book
from twofold.demo.address_book import AddressBook
from twofold.demo.people import Cast, Person, Place, Trait, cast
from twofold.demo.sample import connect_shop
from twofold.demo.shop import Shop
from twofold.demo.sides import Sides
from twofold.demo.telling import Chapter, Listener
from twofold.services import connections, explain, health, runs, syncs
from twofold.services.installation import Installation
from twofold.services.proposals import Request
from twofold.services.writer import writer_of

MARK = "this-is-a-demo"
SHOP_FILE = "shop.db"
BOOK_FOLDER = "address-book"
MOST_ROUNDS = 5
"""What one app learns reaches the other with the next round; three are enough."""

_DID = ("linked", "hub created", "app created", "hub updated", "app updated")
"""What a run counts, of interest to a person."""


def prepare(folder: Path) -> None:
    """Empty the folder of an earlier demo, or make it.

    Raises:
        TwofoldError: TF-U27, something else is in it; TF-U11, a demo goes on in it; TF-U13, it
            cannot be used.
    """
    writer = writer_of(folder)
    if writer is not None:
        raise TwofoldError("TF-U11", path=folder, pid=writer)
    try:
        if folder.exists() and any(folder.iterdir()):
            if not (folder / MARK).exists():
                raise TwofoldError("TF-U27", path=folder)
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / MARK).touch()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TwofoldError("TF-U13", path=folder, reason=reason) from error


@contextmanager
def server(folder: Path, *, small: bool) -> Iterator[AddressBook | None]:
    """The address book's server while the story lasts; None in the small demo."""
    if small:
        yield None
    else:
        with address_book.running(folder / BOOK_FOLDER) as book:
            yield book


class Story:
    """One telling, over an installation that is new."""

    def __init__(self, here: Installation, book: AddressBook | None, listener: Listener) -> None:
        self._here = here
        self._listener = listener
        self._book = book
        self._shop = Shop(here.folder / SHOP_FILE)
        self._sides = Sides(here, self._shop, book)
        self._cast: Cast = cast() if book else cast(people=30, companies=8, book=False)
        self._places = [place for place in Place if place in self._cast.places]
        self.failed = 0
        """How many claims did not hold."""

    async def tell(self) -> None:
        """Tell all of it."""
        with self._chapter("Places that do not know each other") as chapter:
            self._fill(chapter)
        with self._chapter("Connect them, and say what stays in step") as chapter:
            await self._connect(chapter)
        with self._chapter("The first sync") as chapter:
            await self._sync(chapter)
            self._check_everybody(chapter)
        with self._chapter("A change on each side, and a second sync") as chapter:
            await self._change(chapter)
        with self._chapter("A run that finds nothing writes nothing") as chapter:
            await self._idle(chapter)
        with self._chapter("Where every record stands") as chapter:
            self._count(chapter)
        with self._chapter("One record, explained") as chapter:
            await self._explain(chapter)

    @contextmanager
    def _chapter(self, title: str) -> Iterator[Chapter]:
        self._listener.begin(title)
        chapter = Chapter(title)
        yield chapter
        self.failed += sum(not check.holds for check in chapter.checks)
        self._listener.end(chapter)

    # --- chapters -----------------------------------------------------------------------------

    def _fill(self, chapter: Chapter) -> None:
        self._sides.fill(self._cast)
        chapter.show(
            ("place", "people", "companies"),
            [
                (place, len(self._cast.known_in(place)), len(self._cast.firms_in(place)))
                for place in self._places
            ],
        )
        several = sum(len(person.places) > 1 for person in self._cast.people)
        chapter.say(f"{several} people are known in more than one place.")
        odd = [(trait, len(self._cast.having(trait))) for trait in Trait if trait is not Trait.NONE]
        told = "; ".join(f"{count} with {trait}" for trait, count in odd if count)
        chapter.say(f"As in every real list, a few are odd: {told}.")

    async def _connect(self, chapter: Chapter) -> None:
        here = self._here
        await connect_shop(here, self._shop)
        if self._book:
            # Its server is on this machine, which connections reach only where that is allowed.
            here.state.addresses.add(self._book.address)
            await connections.connect(here, "carddav", self._book.answers, "book")
            await syncs.add(here, Request("book", "company"))
            await syncs.add(here, Request("book", "contact"))
        rows = []
        for sync in syncs.every(here):
            rules = sync.rules
            pair = f"{rules.hub.name} <-> {rules.app.name}"
            rows.append((sync.name, pair, len(rules.mappings), len(rules.associations)))
        chapter.show(("sync", "object types", "fields", "associations"), rows)

    async def _sync(self, chapter: Chapter) -> None:
        """Run all syncs until nothing moves: what an app tells, another hears in the next round."""
        rows: list[tuple[str | int, ...]] = []
        for number in range(1, MOST_ROUNDS + 1):
            reports = await self._round()
            rows += [
                (number, report.sync, *(report.did.get(what, 0) for what in _DID))
                for report in reports
                if any(report.did.get(what) for what in _DID)
            ]
            if not any(report.did for report in reports):
                chapter.show(("round", "sync", *_DID), rows)
                chapter.say(f"Round {number} found nothing left to do.")
                return
        chapter.check("the rounds come to an end", "more to do", "nothing to do")

    async def _round(self) -> list[runs.Report]:
        chosen = runs.chosen(self._here, ())
        return [await runs.run(self._here, sync, runs.Options()) for sync in chosen]

    def _check_everybody(self, chapter: Chapter) -> None:
        firms = Counter(firm.name for firm in self._cast.firms)
        for place in self._places:
            expected = self._cast.expected(place)
            people = f"{expected.total()} people with an e-mail address"
            claim = f"the {place} has {people}, and multiplied nobody"
            found = self._sides.emails(place)
            chapter.check(claim, found - expected, expected - found)
            claim = f"the {place} has all {len(firms)} companies, each once"
            chapter.check(claim, self._sides.companies(place), firms)
        claim = "customers of the shop point to the company that they work for"
        employed = self._employed()
        right = [p for p in employed if p.firm and p.firm.name == self._company_of(p)]
        chapter.check(f"{len(employed)} {claim}", len(right), len(employed))

    def _employed(self) -> list[Person]:
        """People whose company the shop must know by now: from itself, or from the hub."""
        return [
            person
            for person in self._cast.having(Trait.NONE)
            if person.firm and person.places & person.firm.places & {Place.HUB, Place.SHOP}
        ]

    def _company_of(self, person: Person) -> object:
        return self._shop.customer(person.email).get("company")

    async def _change(self, chapter: Chapter) -> None:
        everywhere = self._cast.places
        known = [p for p in self._cast.having(Trait.NONE) if p.places == everywhere]
        caller, mover, promoted = known[:3]
        changes = [(Place.SHOP, caller, "phone", "+31 20 555 0142")]
        self._shop.call(caller.email, "+31 20 555 0142")
        changes.append((Place.HUB, mover, "city", "Rotterdam"))
        self._sides.move(mover.email, "Rotterdam")
        if self._book:
            changes.append((Place.BOOK, promoted, "jobtitle", "Head of everything"))
            self._book.promote(promoted.email, "Head of everything")
        chapter.show(
            ("changed in", "person", "field", "new value"),
            [(place, f"{p.first} {p.last}", field, new) for place, p, field, new in changes],
        )
        await self._sync(chapter)
        for place, person, field, new in changes:
            for other in self._places:
                if other is not place:
                    claim = f"{person.first}'s new {field}, made in the {place}, is in the {other}"
                    chapter.check(claim, self._sides.person(other, person.email)[field], new)

    async def _idle(self, chapter: Chapter) -> None:
        before = self._sides.everything()
        reports = await self._round()
        chapter.check("every sync did nothing", [r.did for r in reports], [{} for _ in reports])
        claim = "not one row, record or card has changed in " + ", ".join(
            f"the {place}" for place in self._places
        )
        chapter.check(claim, self._sides.everything() == before, True)

    def _count(self, chapter: Chapter) -> None:
        found = health.healths(self._here)
        chapter.show(
            ("sync", "in sync", "failing", "excluded", "waiting", "status"),
            [
                (h.status.sync, c.in_sync, c.failing, c.excluded, c.waiting, h.status.text)
                for h in found
                for c in (h.counts,)
            ],
        )
        for h in found:
            for word, groups in (("failing", h.failing), ("excluded", h.excluded)):
                for cause in groups:
                    told = f"{cause.count} × {cause.code}: {cause.sentence}"
                    chapter.say(f"{h.status.sync}, {word}, {told}")
        for h in found:
            counts = (h.counts.in_sync, h.counts.failing, h.counts.excluded, h.counts.waiting)
            chapter.check(f"the counts of {h.status.sync} add up", counts, self._standing(h))

    def _standing(self, found: health.Health) -> tuple[int, int, int, int]:
        """In sync, failing, excluded and waiting, as the people's traits tell."""
        if found.status.sync.endswith("companies"):
            return (len(self._cast.firms), 0, 0, 0)
        if found.status.connection == "book":
            people = self._cast.expected(Place.BOOK).total()
            torn = len(self._cast.having(Trait.SHARED_EMAIL))
            lost = len(self._cast.having(Trait.NO_EMAIL, Place.BOOK))
            return (people - torn, 0, torn + torn // 2 + lost, 0)
        long = len(self._cast.having(Trait.LONG_TITLE))
        nameless = len(self._cast.having(Trait.NO_LAST_NAME))
        lost = len(self._cast.having(Trait.NO_EMAIL, Place.SHOP))
        return (self._cast.expected(Place.SHOP).total() - long, long + nameless, lost, 0)

    async def _explain(self, chapter: Chapter) -> None:
        person = self._cast.having(Trait.LONG_TITLE)[0]
        (one,) = await explain.explain(self._here, "shop-contacts", person.email, Side.HUB)
        chapter.say(f"{one.name} is {one.state}. Filter: {one.filter}. Match: {one.match}.")
        chapter.show(
            ("field", "hub", "shop", "because"),
            [
                (line.field, str(line.hub or ""), str(line.app or ""), line.reason)
                for line in one.fields
            ],
        )
        for issue in one.issues:
            chapter.say(f"{issue.code} {issue.sentence} {issue.advice}")
        chapter.say(f"Next: {one.next}")
        chapter.check("its job title is what fails", [i.field for i in one.issues], ["job_title"])
