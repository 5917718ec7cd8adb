"""Fingerprints of what a feed delivers, so that an unchanged record costs a hash and no decode."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import msgspec
import xxhash

from twofold.core.records import Target
from twofold.core.values import Value

_HALF = 1 << 63
_WHOLE = 1 << 64


def digest_bytes(content: bytes) -> int:
    """The XXH3 hash of some bytes as a signed 64-bit number, as databases hold it."""
    number = xxhash.xxh3_64_intdigest(content)
    return number - _WHOLE if number >= _HALF else number


def digests_of(contents: Iterable[bytes | msgspec.Raw]) -> list[int]:
    """`digest_bytes` of each: for whole pages, at a fraction of the cost."""
    unsigned = array("Q", map(xxhash.xxh3_64_intdigest, contents))
    return array("q", unsigned.tobytes()).tolist()


def digest_values(values: Iterable[tuple[str, Value | tuple[Target, ...]]]) -> int:
    """The hash of named values; their order does not matter, their names are unique."""
    return digest_bytes(_ENCODER.encode(sorted(values, key=_name)))


def _name(pair: tuple[str, object]) -> str:
    return pair[0]


_ENCODER = msgspec.msgpack.Encoder()
