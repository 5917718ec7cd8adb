"""Collects the messages of the pages into one file per area and language: `make messages`.

A message of `pages/health.py` or of `templates/health/` goes into `locale/nl/health.po`, one that
stands elsewhere, for all areas, into `web.po`. What is translated already stays; what nobody says
any more goes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from tools.tree import ROOT
from twofold.core.merge import Reason
from twofold.services import explain, history

WEB = ROOT / "src" / "twofold" / "web"
LANGUAGES = ("nl",)
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "later": None,
    "say": None,
    "say_many": (1, 2),
}
_PHRASES = (*(reason.value for reason in Reason), *explain.PHRASES, *history.PHRASES)
"""What is said below the pages and shown there."""
_OPTIONS = {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"}


def area_of(path: Path) -> str:
    """The area whose messages a file holds."""
    parts = path.relative_to(WEB).parts
    if parts[0] == "pages":
        return path.stem
    own = parts[0] == "templates" and len(parts) > 2 and parts[1] != "parts"
    return parts[1] if own else "web"


def sources() -> Iterator[Path]:
    """All files that may say something."""
    yield from sorted(WEB.rglob("*.py"))
    yield from sorted(WEB.rglob("*.html"))


def said() -> dict[str, Catalog]:
    """Area → its messages, without a translation."""
    found: dict[str, Catalog] = {}
    for path in sources():
        method = "python" if path.suffix == ".py" else "jinja2.ext.babel_extract"
        options = {} if path.suffix == ".py" else _OPTIONS
        for _, message, _, context in extract_from_file(
            method, path, keywords=_KEYWORDS, options=options
        ):
            catalog = found.setdefault(area_of(path), Catalog())
            catalog.add(message, context=context)
    for phrase in _PHRASES:
        found.setdefault("web", Catalog()).add(phrase)
    for area, catalog in found.items():
        for one in [m for m in catalog if m.id and area != "web"]:
            if found["web"].get(one.id):  # said once for all areas
                catalog.delete(one.id)
    return found


def file_of(language: str, area: str) -> Path:
    """Where an area's translations are."""
    return WEB / "locale" / language / f"{area}.po"


def translated(language: str, area: str) -> Catalog:
    """What is translated so far."""
    path = file_of(language, area)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def merged(language: str, area: str, messages: Catalog) -> bytes:
    """The file of an area as it should be."""
    known, whole = translated(language, area), Catalog(locale=language)
    for message in messages:
        if message.id:
            before = known.get(message.id, message.context)
            text = "" if before is None or before.fuzzy else before.string
            whole.add(message.id, text, context=message.context, flags=message.flags)
    packed = BytesIO()
    write_po(packed, whole, width=100, no_location=True, omit_header=True, sort_output=True)
    return packed.getvalue()


def untranslated(language: str) -> list[str]:
    """One line per message that has no translation, and per file that is not up to date."""
    found = []
    for area, messages in sorted(said().items()):
        known = translated(language, area)
        for message in messages:
            there = known.get(message.id, message.context) if message.id else None
            texts = [] if there is None else [there.string]
            if texts and isinstance(texts[0], tuple | list):
                texts = list(texts[0])
            if message.id and (not texts or not all(texts) or (there and there.fuzzy)):
                found.append(f"{area}: {message.id!r}")
    return found


def main() -> int:
    """Write the files; say what is still to be translated."""
    for language in LANGUAGES:
        areas = said()
        for path in (WEB / "locale" / language).glob("*.po"):
            if path.stem not in areas:
                path.unlink()
        for area, messages in areas.items():
            path = file_of(language, area)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(merged(language, area, messages))
        print("\n".join(untranslated(language)) or f"messages: all are in {language}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
