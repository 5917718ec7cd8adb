"""Sample data for an empty installation: a shop with customers, kept in step with the hub.

It is the small demo's cast and shop, left to the service: who looks at the pages sees the first
sync happen, changes something on either side, and sees it arrive on the other.
"""

from __future__ import annotations

from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.demo.people import Cast, Person, Place, Trait, cast
from twofold.demo.shop import Shop
from twofold.demo.sides import Sides
from twofold.services import connections, hub, requests, syncs
from twofold.services.installation import Installation
from twofold.services.proposals import Request, Wish

FILE = "sample-shop.db"
LABEL = "shop"
_CUSTOMER_FIELDS = {
    "email": "email",
    "firstname": "first_name",
    "lastname": "last_name",
    "phone": "phone",
    "jobtitle": "job_title",
    "city": "city",
    "country": "country",
}
_CITIES = ("Rotterdam", "Utrecht", "Ghent", "Lisbon", "Trieste")


class Both(Struct, frozen=True):
    """One person as both sides show it now."""

    name: str
    hub_phone: str
    shop_phone: str
    hub_city: str
    shop_city: str


async def connect_shop(here: Installation, shop: Shop, label: str = LABEL) -> None:
    """Connect the shop, and set up a sync of companies and one of contacts."""
    wishes = tuple(Wish(ours, theirs) for ours, theirs in _CUSTOMER_FIELDS.items())
    await connections.connect(here, "sql", {"url": shop.url}, label)
    await syncs.add(here, Request(label, "company", "companies", by_name=True))
    await syncs.add(here, Request(label, "contact", "customers", wishes=wishes))


def offered(here: Installation) -> bool:
    """Whether sample data may be brought: nothing is connected, and the hub is empty."""
    alone = all(one.is_hub for one in connections.every(here))
    return alone and not hub.page(here, "contact", limit=1).records


async def bring(here: Installation) -> None:
    """Bring the sample data; the service begins to sync it at once.

    Raises:
        TwofoldError: TF-W43, the installation is not empty.
    """
    if not offered(here):
        raise TwofoldError("TF-W43")
    shop = Shop(here.folder / FILE)
    shop.path.unlink(missing_ok=True)
    Sides(here, shop, None).fill(_cast())
    await connect_shop(here, shop)


def is_here(here: Installation) -> bool:
    """Whether the sample's shop is connected."""
    labels = {one.label for one in connections.every(here) if one.app == "sql"}
    return LABEL in labels and (here.folder / FILE).exists()


def people(here: Installation) -> list[Both]:
    """A few people as both sides show them, read past every sync."""
    sides = _sides(here)
    return [_both(sides, person) for person in _shown()]


def change_in_shop(here: Installation) -> str:
    """Somebody in the shop corrects the first person's phone number; returns that person's name."""
    person = _shown()[0]
    number = int(here.world.now().timestamp()) % 10_000
    _sides(here).shop.call(person.email, f"+31 20 555 {number:04d}")
    for name in connections.one(here, LABEL).syncs:  # the shop cannot tell by itself
        if here.sync(name).enabled:
            requests.run_now(here, name)
    return _name(person)


def change_in_hub(here: Installation) -> str:
    """Somebody changes the second person's city in the hub; returns that person's name."""
    person = _shown()[1]
    sides = _sides(here)
    now = sides.person(Place.HUB, person.email)["city"]
    sides.move(person.email, next(city for city in _CITIES if city != now))
    return _name(person)


def _cast() -> Cast:
    return cast(people=30, companies=8, book=False)


def _shown() -> list[Person]:
    everybody = _cast()
    return [p for p in everybody.having(Trait.NONE) if p.places == everybody.places][:5]


def _sides(here: Installation) -> Sides:
    if not is_here(here):
        raise TwofoldError("TF-W44")
    return Sides(here, Shop(here.folder / FILE), None)


def _both(sides: Sides, person: Person) -> Both:
    ours, theirs = sides.person(Place.HUB, person.email), sides.person(Place.SHOP, person.email)
    return Both(_name(person), ours["phone"], theirs["phone"], ours["city"], theirs["city"])


def _name(person: Person) -> str:
    return f"{person.first} {person.last}"
