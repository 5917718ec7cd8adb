"""What counts as the same address or domain, and what gives no key at all."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from twofold.core.addresses import FREE_MAIL, domain_key, email_key


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (" Ada@Example.ORG\n", "ada@example.org"),
        ("ada+x@example.test", "ada+x@example.test"),
        ("o'neill@x.co.uk", "o'neill@x.co.uk"),
        ("ada@bücher.de", "ada@bücher.de"),
        ("ada@xn--bcher-kva.de", "ada@bücher.de"),
        ("é@b.fr", "é@b.fr"),
        ("a" * 64 + "@x.org", "a" * 64 + "@x.org"),
        ("a" * 65 + "@x.org", None),
        ("a@" + "b" * 64 + ".org", None),
        ("a@b", None),
        ("a@@b.com", None),
        ("a@b@c.com", None),
        (".a@b.com", None),
        ("a..b@c.com", None),
        ("a@-b.com", None),
        ("a@b.com.", None),
        ("a b@c.com", None),
        ("Ada <ada@b.com>", None),
        ("jamesd75collins.biz", None),
        ("a@b." + "c" * 400, None),
        ("", None),
    ],
)
def test_email_key(value: str, key: str | None) -> None:
    assert email_key(value) == key


dots = st.text("aB9.-_+@", max_size=12)


@given(st.tuples(dots, st.text("aB9.-@", max_size=8), st.sampled_from(["com", "c8m", "c", ""])))
def test_the_fast_path_agrees_with_the_validator(parts: tuple[str, str, str]) -> None:
    value = f"{parts[0]}@{parts[1]}.{parts[2]}"
    try:
        validate_email(
            value.lower(), check_deliverability=False, test_environment=True, strict=True
        )
        valid = True
    except EmailNotValidError:
        valid = False
    assert (email_key(value) is not None) == valid


@given(st.emails())
def test_a_key_is_its_own_key(value: str) -> None:
    key = email_key(value)
    assert key is None or email_key(key) == key


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("acme.com", "acme.com"),
        ("https://WWW.Acme.com/about?x=1#y", "acme.com"),
        ("mail.acme.co.uk", "acme.co.uk"),
        ("student.uts.edu.au", "uts.edu.au"),
        ("ada@sales.acme.com", "acme.com"),
        ("http://user:pw@acme.com:8080/", "acme.com"),
        ("acme.com.", "acme.com"),
        ("one.github.io", "one.github.io"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("www.xn--bcher-kva.de", "xn--bcher-kva.de"),
        ("shop.acme.example", "acme.example"),
        ("github.io", None),
        ("co.uk", None),
        ("localhost", None),
        ("192.168.0.1", None),
        ("http://[::1]/", None),
        ("a b.com", None),
        ("gmail.com", None),
        ("https://mail.yahoo.co.uk", None),
        ("acme", None),
        ("", None),
        ("a" * 3000 + ".com", None),
    ],
)
def test_domain_key(value: str, key: str | None) -> None:
    assert domain_key(value) == key


@given(st.text(max_size=30) | st.text("a.:/@[]%\u3002\ud800", max_size=20))
def test_any_text_gives_a_domain_that_is_its_own_key_or_none(value: str) -> None:
    key = domain_key(value)
    assert key is None or domain_key(key) == key


def test_free_mail_domains_are_registrable_domains() -> None:
    """A listed domain that is never the answer of ``domain_key`` would never be recognized."""
    for domain in FREE_MAIL:
        assert domain_key(f"not-{domain}") == f"not-{domain}"
        assert domain_key(f"mail.{domain}") is None
