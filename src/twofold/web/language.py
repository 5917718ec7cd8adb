"""Languages: messages by area out of ``locale``, put together when the program starts.

A message is its English text. In templates it is marked with ``_()`` or ``{% trans %}``, in code
with `later`, ``say`` and ``say_many``; ``make messages`` finds them all.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "nl": "Nederlands"}
"""Code → its own name. English is what the messages are written in."""
DEFAULT = "en"


def later(message: str) -> str:
    """Mark a text that is translated where it is shown."""
    return message


@cache
def translations(language: str) -> NullTranslations:
    """The messages of a language, of all areas."""
    files = sorted((LOCALE / language).glob("*.po"))
    if not files:
        return NullTranslations()
    whole = Catalog(locale=language)
    for path in files:
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id and message.string and not message.fuzzy:
                    whole.add(message.id, message.string, context=message.context)
    packed = io.BytesIO()
    write_mo(packed, whole)
    packed.seek(0)
    return Translations(packed)


def preferred(accepted: str) -> str:
    """The language of an ``Accept-Language`` header that we speak and the reader likes best."""
    best, weight = DEFAULT, 0.0
    for part in accepted[:500].split(","):
        name, _, rest = part.strip().partition(";")
        code = name.split("-")[0].strip().lower()
        try:
            wish = float(rest.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if code in LANGUAGES and weight < wish <= 1:
            best, weight = code, wish
    return best
