"""Finds what must not be in the tree: secrets, paths of a machine, addresses of package indexes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.tree import ROOT, project_files, shown

PATTERNS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an access token": (
        r"\b(AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|xox[abps]-\w{10,}|pat-[a-z]{2}\d-\w{8})"
    ),
    "a password in an address": (
        r"\w://[^\s/:@{}\"'<>]+:(?!password@|secret@|pw@)[^\s/:@{}\"'<>]+@"
        r"(?!localhost|127\.|\[::1\]|[\w.-]*\b(example|test|invalid)\b|\W)"
    ),
    "a path of one machine": (
        r"(?<![\w.~$}/])/(root|work|home/[a-z]\w*|Users/\w+|opt/\w+|tmp/[a-z]\w*)/"
    ),
    "the address of a package index": (
        r"(?m)^\s*--?(extra-)?(index-url|find-links)|https?://[^/\s]*\b(pypi|pythonhosted|npmjs)\b"
    ),
}

_COMPILED = {what: re.compile(pattern) for what, pattern in PATTERNS.items()}


def leaks(text: str) -> Iterator[tuple[int, str]]:
    """Each leak in a text, as line number and kind; never the secret itself."""
    for what, pattern in _COMPILED.items():
        for match in pattern.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, what


def findings(paths: list[Path]) -> list[str]:
    """One line per leak in these files; binary files are passed over."""
    found = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{shown(path)}:{line}: {what}" for line, what in leaks(text)]
    return found


def main() -> int:
    """Check the project's files; 1 where something leaks."""
    found = findings(project_files())
    print("\n".join(found) if found else f"no leak in {ROOT.name}'s files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
