"""Transforms: each inverse gives back what it was given, or the transform is one-way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from tests.core.fields import field, phones, texts

from twofold.core.convert import Conversion, conversion
from twofold.core.countries import country_in
from twofold.core.errors import TwofoldError
from twofold.core.mappings import Direction, FieldMapping
from twofold.core.normalize import phone
from twofold.core.normalize import text as plain
from twofold.core.parts import made_of, whole_of
from twofold.core.records import Side
from twofold.core.transforms import CATALOG, Change, NoFit, Transform
from twofold.core.type_matrix import travels
from twofold.core.values import Kind, Value, is_blank

TABLE = (("north", "N"), ("south", "S"), ("east", "E"))
COUNTRIES = st.sampled_from(["nl", "NLD", "the Netherlands", "UK", "United States", "Narnia", "fr"])
words = texts | phones | COUNTRIES | st.sampled_from(["north", "S", "T-1", "Ada van Dijk", "A B C"])
changes = st.one_of(
    st.builds(Transform, st.just(Change.TRIM), st.sampled_from(Side)),
    st.builds(
        Transform,
        st.just(Change.CASE),
        st.sampled_from(Side),
        st.sampled_from(["upper", "lower", "title"]),
    ),
    st.builds(
        Transform, st.just(Change.PREFIX), st.sampled_from(Side), st.sampled_from(["T-", "Dr. "])
    ),
    st.builds(Transform, st.just(Change.LOOKUP), st.sampled_from(Side), table=st.just(TABLE)),
    st.builds(
        Transform,
        st.just(Change.PHONE),
        st.sampled_from(Side),
        st.sampled_from(["e164", "international", "national"]),
        st.sampled_from(["", "e164", "national"]),
    ),
    st.builds(
        Transform,
        st.just(Change.COUNTRY),
        st.sampled_from(Side),
        st.sampled_from(["name", "alpha2", "alpha3"]),
        st.sampled_from(["", "name", "alpha2"]),
    ),
)
NAME = made_of([field(Kind.TEXT, "firstname"), field(Kind.TEXT, "lastname")])


def mapped(*transforms: Transform, kind: Kind = Kind.TEXT) -> Conversion:
    hub, app = field(kind, "h"), field(kind, "a")
    for transform in transforms:
        if transform.change is Change.JOIN:
            hub, app = (NAME, app) if transform.to is Side.APP else (hub, NAME)
    mapping = FieldMapping(hub, app, transforms=transforms)
    return conversion(mapping, Direction.BOTH, "UTC", "GB")


def crossed(c: Conversion, side: Side, value: Value) -> Value:
    """What is written; the case is dropped where the value does not fit."""
    try:
        return c.write[side](value)
    except TwofoldError as error:
        if error.code in {"TF-R01", "TF-R13"}:
            reject()
        raise


@given(st.lists(changes, min_size=1, max_size=3), words, st.sampled_from(list(Side)))
def test_what_was_written_is_the_same_thing(chain: list[Transform], text: str, side: Side) -> None:
    """After a write the two are equal, and writing back changes nothing."""
    c = mapped(*chain)
    if c.direction is None or not c.direction.reaches(side) or is_blank(text):
        return
    there = crossed(c, side, text)
    assert c.shared[side](there) == c.shared[side.other](text)
    if c.direction is Direction.BOTH:
        back = crossed(c, side.other, there)
        assert c.shared[side](there) == c.shared[side.other](back)


def _canonical(transform: Transform) -> Callable[[Value], object]:
    if transform.change is Change.PHONE:
        return phone("GB")
    if transform.change is Change.COUNTRY:
        return lambda value: country_in("alpha2", str(value)) or plain(value)
    return plain


@given(changes, words)
def test_an_inverse_gives_back_what_it_was_given(transform: Transform, text: str) -> None:
    forward, back = (transform.toward(s, "GB") for s in (transform.to, transform.to.other))
    assert forward is not None
    assert (back is None) == (not transform.invertible)
    if back is None:
        return
    try:
        there = forward(text)
        returned = back(there)
    except NoFit:
        return
    canonical = _canonical(transform)
    assert canonical(returned) == canonical(text)


@given(changes)
def test_a_transform_without_inverse_leaves_one_way(transform: Transform) -> None:
    mapping = FieldMapping(field(Kind.TEXT), field(Kind.TEXT), transforms=(transform,))
    left = travels(mapping)
    assert left is not None
    assert left.reaches(transform.to)
    assert (left is Direction.BOTH) == transform.invertible


def test_a_lookup_that_is_not_one_to_one_is_one_way() -> None:
    many = Transform(Change.LOOKUP, table=(("a", "x"), ("b", "x")))
    assert not many.invertible
    assert mapped(many).write[Side.APP]("b") == "x"


@pytest.mark.parametrize(
    ("whole", "first", "last"),
    [
        ("Ada Lovelace", "Ada", "Lovelace"),
        ("Jan van der Berg", "Jan", "van der Berg"),
        ("Mary Ann Evans", "Mary Ann", "Evans"),
        ("ada lovelace", "ada", "lovelace"),
        ("Madonna", "Madonna", ""),
    ],
)
@pytest.mark.parametrize("to", list(Side))
def test_names_are_split_and_joined(to: Side, whole: str, first: str, last: str) -> None:
    c = mapped(Transform(Change.JOIN, to))
    parts = whole_of((first, last))
    assert c.write[to.other](whole) == parts
    assert c.write[to](parts) == whole
    assert c.shared[to](whole) == c.shared[to.other](parts)


def test_names_with_the_surname_first() -> None:
    c = mapped(Transform(Change.JOIN, form=", "))
    assert c.write[Side.HUB]("Lovelace, Ada") == whole_of(("Lovelace", "Ada"))
    assert c.write[Side.APP](whole_of(("Lovelace", "Ada"))) == "Lovelace, Ada"


@given(texts, texts, texts, st.sampled_from(list(Side)))
def test_a_name_in_parts_equals_the_whole_that_it_makes(
    first: str, last: str, whole: str, to: Side
) -> None:
    c = mapped(Transform(Change.JOIN, to))
    parts = whole_of((first, last))
    if not is_blank(parts):
        assert c.shared[to](crossed(c, to, parts)) == c.shared[to.other](parts)
    if not is_blank(whole):
        assert c.shared[to.other](crossed(c, to.other, whole)) == c.shared[to](whole)


def test_what_has_no_answer_fails_that_field_and_says_why() -> None:
    prefixed = mapped(Transform(Change.PREFIX, form="T-"))
    assert prefixed.write[Side.APP]("7") == "T-7"
    assert prefixed.write[Side.HUB]("T-7") == "7"
    with pytest.raises(TwofoldError, match="begins with 'T-'") as caught:
        prefixed.write[Side.HUB]("7")
    assert caught.value.code == "TF-R13"
    assert prefixed.shared[Side.APP]("7") != prefixed.shared[Side.HUB]("7")
    looked = mapped(Transform(Change.LOOKUP, table=TABLE))
    with pytest.raises(TwofoldError, match="lookup table"):
        looked.write[Side.APP]("up")


def test_formats() -> None:
    numbers = mapped(Transform(Change.PHONE, form="international", back="national"))
    assert numbers.write[Side.APP]("020 7946 0018") == "+44 20 7946 0018"
    assert numbers.write[Side.HUB]("+442079460018") == "020 7946 0018"
    assert numbers.write[Side.HUB]("+31 20 794 0018") == "+31207940018"  # of another country
    assert numbers.write[Side.APP]("ask for Ann") == "ask for Ann"
    lands = mapped(Transform(Change.COUNTRY, form="alpha2", back="name"))
    assert lands.write[Side.APP]("the Netherlands") == "NL"
    assert lands.write[Side.HUB]("nld") == "Netherlands"
    assert lands.shared[Side.HUB]("Holland") == lands.shared[Side.APP]("NL")
    titled = mapped(Transform(Change.CASE, form="title"))
    assert titled.write[Side.APP]("ADA LOVELACE") == "Ada Lovelace"


def test_the_catalog_is_complete_and_in_words() -> None:
    assert list(CATALOG) == list(Change)
    for entry in CATALOG.values():
        assert entry.explanation.endswith(".")
        assert entry.undone.endswith(".")
