"""Which content line holds which field, and how a value is read from it and put into it.

One card may hold many e-mails, phones and addresses, each with labels; a field is the one of them
that its rule chooses, and the rule is the same for reading and writing. A write edits that line's
value, or the one part of it, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime

import msgspec

from twofold.connectors.carddav import birthdays, names, phones
from twofold.connectors.carddav.vcard import Card, Line, escaped, parts, unescaped
from twofold.core.values import Value, is_blank
from twofold.kit.errors import InvalidValue

CONTACT = "contact"
COMPANY = "company"

_KINDS = {"": CONTACT, "individual": CONTACT, "org": COMPANY}
"""KIND (RFC 6350 §6.1.4) by object type; groups, locations and devices are neither."""
_APPLE_GROUP = "X-ADDRESSBOOKSERVER-KIND"
_APPLE_SHOW_AS = "X-ABSHOWAS"
_NOT_VOICE = phones.MOBILE | {"FAX", "PAGER", "MODEM", "TEXTPHONE", "VIDEO"}

_UNHOLDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

Rank = tuple[int, ...] | None
"""The lowest is chosen; None = not a candidate."""


def _preferred(line: Line) -> Rank:
    return (line.params.preference,)


def _at_work_first(line: Line) -> Rank:
    return ("WORK" not in line.params.types, line.params.preference)


def _voice(line: Line) -> Rank:
    return None if line.params.types & _NOT_VOICE else _at_work_first(line)


def _mobile(line: Line) -> Rank:
    return _preferred(line) if line.params.types & phones.MOBILE else None


def _plain(line: Line, text: str) -> str:
    return escaped(text)


def _uri(line: Line, text: str) -> str:
    """A URI is not escaped (RFC 6350 §6.7.8), except what reading would take for an escape."""
    return text.replace("\\", "\\\\")


class Slot(msgspec.Struct, frozen=True):
    """The place of one field in a card."""

    name: str
    """The property."""
    part: int | None = None
    """Which part of a structured value; None = the whole value."""
    size: int = 1
    """How many parts a line that we add has."""
    rank: Callable[[Line], Rank] = _preferred
    head: str = ""
    """Name and parameters of a line that we add to a card of version 3.0; 4.0 needs fewer."""
    head_4: str = ""
    decode: Callable[[str], str] = str
    """What is shown of an unescaped value."""
    encode: Callable[[Line, str], str] = _plain
    """The value for the line, escaped."""


def _address(part: int) -> Slot:
    return Slot("ADR", part, 7, _at_work_first, "ADR;TYPE=WORK", "ADR;TYPE=work")


_TEL = Slot("TEL", decode=phones.shown, encode=phones.encoded)
SLOTS: Mapping[str, Slot] = {
    "firstname": Slot("N", 1, 5),
    "lastname": Slot("N", 0, 5),
    "full_name": Slot("FN"),
    "email": Slot("EMAIL", head="EMAIL;TYPE=INTERNET", head_4="EMAIL"),
    "phone": msgspec.structs.replace(
        _TEL, rank=_voice, head="TEL;TYPE=WORK,VOICE", head_4="TEL;TYPE=work"
    ),
    "mobilephone": msgspec.structs.replace(
        _TEL, rank=_mobile, head="TEL;TYPE=CELL", head_4="TEL;TYPE=cell"
    ),
    "company": Slot("ORG", 0),
    "department": Slot("ORG", 1, 2),
    "jobtitle": Slot("TITLE"),
    "website": Slot("URL", encode=_uri),
    "street": _address(2),
    "city": _address(3),
    "state": _address(4),
    "zip": _address(5),
    "country": _address(6),
    "note": Slot("NOTE"),
}
"""The text fields; ``date_of_birth``, ``additional_emails`` and a company's ``name`` have rules."""


def object_type(card: Card) -> str | None:
    """Contact, company, or None for what is neither: a group, a room, not a card at all."""
    if not card.found:
        return None
    kind = (card.value("KIND") or card.value(_APPLE_GROUP)).lower()
    if not kind and card.value(_APPLE_SHOW_AS).upper() == "COMPANY":
        return COMPANY
    return _KINDS.get(kind)


def read(card: Card, wanted: Iterable[str]) -> dict[str, Value]:
    """The values of the wanted fields; None where the card has none."""
    return {name: _READERS[name](card) if name in _READERS else _text(card, SLOTS[name]) or None
            for name in wanted}  # fmt: skip


def patch(card: Card, changes: Mapping[str, Value]) -> None:
    """Put new values into a card; None clears.

    Raises:
        InvalidValue: a field does not take the value. The card is then half changed: drop it.
    """
    before = names.parts_of(card)
    shown = _text(card, SLOTS["full_name"])
    for name, value in changes.items():
        if name in _WRITERS:
            _WRITERS[name](card, value)
        else:
            _write(card, SLOTS[name], checked(name, value))
    if "full_name" not in changes:
        _keep_in_step(card, shown, before)


def new_card(kind: str, uid: str, changes: Mapping[str, Value]) -> bytes:
    """A card of version 3.0, which every server takes (RFC 6352 §10.3.1)."""
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", "FN:", "N:;;;;"]
    if kind == COMPANY:
        lines.append("X-ABShowAs:COMPANY")
    card = Card("".join(f"{line}\r\n" for line in [*lines, "END:VCARD"]).encode())
    patch(card, changes)
    return bytes(card)


def checked(name: str, value: Value) -> str:
    """A text that a content line can hold; empty to clear.

    Raises:
        InvalidValue: it is no text, or has characters that no vCard may hold.
    """
    if is_blank(value):
        return ""
    if not isinstance(value, str):
        raise InvalidValue(name, value, "text")
    if _UNHOLDABLE.search(value):
        raise InvalidValue(name, value, "text without control characters")
    return value


