"""For people who write connectors: a new one to begin with, and whether one keeps its promises."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from defusedxml import ElementTree
from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.kit import catalog, quality, scaffold

SUITE = "conformance.py"
"""The tests of a connector, beside its code."""
_NAME = re.compile(r"[a-z][a-z0-9]{1,29}")
_PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "twofold-people"
version = "0.1"
requires-python = ">=3.11"
dependencies = ["twofold"]

[project.optional-dependencies]
test = ["pytest", "pytest-asyncio"]

[project.entry-points."twofold.connectors"]
people = "twofold_people.people:People"

[tool.hatch.build.targets.wheel]
packages = ["twofold_people"]
"""
_PAGE = """# people

What it is, in one sentence.

| | |
|---|---|
| object types | `person` |
| associations | none |
| changes, deletes | by comparing full listings |
| writes | create, update; refused where the record has moved on |
| looked up by | the e-mail address |

## What it asks

- **Path of the file.** Which rights it needs, in words.

## What to know

- What its app does that people would not expect.
"""


class Finding(Struct, frozen=True):
    """What became of a connector's check."""

    name: str
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    """Each with its first words of why."""
    listing: str
    """Which tests its declared capabilities call for, and why the others are not."""
    quality: dict[str, str]
    """Rule → done, todo or exempt."""
    problems: tuple[str, ...]
    """Of the quality file."""


def new(name: str, folder: Path) -> list[Path]:
    """Write a connector that works, with its tests, quality file and page; returns the files.

    Raises:
        TwofoldError: TF-A14, the name or the folder cannot be used.
    """
    if _NAME.fullmatch(name) is None:
        reason = "a name has 2 to 30 small letters and digits, and begins with a letter"
        raise TwofoldError("TF-A14", name=name, reason=reason)
    source = Path(str(scaffold.__file__)).parent
    root, package = folder / f"twofold-{name}", f"twofold_{name}"
    texts = {
        "pyproject.toml": _PROJECT,
        "README.md": _PAGE,
        f"{package}/__init__.py": f'"""The connector {name} for Twofold."""\n',
        f"{package}/{name}.py": (source / "people.py").read_text(),
        f"{package}/{SUITE}": (source / SUITE).read_text(),
        f"{package}/{quality.FILE}": (source / quality.FILE).read_text(),
    }
    try:
        (root / package).mkdir(parents=True)
        for path, text in texts.items():
            (root / path).write_text(_renamed(text, name))
    except OSError as error:
        raise TwofoldError("TF-A14", name=name, reason=f"{root}: {error.strerror}") from error
    return [root / path for path in texts]


def _renamed(text: str, name: str) -> str:
    """The people connector's words, with another name; its object type stays."""
    text = text.replace("twofold.kit.scaffold.people", f"twofold_{name}.{name}")
    text = text.replace("twofold_people.people", f"twofold_{name}.{name}")
    text = re.sub(r"\bPeople\b(?! file|\", FIELDS| in a)", name.capitalize(), text)
    text = text.replace("TestPeople", f"Test{name.capitalize()}")
    return re.sub(r"(?<![/.])\bpeople\b(?!\.json)|(?<=_)people\b|(?<=-)people\b", name, text)


def check(name: str) -> Finding:
    """Run the conformance suite on an installed connector, and read its quality file.

    Raises:
        UnknownConnector, BrokenConnector: there is none that can be loaded.
        TwofoldError: TF-A12, it brings no tests, or they cannot be run.
    """
    connector = catalog.load(name)
    place = quality.file_of(connector)
    tests = place.with_name(SUITE)
    if not tests.is_file():
        raise TwofoldError("TF-A12", name=name, reason=f"there is no {tests}")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        said = _run(tests, report)
        if not report.is_file():
            words = " ".join((said.stderr or said.stdout).split())[-300:]
            raise TwofoldError("TF-A12", name=name, reason=words or "pytest did not run")
        cases = list(ElementTree.parse(report).iter("testcase"))
    failed = {case.get("name"): case for case in cases if len(case)}
    if not cases:
        raise TwofoldError("TF-A12", name=name, reason=f"there is no test in {tests}")
    marks, problems = _quality(place)
    return Finding(
        name,
        tuple(str(case.get("name")) for case in cases if not len(case)),
        tuple(f"{test}: {_why(case[0].get('message'))}" for test, case in failed.items()),
        _listing(said.stdout),
        {rule: str(mark.standing) for rule, mark in marks.items()},
        problems,
    )


def _run(tests: Path, report: Path) -> subprocess.CompletedProcess[str]:
    options = ["-q", "-p", "no:cacheprovider", f"--junit-xml={report}", "--rootdir", tests.parent]
    loop = ["-o", "asyncio_default_fixture_loop_scope=function", "-c", "/dev/null"]
    command = [sys.executable, "-m", "pytest", tests, *options, *loop]
    return subprocess.run(  # noqa: S603 (our own interpreter, on a file of an installed package)
        list(map(str, command)), capture_output=True, text=True, check=False
    )


def _quality(place: Path) -> tuple[dict[str, quality.Mark], tuple[str, ...]]:
    if not place.is_file():
        return {}, (f"there is no {place}",)
    marks, problems = quality.read(place.read_bytes())
    return dict(marks), tuple(problems)


def _why(message: object) -> str:
    return " ".join(str(message).split())[:200]


def _listing(out: str) -> str:
    """The suite's own list, without pytest's dots around it."""
    lines = out.splitlines()
    starts = [n for n, line in enumerate(lines) if line.endswith("conformance tests called for")]
    if not starts:
        return ""
    found = lines[starts[0] :]
    ends = [n for n, line in enumerate(found) if n > 2 and re.match(r"[.FEs]*\s+\[ *\d+%\]", line)]
    return "\n".join(found[: ends[0]] if ends else found).strip()
