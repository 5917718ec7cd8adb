"""The license gate over what Twofold runs on, and the notices made from the same facts.

The packages are those of requirements/run.txt, as installed. A package on no permissive license
fails the gate unless it is named in EXCEPTIONS with the reason; so does any bundled file in src/
that is neither code nor named in BUNDLED.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tools.tree import ROOT, project_files, shown

PERMISSIVE = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "MIT",
        "MIT-0",
        "PSF-2.0",
        "Unlicense",
        "Zlib",
    }
)

SPELLINGS = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Zero-Clause BSD (0BSD)": "0BSD",
}
"""How packages write a license → its SPDX name."""

READ = {"itsdangerous": "BSD-3-Clause", "jinja2": "BSD-3-Clause", "wtforms": "BSD-3-Clause"}
"""Package that says no more than "BSD" → which of them its license file is, as read."""

EXCEPTIONS = {
    "certifi": "MPL-2.0 covers a list of certificate authorities: data that we use unchanged.",
}
"""Package → why its license, which is not on the list, is no burden for who uses Twofold."""

DATA = {
    "bootstrap-wrapper": "Bootstrap's scripts and styles (MIT)",
    "certifi": "Mozilla's certificate authorities (MPL-2.0)",
    "django-js-lib-htmx": "htmx (0BSD)",
    "fastapi-offline": "Swagger UI (Apache-2.0) and ReDoc (MIT)",
    "phonenumbers": "the metadata of libphonenumber (Apache-2.0)",
    "sqladmin": "Tabler's styles (MIT), of which the pages use one file",
    "tldextract": "a snapshot of the Public Suffix List (MPL-2.0)",
    "tzdata": "the IANA time zone database (public domain)",
}
"""Package → third-party data in it."""

BUNDLED: dict[str, str] = {
    "src/twofold/py.typed": "our own marker",
    "src/twofold/web/locale/": "our own translations",
    "src/twofold/web/static/": "our own scripts, styles and drawings",
    "src/twofold/web/templates/": "our own pages",
}
"""Each file in src/ that is neither code nor a quality file, or its folder → where it is from, and
its license."""

_ENTRY = re.compile(r"^([A-Za-z0-9][\w.-]*==[^\\\n]+?)\s*\\?$", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    """One package of the lock, as installed."""

    name: str
    version: str
    license: str
    """An SPDX expression, or what the package says where it says it in other words."""


def locked(text: str) -> list[Requirement]:
    """The entries of a lock file that apply to this Python and platform."""
    entries = [Requirement(entry) for entry in _ENTRY.findall(text)]
    return [entry for entry in entries if entry.marker is None or entry.marker.evaluate()]


def license_of(package: Distribution) -> str:
    """The license that a package declares: as an expression, in a word, or by its classifiers."""
    facts = package.metadata
    if "License-Expression" in facts:
        return facts["License-Expression"]
    classifiers = facts.get_all("Classifier") or []
    named = [line.rsplit(" :: ", 1)[1] for line in classifiers if line.startswith("License :: ")]
    known = [SPELLINGS[name] for name in named if name in SPELLINGS]
    if known:
        return " AND ".join(known)
    words = facts["License"].strip().splitlines() if "License" in facts else ["unknown"]
    return SPELLINGS.get(words[0], words[0])


def permissive(expression: str) -> bool:
    """Whether an SPDX expression lets us use the package on permissive terms alone."""
    flat = re.sub(r"\(([^()]*)\)", lambda m: "MIT" if permissive(m[1]) else "no", expression)
    if flat != expression:
        return permissive(flat)
    choices = [choice.split(" AND ") for choice in flat.split(" OR ")]
    return any(all(part.strip() in PERMISSIVE for part in choice) for choice in choices)


def packages(lock: Path) -> Iterator[Package]:
    """What the lock names, with what is installed. Raises PackageNotFoundError."""
    for entry in locked(lock.read_text(encoding="utf-8")):
        found = distribution(entry.name)
        yield Package(entry.name, found.version, READ.get(entry.name) or license_of(found))


def refused(found: list[Package]) -> list[str]:
    """One sentence for each package that the gate does not let through."""
    return [
        f"{package.name} {package.version}: {package.license} is not on the permissive list"
        for package in found
        if package.name not in EXCEPTIONS and not permissive(package.license)
    ]


def unexplained(paths: list[Path]) -> list[str]:
    """One sentence for each bundled file that nobody has named in BUNDLED."""
    return [
        f"{shown(path)}: name it in BUNDLED of tools/licenses.py, with its license"
        for path in paths
        if path.is_relative_to(ROOT / "src")
        and path.suffix not in {".py", ".sql"}
        and path.name != "quality.yaml"
        and not any(shown(path).startswith(name) for name in BUNDLED)
    ]


def notices(found: list[Package]) -> str:
    """The text of THIRD_PARTY_NOTICES.md."""
    lines = [
        "# Third-party notices",
        "",
        "Twofold's wheel contains none of these: they are installed beside it, each with its own",
        "license text. Made by `make notices` from `requirements/run.txt`.",
        "",
        "| package | version | license | third-party data in it |",
        "|---|---|---|---|",
    ]
    for package in found:
        data = DATA.get(package.name, "")
        lines.append(f"| {package.name} | {package.version} | {package.license} | {data} |")
    lines += ["", "## Not on a permissive license, and why they are here all the same", ""]
    lines += [f"- **{name}**: {reason}" for name, reason in EXCEPTIONS.items()]
    lines += ["", "## Files in the wheel that are not code", ""]
    lines += [f"- `{name}`: {origin}" for name, origin in BUNDLED.items()]
    lines += [
        "",
        "## Separate programs that the demo and the tests start",
        "",
        "Radicale (GPL-3.0-or-later), PostgreSQL (PostgreSQL License) and MariaDB (GPL-2.0) run as",
        "processes of their own. Twofold neither imports nor ships them.",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """`check` (the gate) or `notices` (write the file)."""
    try:
        found = list(packages(ROOT / "requirements" / "run.txt"))
    except PackageNotFoundError as missing:
        print(f"licenses: {missing.name} is not installed: run `make check`, which installs it")
        return 1
    if sys.argv[1:] == ["notices"]:
        (ROOT / "THIRD_PARTY_NOTICES.md").write_text(notices(found), encoding="utf-8")
        return 0
    problems = refused(found) + unexplained(project_files())
    print("\n".join(problems) if problems else f"{len(found)} packages, all licenses in order")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
