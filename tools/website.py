"""Makes the documentation site in build/docs from the Markdown files of the repository.

The pages are laid out as in the repository, so a link that works there works here. A link or an
anchor that leads nowhere ends it with an error, and so does a page that the site would not show as
it is meant. The pages ask nothing of another machine.
"""

from __future__ import annotations

import io
import logging
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import MkDocsException

from tools.tree import ROOT

SITE = ROOT / "build" / "docs"
SOURCE = ROOT / "build" / "docs-source"
START = ("README.md", "docs/README.md", "docs/tutorial.md", "docs/walk-through.md")
SECTIONS = {
    "How to": "docs/how-to",
    "Concepts": "docs/concepts",
    "Connectors": "docs/connectors",
    "Reference": "docs/reference",
    "Decisions": "docs/decisions",
}
"""Heading in the navigation → the folder whose pages stand under it."""
PROJECT = ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
LINKED = ("LICENSE", "NOTICE", "THIRD_PARTY_NOTICES.md", "deploy")
"""What pages link to beside pages."""

_LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)")


class NotShown(MkDocsException):
    """A page would not look on the site as it does in the repository."""


def stage(root: Path, source: Path) -> None:
    """Copy what the site is made of, in the same folders."""
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    for name in (*PROJECT, "README.md", "docs", *LINKED):
        if (root / name).is_dir():
            shutil.copytree(root / name, source / name)
        elif (root / name).is_file():
            shutil.copy(root / name, source / name)


def navigation(source: Path) -> list[dict[str, Any]]:
    """Every page once: what to begin with, each folder in the order of its README, the project."""
    start = [name for name in START if (source / name).is_file()]
    parts: list[dict[str, Any]] = [{"Start": start}]
    for heading, folder in SECTIONS.items():
        if (source / folder).is_dir():
            parts.append({heading: _ordered(source, source / folder)})
    parts.append({"Project": [name for name in PROJECT if (source / name).is_file()]})
    return parts


def _ordered(source: Path, folder: Path) -> list[str]:
    first = folder / "README.md"
    linked = _LINK.findall(first.read_text(encoding="utf-8")) if first.is_file() else []
    names = [first.name, *linked, *sorted(path.name for path in folder.glob("*.md"))]
    pages = [folder / name for name in dict.fromkeys(names)]
    return [
        path.relative_to(source).as_posix()
        for path in pages
        if path.parent == folder and path.is_file() and path.suffix == ".md"
    ]


def refuse_unshown(source: Path) -> None:
    """Raise NotShown where a list holds a block of code: the site's Markdown knows none there."""
    for path in sorted(source.rglob("*.md")):
        found = re.search(r"^ +```", path.read_text(encoding="utf-8"), re.MULTILINE)
        if found is not None:
            name = path.relative_to(source)
            raise NotShown(f"{name}: put the block of code behind the list, not into it")


def make(root: Path, source: Path, site: Path) -> None:
    """Make the site. Raises MkDocsException where a link is broken or a page cannot be shown."""
    stage(root, source)
    refuse_unshown(source)
    links = {"not_found": "warn", "anchors": "warn", "unrecognized_links": "warn"}
    config = load_config(
        io.StringIO("site_name: Twofold"),
        config_file_path=str(source.parent / "mkdocs.yml"),
        docs_dir=str(source),
        site_dir=str(site),
        nav=navigation(source),
        theme={"name": "readthedocs", "highlightjs": False},
        markdown_extensions=["sane_lists"],
        plugins=["search"],
        use_directory_urls=False,
        strict=True,
        validation={"links": links, "nav": {"omitted_files": "ignore", "not_found": "warn"}},
    )
    try:
        build(config)
    except SystemExit as error:  # how mkdocs ends where a page has warnings
        raise MkDocsException(str(error)) from error
    # Made for servers that show it under any address; its links lead nowhere without one.
    (site / "404.html").unlink()


def main() -> int:
    """Make the site and say where it is; 1 where it cannot be made."""
    logging.basicConfig(level=logging.WARNING, format="make docs: %(message)s")
    try:
        make(ROOT, SOURCE, SITE)
    except MkDocsException as error:
        print(f"make docs: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(SOURCE, ignore_errors=True)
    print(f"make docs: {len(list(SITE.rglob('*.html')))} pages; open {SITE / 'index.html'}")
    print("Search needs an address: python3 -m http.server --directory build/docs 8000")
    return 0


if __name__ == "__main__":
    sys.exit(main())
