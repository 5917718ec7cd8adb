"""Countries by name and code (ISO 3166-1, from the package ``iso3166``)."""

from __future__ import annotations

from collections.abc import Mapping

from iso3166 import Country, countries

_SPOKEN: Mapping[str, str] = {
    "uk": "GB",
    "great britain": "GB",
    "united kingdom": "GB",
    "usa": "US",
    "united states": "US",
    "holland": "NL",
    "the netherlands": "NL",
    "russia": "RU",
    "south korea": "KR",
    "north korea": "KP",
    "iran": "IR",
    "vietnam": "VN",
    "czech republic": "CZ",
    "turkey": "TR",
    "taiwan": "TW",
    "bolivia": "BO",
    "venezuela": "VE",
    "tanzania": "TZ",
    "moldova": "MD",
    "syria": "SY",
    "laos": "LA",
}
"""What people write, where the standard's own name is another one."""

_KNOWN: Mapping[str, Country] = {
    **{
        text.casefold(): country
        for country in countries
        for text in (country.name, country.apolitical_name, country.alpha2, country.alpha3)
    },
    **{spoken: countries.get(code) for spoken, code in _SPOKEN.items()},
}


def country_forms() -> Mapping[str, str]:
    """The formats of a country, with an example of each."""
    return {"name": "Netherlands", "alpha2": "NL", "alpha3": "NLD"}


def country_in(form: str, text: str) -> str | None:
    """A country in one of the formats; None where the text names none."""
    found = _KNOWN.get(text.strip().casefold())
    if found is None:
        return None
    return {"name": _plain(found), "alpha2": found.alpha2, "alpha3": found.alpha3}[form]


def _plain(country: Country) -> str:
    """The name without "Kingdom of the" and its like, where that still names only one country."""
    short = country.apolitical_name.partition(",")[0].partition(" (")[0]
    alone = sum(c.apolitical_name.startswith(short) for c in countries) == 1
    return short if alone else country.apolitical_name
