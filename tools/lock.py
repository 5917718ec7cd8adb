"""Writes requirements/*.txt: every version with its hashes, and no address of any index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.tree import ROOT

LOCKS = {"test": ("test", "build"), "demo": ("demo", "build"), "run": ()}
"""Lock → the extras in it. `test` comes first: the others take its versions."""

HEADER = (
    "# Made by `make lock` from pyproject.toml. Versions and hashes only: where packages\n"
    "# come from is your own setting.\n"
)


def resolve(extras: tuple[str, ...], target: Path, constraint: Path | None) -> None:
    """Compile one lock file. Raises CalledProcessError where the versions cannot be had."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet"]
    command += ["--generate-hashes", "--universal", "--python-version", "3.11"]
    command += ["--no-header", "--no-annotate", "--upgrade", "--output-file", str(target)]
    command += ["--no-emit-package", "twofold"]
    for extra in extras:
        command += ["--extra", extra]
    if constraint is not None:
        command += ["--constraint", str(constraint)]
    subprocess.run(command, cwd=ROOT, check=True)
    lines = target.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("#")]
    target.write_text(HEADER + "".join(kept), encoding="utf-8")


def main() -> int:
    """Write all locks."""
    folder = ROOT / "requirements"
    constraint = None
    for name, extras in LOCKS.items():
        target = folder / f"{name}.txt"
        resolve(extras, target, constraint)
        constraint = constraint or target
        print(f"lock: {target.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
