"""Who there is in the demo, and where each is known before Twofold comes: the same for a seed.

Most people are as they should be. A few are not, as in every real list: no e-mail address, two
people with one address, a job title that the shop's column cannot hold, no last name where the
shop insists on one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from twofold.demo.names import COUNTRIES, TITLES, Country, Name, firms

LONGEST_TITLE = 40
"""Characters of a job title that the shop's column takes."""
LONG_TITLE = "Deputy assistant to the acting head of interdepartmental coordination"
SEED = 2026


class Place(StrEnum):
    """The three sides of the demo."""

    HUB = "hub"
    SHOP = "shop"
    BOOK = "address book"


class Trait(StrEnum):
    """What is special about a person."""

    NONE = "nothing"
    NO_EMAIL = "no e-mail address"
    SHARED_EMAIL = "an e-mail address that two people share"
    LONG_TITLE = "a job title longer than the shop's column"
    NO_LAST_NAME = "no last name, which the shop requires"


class Firm(Struct, frozen=True):
    """A company."""

    name: str
    website: str
    phone: str
    city: str
    country: str
    places: frozenset[Place]


class Person(Struct, frozen=True):
    """A contact. An empty text is a blank."""

    first: str
    last: str
    email: str
    phone: str
    title: str
    city: str
    country: str
    firm: Firm | None
    places: frozenset[Place]
    trait: Trait = Trait.NONE


class Cast(Struct, frozen=True):
    """Everybody."""

    places: frozenset[Place]
    firms: tuple[Firm, ...]
    people: tuple[Person, ...]

    def known_in(self, place: Place) -> list[Person]:
        """The people of a place before the first sync."""
        return [person for person in self.people if place in person.places]

    def firms_in(self, place: Place) -> list[Firm]:
        """The companies of a place before the first sync."""
        return [firm for firm in self.firms if place in firm.places]

    def having(self, trait: Trait, place: Place | None = None) -> list[Person]:
        """The people with a trait, of one place or of all."""
        everybody = self.people if place is None else self.known_in(place)
        return [person for person in everybody if person.trait is trait]

    def expected(self, place: Place) -> Counter[str]:
        """How often each e-mail address must be in a place once all are in step."""
        found = Counter(person.email for person in self.people if person.email)
        for person in self.having(Trait.SHARED_EMAIL):
            # Nobody can say which card the hub's contact is: neither is linked, none is made.
            found[person.email] = 2 if place is Place.BOOK else 1
        for person in self.having(Trait.NO_LAST_NAME):
            found[person.email] = 0 if place is Place.SHOP else 1
        return +found


_EVERYWHERE = frozenset(Place)
_SHARES: tuple[tuple[frozenset[Place], int], ...] = (
    (_EVERYWHERE, 3),
    (frozenset({Place.HUB, Place.SHOP}), 2),
    (frozenset({Place.HUB, Place.BOOK}), 4),
    (frozenset({Place.SHOP, Place.BOOK}), 3),
    (frozenset({Place.SHOP}), 3),
    (frozenset({Place.HUB}), 2),
    (frozenset({Place.BOOK}), 5),
)
"""Where people are known, and their shares. Most have a card: a card takes longest to make."""


def cast(seed: int = SEED, *, people: int = 240, companies: int = 39, book: bool = True) -> Cast:
    """Make up everybody; without the address book for a demo of two sides."""
    random = Random(seed)  # noqa: S311 (invented people, no secret)
    places = _EVERYWHERE if book else _EVERYWHERE - {Place.BOOK}
    names = random.sample(firms(), companies)
    made = tuple(_firm(random, name, _where(random, places)) for name in names)
    strangers = _strangers(random)
    crowd = [
        _person(random, next(strangers), random.choice((*made, None)), _where(random, places))
        for _ in range(people)
    ]
    return Cast(places, made, (*crowd, *_special(random, strangers, places)))


def _where(random: Random, places: frozenset[Place]) -> frozenset[Place]:
    shares = [(where & places, share) for where, share in _SHARES if where & places]
    (chosen,) = random.choices([w for w, _ in shares], [share for _, share in shares])
    return chosen


def _strangers(random: Random) -> Iterator[tuple[Country, Name, Name]]:
    """People whom nobody has met yet, in random order."""
    everybody = [(c, first, last) for c in COUNTRIES for first in c.first for last in c.last]
    return iter(random.sample(everybody, len(everybody)))


def _number(random: Random, prefix: str) -> str:
    return f"{prefix} {random.randrange(200, 999)} {random.randrange(1000, 9999)}"


def _firm(random: Random, name: Name, places: frozenset[Place]) -> Firm:
    country = random.choice(COUNTRIES)
    return Firm(
        name.native,
        f"https://{name.latin}.example",
        _number(random, country.prefix),
        random.choice(country.cities),
        country.label,
        places,
    )


def _person(
    random: Random,
    stranger: tuple[Country, Name, Name],
    firm: Firm | None,
    places: frozenset[Place],
    trait: Trait = Trait.NONE,
) -> Person:
    country, first, last = stranger
    host = "post.example" if firm is None else firm.website.removeprefix("https://")
    return Person(
        first.native,
        last.native,
        f"{first.latin}.{last.latin}@{host}",
        _number(random, country.prefix),
        random.choice(TITLES),
        random.choice(country.cities),
        country.label,
        firm,
        places,
        trait,
    )


def _special(
    random: Random, strangers: Iterator[tuple[Country, Name, Name]], places: frozenset[Place]
) -> Iterator[Person]:
    """A few of each kind that no list is without."""
    for place, count in ((Place.SHOP, 6), (Place.BOOK, 4)):
        for _ in range(count if place in places else 0):
            person = _person(random, next(strangers), None, frozenset({place}), Trait.NO_EMAIL)
            yield replace(person, email="")
    for _ in range(3 if Place.BOOK in places else 0):
        yield from _couple(random, strangers)
    in_hub = frozenset({Place.HUB})
    for _ in range(3):
        person = _person(random, next(strangers), None, in_hub, Trait.LONG_TITLE)
        yield replace(person, title=LONG_TITLE)
    for _ in range(2):
        person = _person(random, next(strangers), None, in_hub, Trait.NO_LAST_NAME)
        yield replace(person, last="")


def _couple(random: Random, strangers: Iterator[tuple[Country, Name, Name]]) -> Iterator[Person]:
    """Two cards with one address, and one contact of the hub that could be either."""
    country, first, last = next(strangers)
    other = random.choice([name for name in country.first if name != first])
    shared = f"family.{last.latin}.{first.latin}@post.example"
    both = frozenset({Place.HUB, Place.BOOK})
    for name, places in ((first, both), (other, frozenset({Place.BOOK}))):
        person = _person(random, (country, name, last), None, places, Trait.SHARED_EMAIL)
        yield replace(person, email=shared)
