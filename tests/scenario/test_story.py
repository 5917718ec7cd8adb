"""The story, played with every app; what an app does not declare is named in the table."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scenario.apps import APPS
from tests.scenario.conftest import TABLE
from tests.scenario.player import declared, prepared
from tests.scenario.story import STORY, Chapter

from twofold.kit.conformance import capabilities
from twofold.kit.memory import contact


@pytest.mark.parametrize("chapter", STORY, ids=lambda chapter: chapter.name)
@pytest.mark.parametrize("name", APPS)
async def test_the_story(name: str, chapter: Chapter, tmp_path: Path) -> None:
    cell = (chapter.name, name)
    TABLE[cell] = "FAILED"
    with APPS[name](tmp_path) as app:
        assert app.name == name
        lacking = chapter.needs - await declared(tmp_path, app)
        if lacking:
            TABLE[cell] = f"lacks {', '.join(sorted(lacking))}"
            return
        async with prepared(tmp_path, app, chapter) as player:
            await player.play()
    TABLE[cell] = "passes"


def test_each_chapter_is_played_by_someone() -> None:
    """Names are unique; the memory app declares what any chapter needs."""
    assert len({chapter.name for chapter in STORY}) == len(STORY)
    needed = frozenset().union(*(chapter.needs for chapter in STORY))
    assert needed <= capabilities(contact(merges=True))
