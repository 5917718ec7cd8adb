"""The connector in docs/how-to/write-a-connector.md passes the suite that the page tells of."""

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The page's two files."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for block in blocks:
        name = block.split('"""')[1].split(":")[0]
        (tmp_path / name).write_text(block)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["people.py", "test_people.py"]
    return tmp_path


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_it_passes_the_conformance_suite(folder: Path) -> None:
    loop = "asyncio_default_fixture_loop_scope=function"
    answer = _run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", loop)
    assert answer.returncode == 0, answer.stdout
    passed = re.search(r"^(\d+) passed", answer.stdout, re.MULTILINE)
    assert passed is not None, answer.stdout
    assert int(passed[1]) > 45
    assert "failed" not in answer.stdout
    assert "skipped" not in answer.stdout


def test_the_suite_sees_it_break(folder: Path) -> None:
    path = folder / "people.py"
    whole = "rows[record_id] = {**row, **write.fields}"
    assert whole in path.read_text()
    path.write_text(path.read_text().replace(whole, "rows[record_id] = dict(write.fields)"))
    answer = _run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "keeps_the_other")
    assert answer.returncode == 1, answer.stdout


def test_it_is_found_by_its_entry_point_and_syncs(folder: Path) -> None:
    points = (folder / "people-1.dist-info" / "entry_points.txt", f"[{catalog.GROUP}]\n")
    points[0].parent.mkdir()
    points[0].write_text(f"{points[1]}people = people:People\n")
    (folder / "people-1.dist-info" / "METADATA").write_text("Name: people\nVersion: 1\n")
    (folder / "people.json").write_text('{"7": {"email": "ada@example.org", "name": "Ada"}}')
    program = "import sys; sys.path.insert(0, '.'); from twofold.cli.main import main; main()"
    for command in (
        "connect people --set path=people.json",
        "sync add people contact",
        "hub records create contact --set email=bea@example.org --set firstname=Bea",
        "sync run",
    ):
        answer = _run(folder, "-c", program, *command.split(), "--data", "data")
        assert answer.returncode == 0, (command, answer)
    people = json.loads((folder / "people.json").read_text())
    assert sorted(row["name"] for row in people.values()) == ["Ada", "Bea"]
    hub = sqlite3.connect(folder / "data" / "hub.db")
    assert hub.execute("SELECT count(*) FROM record WHERE gone = 0").fetchone() == (2,)
    hub.close()