# --- one line ----------------------------------------------------------------------------------


def _best(card: Card, slot: Slot) -> Line | None:
    """The line that the field shows; an empty one only where no other is left."""
    lines = card.all(slot.name)
    if not lines:
        return None
    if len(lines) == 1:
        return None if slot.rank(lines[0]) is None else lines[0]
    best: tuple[bool, tuple[int, ...]] | None = None
    chosen = None
    for line in lines:
        rank = slot.rank(line)
        if rank is not None and (best is None or (_is_empty(line), rank) < best):
            best, chosen = (_is_empty(line), rank), line
    return chosen


def _is_empty(line: Line) -> bool:
    return not line.value.strip(b" ;,")


def _text(card: Card, slot: Slot) -> str:
    line = _best(card, slot)
    return "" if line is None else _shown(line, slot)


def _shown(line: Line, slot: Slot) -> str:
    text = line.text
    if slot.part is not None:
        found = parts(text)
        text = found[slot.part] if slot.part < len(found) else ""
    return slot.decode(unescaped(text)).strip()


def _write(card: Card, slot: Slot, text: str) -> None:
    line = _best(card, slot)
    if line is None:
        if text:
            _add(card, slot, text)
    elif _shown(line, slot) == text.strip():
        return
    elif slot.part is not None:
        _write_part(card, slot, line, text)
    elif text:
        line.rewrite(slot.encode(line, text))
    elif slot.name != "FN":
        card.remove(line)


def _write_part(card: Card, slot: Slot, line: Line, text: str) -> None:
    found = parts(line.text)
    index = slot.part or 0
    if (len(found[-1]) - len(found[-1].rstrip("\\"))) % 2:
        found[-1] += "\\"  # a lone one at the end would escape the semicolon that may follow
    found += [""] * (index + 1 - len(found))
    found[index] = escaped(text)
    if any(part.strip() for part in found) or slot.name == "N":
        line.rewrite(";".join(found))
    else:
        card.remove(line)


def _add(card: Card, slot: Slot, text: str) -> None:
    head = (slot.head_4 if card.version_4 else slot.head) or slot.name
    if slot.part is None:
        value = slot.encode(Line(f"{head}:".encode(), b""), text)
    else:
        found = [""] * slot.size
        found[slot.part] = escaped(text)
        value = ";".join(found)
    card.add(head, value)


# --- fields with rules of their own ------------------------------------------------------------


def _keep_in_step(card: Card, shown: str, before: list[str]) -> None:
    """FN follows N where it was made from it, and is never missing (RFC 6350 §6.2.1)."""
    derived = names.followed(shown, before, names.parts_of(card))
    if not derived and not shown:
        choices = (names.full(names.parts_of(card)), *(_text(card, SLOTS[n]) for n in _STAND_INS))
        derived = next(filter(None, choices), "Unnamed")
    if derived:
        _write(card, SLOTS["full_name"], derived)


_STAND_INS = ("company", "email", "mobilephone", "phone", "website")


def _write_full_name(card: Card, value: Value) -> None:
    text = checked("full_name", value)
    if not text:
        raise InvalidValue("full_name", value, "a name, which every card must have")
    _write(card, SLOTS["full_name"], text)


def _read_name(card: Card) -> Value:
    return _text(card, SLOTS["company"]) or _text(card, SLOTS["full_name"]) or None


def _write_name(card: Card, value: Value) -> None:
    """A company's name is its ORG and, where they were equal, its FN.

    A card that names the company in FN alone, as vCard 4 allows, stays like that.
    """
    text = checked("name", value)
    if not text:
        raise InvalidValue("name", value, "a name, which every card must have")
    org, full_name = (_text(card, SLOTS[name]) for name in ("company", "full_name"))
    if org or not full_name:
        _write(card, SLOTS["company"], text)
    if full_name in ("", org) or not org:
        _write(card, SLOTS["full_name"], text)


def _read_additional_emails(card: Card) -> Value:
    """All addresses but the one that ``email`` shows, in the card's order, each once."""
    slot = SLOTS["email"]
    first = _text(card, slot)
    others = dict.fromkeys(_shown(line, slot) for line in card.all("EMAIL"))
    return tuple(text for text in others if text and text != first)


def _refuse_emails(card: Card, value: Value) -> None:
    raise InvalidValue("additional_emails", value, "no value: it can only be read")


def _read_birthday(card: Card) -> Value:
    return next((birthdays.shown(line) for line in card.all("BDAY")), None)


def _write_birthday(card: Card, value: Value) -> None:
    if not is_blank(value) and (not isinstance(value, date) or isinstance(value, datetime)):
        raise InvalidValue("date_of_birth", value, "a date")
    day = value if isinstance(value, date) else None
    line = next(iter(card.all("BDAY")), None)
    if line is None:
        if day is not None:
            card.add("BDAY", birthdays.written(day, basic=card.version_4))
    elif day is not None:
        birthdays.rewrite(line, day)
    elif birthdays.shown(line) is not None or not line.value.strip():
        card.remove(line)


_READERS: Mapping[str, Callable[[Card], Value]] = {
    "name": _read_name,
    "additional_emails": _read_additional_emails,
    "date_of_birth": _read_birthday,
}
_WRITERS: Mapping[str, Callable[[Card, Value], None]] = {
    "name": _write_name,
    "full_name": _write_full_name,
    "additional_emails": _refuse_emails,
    "date_of_birth": _write_birthday,
}
