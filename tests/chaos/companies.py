"""The companies of a chaos run: on which side each begins, and what both must hold at the end.

Every record carries a tag in a field that only its own side fills: ``H12`` in the hub's address,
``A12`` in the app's city. After syncing, both travel: a row with two tags is a pair, a tag seen
twice on one side is a duplicate, and one that is missing was lost. The matching rule is stated
here a second time, in sets, without a line of Twofold.
"""

from __future__ import annotations

import json
import random
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tldextract

COUNT = 10_251
OVERLAP = 0.2
"""Share of the companies that both sides know from the start."""
BRANCHES = 0.06
"""Share of the companies of one side that nothing but their tag tells from others."""
SEED = 20_261_123

Company = dict[str, str]
"""Texts by the hub's field names; a blank field is absent."""
Side = Literal["hub", "app"]

TAG: Mapping[Side, str] = {"hub": "address", "app": "city"}
"""The field of each side's tag."""
EDITED: Mapping[Side, str] = {"hub": "zip", "app": "state"}
"""The field that people edit on each side."""
FIELDS = ("name", "website", "domain", "address", "city", "zip", "state", "country")

_split = tldextract.TLDExtract(
    cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True
)


@dataclass(frozen=True)
class Split:
    """What each side begins with."""

    hub: list[Company]
    app: list[Company]


@dataclass
class Expected:
    """What each side must hold in the end, by tag or tags."""

    both: dict[str, Company] = field(default_factory=dict)
    """Companies of both sides. A pair is listed under the hub's tag."""
    alone: dict[Side, dict[str, Company]] = field(default_factory=lambda: {"hub": {}, "app": {}})
    """Ambiguous ones, left where they are."""
    pairs: int = 0

    def of(self, side: Side) -> dict[str, Company]:
        return {**self.both, **self.alone[side]}


def tags(company: Mapping[str, str]) -> str:
    """What a company is called in here: the hub's tag where it has one, else the app's."""
    return company.get(TAG["hub"]) or company.get(TAG["app"]) or f"untagged {company!r}"


# --- where they come from -----------------------------------------------------------------------


def split(count: int, *, domains: bool) -> Split:
    """Companies over both sides. ``domains``: with the field, not only within the website."""
    chance = random.Random(SEED)
    found = list(organizations())
    chance.shuffle(found)
    result = Split([], [])
    for number, company in enumerate(found[:count]):
        kept = company if domains else {k: v for k, v in company.items() if k != "domain"}
        draw = chance.random()
        if draw < OVERLAP:
            _on_both(result, kept, number, chance)
        elif draw < OVERLAP + (1 - OVERLAP) / 2:
            result.hub.append({**_perhaps_a_branch(kept, "hub", chance), TAG["hub"]: f"H{number}"})
        else:
            result.app.append({**_perhaps_a_branch(kept, "app", chance), TAG["app"]: f"A{number}"})
    return result


def _perhaps_a_branch(company: Company, side: Side, chance: random.Random) -> Company:
    """Some share their name with others of their side and have no domain.

    No key tells such a record from its namesakes: when a run is killed before it knows what it
    made, only what was noted can.
    """
    if chance.random() > BRANCHES:
        return company
    return {"name": f"Branch {chance.randrange(8)} of the {side}", "country": company["country"]}


def _on_both(result: Split, company: Company, number: int, chance: random.Random) -> None:
    """The two sides agree in name and domain, in the domain only, or in the name only."""
    here, there = dict(company), dict(company)
    agreement = chance.choice(("both", "domain", "name"))
    if agreement == "domain":
        there["name"] = f"{company['name']} (campus {number})"
    elif agreement == "name":
        there.pop("domain", None)
        there.pop("website", None)
    if chance.random() < 0.5:
        here.pop("country", None)
    result.hub.append({**here, TAG["hub"]: f"H{number}"})
    result.app.append({**there, TAG["app"]: f"A{number}"})


def organizations() -> Iterator[Company]:
    """The real ones where they are found beside a folder above, else as many made-up ones."""
    for folder in Path(__file__).resolve().parents:
        path = folder / "shared" / "data" / "universities.json"
        if path.is_file():
            for found in json.loads(path.read_text()):
                yield {
                    "name": " ".join(found["name"].split()),
                    "website": found["web_pages"][0].strip(),
                    "domain": found["domains"][0],
                    "country": found["country"],
                }
            return
    yield from _invented()


def _invented() -> Iterator[Company]:
    """Of a hundred, two share a name and few a domain, as among the real ones."""
    chance = random.Random(SEED)
    for number in range(COUNT):
        name = f"University of Town {number}"
        if chance.random() < 0.016:
            name = f"National University {chance.randrange(80)}"
        domain = f"town{number}.edu"
        if chance.random() < 0.0004:
            domain = "system.edu"
        yield {
            "name": name,
            "website": f"http://www.{domain}/",
            "domain": domain,
            "country": chance.choice(("Brazil", "India", "Kenya", "Norway")),
        }


