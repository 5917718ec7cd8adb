"""The content lines of a vCard, found and replaced, never normalized (RFC 6350 §3, RFC 2425 §5.8).

A server may hold anything: bare line feeds, no END, two cards in one body, Latin-1, lines of
megabytes. So a body is cut into logical lines that, joined again, are the body to the byte; only a
line that is rewritten is encoded and folded anew. Nothing here raises on what it reads, and every
step is linear in the size of the body.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

_BREAK = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?![ \t])")
"""The end of a logical line; a break before a blank is a fold (RFC 6350 §3.2)."""
_FOLD = re.compile(rb"(?:\r\n|\n|\r)[ \t]")
_NAME = re.compile(rb"(?:\xef\xbb\xbf)?[ \t]*+(?:([\w-]++)\.)?([\w-]++)[ \t]*+(?=[;:])")
"""Group and name, after a byte order mark."""
_COLON = re.compile(rb'[^":]*+(?:"[^"]*+"[^":]*+)*+:')
"""Up to the colon that ends the parameters; colons in quotes do not."""
_PARAM = re.compile(rb';([^=;"]*+)(?:=((?:"[^"]*+"|[^";])*+))?')
_QUOTED_PRINTABLE = re.compile(rb"[^:\r\n]*?QUOTED-PRINTABLE", re.IGNORECASE)
_USUAL = 100
"""Bytes of a head that is worth remembering."""
_HEAD_LIMIT = 1000
"""How far into a line the words QUOTED-PRINTABLE are looked for."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PART = re.compile(r"((?:[^;\\]++|\\.|\\)*+)(?:;|\Z)", re.DOTALL)
_WIDTH = 75
"""Octets of a physical line (RFC 6350 §3.2)."""
_QP = "QUOTED-PRINTABLE"
NO_PREFERENCE = 101
"""After every PREF, which runs from 1 to 100 (RFC 6350 §5.3)."""


class Line:
    """One logical line: its raw bytes, folds included, and the line break after it."""

    __slots__ = ("_params", "_parts", "_text", "ending", "group", "name", "raw")

    def __init__(self, raw: bytes, ending: bytes) -> None:
        self.raw = raw
        self.ending = ending
        found = _NAME.match(raw)
        if found is None and _FOLD.search(raw):
            found = _NAME.match(_FOLD.sub(b"", raw))
        self.group, self.name = b"", ""
        """The name in upper case; empty for a line that is no property."""
        if found is not None:
            group, name = found.groups()
            self.group, self.name = group or b"", name.decode("ascii", "replace").upper()
        self._parts: tuple[bytes, bytes] | None = None
        self._params: Params | None = None
        self._text: str | None = None

    def _forget(self) -> None:
        self._parts = self._params = self._text = None

    @property
    def head(self) -> bytes:
        """Group, name and parameters, unfolded."""
        return self._split()[0]

    @property
    def value(self) -> bytes:
        """What follows the colon, unfolded, as it was encoded."""
        return self._split()[1]

    def _split(self) -> tuple[bytes, bytes]:
        if self._parts is None:
            raw = self.raw
            whole = _FOLD.sub(b"", raw) if b"\n" in raw or b"\r" in raw else raw
            found = _COLON.match(whole) if b'"' in whole else None
            colon = found.end() - 1 if found else whole.find(b":")
            self._parts = (whole, b"") if colon < 0 else (whole[:colon], whole[colon + 1 :])
        return self._parts

    @property
    def params(self) -> Params:
        """What the parameters say."""
        if self._params is None:
            head = self.head
            self._params = _usual(head) if len(head) <= _USUAL else _params(head)
        return self._params

    @property
    def text(self) -> str:
        """The value as text, escapes still in it, control characters dropped.

        Where it is not UTF-8, CHARSET counts (vCard 2.1), then Latin-1, which takes any byte.
        """
        if self._text is None:
            value = self.value
            if self.params.quoted_printable:
                value = quopri.decodestring(value)
            text = _decoded(value, self.params.first.get("CHARSET", ""))
            self._text = text if text.isprintable() else _CONTROL.sub("", text)
        return self._text

    def rewrite(self, text: str) -> None:
        """Give the line another value, escaped by the caller; parameters and label stay.

        Only an encoding that the new value does not have is dropped from the parameters.
        """
        head, kept, start = self.head, [], 0
        for found in _PARAM.finditer(head):
            if _is_encoding(*_named(found)):
                kept.append(head[start : found.start()])
                start = found.end()
        head = b"".join([*kept, head[start:]])
        self.raw = _folded(head + b":" + text.encode(), self.ending or b"\r\n")
        self._forget()


class Params(Struct, frozen=True):
    """The parameters of a line."""

    first: Mapping[str, str]
    """The first value by name in upper case, without quotes."""
    types: frozenset[str]
    """All TYPE values in upper case; a bare word of vCard 2.1 is one too."""
    quoted_printable: bool
    """Whether the value is encoded as in vCard 2.1."""
    preference: int
    """1 for the most preferred: PREF=1 in vCard 4, TYPE=PREF in vCard 3."""


_NO_PARAMS = Params({}, frozenset(), quoted_printable=False, preference=NO_PREFERENCE)


