"""What an area of the pages is, and which there are: each module of ``pages`` declares one.

A new area is a module with an ``AREA``, a folder of templates and a file of messages, all of one
name; nothing else has to name it.
"""

from __future__ import annotations

import importlib
import pkgutil

from fastapi import APIRouter
from msgspec import Struct

from twofold.services.access import Role
from twofold.web import pages
from twofold.web.language import later

__all__ = ["Area", "Entry", "areas", "later"]


class Entry(Struct, frozen=True):
    """One entry of the top bar or of the account's menu."""

    label: str
    """Marked with `later`, so that it is translated."""
    path: str
    order: int
    """Entries stand in this order; leave gaps."""
    role: Role = Role.VIEWER
    """Who sees it; what may be done is decided by the pages themselves."""
    in_account: bool = False
    """In the account's menu instead of the top bar."""


class Area(Struct, frozen=True):
    """Pages that belong together."""

    name: str
    """That of its module, its folder of templates and its file of messages."""
    router: APIRouter
    entries: tuple[Entry, ...] = ()

    def holds(self, path: str) -> bool:
        """Whether a page of that path is shown as being under one of the entries."""
        return any(path == e.path or path.startswith(f"{e.path}/") for e in self.entries)


def areas() -> list[Area]:
    """All areas, by name."""
    found = []
    for module in pkgutil.iter_modules(pages.__path__):
        area = getattr(importlib.import_module(f"{pages.__name__}.{module.name}"), "AREA", None)
        if isinstance(area, Area):
            found.append(area)
    return found
