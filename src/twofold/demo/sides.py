"""The three places as their own people see them: filled, changed and read past every sync."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from twofold.core.records import Record
from twofold.demo.address_book import AddressBook, Card
from twofold.demo.people import Cast, Person, Place
from twofold.demo.shop import Shop
from twofold.services import hub
from twofold.services.installation import Installation

_TEXTS = ("phone", "jobtitle", "city")
"""What the demo changes and compares, by the hub's names."""


class Sides:
    """All places of one demo."""

    def __init__(self, here: Installation, shop: Shop, book: AddressBook | None) -> None:
        self._here = here
        self.shop = shop
        self.book = book

    def fill(self, cast: Cast) -> None:
        """Put everybody where they are known before the first sync."""
        self.shop.open(cast)
        if self.book:
            self.book.open(cast)
        companies = {}
        for firm in cast.firms_in(Place.HUB):
            values = {"name": firm.name, "website": firm.website, "phone": firm.phone}
            place = {"city": firm.city, "country": firm.country}
            companies[firm.name] = hub.create(self._here, "company", values | place).id
        for person in cast.known_in(Place.HUB):
            made = hub.create(self._here, "contact", _texts(person))
            if person.firm and person.firm.name in companies:
                company = companies[person.firm.name]
                hub.associate(self._here, "contact", made.id, "company", company)

    def emails(self, place: Place) -> Counter[str]:
        """How often each e-mail address is there."""
        if place is Place.HUB:
            found = [_text(record, "email") for record in self._hub("contact")]
        elif place is Place.SHOP:
            found = [row["email"] for row in self.shop.rows("SELECT email FROM customers")]
        else:
            found = [card.value("EMAIL") for card in self._cards() if not card.is_company]
        return Counter(email for email in found if email)

    def companies(self, place: Place) -> Counter[str]:
        """How often each company is there, by name."""
        if place is Place.HUB:
            return Counter(_text(record, "name") for record in self._hub("company"))
        if place is Place.SHOP:
            return Counter(row["name"] for row in self.shop.rows("SELECT name FROM companies"))
        return Counter(card.value("ORG") for card in self._cards() if card.is_company)

    def person(self, place: Place, email: str) -> dict[str, str]:
        """Phone, job title and city of a person, by the hub's names."""
        if place is Place.HUB:
            record = self.contact(email)
            found = [_text(record, name) for name in _TEXTS]
        elif place is Place.SHOP:
            row = self.shop.customer(email)
            found = [row[name] for name in ("phone", "job_title", "city")]
        else:
            found = _of_card(next(c for c in self._cards() if c.value("EMAIL") == email))
        return dict(zip(_TEXTS, found, strict=True))

    def contact(self, email: str) -> Record:
        """A contact of the hub."""
        return next(record for record in self._hub("contact") if _text(record, "email") == email)

    def move(self, email: str, city: str) -> None:
        """Somebody changes a city in the hub."""
        hub.edit(self._here, "contact", self.contact(email).id, {"city": city})

    def everything(self) -> tuple[list[str], list[Record], list[Card]]:
        """All that is written anywhere."""
        records = [*self._hub("contact"), *self._hub("company")]
        return self.shop.content(), records, self._cards()

    def _hub(self, object_type: str) -> Iterator[Record]:
        after: str | None = ""
        while after is not None:
            page = hub.page(self._here, object_type, after, 1000)
            yield from page.records
            after = page.next

    def _cards(self) -> list[Card]:
        return [] if self.book is None else self.book.cards()


def _of_card(card: Card) -> list[str]:
    return [card.value("TEL"), card.value("TITLE"), card.value("ADR").split(";")[3]]


def _text(record: Record, name: str) -> str:
    return str(record.fields.get(name) or "")


def _texts(person: Person) -> dict[str, str]:
    found = {
        "firstname": person.first,
        "lastname": person.last,
        "email": person.email,
        "phone": person.phone,
        "jobtitle": person.title,
        "city": person.city,
        "country": person.country,
        "company": person.firm.name if person.firm else "",
    }
    return {name: text for name, text in found.items() if text}