def _params(head: bytes) -> Params:
    if b";" not in head:
        return _NO_PARAMS
    first: dict[str, str] = {}
    types: list[str] = []
    for found in _PARAM.finditer(head):
        name, value = _named(found)
        if name == "TYPE":
            types += value.upper().split(",")
        else:
            first.setdefault(name, value)
    stripped = frozenset(word.strip() for word in types)
    quoted_printable = first.get("ENCODING", "").upper() == _QP
    return Params(first, stripped, quoted_printable, _preference(first.get("PREF", ""), stripped))


_usual = lru_cache(1024)(_params)
"""A book of thousands of cards has the same few heads."""


def _preference(given: str, types: frozenset[str]) -> int:
    if given.isascii() and given.isdigit() and len(given) <= 3:
        return max(1, min(int(given), NO_PREFERENCE))
    return 1 if "PREF" in types else NO_PREFERENCE


def _named(param: re.Match[bytes]) -> tuple[str, str]:
    name = param[1].strip().upper().decode("latin-1")
    if param[2] is not None:
        return name, param[2].replace(b'"', b"").strip().decode("latin-1")
    return ("ENCODING" if name in (_QP, "BASE64") else "TYPE"), name


def _is_encoding(name: str, value: str) -> bool:
    if name == "CHARSET":
        return value.upper() not in ("UTF-8", "UTF8")
    return name == "ENCODING" and value.upper() == _QP


def _decoded(value: bytes, charset: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        pass
    try:
        return value.decode(charset.lower() or "latin-1")
    except (LookupError, ValueError):
        return value.decode("latin-1")


class Card:
    """The first vCard of a body, within all the bytes of that body."""

    def __init__(self, body: bytes) -> None:
        self._lines: list[Line] = []
        self._properties: dict[str, list[Line]] = {}
        """The lines of the card itself: not of a card inside it (AGENT), not of one after it."""
        self._end: Line | None = None
        self.found = False
        """Whether there is a card at all."""
        depth = 0
        for raw, ending in _logical_lines(body):
            line = Line(raw, ending)
            self._lines.append(line)
            if self._end is not None:
                continue
            if line.name == "BEGIN":
                depth += 1
                self.found = True
            elif line.name == "END":
                depth -= 1
                if self.found and depth <= 0:
                    self._end = line
            elif depth == 1 and line.name:
                self._properties.setdefault(line.name, []).append(line)

    def __bytes__(self) -> bytes:
        return b"".join(part for line in self._lines for part in (line.raw, line.ending))

    @property
    def version_4(self) -> bool:
        """Whether its VERSION is 4.0; all else is written as 3.0."""
        return self.value("VERSION").startswith("4")

    def all(self, name: str) -> Sequence[Line]:
        """The lines of a property, in order."""
        return self._properties.get(name, ())

    def value(self, name: str) -> str:
        """The unescaped text of a property's first line; empty where there is none."""
        return next((unescaped(line.text).strip() for line in self.all(name)), "")

    def add(self, head: str, text: str) -> None:
        """Add a line at the end of the card, with the card's own line break."""
        ending = next((line.ending for line in self._lines if line.ending), b"\r\n")
        line = Line(_folded(f"{head}:{text}".encode(), ending), ending)
        at = self._lines.index(self._end) if self._end is not None else len(self._lines)
        if at and not self._lines[at - 1].ending:
            self._lines[at - 1].ending = ending
        self._lines.insert(at, line)
        self._properties.setdefault(line.name, []).append(line)

    def remove(self, line: Line) -> None:
        """Take one line out; a label that belonged to it stays."""
        self._lines.remove(line)
        self._properties[line.name].remove(line)


def _logical_lines(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Raw line and line break; joined, they are the body."""
    start = 0
    for found in _BREAK.finditer(body):
        if _is_soft(body, start, found.start()):
            continue
        yield body[start : found.start()], found[0]
        start = found.end()
    if start < len(body):
        yield body[start:], b""


def _is_soft(body: bytes, start: int, end: int) -> bool:
    """Whether the break at ``end`` is a soft one of quoted-printable (RFC 2045 §6.7)."""
    if end <= start or body[end - 1 : end] != b"=":
        return False
    return _QUOTED_PRINTABLE.match(body, start, min(end, start + _HEAD_LIMIT)) is not None


def _folded(line: bytes, ending: bytes) -> bytes:
    """Cut into physical lines of 75 octets at most, never inside a character (RFC 6350 §3.2)."""
    pieces: list[bytes] = []
    start, room = 0, _WIDTH
    while len(line) - start > room:
        end = start + room
        end -= next((back for back in range(4) if line[end - back] & 0xC0 != 0x80), 0)
        pieces.append(line[start:end])
        start, room = end, _WIDTH - 1
    pieces.append(line[start:])
    return (ending + b" ").join(pieces)


def escaped(text: str) -> str:
    """Text as a value, or one part of a value, holds it (RFC 6350 §3.4, RFC 2426 §5)."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\\", "\\\\")
    return text.replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")


def unescaped(text: str) -> str:
    """The opposite of `escaped`; an escape without meaning stands for its character."""
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)


def parts(text: str) -> list[str]:
    """The parts of a structured value, each still escaped, so that they can be joined again.

    A comma in a part is taken literally: many programs leave it unescaped in text.
    """
    if "\\" not in text:
        return text.split(";")
    found: list[str] = []
    for match in _PART.finditer(text):
        found.append(match[1])
        if match.end() == match.end(1):
            break
    return found
