"""The rule of matching, against an oracle that looks at every two records (M1–M4, D8)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.fields import field, rules_of, same_name

from twofold.core.mappings import FieldMapping, Matching, Rules
from twofold.core.matching import (
    EXCLUSIVE_FROM,
    MOST_CANDIDATES,
    Matches,
    MatchKeys,
    key_fields,
    key_maker,
    match,
    name_key,
)
from twofold.core.records import Fields, Side
from twofold.core.values import Kind

Keyed = dict[int, MatchKeys]


def key_sets(letters: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sampled_from([c for size in range(4) for c in itertools.combinations(letters, size)])


def to_keys(emails: tuple[str, ...], *weaker: tuple[str, ...]) -> MatchKeys:
    return MatchKeys((emails, *weaker), frozenset(emails))


keyed: st.SearchStrategy[Keyed] = st.lists(
    st.builds(to_keys, key_sets("abcdef"), key_sets("stuvxyz"), key_sets("pqr")), max_size=7
).map(lambda records: {7 * n % 11: keys for n, keys in enumerate(records)})
"""Records with few different keys, so that they collide; the e-mails are exclusive."""

worlds = st.tuples(keyed, keyed, st.integers(0, 3))


def oracle(
    hub: Keyed, app: Keyed, exclusive_from: int
) -> tuple[set[tuple[int, int, int]], dict[tuple[Side, int], tuple[set[int], int, str]]]:
    """The rule, said with edges: every two records are looked at, at every level."""
    pairs: set[tuple[int, int, int]] = set()
    ambiguous: dict[tuple[Side, int], tuple[set[int], int, str]] = {}
    for level in range(3):
        taken_hub, taken_app = {h for h, _, _ in pairs}, {a for _, a, _ in pairs}
        edges: dict[tuple[int, int], set[str]] = {}
        for h in hub.keys() - taken_hub:
            for a in app.keys() - taken_app:
                common = set(hub[h].levels[level]) & set(app[a].levels[level])
                mine, yours = hub[h].exclusive, app[a].exclusive
                if level >= exclusive_from and mine and yours and not (mine & yours):
                    common = set()
                if common:
                    edges[h, a] = common
        before = set(ambiguous)
        for (h, a), common in edges.items():
            lonely = [e for e in edges if e[0] == h or e[1] == a] == [(h, a)]
            if lonely and (Side.HUB, h) not in before and (Side.APP, a) not in before:
                pairs.add((h, a, level))
                continue
            for side, here, there in ((Side.HUB, h, a), (Side.APP, a, h)):
                if (side, here) not in before:
                    candidates, _, key = ambiguous.get((side, here), (set(), level, min(common)))
                    ambiguous[side, here] = (candidates | {there}, level, min(key, *common))
    return pairs, ambiguous


@given(worlds)
@settings(max_examples=300)
def test_it_is_the_rule(world: tuple[Keyed, Keyed, int]) -> None:
    hub, app, exclusive_from = world
    pairs, ambiguous = oracle(hub, app, exclusive_from)
    result = match(hub, app, exclusive_from)
    assert set(result.pairs) == pairs
    assert {
        who: (set(a.candidates), a.level, a.key) for who, a in result.ambiguous.items()
    } == ambiguous


@given(worlds)
def test_every_record_has_exactly_one_outcome(world: tuple[Keyed, Keyed, int]) -> None:
    hub, app, exclusive_from = world
    result = match(hub, app, exclusive_from)
    outcomes = [(Side.HUB, h) for h, _, _ in result.pairs] + [
        (Side.APP, a) for _, a, _ in result.pairs
    ]
    outcomes += [*result.ambiguous, *result.alone]
    assert sorted(outcomes) == sorted([(Side.HUB, h) for h in hub] + [(Side.APP, a) for a in app])


@given(worlds)
def test_the_sides_are_alike(world: tuple[Keyed, Keyed, int]) -> None:
    hub, app, exclusive_from = world
    there, back = match(hub, app, exclusive_from), match(app, hub, exclusive_from)
    assert sorted(there.pairs) == sorted((h, a, level) for a, h, level in back.pairs)
    assert there.ambiguous == {(s.other, i): a for (s, i), a in back.ambiguous.items()}
    assert there.alone == {(s.other, i) for s, i in back.alone}


@given(worlds, st.randoms(use_true_random=False))
def test_order_does_not_matter(world: tuple[Keyed, Keyed, int], random: object) -> None:
    hub, app, exclusive_from = world
    result = match(hub, app, exclusive_from)
    assert answer(match(shuffled(hub, random), shuffled(app, random), exclusive_from)) == answer(
        result
    )


def shuffled(records: Keyed, random: object) -> Keyed:
    items = list(records.items())
    random.shuffle(items)  # type: ignore[attr-defined]  # a random.Random
    return {
        id_: MatchKeys(tuple(level[::-1] for level in keys.levels), keys.exclusive)
        for id_, keys in items
    }


def answer(result: Matches[int]) -> object:
    return (result.pairs, result.ambiguous, result.alone)


def test_only_the_first_candidates_are_kept() -> None:
    same = MatchKeys((("k",),))
    many = range(MOST_CANDIDATES + 5)
    result = match({0: same}, dict.fromkeys(reversed(many), same))
    assert result.ambiguous[Side.HUB, 0].candidates == tuple(range(MOST_CANDIDATES))
    assert len(result.ambiguous) == len(many) + 1


def test_ids_may_be_texts() -> None:
    same = MatchKeys((("k",),))
    assert match({"h": same}, {"a": same}).pairs == [("h", "a", 0)]


# --- contacts ---------------------------------------------------------------------------------

CONTACTS = rules_of(
    *same_name("email", "firstname", "lastname", "company", "website", "jobtitle"),
    matching=Matching.CONTACTS,
    more_hub=(field(Kind.EMAIL, "hs_additional_emails", multi=True),),
    more_app=(field(Kind.EMAIL, "app_work", labeled=True), field(Kind.EMAIL, "app_other")),
)
COMPANIES = rules_of(
    *same_name("name", "domain", "website"),
    matching=Matching.COMPANIES,
    more_app=(field(Kind.URL, "app_urls", multi=True),),
)


def linked(rules: Rules, hub: Mapping[int, Fields], app: Mapping[int, Fields]) -> Matches[int]:
    make = key_maker(rules)
    prefixed = {i: {f"app_{k}": v for k, v in f.items()} for i, f in app.items()}
    return match(
        {i: make(Side.HUB, f) for i, f in hub.items()},
        {i: make(Side.APP, f) for i, f in prefixed.items()},
        EXCLUSIVE_FROM,
    )


ADA: Fields = {"email": "ada@acme.com", "firstname": "Ada", "lastname": "Lovelace"}


@pytest.mark.parametrize(
    ("hub", "app", "level"),
    [
        (ADA, {"email": " ADA@Acme.com"}, 0),
        (ADA, {"work": "ada@acme.com"}, 0),
        ({"hs_additional_emails": ("x@y.org", "ada@acme.com")}, {"email": "ada@acme.com"}, 0),
        (ADA, {"other": "ada@acme.com"}, None),
        ({"email": "ada@"}, {"email": "ada@"}, None),
        ({"jobtitle": "x"}, {"jobtitle": "x"}, None),
        ({**ADA, "company": "ACME  Ltd"}, {"lastname": "ada LOVELACE", "company": "Acme ltd"}, 1),
        (
            {**ADA, "website": "acme.com"},
            {"lastname": "Ada Lovelace", "website": "www.acme.com"},
            1,
        ),
        (
            {**ADA, "website": "gmail.com"},
            {"lastname": "Ada Lovelace", "website": "gmail.com"},
            None,
        ),
        (ADA, {"firstname": "Ada", "lastname": "Lovelace"}, None),
        ({"company": "Acme"}, {"company": "Acme"}, None),
        ({**ADA, "company": "Acme"}, {**ADA, "email": "b@acme.com", "company": "Acme"}, None),
        ({**ADA, "company": "Acme"}, {**ADA, "email": "b@", "company": "Acme"}, 1),
        ({**ADA, "company": "acme.com"}, {**ADA, "email": "", "website": "acme.com"}, None),
    ],
)
def test_contacts(hub: Fields, app: Fields, level: int | None) -> None:
    result = linked(CONTACTS, {1: hub}, {2: app})
    assert result.pairs == ([] if level is None else [(1, 2, level)])
    assert result.ambiguous == {}


@pytest.mark.parametrize(
    ("hub", "app", "level"),
    [
        ({"name": "Acme", "domain": "acme.com"}, {"name": "ACME", "website": "www.acme.com"}, 0),
        ({"name": "Acme", "domain": "acme.com"}, {"name": "Other", "domain": "acme.com"}, 1),
        ({"name": "Acme", "domain": "acme.com"}, {"name": "Acme", "domain": "acme.org"}, 2),
        ({"name": "Acme"}, {"urls": ("acme.org",)}, None),
        ({"domain": "acme.org"}, {"urls": ("x.com", "acme.org")}, 1),
        ({"name": "\uff21\uff43\uff4d\uff45  B"}, {"name": "acme b"}, 2),
        ({"domain": "gmail.com"}, {"domain": "gmail.com"}, None),
    ],
)
def test_companies(hub: Fields, app: Fields, level: int | None) -> None:
    assert linked(COMPANIES, {1: hub}, {2: app}).pairs == ([] if level is None else [(1, 2, level)])


def test_a_shared_email_is_left_for_a_person_also_at_weaker_levels() -> None:
    """D8: no fall-through, and whoever could only be one of them is ambiguous too."""
    twin = {**ADA, "company": "Acme"}
    result = linked(
        CONTACTS, {1: twin, 2: twin}, {3: {"email": "ada@acme.com"}, 4: {**twin, "email": ""}}
    )
    assert result.pairs == []
    assert set(result.ambiguous) == {(Side.HUB, 1), (Side.HUB, 2), (Side.APP, 3), (Side.APP, 4)}
    assert result.ambiguous[Side.HUB, 1].level == 0
    assert result.ambiguous[Side.HUB, 1].key == "ada@acme.com"
    assert result.ambiguous[Side.APP, 4].candidates == (1, 2)


def test_duplicates_without_a_candidate_are_alone() -> None:
    assert linked(CONTACTS, {1: ADA, 2: ADA}, {}).alone == {(Side.HUB, 1), (Side.HUB, 2)}


def test_no_matching_gives_no_keys() -> None:
    rules = rules_of(*same_name("email", "name"))
    assert key_maker(rules)(Side.HUB, {**ADA, "name": "x"}) == MatchKeys()
    assert key_fields(rules, Side.HUB) == ()


def test_key_fields_are_all_that_keys_are_read_from() -> None:
    assert key_fields(CONTACTS, Side.HUB) == (
        *("firstname", "lastname", "email", "company", "website", "hs_additional_emails"),
    )
    assert "app_work" in key_fields(CONTACTS, Side.APP)
    assert key_fields(COMPANIES, Side.APP) == ("app_name", "app_domain", "app_website", "app_urls")


def test_a_company_s_email_decides_where_a_mapping_has_one() -> None:
    fields = (field(Kind.TEXT, "lastname"), field(Kind.EMAIL, "company_email"))
    rules = rules_of(*(FieldMapping(f, f) for f in fields), matching=Matching.CONTACTS)
    make = key_maker(rules)
    keys = make(Side.HUB, {"lastname": "Ada", "company_email": "Info@acme.com"})
    assert keys == MatchKeys(((), ("ada\nemail info@acme.com",)))


@given(st.text())
def test_a_name_key_is_its_own_key(name: str) -> None:
    key = name_key(name)
    assert key is None or name_key(key) == key
