"""The people of the benchmarks: the same on every machine, for any number of records.

Person ``n`` is the same on both sides. A side of N records holds N people in an order of its own;
the app begins at person N/5, so that 80 % of each side are on the other side too. Of those, one in
twenty has another job title there.
"""

from __future__ import annotations

from collections.abc import Iterator

FIELDS = (
    "email",
    "firstname",
    "lastname",
    "phone",
    "mobilephone",
    "company",
    "jobtitle",
    "website",
    "address",
    "city",
    "state",
    "zip",
    "country",
    "department",
    "industry",
    "language",
    "source",
    "stage",
    "owner",
    "notes",
)
"""Twenty fields of text; a record with its envelope has about 654 bytes."""

OVERLAP = 0.8
DIFFERS = 20
"""One of this many people differs between the two sides."""

_FIRST = ("Ada", "Benedikt", "Chiara", "Dmitri", "Esra", "François", "Grete", "Hiroshi")
_LAST = ("Lindgren", "Okafor", "Petrović", "Quist", "Romano", "Schäfer", "Tanaka", "Umarov")
_CITIES = ("Aarhus", "Bilbao", "Cork", "Dresden", "Esbjerg", "Florence", "Ghent", "Halle")


def person(number: int, side: str) -> dict[str, str]:
    """The properties of a person as a side shows them."""
    first, last = _FIRST[number % 8], _LAST[number // 8 % 8]
    company = number // 12
    title = "Head of Purchasing" if side == "app" and number % DIFFERS == 0 else "Purchasing Agent"
    return {
        "email": f"{first[0].lower()}.{number}@company{company}.example",
        "firstname": first,
        "lastname": f"{last} {number}",
        "phone": f"+4930{number:08d}",
        "mobilephone": f"+49151{number:08d}",
        "company": f"Company {company} Ltd",
        "jobtitle": title,
        "website": f"https://company{company}.example",
        "address": f"{number % 240} Station Road",
        "city": _CITIES[number % 8],
        "state": "Northern District",
        "zip": f"{10000 + number % 80000}",
        "country": "Germany",
        "department": "Procurement and Logistics",
        "industry": "Mechanical Engineering",
        "language": "de-DE",
        "source": "Trade fair, autumn",
        "stage": "opportunity",
        "owner": f"owner-{number % 40}@hub.example",
        "notes": f"Met at stand {number % 900}; asked for the catalog of spare parts in May.",
    }


def numbers(side: str, size: int) -> Iterator[int]:
    """The people of a side, in the order in which its app made them."""
    first = 0 if side == "hub" else size - round(size * OVERLAP)
    step = 1 if side == "hub" else _stride(size)
    return (first + position * step % size for position in range(size))


def missing(size: int) -> int:
    """How many people each side lacks."""
    return size - round(size * OVERLAP)


def _stride(size: int) -> int:
    """A step that visits all, in an order unlike the hub's."""
    return next(step for step in (7919, 7907, 7901) if size % step)


def cards_of(side: str, size: int) -> Iterator[tuple[str, bytes]]:
    """The people of a side as vCards, with the names of their files."""
    return ((f"{side}-{n}.vcf", _card(n, side)) for n in numbers(side, size))


def _card(number: int, side: str) -> bytes:
    p = person(number, side)
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"UID:{side}-{number}",
        f"FN:{p['firstname']} {p['lastname']}",
        f"N:{p['lastname']};{p['firstname']};;;",
        f"EMAIL;TYPE=work:{p['email']}",
        f"TEL;TYPE=work,voice:{p['phone']}",
        f"TEL;TYPE=cell:{p['mobilephone']}",
        f"ORG:{p['company']};{p['department']}",
        f"TITLE:{p['jobtitle']}",
        f"URL;TYPE=work:{p['website']}",
        f"ADR;TYPE=work:;;{p['address']};{p['city']};{p['state']};{p['zip']};{p['country']}",
        "NOTE:" + p["notes"].replace(";", "\\;").replace(",", "\\,"),
        "END:VCARD",
        "",
    ]
    return "\r\n".join(lines).encode()
