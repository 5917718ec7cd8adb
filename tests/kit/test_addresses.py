"""Which addresses count as the app's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from twofold.kit.addresses import base_address, plain_addresses, resolve, same_place

BASE = URL("https://crm.example/api/")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("https://crm.example/elsewhere", True),
        ("https://CRM.example:443/", True),
        ("https://crm.example:8443/", False),
        ("http://crm.example/", False),
        ("https://crm.example.evil.example/", False),
        ("https://crm.example@evil.example/", False),
        ("//evil.example/", False),
        ("/\\evil.example", True),
        ("x", True),
    ],
)
def test_same_place(other: str, same: bool) -> None:
    assert same_place(BASE, resolve(BASE, other)) is same


def test_a_step_up_to_https_is_the_same_place() -> None:
    assert same_place(URL("http://crm.example/"), URL("https://crm.example/"))
    assert not same_place(URL("http://crm.example/"), URL("https://crm.example:8443/"))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("crm.example", "https://crm.example/"),
        (" crm.example:8443/dav ", "https://crm.example:8443/dav"),
        ("http://crm.example/dav/", "http://crm.example/dav/"),
        ("https://ann:secret@crm.example/", "https://crm.example/"),
    ],
)
def test_the_address_that_a_person_types(typed: str, meant: str) -> None:
    assert str(base_address(typed)) == meant


_HOSTS = (":443", ":8443", "@evil.test", ".evil.test", "https://crm.example")
_PIECES = st.sampled_from((*_HOSTS, *"/\\?# \n%aé=&[:", "//", "..", "%2F"))
_STARTS = st.sampled_from(["https://crm.example", "https://crm.example/", "https://crm.example/a?"])


@given(st.tuples(_STARTS, st.lists(_PIECES, max_size=3).map("".join)).map("".join))
def test_a_plain_address_is_what_reading_it_gives(link: str) -> None:
    if plain_addresses(BASE).fullmatch(link):
        assert URL(link, encoded=True) == resolve(BASE, link)
        assert str(URL(link, encoded=True)) == str(resolve(BASE, link)) == link
        assert same_place(BASE, URL(link, encoded=True))


def test_an_address_of_version_6_keeps_its_brackets() -> None:
    base = base_address("http://[::1]:8080/dav/")
    assert str(resolve(base, "book/")) == "http://[::1]:8080/dav/book/"


@pytest.mark.parametrize("typed", ["", "   ", "ftp://crm.example", "https://"])
def test_what_is_no_address(typed: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        base_address(typed)


@given(st.text(st.characters(codec="utf-8")))
def test_any_link_becomes_plain_ascii_or_is_refused(link: str) -> None:
    try:
        url = resolve(BASE, link)
    except ValueError:
        return
    assert str(url).isascii()
    assert str(url).isprintable()
    assert " " not in str(url)
    assert url.user is None
    assert url.password is None
