"""Several requests in one, and their answers: OData 4.0 Protocol, section 11.7 ("Batch Requests").

Row "$batch" of the facts: parts run in order, each with a status of its own, where the whole is
sent with ``Prefer: odata.continue-on-error``. Lines end with CR LF, and a part's address may hold
64 KB, which is more than one that is sent alone.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

MOST = 1_000
"""Requests in one batch."""
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/\d\.\d (\d{3})")
_END = b"\r\n"


class Part(Struct, frozen=True):
    """One request in a batch; the address is escaped already."""

    method: str
    path: str
    headers: Mapping[str, str] = {}
    json: Any = None


class Reply(Struct, frozen=True):
    """The answer to one of them."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    content: bytes


def packed(root: str, parts: Sequence[Part]) -> tuple[str, bytes]:
    """The content type and the body of a batch."""
    boundary = f"batch_{uuid.uuid4()}"
    lines: list[bytes] = []
    for part in parts:
        lines += [f"--{boundary}".encode(), b"Content-Type: application/http"]
        lines += [b"Content-Transfer-Encoding: binary", b""]
        lines.append(f"{part.method} {root}/{part.path} HTTP/1.1".encode("ascii"))
        headers = {"Accept": "application/json", **part.headers}
        if part.json is not None:
            headers["Content-Type"] = "application/json"
        lines += [f"{name}: {value}".encode("ascii") for name, value in headers.items()]
        lines += [b"", b"" if part.json is None else msgspec.json.encode(part.json)]
    lines += [f"--{boundary}--".encode(), b""]
    return f'multipart/mixed; boundary="{boundary}"', _END.join(lines)


def unpacked(content_type: str, content: bytes) -> list[Reply]:
    """The answers in a body. Raises ValueError."""
    named = _BOUNDARY.search(content_type)
    if named is None:
        raise ValueError("a batch's answer without a boundary")
    mark = b"\r\n--" + named[1].encode("latin-1", "replace")
    pieces = (_END + content).split(mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ValueError("a batch's answer that breaks off")
    return [_reply(piece) for piece in pieces[1:-1]]


def _reply(piece: bytes) -> Reply:
    _, found, http = piece.partition(_END + _END)
    status = _STATUS.match(http)
    if not found or status is None:
        raise ValueError("a part of a batch's answer that is no answer")
    head, _, body = http.partition(_END + _END)
    pairs = (line.decode("latin-1").partition(":") for line in head.split(_END)[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Reply(int(status[1]), headers, body.strip())
