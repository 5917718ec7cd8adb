"""Writes docs/reference/ and the page of connectors from the code: they cannot differ."""

from __future__ import annotations

import sys

from tools.capabilities import connectors_page
from tools.commands import commands_page
from tools.mappings import mappings_page
from tools.settings import settings_page
from tools.sync_documents import documents_page, rest_schema_text, schema_text
from tools.tree import ROOT, shown
from twofold.core.codes import CODES, Code

GROUPS = {
    "TF-A": "Access and connections",
    "TF-B": "Brakes",
    "TF-C": "Calls to an app",
    "TF-D": "Deletes and approvals",
    "TF-E": "Edits and plans",
    "TF-F": "Fields and mappings",
    "TF-H": "History",
    "TF-L": "Limits, and who takes part",
    "TF-M": "Matching, links by hand and associations",
    "TF-N": "Alerts",
    "TF-R": "Records",
    "TF-S": "Store and state",
    "TF-U": "Use of the command line",
    "TF-W": "The service over the web",
    "TF-X": "Exclusions",
    "TF-Y": "Documents",
}

INTRODUCTION = """# Errors

Made by `make reference` from `src/twofold/core/codes/`. Words in {braces} are facts of the case.
Codes are permanent: a code is never given to another error.
"""


def entry(code: Code) -> str:
    """One error's heading, sentence and advice."""
    again = "Can succeed by itself when tried again." if code.retryable else ""
    parts = [f"### {code.code}", code.sentence, f"**What to do:** {code.advice}", again]
    return "\n\n".join(part for part in parts if part)


def errors_page() -> str:
    """The text of docs/reference/errors.md."""
    parts = [INTRODUCTION]
    for prefix, title in GROUPS.items():
        codes = [CODES[name] for name in sorted(CODES) if name.startswith(prefix)]
        if codes:
            parts += [f"## {title}\n", *(entry(code) + "\n" for code in codes)]
    return "\n".join(parts)


def main() -> int:
    """Write the pages."""
    folder = ROOT / "docs" / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "errors.md": errors_page,
        "commands.md": commands_page,
        "mappings.md": mappings_page,
        "settings.md": settings_page,
        "sync-documents.md": documents_page,
        "sync.schema.json": schema_text,
        "../connectors/README.md": connectors_page,
        "rest-app.schema.json": rest_schema_text,
    }
    for name, page in pages.items():
        (folder / name).write_text(page(), encoding="utf-8")
        print(f"reference: {shown((folder / name).resolve())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
