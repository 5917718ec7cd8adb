"""The grammar of a batch: OData 4.0 Protocol, section 11.7, as the documentation narrows it.

Row "$batch" of the facts. Change sets are refused as not simulated; all else that is refused would
be refused by the API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from msgspec import Struct

MOST = 1_000
LONGEST_ADDRESS = 65_536
_TYPE = re.compile(r'multipart/mixed\s*;\s*boundary="?([^";]+)"?', re.IGNORECASE)
_END = b"\r\n"


class Malformed(Exception):
    """A batch that is none; its message says where."""


class Asked(Struct, frozen=True):
    """One request of a batch."""

    method: str
    path: str
    """With its query, as it stands."""
    headers: Mapping[str, str]
    """Lower-case names."""
    content: bytes


def parsed(content_type: str, content: bytes) -> list[Asked]:
    """The requests of a batch, in order. Raises Malformed."""
    named = _TYPE.fullmatch(content_type.strip())
    if named is None:
        raise Malformed("The content type of a batch is multipart/mixed with a boundary.")
    mark = _END + b"--" + named[1].encode("latin-1", "replace")
    pieces = (_END + content).split(mark)
    if len(pieces) < 2 or pieces[-1].strip(b"\r\n") != b"--":
        raise Malformed("The batch does not end with its boundary and two hyphens.")
    found = [_asked(piece) for piece in pieces[1:-1]]
    if not found or len(found) > MOST:
        raise Malformed(f"A batch holds between 1 and {MOST} requests.")
    return found


def _asked(piece: bytes) -> Asked:
    if not piece.startswith(_END):
        raise Malformed("A part begins on a line of its own.")
    head, found, http = piece[2:].partition(_END + _END)
    outer = _headers(head)
    kind = outer.get("content-type", "").lower()
    if kind.startswith("multipart/mixed"):
        raise Malformed("Change sets are not simulated.")
    if not found or kind != "application/http":
        raise Malformed("The content type of a part is application/http.")
    if outer.get("content-transfer-encoding", "").lower() != "binary":
        raise Malformed("The content transfer encoding of a part is binary.")
    lines, found, body = http.partition(_END + _END)
    if not found:
        raise Malformed("The headers of a request end with an empty line.")
    first, _, rest = lines.partition(_END)
    words = first.decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Malformed(f"A request begins with method, address and version, not: {words}")
    if len(words[1]) > LONGEST_ADDRESS:
        raise Malformed("An address in a batch holds at most 65,536 characters.")
    if words[1].startswith("$batch") or "/$batch" in unquote(words[1]):
        raise Malformed("A batch holds no other batch.")
    return Asked(words[0], words[1], _headers(rest), body.strip(b"\r\n"))


def _headers(head: bytes) -> dict[str, str]:
    found = {}
    for line in filter(None, head.split(_END)):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or "\n" in line.decode("latin-1"):
            raise Malformed("A header is a name, a colon and a value; lines end with CR LF.")
        found[name.strip().lower()] = value.strip()
    return found
