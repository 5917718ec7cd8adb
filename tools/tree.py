"""Which files belong to the project."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = ("src", "tests", "benchmarks", "tools")


def project_files() -> list[Path]:
    """All files that are, or would be, committed; without git (an unpacked archive), all files."""
    if not (ROOT / ".git").exists():
        return [path for path in sorted(ROOT.rglob("*")) if path.is_file() and not _made(path)]
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    paths = (ROOT / name for name in listing.split("\0") if name)
    return [path for path in sorted(paths) if path.is_file()]


def _made(path: Path) -> bool:
    """Whether a tool made the file."""
    parts = path.relative_to(ROOT).parts
    if parts[0] in {"build", "dist"}:
        return True
    return any((part.startswith(".") and part != ".ci") or part == "__pycache__" for part in parts)


def python_files(*folders: str) -> Iterator[Path]:
    """The project's Python files under these folders of the root."""
    for path in project_files():
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders:
            yield path


def shown(path: Path) -> str:
    """The path as a person would type it in the root."""
    return str(path.relative_to(ROOT))
