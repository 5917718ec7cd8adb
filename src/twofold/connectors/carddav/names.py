"""How a full name (FN) is made from the parts of a name (N), and stays in step with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twofold.connectors.carddav.vcard import Card, parts, unescaped

_SIZE = 5
"""Family, given, additional, prefixes, suffixes (RFC 6350 §6.2.2)."""


def parts_of(card: Card) -> list[str]:
    """The five parts of N, empty where the card has none."""
    line = next(iter(card.all("N")), None)
    found = [unescaped(part).strip() for part in parts(line.text)] if line is not None else []
    return [*found, *[""] * _SIZE][:_SIZE]


def full(name: Sequence[str]) -> str:
    """Prefixes, given, additional, family, suffixes."""
    return " ".join(name[i] for i in (3, 1, 2, 0, 4) if name[i])


def _short(name: Sequence[str]) -> str:
    return " ".join(filter(None, (name[1], name[0])))


def _family_first(name: Sequence[str]) -> str:
    return " ".join(filter(None, (name[0], name[1])))


def _family_comma(name: Sequence[str]) -> str:
    return ", ".join(filter(None, (name[0], name[1])))


_FORMS: tuple[Callable[[Sequence[str]], str], ...] = (_short, full, _family_comma, _family_first)


def followed(shown: str, before: Sequence[str], after: Sequence[str]) -> str:
    """The full name after a change of the parts, in the form that it had; empty = leave it."""
    if list(before) == list(after):
        return ""
    plain = " ".join(shown.split())
    form = next((form for form in _FORMS if form(before) == plain), None)
    return form(after) if form is not None else ""
