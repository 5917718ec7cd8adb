"""The connector of docs/how-to/write-a-connector.md is what is made, passes, and syncs."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tools.tree import ROOT

from twofold.kit import catalog

PAGE = ROOT / "docs" / "how-to" / "write-a-connector.md"
PROGRAM = "import sys; sys.path.insert(0, '.'); from twofold.cli.main import main; main()"


def _twofold(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program, in a folder whose packages are installed."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _installed(folder: Path, name: str) -> Path:
    """A new connector, installed as far as entry points are concerned; its package's folder."""
    answer = _twofold(folder, "connector", "new", name)
    assert answer.returncode == 0, answer
    root = folder / f"twofold-{name}"
    facts = root / f"twofold_{name}-1.dist-info"
    facts.mkdir()
    point = re.search(rf'^{name} = "(.*)"$', (root / "pyproject.toml").read_text(), re.MULTILINE)
    assert point is not None
    (facts / "entry_points.txt").write_text(f"[{catalog.GROUP}]\n{name} = {point[1]}\n")
    (facts / "METADATA").write_text(f"Name: twofold-{name}\nVersion: 1\n")
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return _installed(tmp_path, "people")


def test_the_page_shows_what_is_made_in_less_than_a_hundred_lines(root: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    package = root / "twofold_people"
    made = [(package / name).read_text() for name in ("people.py", "conformance.py")]
    assert blocks == made
    assert len(made[0].splitlines()) < 100
    for command in ("twofold connector new people\n", "twofold connector check people\n"):
        assert command in PAGE.read_text()


def test_it_passes_the_check(root: Path) -> None:
    answer = _twofold(root, "connector", "check", "people")
    assert answer.returncode == 0, answer
    passed = re.search(r"^(\d+) passed, 0 failed$", answer.stdout, re.MULTILINE)
    assert passed is not None, answer.stdout
    assert int(passed[1]) > 45
    assert "TestPeople: " in answer.stdout
    assert "a merge is reported: merges not declared" in answer.stdout
    assert "skipped" not in answer.stdout


def test_one_of_another_name_passes_as_well(tmp_path: Path) -> None:
    answer = _twofold(_installed(tmp_path, "acme7"), "connector", "check", "acme7", "--json")
    found = json.loads(answer.stdout)
    assert (answer.returncode, found["failed"], found["problems"]) == (0, [], [])
    assert found["quality"]["page"] == "done"


def test_the_check_sees_it_break(root: Path) -> None:
    path = root / "twofold_people" / "people.py"
    whole = "rows[record_id] = {**row, **write.fields}"
    assert whole in path.read_text()
    path.write_text(path.read_text().replace(whole, "rows[record_id] = dict(write.fields)"))
    quality = root / "twofold_people" / "quality.yaml"
    quality.write_text(quality.read_text().replace("page: done\n", ""))
    answer = _twofold(root, "connector", "check", "people")
    assert answer.returncode == 1, answer
    assert "TF-A13" in answer.stderr
    assert "failed test_an_update_keeps_the_other_fields" in answer.stdout
    assert "quality file: the rule page is missing" in answer.stdout


def test_what_cannot_be_checked_or_made_is_said(root: Path) -> None:
    tests = root / "twofold_people" / "conformance.py"
    tests.write_text("import nothing_of_this_name\n")
    broken = _twofold(root, "connector", "check", "people")
    assert "TF-A13" in broken.stderr
    assert "failed" in broken.stdout
    tests.write_text("")
    assert "TF-A12" in _twofold(root, "connector", "check", "people").stderr
    tests.unlink()
    assert "TF-A12" in _twofold(root, "connector", "check", "people").stderr
    assert "TF-A10" in _twofold(root, "connector", "check", "nobody").stderr
    assert "TF-A14" in _twofold(root.parent, "connector", "new", "people").stderr
    assert "TF-A14" in _twofold(root.parent, "connector", "new", "../x").stderr


def test_it_is_found_by_its_entry_point_and_syncs(root: Path) -> None:
    (root / "people.json").write_text('{"7": {"email": "ada@example.org", "name": "Ada"}}')
    for command in (
        "connect people --set path=people.json",
        "sync add people contact",
        "hub records create contact --set email=bea@example.org --set firstname=Bea",
        "sync run",
    ):
        answer = _twofold(root, *command.split(), "--data", "data")
        assert answer.returncode == 0, (command, answer)
    people = json.loads((root / "people.json").read_text())
    assert sorted(row["name"] for row in people.values()) == ["Ada", "Bea"]
    hub = sqlite3.connect(root / "data" / "hub.db")
    assert hub.execute("SELECT count(*) FROM record WHERE gone = 0").fetchone() == (2,)
    hub.close()
