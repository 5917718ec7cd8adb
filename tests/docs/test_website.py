"""The site of `make docs`: whole, without broken links, and asking nothing of another machine."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from mkdocs.exceptions import MkDocsException
from tools.tree import ROOT
from tools.website import make, navigation


class Fetched(HTMLParser):
    """Collects what a browser fetches by itself: all addresses but those of links to click."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a":
            names = {"src", "srcset", "href", "data", "action", "poster"}
            self.addresses += [value for name, value in attrs if name in names and value]


def _elsewhere(site: Path) -> list[str]:
    found = []
    for path in site.rglob("*.html"):
        page = Fetched()
        page.feed(path.read_text())
        found += [address for address in page.addresses if re.match(r"(\w+:)?//", address)]
    for path in site.rglob("*.css"):
        found += re.findall(r"(?:url\(|@import)\s*['\"]?((?:https?:)?//[^'\")]*)", path.read_text())
    for path in site.rglob("*.js"):
        # A string that begins with another machine's address; comments may name one.
        found += re.findall(r"['\"`]((?:https?:)?//[\w-]+\.[\w.-]+)", path.read_text())
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    make(ROOT, folder / "source", folder / "made")
    return folder / "made"


def test_every_page_is_on_the_site_and_in_its_navigation(site: Path) -> None:
    pages = {path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md")}
    assert len(pages) > 50
    listed = {Path(p) for part in navigation(ROOT) for names in part.values() for p in names}
    assert pages <= listed
    for page in pages:
        name = "index.html" if page.name == "README.md" else f"{page.stem}.html"
        assert (site / page.parent / name).is_file(), page


def test_what_the_repository_shows_is_shown(site: Path) -> None:
    for page, words in (("index", "The first ten minutes"), ("ARCHITECTURE", "One picture")):
        assert words in (site / f"{page}.html").read_text()
    reference = (site / "docs" / "reference" / "mappings.html").read_text()
    assert reference.count("<table>") > 1
    assert "|---" not in reference
    assert (site / "search" / "search_index.json").is_file()


def test_the_site_asks_nothing_of_another_machine(site: Path) -> None:
    assert _elsewhere(site) == []


def test_an_address_of_another_machine_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="https://a.example">a</a><script src="//b.example/b.js"></script>'
    )
    (tmp_path / "c.css").write_text("p { background: url('https://c.example/c.png') }")
    (tmp_path / "d.js").write_text('fetch("https://d.example/d") // https://e.example')
    assert _elsewhere(tmp_path) == [
        "//b.example/b.js",
        "https://c.example/c.png",
        "https://d.example",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[no such page](docs/missing.md)",
        "[no such file](docs/missing.yaml)",
        "[no such heading](#missing)",
        "[no such heading there](docs/a.md#missing)",
        "1. A list with\n\n   ```sh\n   code\n   ```",
    ],
)
def test_what_would_be_broken_ends_it(text: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "docs").mkdir(parents=True)
    (root / "docs" / "a.md").write_text("# A\n\n## There\n")
    (root / "README.md").write_text("# Start\n\n[there](docs/a.md#there)\n")
    make(root, tmp_path / "source", tmp_path / "made")
    (root / "README.md").write_text(f"# Start\n\n{text}\n")
    with pytest.raises(MkDocsException):
        make(root, tmp_path / "source", tmp_path / "made")
