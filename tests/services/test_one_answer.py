"""A sync that commands or pages ask for, and the same one as a file, are judged alike."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.configured import TEXTS, of_type
from tests.core.fields import field
from tests.services.test_documents import only

from twofold.core.errors import TwofoldError
from twofold.core.filters import Leaving
from twofold.core.mappings import Brakes, CustomMatching, Deletes, Direction, Matching, Rules
from twofold.core.schema import Association, ObjectType, Op
from twofold.core.stages import STAGE
from twofold.core.values import Kind
from twofold.kit.contract import DefaultMapping, Manifest
from twofold.kit.yaml_text import Located, write
from twofold.services.applying import rules_of
from twofold.services.documents import document_of, understood
from twofold.services.proposals import Ground, Request, Wish, propose
from twofold.services.syncs import judged

OPS = frozenset(Op)
FIELDS = [
    field(kind, f"{kind}{'s' if multi else ''}", multi=multi)
    for kind in Kind
    for multi in (False, True)
]
LOCKED = field(Kind.TEXT, "locked", creatable=False, updatable=False)
NEEDED = field(Kind.TEXT, "needed", required=True)
HUB = ObjectType(
    "contact",
    "Contacts",
    (*FIELDS, LOCKED, field(Kind.CHOICE, STAGE)),
    (Association("company", "company"),),
    ops=OPS,
)
APPS = [
    ObjectType(
        "people", "People", (*FIELDS, *more), (Association("firm", "firm", many=True),), ops=ops
    )
    for more in ((LOCKED,), (NEEDED,))
    for ops in (OPS, frozenset({Op.CREATE, Op.UPDATE}), frozenset[Op]())
]
MANIFEST = Manifest(
    "a",
    "A",
    "",
    objects={"company": "firm"},
    defaults={"contact": (DefaultMapping("email", "email"),)},
)
GROUNDS = st.sampled_from([Ground(HUB, app, MANIFEST) for app in APPS])
NAMES = st.sampled_from([f.name for f in HUB.fields] + ["needed", "nobody"])
CRITERIA = st.sampled_from(
    [
        "text is known",
        "int is greater than 3",
        "int contains 3",
        "date is in the last 5 days",
        "or",
        "choice is r",
        "choice is x",
        "bool is true",
        "nobody is 1",
        "datetime is after 2026-01-01",
    ]
)
STAGES = st.sampled_from(["r", "Green", "boss"])


def few(one: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(one, max_size=3).map(tuple)


WISHES = st.builds(Wish, NAMES, NAMES, st.none() | st.sampled_from(Direction))
MATCHING = (
    st.none()
    | st.sampled_from(Matching)
    | st.lists(few(NAMES), max_size=3).map(lambda found: CustomMatching(tuple(found)))
)
REQUESTS = st.builds(
    Request,
    connection=st.just("shop"),
    hub_type=st.just("contact"),
    direction=st.sampled_from(Direction),
    wishes=st.lists(WISHES, max_size=4).map(tuple),
    use_defaults=st.booleans(),
    by_name=st.booleans(),
    matching=MATCHING,
    require_email=st.none() | st.booleans(),
    all_targets=few(st.just("company")),
    timezone=st.sampled_from(["UTC", "Europe/Amsterdam"]) | TEXTS,
    region=st.sampled_from(["", "NL", "nl"]) | TEXTS,
    deletes=of_type(Deletes),
    brakes=of_type(Brakes),
    leaving=of_type(Leaving),
    hub_limit=few(CRITERIA),
    app_limit=few(CRITERIA),
    stages=few(STAGES),
    from_now_on=st.booleans(),
)


def codes(rules: Rules, ground: Ground, told: set[str]) -> list[tuple[str, str, str]]:
    return [(p.code, p.sentence, p.mapping) for p in judged(rules, ground, told)]


@settings(max_examples=100)
@given(REQUESTS, GROUNDS)
def test_what_is_asked_for_and_its_file_are_judged_alike(request: Request, ground: Ground) -> None:
    try:
        rules = propose(request, ground)
    except TwofoldError as error:
        if error.code not in {"TF-F01", "TF-U23", "TF-U25", "TF-L07", "TF-L10", "TF-M41"}:
            raise
        return
    told = {wish.hub_field for wish in request.wishes if wish.direction is not None}
    plain = document_of("n", "shop", rules, request.enabled)
    document = understood(only(write([plain])))
    found: list[Located] = []
    read = rules_of(document, ground, found)
    assert (list(document.problems), found) == ([], [])
    assert read == rules
    assert codes(read, ground, told) == codes(rules, ground, told)
