"""Scripts and styles: third-party ones out of installed packages, our own out of ``static``.

Every address names a digest of all of them, so that browsers may keep a file for good and get the
new one with the next release.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from twofold.core.errors import TwofoldError

_OWN = Path(__file__).parent / "static"
_PARTS = {
    "style.css": (("sqladmin", "statics/css/tabler.min.css"), ("", "twofold.css")),
    "htmx.js": (("js_lib_htmx", "static/htmx/htmx.min.js"),),
    "twofold.js": (("", "twofold.js"),),
    "listener.js": (("", "listener.js"),),
    "icon.svg": (("", "icon.svg"),),
}
"""What is served → the files that it is put together of; without a package it is our own."""
_MEDIA = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class Asset:
    """One file as it is served."""

    def __init__(self, name: str, content: bytes) -> None:
        self.media = _MEDIA[name.rpartition(".")[2]]
        self.content = content

    @cached_property
    def packed(self) -> bytes:
        """For browsers that take gzip: all of them."""
        return gzip.compress(self.content, 9, mtime=0)


class Assets:
    """All files, read once."""

    def __init__(self) -> None:
        """Read them.

        Raises:
            TwofoldError: TF-W42, one is missing, so a package is not the one that was locked.
        """
        self.files = {
            name: Asset(name, b"\n".join(_read(*part) for part in parts))
            for name, parts in _PARTS.items()
        }
        together = b"".join(asset.content for asset in self.files.values())
        self.version = hashlib.sha256(together).hexdigest()[:12]

    def path(self, name: str) -> str:
        """The path of a file, without the prefix of a proxy."""
        if name not in self.files:
            raise KeyError(name)
        return f"/assets/{self.version}/{name}"


def _read(package: str, name: str) -> bytes:
    folder = _OWN
    if package:
        found = find_spec(package)
        places = None if found is None else found.submodule_search_locations
        folder = Path(places[0]) if places else Path(package)
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise TwofoldError("TF-W42", name=name, package=package or "twofold") from error
