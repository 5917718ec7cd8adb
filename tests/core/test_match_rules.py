"""Matching rules of a person's own, against an oracle that compares every two records (M5, M9)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.fields import COLORS, anything, field, rules_of

from twofold.core.convert import conversion
from twofold.core.mappings import CustomMatching, FieldMapping, Matching, Rules
from twofold.core.match_rules import MOST_KEYS, key_text
from twofold.core.matching import MatchKeys, key_fields, key_maker, level_names, match
from twofold.core.normalize import by_type
from twofold.core.records import Fields, Side
from twofold.core.schema import Option
from twofold.core.validate import check
from twofold.core.values import Kind, Value

MAPPINGS = (
    FieldMapping(field(Kind.TEXT, "sku"), field(Kind.TEXT, "app_sku")),
    FieldMapping(field(Kind.TEXT, "size"), field(Kind.DECIMAL, "app_size")),
    FieldMapping(field(Kind.DATETIME, "born"), field(Kind.DATE, "app_born")),
    FieldMapping(
        field(Kind.EMAIL, "mails", multi=True), field(Kind.EMAIL, "app_mails", multi=True)
    ),
    FieldMapping(
        field(Kind.CHOICE, "color"),
        field(Kind.CHOICE, "app_color", options=(Option("1", "Red"), Option("2", "Green"))),
    ),
)
NAMES = tuple(m.name for m in MAPPINGS)
VALUES: dict[str, tuple[list[Value], list[Value]]] = {
    "sku": (["a", " a ", "b", "a\nb", "", None], ["a", "b ", "a\nb", "\\", None]),
    "size": (["1", "1.0", "x", "", None], [Decimal(1), Decimal("1.00"), 2, None]),
    "born": (
        [datetime(2026, 1, 1, 23, tzinfo=UTC), datetime(2026, 1, 1, 5, tzinfo=UTC), None],
        [date(2026, 1, 1), date(2026, 1, 2), None],
    ),
    "mails": (
        [("A@x.com", "b@x.com"), ("b@x.com",), (), None],
        [("a@X.com",), ("b@x.com", "c@x.com"), (), None],
    ),
    "color": (["r", "g", "b", None], ["1", "2", "3", None]),
}
rule_lists = st.lists(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple),
    min_size=1,
    max_size=3,
).map(tuple)


def sides(side: Side) -> st.SearchStrategy[dict[int, Fields]]:
    at = 0 if side is Side.HUB else 1
    prefix = "" if side is Side.HUB else "app_"
    record = st.fixed_dictionaries({prefix + n: st.sampled_from(VALUES[n][at]) for n in NAMES})
    return st.lists(record, max_size=5).map(lambda records: dict(enumerate(records)))


def custom(*own: tuple[str, ...], timezone: str = "UTC") -> Rules:
    rules = rules_of(*MAPPINGS, matching=CustomMatching(own))
    return msgspec.structs.replace(rules, timezone=timezone)


def agree(rules: Rules, names: tuple[str, ...], hub: Fields, app: Fields) -> bool:
    """The rule in the plainest way: the forms of two records, field by field."""
    for name in names:
        mapping = next(m for m in rules.mappings if m.name == name)
        compiled = conversion(mapping, rules.direction, rules.timezone, rules.region)
        ours = compiled.shared[Side.HUB](hub.get(mapping.hub.name))
        theirs = compiled.shared[Side.APP](app.get(mapping.app.name))
        if ours is None or theirs is None:
            return False
        left = ours if isinstance(ours, frozenset) else {ours}
        right = theirs if isinstance(theirs, frozenset) else {theirs}
        if not left & right:
            return False
    return True


refusals = st.dictionaries(st.integers(0, 4), st.frozensets(st.integers(0, 4), min_size=1))


@given(
    rule_lists,
    sides(Side.HUB),
    sides(Side.APP),
    refusals,
    st.sampled_from(["UTC", "Asia/Kathmandu"]),
)
@settings(max_examples=300)
def test_own_rules_are_the_oracles(
    own: tuple[tuple[str, ...], ...],
    hub: dict[int, Fields],
    app: dict[int, Fields],
    refused: dict[int, frozenset[int]],
    timezone: str,
) -> None:
    rules = custom(*own, timezone=timezone)
    pairs: set[tuple[int, int, int]] = set()
    ambiguous: dict[tuple[Side, int], set[int]] = {}
    for level, names in enumerate(own):
        gone = {Side.HUB: {h for h, _, _ in pairs}, Side.APP: {a for _, a, _ in pairs}}
        edges = [
            (h, a)
            for h in hub.keys() - gone[Side.HUB]
            for a in app.keys() - gone[Side.APP]
            if a not in refused.get(h, ()) and agree(rules, names, hub[h], app[a])
        ]
        before = set(ambiguous)
        for h, a in edges:
            alone = [e for e in edges if e[0] == h or e[1] == a] == [(h, a)]
            if alone and (Side.HUB, h) not in before and (Side.APP, a) not in before:
                pairs.add((h, a, level))
                continue
            for side, here, there in ((Side.HUB, h, a), (Side.APP, a, h)):
                if (side, here) not in before:
                    ambiguous.setdefault((side, here), set()).add(there)
    make = key_maker(rules)
    result = match(
        {i: make(Side.HUB, f) for i, f in hub.items()},
        {i: make(Side.APP, f) for i, f in app.items()},
        refused=refused,
    )
    assert set(result.pairs) == pairs
    assert {who: set(a.candidates) for who, a in result.ambiguous.items()} == ambiguous


@given(anything, anything)
def test_key_texts_are_equal_exactly_where_the_values_are(one: Value, other: Value) -> None:
    forms = by_type(one), by_type(other)
    if None in forms or any(isinstance(form, frozenset) for form in forms):
        return
    assert (key_text(forms[0]) == key_text(forms[1])) == (forms[0] == forms[1])
    assert "\n" not in key_text(forms[0])


@pytest.mark.parametrize("number", [0, 1, -1, 100, 10**30, Decimal("0.10"), Decimal("-12E+5")])
def test_a_number_is_one_key_however_it_is_written(number: int | Decimal) -> None:
    plain = f"{Decimal(number):f}"
    longer = Decimal(plain + ("0" if "." in plain else ".0"))
    assert key_text(number) == key_text(longer) == key_text(Decimal(number))
    assert key_text(number) != key_text(-number) or not number
    assert key_text(number) != key_text(10 * Decimal(number)) or not number


def test_a_record_makes_a_limited_number_of_keys() -> None:
    many = field(Kind.EMAIL, "mails", multi=True)
    rules = rules_of(FieldMapping(many, many), matching=CustomMatching((("mails",),)))
    keys = key_maker(rules)(Side.HUB, {"mails": tuple(f"{n}@x.com" for n in range(1_000))})
    assert len(keys.levels[0]) == MOST_KEYS


def test_what_rules_read_and_how_they_are_called() -> None:
    rules = custom(("sku",), ("size", "born"))
    assert key_fields(rules, Side.APP) == ("app_sku", "app_size", "app_born")
    assert level_names(rules) == ("sku", "size and born")


@pytest.mark.parametrize(
    ("own", "code", "says"),
    [
        ((), "TF-M06", "empty list"),
        (((),), "TF-M01", "rule 1 names no field"),
        ((("sku",), ("nothing",)), "TF-M02", "rule 2 names nothing"),
        ((("spare",),), "TF-M03", "spare, which is not mapped"),
        ((("yes",),), "TF-M04", "a checkbox"),
        ((("owner",),), "TF-M04", "an owner"),
        ((("odd",),), "TF-M04", "cannot be read reliably: it lies"),
        ((("count",),), "TF-M04", "count of the hub changes without a word"),
        ((("apart",),), "TF-M04", "its own options"),
        ((("sku", "size"), ("size", "sku")), "TF-M05", "size, sku"),
    ],
)
def test_rules_that_cannot_work_say_why(
    own: tuple[tuple[str, ...], ...], code: str, says: str
) -> None:
    more = (
        FieldMapping(field(Kind.BOOL, "yes"), field(Kind.BOOL, "app_yes")),
        FieldMapping(field(Kind.OWNER, "owner"), field(Kind.TEXT, "app_owner")),
        FieldMapping(field(Kind.TEXT, "odd", unmappable="it lies"), field(Kind.TEXT, "app_odd")),
        FieldMapping(field(Kind.INT, "count", silent=True), field(Kind.INT, "app_count")),
        FieldMapping(field(Kind.CHOICE, "apart", options=COLORS), field(Kind.DATE, "app_apart")),
    )
    spare = (field(Kind.TEXT, "spare"),)
    rules = rules_of(*MAPPINGS, *more, matching=CustomMatching(own), more_hub=spare)
    (problem,) = (p for p in check(rules) if p.code.startswith("TF-M"))
    assert problem.code == code
    assert says in problem.sentence


def test_good_rules_have_no_problem() -> None:
    rules = custom(("sku",), ("size", "born"), ("mails",), ("color",))
    assert [p for p in check(rules) if p.code.startswith("TF-M")] == []


def test_matching_is_stored_as_before_and_as_rules() -> None:
    plain = rules_of(*MAPPINGS, matching=Matching.CONTACTS)
    stored = msgspec.json.encode(plain)
    assert b'"matching":"contacts"' in stored
    assert msgspec.json.decode(stored, type=Rules) == plain
    own = custom(("sku",), ("size", "born"))
    assert msgspec.json.decode(msgspec.json.encode(own), type=Rules) == own


# --- presets ------------------------------------------------------------------------------------

STRICT = rules_of(
    *(FieldMapping(field(Kind.TEXT, n), field(Kind.TEXT, n)) for n in ("name", "domain")),
    matching=Matching.COMPANIES_STRICT,
)
PRODUCTS = rules_of(
    *(FieldMapping(field(Kind.TEXT, n), field(Kind.TEXT, n)) for n in ("name", "hs_sku")),
    matching=Matching.PRODUCTS,
)
COMPANY = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Acme", "ACME ", "Other", ""]),
        "domain": st.sampled_from(["acme.com", "www.acme.com", "other.org", ""]),
    }
)


@given(st.lists(COMPANY, max_size=4), st.lists(COMPANY, max_size=4))
def test_a_pair_that_disagrees_is_left_for_a_person(hub: list[Fields], app: list[Fields]) -> None:
    make = key_maker(STRICT)
    keys = [{i: make(side, f) for i, f in enumerate(found)} for side, found in
            ((Side.HUB, hub), (Side.APP, app))]  # fmt: skip
    plain = [{i: MatchKeys(k.levels) for i, k in side.items()} for side in keys]
    strict, loose = match(keys[0], keys[1]), match(plain[0], plain[1])
    for h, a, level in strict.pairs:
        pair = keys[0][h].levels, keys[1][a].levels
        for at in (1, 2):
            ours, theirs = set(pair[0][at]), set(pair[1][at])
            assert not ours or not theirs or ours & theirs
        if level == 0:
            assert (h, a, 0) in loose.pairs
    for (side, record), doubt in strict.ambiguous.items():
        if doubt.doubtful:
            (candidate,) = doubt.candidates
            ends = (record, candidate) if side is Side.HUB else (candidate, record)
            assert (side.other, candidate) in strict.ambiguous
            assert any(
                set(keys[0][ends[0]].levels[at]).isdisjoint(keys[1][ends[1]].levels[at])
                for at in (1, 2)
            )


@pytest.mark.parametrize(
    ("hub", "app", "linked"),
    [
        ({"name": "Acme", "domain": "acme.com"}, {"name": "ACME", "domain": "acme.com"}, True),
        ({"name": "Acme", "domain": "acme.com"}, {"name": "", "domain": "acme.com"}, True),
        ({"name": "Acme", "domain": "acme.com"}, {"name": "Other", "domain": "acme.com"}, False),
        ({"name": "Acme", "domain": "acme.com"}, {"name": "Acme", "domain": "other.org"}, False),
        ({"name": "Acme"}, {"name": "Acme", "domain": "acme.com"}, True),
    ],
)
def test_name_and_domain_must_not_disagree(hub: Fields, app: Fields, linked: bool) -> None:
    make = key_maker(STRICT)
    result = match({1: make(Side.HUB, hub)}, {2: make(Side.APP, app)})
    assert bool(result.pairs) == linked
    if not linked:
        assert result.ambiguous[Side.HUB, 1].doubtful
        assert result.ambiguous[Side.APP, 2].candidates == (1,)


@pytest.mark.parametrize(
    ("hub", "app", "level"),
    [
        ({"hs_sku": " X-1", "name": "a"}, {"hs_sku": "X-1", "name": "b"}, 0),
        ({"hs_sku": "X-1", "name": "Bolt  M8"}, {"hs_sku": "X-2", "name": "bolt m8"}, 1),
        ({"hs_sku": "X-1"}, {"hs_sku": "x-1"}, None),
    ],
)
def test_products_by_sku_then_name(hub: Fields, app: Fields, level: int | None) -> None:
    make = key_maker(PRODUCTS)
    pairs = match({1: make(Side.HUB, hub)}, {2: make(Side.APP, app)}).pairs
    assert pairs == ([] if level is None else [(1, 2, level)])
