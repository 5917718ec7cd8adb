"""Everything that the pages say is translated, and the files hold nothing else."""

from __future__ import annotations

import re

import pytest
from tools.messages import LANGUAGES, WEB, file_of, merged, said, translated, untranslated

from twofold.web.language import preferred, translations


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language: str) -> None:
    assert untranslated(language) == [], "run `make messages`, then translate what it prints"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_files_are_as_make_messages_writes_them(language: str) -> None:
    areas = said()
    files = {path.stem for path in (WEB / "locale" / language).glob("*.po")}
    assert files == {area for area, messages in areas.items() if any(m.id for m in messages)}
    for area in files:
        assert file_of(language, area).read_bytes() == merged(language, area, areas[area]), area


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_names_the_same_facts(language: str) -> None:
    for area in said():
        for message in translated(language, area):
            whole = [message.id] if isinstance(message.id, str) else list(message.id)
            texts = (
                [message.string] if isinstance(message.string, str) else list(message.string or ())
            )
            facts = set(re.findall(r"%\(\w+\)\w", whole[-1]))
            assert {tuple(sorted(re.findall(r"%\(\w+\)\w", text))) for text in texts} == {
                tuple(sorted(facts))
            }, (area, whole)


def test_areas_make_one_language() -> None:
    dutch = translations("nl")
    assert dutch.gettext("Active and listening") == "Actief en luisterend"
    assert dutch.ngettext("%(n)s record to go", "%(n)s records to go", 2) == "nog %(n)s records"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("nl-NL,nl;q=0.9,en;q=0.8", "nl"),
        ("de,en;q=0.7,nl;q=0.3", "en"),
        ("nl;q=0, en", "en"),
        ("", "en"),
        ("nl;q=x, ;;;, *", "en"),
    ],
)
def test_a_browser_says_what_its_reader_likes(accepted: str, language: str) -> None:
    assert preferred(accepted) == language
