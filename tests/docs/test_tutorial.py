"""The tutorial is typed as it stands, by a shell, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from tools.tree import ROOT

PAGE = ROOT / "docs" / "tutorial.md"


class Step(NamedTuple):
    """One command of a page, and what the page says that it answers."""

    command: str
    answer: str


def steps(page: str) -> list[Step]:
    """The commands of all console blocks, in order."""
    blocks = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [Step(*part.partition("\n")[::2]) for part in parts]


def says(answer: str, expected: str) -> bool:
    """Whether lines are equal but for spaces at their ends; "…" stands for anything."""
    lines = "\n".join(line.rstrip() for line in answer.splitlines())
    pattern = ".*".join(map(re.escape, expected.rstrip("\n").split("…")))
    return re.fullmatch(pattern, lines, re.DOTALL) is not None


def shell(folder: Path) -> subprocess.Popen[str]:
    """A shell that finds the program, and nothing else of this environment's settings."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TWOFOLD_")}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    pipe = subprocess.PIPE
    return subprocess.Popen(
        ["sh"],
        cwd=folder,
        env=env,
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.STDOUT,
        text=True,
    )


def typed(folder: Path, commands: list[str]) -> list[tuple[str, int]]:
    """The answer and the exit code of each command, all given to one shell."""
    mark = "--- end of the answer "
    script = "".join(f"{command}\necho '{mark}'$?\n" for command in commands)
    out, _ = shell(folder).communicate(script, timeout=300)
    found = re.findall(rf"(.*?){re.escape(mark)}(\d+)\n", out, re.DOTALL)
    return [(answer, int(code)) for answer, code in found]


def test_every_command_answers_what_the_page_says(tmp_path: Path) -> None:
    page = PAGE.read_text()
    (script,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "shop.py").write_text(script)
    expected = steps(page)
    assert len(expected) > 12
    answers = typed(tmp_path, [step.command for step in expected])
    assert len(answers) == len(expected)
    for step, (answer, code) in zip(expected, answers, strict=True):
        assert code == 0, (step.command, answer)
        assert says(answer, step.answer), f"{step.command}\n{answer}"


@pytest.mark.parametrize(
    ("answer", "expected", "same"),
    [
        ("a   \nb\n", "a\nb\n", True),
        ("id 1\n  x: y\n", "id 1\n…\n", True),
        ("on; \n", "on;…\n", True),
        ("a\n", "b\n", False),
        ("a\nb\n", "a\n", False),
        ("", "a\n", False),
        ("a+b\n", "a.b\n", False),
    ],
)
def test_answers_are_compared_line_by_line(answer: str, expected: str, same: bool) -> None:
    assert says(answer, expected) is same