# --- what must become of them -------------------------------------------------------------------


def expected(start: Split) -> Expected:
    """Pairs merged (the hub wins, a blank never), singles on both sides, ambiguous ones alone."""
    hubs = {tags(c): c for c in start.hub}
    apps = {tags(c): c for c in start.app}
    pairs, ambiguous = matched(hubs, apps)
    result = Expected(pairs=len(pairs))
    for hub, app in pairs.items():
        result.both[hub] = {**apps[app], **hubs[hub]}
    paired = {*pairs, *pairs.values()}
    sides: dict[Side, dict[str, Company]] = {"hub": hubs, "app": apps}
    for side, companies in sides.items():
        for tag, company in companies.items():
            if tag in ambiguous:
                result.alone[side][tag] = company
            elif tag not in paired:
                result.both[tag] = company
    return result


def matched(
    hubs: Mapping[str, Company], apps: Mapping[str, Company]
) -> tuple[dict[str, str], set[str]]:
    """Pairs by tag, and the ambiguous tags: M3, M4 and D8 by sets of candidates."""
    left_hubs, left_apps = dict(hubs), dict(apps)
    pairs: dict[str, str] = {}
    ambiguous: set[str] = set()
    for level in range(3):
        of_hub = _candidates(left_hubs, left_apps, level)
        of_app = _candidates(left_apps, left_hubs, level)
        new = {
            hub: next(iter(found))
            for hub, found in of_hub.items()
            if len(found) == 1 and of_app[next(iter(found))] == {hub}
        }
        new = {h: a for h, a in new.items() if not {h, a} & ambiguous}
        ambiguous |= (of_hub.keys() | of_app.keys()) - new.keys() - set(new.values())
        pairs |= new
        for hub, app in new.items():
            del left_hubs[hub], left_apps[app]
    return pairs, ambiguous


def _candidates(
    mine: Mapping[str, Company], others: Mapping[str, Company], level: int
) -> dict[str, set[str]]:
    by_key: dict[str, set[str]] = defaultdict(set)
    for tag, company in others.items():
        for key in _keys(company, level):
            by_key[key].add(tag)
    found = {t: set().union(*(by_key[k] for k in _keys(c, level))) for t, c in mine.items()}
    return {tag: candidates for tag, candidates in found.items() if candidates}


def _keys(company: Company, level: int) -> set[str]:
    folded = unicodedata.normalize("NFKC", company["name"]).casefold()
    name = " ".join(unicodedata.normalize("NFKC", folded).split())
    texts = [company[f] for f in ("domain", "website") if f in company]
    domains = {_split(text).top_domain_under_public_suffix.lower() for text in texts} - {""}
    return ({f"{name}|{d}" for d in domains}, domains, {name})[level]


# --- people -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """What one person does on one side."""

    side: Side
    tag: str
    company: Company
    """All fields of a new company, or the edited field of a known one."""
    new: bool


def busy_people(known: Expected, chance: random.Random, round_: int, size: int) -> list[Change]:
    """Edits and new companies on both sides, and what must become of them in ``known``."""
    changes = []
    there = sorted(known.both)
    sides: tuple[Side, ...] = ("hub", "app")
    for side in sides:
        for tag in chance.sample(there, size):
            text = {EDITED[side]: f"{side} edit {round_}"}
            known.both[tag] = {**known.both[tag], **text}
            changes.append(Change(side, tag, text, new=False))
        for number in range(size // 2):
            tag = f"{side[0].upper()}new{round_}x{number}"
            company = {
                "name": f"New company {tag}",
                "website": f"http://{tag.lower()}.example/",
                "country": "Norway",
                TAG[side]: tag,
            }
            known.both[tag] = company
            changes.append(Change(side, tag, company, new=True))
    return changes


# --- comparing ----------------------------------------------------------------------------------


def broken_promises(
    side: Side, held: Iterable[Company], wanted: Mapping[str, Company]
) -> Iterator[str]:
    """One sentence for each company that is missing, doubled, unexpected or has other values."""
    by_tag: dict[str, list[Company]] = defaultdict(list)
    for company in held:
        by_tag[tags(company)].append(company)
    for tag in sorted(wanted.keys() - by_tag.keys()):
        yield f"{side}: {tag} is missing ({wanted[tag].get('name')})"
    for tag, companies in sorted(by_tag.items()):
        if tag not in wanted:
            yield f"{side}: {tag} must not be here: {companies[0]}"
        elif len(companies) > 1:
            yield f"{side}: {tag} is here {len(companies)} times"
        elif companies[0] != wanted[tag]:
            yield f"{side}: {tag} holds {_differing(companies[0], wanted[tag])}"


def _differing(held: Company, wanted: Company) -> str:
    names: Sequence[str] = [n for n in FIELDS if held.get(n) != wanted.get(n)]
    return ", ".join(f"{n} {held.get(n)!r} instead of {wanted.get(n)!r}" for n in names)
