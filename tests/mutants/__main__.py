"""Break one rule at a time and see a quick test fail: ``python -m tests.mutants [word ...]``.

Each mutant is a small replacement in a copy of the sources. One that no test notices names a
missing test. With words, only the mutants whose names hold one of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.catalog import MUTANTS
from tests.mutants.mutant import Mutant

ROOT = Path(__file__).parents[2]
LONGEST = 300.0
"""Seconds; a mutant that hangs is noticed."""


def main(words: list[str]) -> int:
    """Print one line per mutant, then the survivors; 1 where there is one."""
    wanted = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "src"
        shutil.copytree(ROOT / "src", sources)
        survivors = _healthy(sources, wanted) or [m.name for m in wanted if not _dies(m, sources)]
    print(
        f"{len(wanted)} mutants, {len(survivors)} survived" + "".join(f"\n  {s}" for s in survivors)
    )
    return 1 if survivors else 0


def _healthy(sources: Path, wanted: list[Mutant]) -> list[str]:
    """The commands that fail although nothing is broken: they would prove nothing."""
    return [
        f"without any mutant: {' '.join(command)}"
        for command in dict.fromkeys(m.command for m in wanted)
        if _fails(command, sources)
    ]


def _dies(mutant: Mutant, sources: Path) -> bool:
    """Whether the mutant's command notices it."""
    path = sources / "twofold" / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        print(f"stale     {mutant.name}: its text occurs {text.count(mutant.old)} times")
        return False
    mutated = text.replace(mutant.old, mutant.new)
    compile(mutated, mutant.file, "exec")
    began = time.monotonic()
    path.write_text(mutated)
    try:
        dead = _fails(mutant.command, sources)
    finally:
        path.write_text(text)
    verdict = "noticed" if dead else "SURVIVED"
    print(f"{verdict:9} {time.monotonic() - began:5.1f} s  {mutant.name}", flush=True)
    return dead


def _fails(command: tuple[str, ...], sources: Path) -> bool:
    """Run one command on the copy of the sources; whether it exits with 1."""
    if command[0].startswith("pytest"):
        options = ["-o", f"pythonpath={sources} .", "--hypothesis-profile=mutants"]
        command = ("pytest", "-q", "-x", "-p", "no:cacheprovider", *options, *command[1:])
    environment = {
        **os.environ,
        "PYTHONPATH": f"{sources}{os.pathsep}{ROOT}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"{' '.join(command)} could not run:\n{done.stdout}{done.stderr}")
    return done.returncode == 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
