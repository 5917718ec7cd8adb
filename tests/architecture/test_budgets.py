"""No file and no function outgrows its reader; no ring of imports; no name without a meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.budgets import cycle, functions, imports, over_budget, too_many_long
from tools.tree import CODE, ROOT, python_files, shown

FILES = list(python_files(*CODE))


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT / "src").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {_module(path): path.read_text() for path in FILES if path.is_relative_to(ROOT / "src")}


@pytest.mark.parametrize("path", FILES, ids=shown)
def test_a_file_keeps_its_budgets(path: Path) -> None:
    assert list(over_budget(shown(path), path.read_text())) == []


def test_long_functions_are_rare() -> None:
    assert list(too_many_long(SOURCES)) == []


def test_no_modules_import_each_other() -> None:
    assert cycle(SOURCES) == []


def test_the_package_was_found() -> None:
    assert {"twofold", "twofold.core.records", "twofold.kit.contract"} <= set(SOURCES)


# --- each check catches an offender -------------------------------------------------------------


def _function(lines: int, signature: str = "def f(a: int) -> int:") -> str:
    return (
        signature + '\n    """Say what.\n\n    And more.\n    """\n' + "    a += 1\n" * (lines - 1)
    )


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("src/a.py", "x = 1\n" * 501, "501 lines"),
        ("src/a.py", _function(81), "81 lines"),
        ("src/a.py", _function(2, "def f(a) -> int:"), "annotated"),
        ("src/a.py", _function(2, "async def f(a: int):"), "annotated"),
        ("src/a.py", _function(2, "def f(a: int, *b, **c: int) -> int:"), "annotated"),
        ("src/a.py", "class A:\n    def f(self):\n        pass\n", "annotated"),
        ("src/helpers.py", "", "helpers"),
        ("src/base/a.py", "", "base"),
    ],
)
def test_an_offender_is_caught(name: str, source: str, words: str) -> None:
    found = list(over_budget(name, source))
    assert len(found) == 1
    assert words in found[0]


def test_what_just_fits_passes() -> None:
    method = "class A:\n    def f(self, *, a: int) -> int:\n        return a\n"
    for source in ("x = 1\n" * 500, _function(80), method):
        assert list(over_budget("src/database.py", source)) == []


def test_a_docstring_costs_nothing() -> None:
    assert [function.length for function in functions(_function(10))] == [10]


def test_one_long_function_in_twenty_is_allowed() -> None:
    short = "\n".join(_function(35) for _ in range(19))
    assert list(too_many_long({"a": short + "\n" + _function(36)})) == []
    found = list(too_many_long({"a": short + "\n" + _function(36), "b": _function(40)}))
    assert found[0].startswith("2 of 21")
    assert found[1].startswith("b:1")


def test_a_ring_is_caught() -> None:
    ring = {
        "p.a": "from p import b",
        "p.b": "import p.c",
        "p.c": "try:\n    from p.a import x\nexcept ImportError:\n    x = 1",
        "p.d": "import p.a",
    }
    assert set(cycle(ring)) == {"p.a", "p.b", "p.c"}


def test_what_is_loaded_later_is_no_ring() -> None:
    late = "def f() -> None:\n    import p.a\n"
    typing = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import p.a\n"
    assert cycle({"p.a": "import p.b\nimport p.c", "p.b": late, "p.c": typing}) == []


def test_a_name_of_a_package_is_told_from_its_modules() -> None:
    modules = frozenset({"p", "p.a"})
    assert imports("from p import a", modules) == {"p.a"}
    assert imports("from p import a, VERSION", modules) == {"p", "p.a"}
    assert imports("import os", modules) == set()
