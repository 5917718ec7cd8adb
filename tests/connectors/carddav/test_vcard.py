"""The vCard patcher: properties over hostile cards, and the rules for each field by example."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twofold.connectors.carddav.fields import SLOTS, new_card, object_type, patch, read
from twofold.connectors.carddav.schema import FIELDS
from twofold.connectors.carddav.vcard import Card, escaped, parts, unescaped
from twofold.core.records import Fields
from twofold.core.values import Value
from twofold.kit.errors import InvalidValue

CONTACT = [field.name for field in FIELDS["contact"]]
WRITABLE = [field.name for field in FIELDS["contact"] if not field.read_only]

# --- cards of every kind --------------------------------------------------------------------------

_PROPERTIES = b"""N FN EMAIL TEL ADR ORG TITLE URL BDAY NOTE PHOTO REV X-ABLabel CATEGORIES KIND UID
IMPP""".split()
_PARAMS = st.lists(
    st.sampled_from(
        [
            b";TYPE=WORK",
            b";TYPE=home,cell",
            b';TYPE="work,voice"',
            b";PREF=1",
            b";PREF",
            b";CELL",
            b";CHARSET=iso-8859-1",
            b";ENCODING=QUOTED-PRINTABLE",
            b";QUOTED-PRINTABLE",
            b";VALUE=uri",
            b';X-A="a:b;c"',
            b';X-B="open',
            b";=",
            b";",
            b";X-APPLE-OMIT-YEAR=1604",
            b";CHARSET=zzz",
        ]
    ),
    max_size=3,
).map(b"".join)
_VALUES = st.one_of(
    st.binary(max_size=30).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b"")),
    st.text(max_size=20).map(lambda text: escaped(text).encode("utf-8", "replace")),
    st.sampled_from(
        [
            b"",
            b";;;;",
            b"a\\;b;c\\,d;\\",
            b"tel:+1-555",
            b"--0412",
            b"1985-04",
            b"19850412",
            b"1604-04-12",
            b"circa 1800",
            b"=C3=A9=",
            b"\xff\xfe",
            b"a" * 100,
        ]
    ),
)
_ENDS = st.sampled_from([b"\r\n", b"\n"])


@st.composite
def _lines(draw: st.DrawFn) -> bytes:
    group = draw(st.sampled_from([b"", b"item1.", b"ITEM2."]))
    name = draw(st.sampled_from(_PROPERTIES))
    line: bytes = group + name + draw(_PARAMS) + b":" + draw(_VALUES)
    if b"QUOTED" in line:
        return line.rstrip(b"=")
    at = draw(st.integers(1, max(1, len(line))))
    folded = draw(st.booleans())
    return line[:at] + draw(_ENDS) + b" " + line[at:] if folded else line


@st.composite
def cards(draw: st.DrawFn) -> list[bytes]:
    """A card as the list of its logical lines, each with its line break."""
    version = draw(st.sampled_from([b"VERSION:3.0", b"VERSION:4.0", b"VERSION:2.1", b""]))
    body = draw(st.lists(_lines(), max_size=12))
    whole = [b"BEGIN:VCARD", *([version] if version else []), *body, b"END:VCARD"]
    return [line + draw(_ENDS) for line in whole]


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=120).filter(
    lambda text: text.strip() == text and text.strip(" ;,") != ""
)


def values(name: str) -> st.SearchStrategy[Value]:
    if name == "date_of_birth":
        return st.one_of(st.none(), st.dates())
    return st.one_of(st.none(), TEXT.map(lambda text: f"a{text}z"))


CHANGES = st.lists(st.sampled_from(WRITABLE), unique=True, max_size=5).flatmap(
    lambda names: st.fixed_dictionaries({name: values(name) for name in names})
)

# --- properties -----------------------------------------------------------------------------------


@given(st.binary(max_size=400))
def test_any_bytes_are_kept_and_read(body: bytes) -> None:
    card = Card(body)
    assert bytes(card) == body
    object_type(card)
    assert set(read(card, CONTACT)) == set(CONTACT)


@given(st.binary(max_size=300), CHANGES)
def test_patching_any_bytes_raises_nothing_but_a_coded_error(body: bytes, changes: Fields) -> None:
    card = Card(b"BEGIN:VCARD\r\n" + body)
    with contextlib.suppress(InvalidValue):
        patch(card, changes)
    assert set(read(Card(bytes(card)), CONTACT)) == set(CONTACT)


@given(cards(), CHANGES)
def test_lines_of_other_properties_keep_their_bytes_and_order(
    lines: list[bytes], changes: Fields
) -> None:
    """The oracle knows the lines from how they were made, not from the parser."""
    card = Card(b"".join(lines))
    assert bytes(card) == b"".join(lines)
    try:
        patch(card, changes)
    except InvalidValue:
        return
    mapped = {"FN"} | {SLOTS[n].name if n in SLOTS else "BDAY" for n in changes}
    after, at = bytes(card), 0
    for line in lines:
        if not any(_is(line, name) for name in mapped):
            found = after.find(line, at)
            assert found >= 0, (line, after)
            at = found + len(line)


def _is(line: bytes, name: str) -> bool:
    head = line.replace(b"\r\n ", b"").replace(b"\n ", b"").split(b":")[0].split(b";")[0]
    return head.split(b".")[-1].upper() == name.encode()


@given(cards(), st.sampled_from(WRITABLE).flatmap(lambda n: st.tuples(st.just(n), values(n))))
def test_one_field_changes_one_line_and_perhaps_the_full_name(
    lines: list[bytes], change: tuple[str, Value]
) -> None:
    name, value = change
    before = Card(b"".join(lines))
    card = Card(b"".join(lines))
    try:
        patch(card, {name: value})
    except InvalidValue:
        return
    own = SLOTS[name].name if name in SLOTS else "BDAY"
    changed = _different(before, card)
    assert set(changed) <= {"FN", own}
    assert max(map(changed.count, changed), default=0) <= 2


def _different(before: Card, after: Card) -> list[str]:
    """The names of lines that one card has and the other has not: two for a changed line."""
    sides = [Counter((line.name, line.raw) for line in card._lines) for card in (before, after)]
    both = (sides[0] - sides[1]) + (sides[1] - sides[0])
    return [name for name, _ in both.elements()]


@given(cards(), CHANGES)
@example([b"BEGIN:VCARD\r\n", b"ADR:;;c\\\r\n", b"END:VCARD\r\n"], {"city": "Cork"})
def test_what_is_written_is_read_and_written_again_changes_nothing(
    lines: list[bytes], changes: Fields
) -> None:
    card = Card(b"".join(lines))
    try:
        patch(card, changes)
    except InvalidValue:
        return
    again = Card(bytes(card))
    shown = read(again, changes)
    for name, value in changes.items():
        if value is not None and "tel:" not in str(value).lower():
            assert shown[name] == value or _spaced(shown[name]) == _spaced(value), name
    body = bytes(again)
    patch(again, {name: value for name, value in changes.items() if value is not None})
    assert bytes(again) == body


def _spaced(value: Value) -> str:
    """A phone in a tel: URI has hyphens where it had blanks."""
    return "-".join(str(value).split())


@given(cards())
def test_a_patch_with_what_the_card_shows_changes_nothing_but_a_missing_name(
    lines: list[bytes],
) -> None:
    card = Card(b"".join(lines))
    shown = {name: value for name, value in read(card, WRITABLE).items() if value is not None}
    patch(card, shown)
    if shown.get("full_name"):
        assert bytes(card) == b"".join(lines)


@given(st.fixed_dictionaries({name: values(name) for name in WRITABLE if name != "full_name"}))
def test_a_new_card_shows_what_it_was_given(fields: Fields) -> None:
    card = Card(new_card("contact", "u1", fields))
    assert read(card, fields) == fields
    assert (object_type(card), card.value("UID")) == ("contact", "u1")
    assert card.value("FN")
    lines = bytes(card).split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert "\r\n".join(line.decode() for line in lines) == bytes(card).decode()


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), min_size=1, max_size=5)
)
def test_parts_join_and_escapes_return(texts: list[str]) -> None:
    joined = ";".join(map(escaped, texts))
    assert ";".join(parts(joined)) == joined
    plain = [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]
    assert [unescaped(part) for part in parts(joined)] == plain


@pytest.mark.parametrize(
    "body",
    [
        b"A" * 2_000_000,
        b"BEGIN:VCARD\nN:" + b";" * 2_000_000,
        b"BEGIN:VCARD\nN:" + b"\\" * 500_001,
        b"BEGIN:VCARD\nEMAIL;" + b'X="' * 500_000,
        b"BEGIN:VCARD\nEMAIL" + b";ENCODING=QUOTED-PRINTABLE" * 80_000 + b":x\nEND:VCARD",
        b"BEGIN:VCARD\nN;ENCODING=QUOTED-PRINTABLE:" + b"=\n" * 500_000,
        b"BEGIN:VCARD\nPHOTO:" + b"\r\n ".join([b"A" * 74] * 30_000),
        b"BEGIN:VCARD\n" + b"EMAIL:a\n" * 100_000,
    ],
    ids=["letters", "parts", "escapes", "quotes", "encodings", "soft", "photo", "emails"],
)
def test_no_step_is_quadratic_in_the_size(body: bytes) -> None:
    """A quadratic step would take hours here."""
    card = Card(body)
    assert bytes(card) == body
    read(card, CONTACT)
    patch(card, {"email": "a@example.org", "firstname": "A"})
    assert read(Card(bytes(card)), ["email"]) == {"email": "a@example.org" if card.found else None}


# --- rules by example -----------------------------------------------------------------------------


def patched(lines: str, changes: Fields, version: str = "3.0") -> list[str]:
    """The lines of a card after a patch, without its frame."""
    body = f"BEGIN:VCARD\r\nVERSION:{version}\r\n" + "".join(
        f"{line}\r\n" for line in lines.splitlines()
    )
    card = Card((body + "END:VCARD\r\n").encode())
    patch(card, changes)
    return bytes(card).decode().split("\r\n")[2:-2]


def shown(lines: str, name: str, version: str = "3.0") -> Value:
    body = f"BEGIN:VCARD\nVERSION:{version}\n{lines}\nEND:VCARD\n"
    return read(Card(body.encode()), [name])[name]


@pytest.mark.parametrize(
    ("lines", "name", "value"),
    [
        ("EMAIL:a\nEMAIL;TYPE=PREF:b", "email", "b"),
        ("EMAIL;PREF=2:a\nEMAIL;PREF=1:b", "email", "b"),
        ("EMAIL:\nEMAIL:b", "email", "b"),
        ("item1.EMAIL:a\nEMAIL:b", "email", "a"),
        ("EMAIL:a\nEMAIL;TYPE=PREF:b\nEMAIL:c\nEMAIL:a", "additional_emails", ("a", "c")),
        ("TEL;TYPE=HOME:1\nTEL;TYPE=WORK:2\nTEL;TYPE=CELL:3", "phone", "2"),
        ("TEL;TYPE=FAX,WORK:1\nTEL:2", "phone", "2"),
        ("TEL;TYPE=CELL:1", "phone", None),
        ("TEL;TYPE=CELL:1", "mobilephone", "1"),
        ("TEL;type=pref;type=IPHONE:1\nTEL;CELL:2", "mobilephone", "1"),
        ('TEL;VALUE=uri;TYPE="voice,work":tel:+1-555;ext=5', "phone", "+1-555;ext=5"),
        ("ADR;TYPE=HOME:;;1;2;3;4;5\nADR;TYPE=WORK:;;a;b;c;d;e", "city", "b"),
        ("ADR;TYPE=HOME:;;Main St 1, Apt 4;2", "street", "Main St 1, Apt 4"),
        ("ADR:;;a", "country", None),
        ("ORG:Acme\\, Inc.;Sales\\; EU;x", "company", "Acme, Inc."),
        ("ORG:Acme\\, Inc.;Sales\\; EU;x", "department", "Sales; EU"),
        ("N:O\\'Neil;Ann Mary;;Dr.;", "lastname", "O'Neil"),
        ("NOTE:a\\nb\\\\n\\N", "note", "a\nb\\n"),
        ("NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Zo=C3=\n=AB", "note", "Zoë"),
        ("NOTE;CHARSET=ISO-8859-1;QUOTED-PRINTABLE:Zo=EB", "note", "Zoë"),
        ("URL:http\\://a/b\\,c", "website", "http://a/b,c"),
        ("BDAY:1985-04-12", "date_of_birth", date(1985, 4, 12)),
        ("BDAY:19850412", "date_of_birth", date(1985, 4, 12)),
        ("BDAY;VALUE=date-time:1985-04-12T00:00:00Z", "date_of_birth", date(1985, 4, 12)),
        ("BDAY:--0412", "date_of_birth", None),
        ("BDAY:1985-04", "date_of_birth", None),
        ("BDAY:1985", "date_of_birth", None),
        ("BDAY:1985-13-40", "date_of_birth", None),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12", "date_of_birth", None),
        ("BDAY;VALUE=text:circa 1800", "date_of_birth", None),
        ("AGENT:\nBEGIN:VCARD\nEMAIL:agent\nEND:VCARD\nEMAIL:a", "email", "a"),
        ("EM\n AIL:a@exa\n mple.org", "email", "a@example.org"),
    ],
)
def test_which_value_a_field_shows(lines: str, name: str, value: Value) -> None:
    assert shown(lines, name) == value


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        ("FN:x\nitem1.EMAIL;TYPE=WORK:a\nitem1.X-ABLabel:l", {"email": "b"},
         ["FN:x", "item1.EMAIL;TYPE=WORK:b", "item1.X-ABLabel:l"]),
        ("FN:x\nitem1.EMAIL:a\nitem1.X-ABLabel:l\nEMAIL:c", {"email": None},
         ["FN:x", "item1.X-ABLabel:l", "EMAIL:c"]),
        ("FN:x", {"email": "a"}, ["FN:x", "EMAIL;TYPE=INTERNET:a"]),
        ("FN:x", {"phone": "1", "mobilephone": "2"},
         ["FN:x", "TEL;TYPE=WORK,VOICE:1", "TEL;TYPE=CELL:2"]),
        ("FN:x\nTEL;TYPE=HOME:1", {"mobilephone": "2"},
         ["FN:x", "TEL;TYPE=HOME:1", "TEL;TYPE=CELL:2"]),
        ("FN:x\nTEL;VALUE=uri:tel:+1-555", {"phone": "+1 556"},
         ["FN:x", "TEL;VALUE=uri:tel:+1-556"]),
        ("FN:x\nADR;TYPE=HOME:po;ext;s;c;r;z;C", {"city": "D"},
         ["FN:x", "ADR;TYPE=HOME:po;ext;s;D;r;z;C"]),
        ("FN:x\nADR:;;;c", {"city": None}, ["FN:x"]),
        ("FN:x\nADR:po;;;c", {"city": None}, ["FN:x", "ADR:po;;;"]),
        ("FN:x", {"zip": "1", "city": "C"}, ["FN:x", "ADR;TYPE=WORK:;;;C;;1;"]),
        ("FN:x\nORG:A;B\\;b;C", {"company": "N"}, ["FN:x", "ORG:N;B\\;b;C"]),
        ("FN:x\nORG:A;B", {"company": None}, ["FN:x", "ORG:;B"]),
        ("FN:x\nORG:A", {"company": None}, ["FN:x"]),
        ("FN:x\nORG:A", {"department": "D"}, ["FN:x", "ORG:A;D"]),
        ("FN:x\nNOTE;CHARSET=LATIN1;LANGUAGE=de:q", {"note": "ü"}, ["FN:x", "NOTE;LANGUAGE=de:ü"]),
        ("FN:x\nNOTE;QUOTED-PRINTABLE;X=1:=41", {"note": "b"}, ["FN:x", "NOTE;X=1:b"]),
        ("FN:x\nBDAY:19850412", {"date_of_birth": date(990, 1, 2)}, ["FN:x", "BDAY:09900102"]),
        ("FN:x\nBDAY:1985-04-12T10:00:00Z", {"date_of_birth": date(1990, 1, 2)},
         ["FN:x", "BDAY:1990-01-02T10:00:00Z"]),
        ("FN:x\nBDAY:--0412", {"date_of_birth": date(1990, 4, 12)}, ["FN:x", "BDAY:19900412"]),
        ("FN:x\nBDAY:--0412", {"date_of_birth": None}, ["FN:x", "BDAY:--0412"]),
        ("FN:x\nBDAY:1985-04-12", {"date_of_birth": None}, ["FN:x"]),
        ("FN:x", {"date_of_birth": date(1990, 1, 2)}, ["FN:x", "BDAY:1990-01-02"]),
        # the full name follows the parts that it was made of, in its form, and only then
        ("FN:Ann Lee\nN:Lee;Ann;;;", {"lastname": "Ray"}, ["FN:Ann Ray", "N:Ray;Ann;;;"]),
        ("FN:Dr. Ann B. Lee\nN:Lee;Ann;B.;Dr.;", {"firstname": "Eve"},
         ["FN:Dr. Eve B. Lee", "N:Lee;Eve;B.;Dr.;"]),
        ("FN:Lee\\, Ann\nN:Lee;Ann;;;", {"lastname": "Ray"}, ["FN:Ray\\, Ann", "N:Ray;Ann;;;"]),
        ("FN:Annie\nN:Lee;Ann;;;", {"lastname": "Ray"}, ["FN:Annie", "N:Ray;Ann;;;"]),
        ("FN:Ann\nN:;Ann;;;", {"firstname": None}, ["FN:Ann", "N:;;;;"]),
        ("N:Lee;Ann;;;", {"jobtitle": "T"}, ["N:Lee;Ann;;;", "TITLE:T", "FN:Ann Lee"]),
        ("FN:x", {"lastname": "Lee"}, ["FN:x", "N:Lee;;;;"]),
    ],
)  # fmt: skip
def test_what_a_write_does(before: str, changes: Fields, after: list[str]) -> None:
    assert patched(before, changes) == after


def test_a_line_added_to_version_4_has_its_form() -> None:
    changes: Fields = {"email": "a", "mobilephone": "1", "date_of_birth": date(1985, 4, 12)}
    assert patched("FN:x", changes, "4.0") == [
        "FN:x", "EMAIL:a", "TEL;TYPE=cell:1", "BDAY:19850412",
    ]  # fmt: skip


@pytest.mark.parametrize("bday", ["--0412", "1985-04", "---12", "circa 1800", "1604-04-13"])
def test_a_birthday_known_in_part_is_never_overwritten_by_another(bday: str) -> None:
    param = ";X-APPLE-OMIT-YEAR=1604" if bday.startswith("1604") else ""
    with pytest.raises(InvalidValue) as caught:
        patched(f"FN:x\nBDAY{param}:{bday}", {"date_of_birth": date(1990, 5, 13)})
    assert caught.value.issue.field == "date_of_birth"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FN:A\nORG:A;Dept", ["FN:B", "ORG:B;Dept"]),
        ("FN:Shown\nORG:A", ["FN:Shown", "ORG:B"]),
        ("FN:A", ["FN:B"]),
        ("ORG:A", ["ORG:B", "FN:B"]),
    ],
)
def test_the_name_of_a_company(before: str, after: list[str]) -> None:
    assert patched(before, {"name": "B"}) == after
