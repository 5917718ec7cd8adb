"""What the hub makes of values: kept in one form, given back as they are, or refused in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hub.consistency import assert_consistent
from tests.hub.values import ANYTHING, fields, kept

from twofold.core.codes import CODES
from twofold.core.records import Target
from twofold.core.schema import Op
from twofold.core.values import Value
from twofold.hub.crm import Hub
from twofold.hub.properties import Refused
from twofold.hub.schema import OBJECT_TYPES
from twofold.kit.contract import Status, Write

KINDS = st.sampled_from(list(OBJECT_TYPES.values()))
WRITABLE = [(kind, f) for kind in OBJECT_TYPES.values() for f in kind.fields if not f.read_only]
READ_ONLY = [(kind, f) for kind in OBJECT_TYPES.values() for f in kind.fields if f.read_only]


@pytest.fixture
def hub() -> Hub:
    return Hub.open(None)


@given(data=st.data(), kind=KINDS)
def test_what_is_accepted_is_given_back(data: st.DataObject, kind: Any) -> None:
    hub = Hub.open(None)
    written = data.draw(fields(kind, most=30))
    record = hub.create(kind.name, written)
    assert hub.read(kind.name, record.id) == record
    for name, value in written.items():
        shown, expected = record.fields[name], kept(value)
        assert shown == expected
        assert type(shown) is type(expected)


@given(record=st.sampled_from(WRITABLE), value=ANYTHING, updating=st.booleans())
def test_any_value_is_taken_whole_or_refused_with_a_code(
    record: tuple[Any, Any], value: Any, updating: bool
) -> None:
    hub = Hub.open(None)
    kind, field = record
    made = hub.create(kind.name, {})
    if updating:
        write = Write("w", Op.UPDATE, made.id, {field.name: value})
    else:
        write = Write("w", Op.CREATE, None, {field.name: value})
    (result,) = hub.write(kind.name, [write])
    if result.status is Status.OK:
        assert result.stored is not None
        expected = Decimal(value) if isinstance(value, int | Decimal) else kept(value)
        assert result.stored.fields[field.name] == expected
    else:
        assert result.status is Status.INVALID
        assert result.issue is not None
        assert result.issue.code in CODES
        assert result.issue.field == field.name
        assert len(result.issue.sentence) < 1000
        assert hub.read(kind.name, made.id) == made
    assert_consistent(hub)


@pytest.mark.parametrize(("kind", "field"), READ_ONLY, ids=lambda x: x.name)
def test_what_the_hub_calculates_cannot_be_written(hub: Hub, kind: Any, field: Any) -> None:
    with pytest.raises(Refused) as caught:
        hub.create(kind.name, {field.name: None})
    assert caught.value.status is Status.INVALID
    assert "read-only" in caught.value.sentence


def test_an_unknown_property_is_refused(hub: Hub) -> None:
    with pytest.raises(Refused) as caught:
        hub.create("contact", {"shoesize": "44"})
    assert caught.value.code == "TF-F01"


@pytest.mark.parametrize(
    ("obj", "name", "written", "shown"),
    [
        ("company", "annualrevenue", Decimal("10.500"), Decimal("10.5")),
        ("company", "annualrevenue", Decimal("1E+3"), Decimal(1000)),
        ("company", "annualrevenue", 7, Decimal(7)),
        (
            "deal",
            "closedate",
            datetime(2024, 3, 1, 1, 0, tzinfo=timezone(timedelta(hours=2))),
            datetime(2024, 2, 29, 23, 0, tzinfo=UTC),
        ),
        ("contact", "hs_buying_role", ("CHAMPION", "BLOCKER", "CHAMPION"), ("CHAMPION", "BLOCKER")),
        ("contact", "firstname", " \t\n", None),
        ("contact", "firstname", " Ada ", " Ada "),
        ("contact", "hs_additional_emails", ("", " "), None),
        ("contact", "hs_email_optout", False, False),
        ("company", "numberofemployees", 0, 0),
    ],
)
def test_values_have_one_form(hub: Hub, obj: str, name: str, written: Value, shown: Value) -> None:
    record = hub.create(obj, {name: written})
    assert record.fields[name] == shown
    assert str(record.fields[name]) == str(shown)
    assert hub.update(obj, record.id, {name: written}).version == record.version


@pytest.mark.parametrize(
    ("obj", "name", "value"),
    [
        ("company", "annualrevenue", Decimal("1E+999999")),
        ("company", "annualrevenue", Decimal("1E-999999")),
        ("company", "annualrevenue", True),
        ("company", "annualrevenue", Decimal("NaN")),
        ("company", "numberofemployees", True),
        ("company", "numberofemployees", Decimal(3)),
        ("company", "numberofemployees", 2**63),
        ("contact", "date_of_birth", datetime(2024, 1, 1, tzinfo=UTC)),
        ("deal", "closedate", date(2024, 1, 1)),
        ("deal", "closedate", datetime(2024, 1, 1)),  # noqa: DTZ001 — without a zone, on purpose
        ("deal", "closedate", datetime.min.replace(tzinfo=timezone(timedelta(hours=2)))),
        ("contact", "lifecyclestage", "Customer"),
        ("contact", "hs_buying_role", "CHAMPION"),
        ("contact", "firstname", ("Ada",)),
        ("contact", "firstname", "Ada\x00"),
        ("contact", "firstname", "\ud83d"),
        ("contact", "firstname", "x" * 65_537),
        ("contact", "hubspot_owner_id", "1"),
        ("contact", "hs_email_optout", 1),
    ],
)
def test_values_that_do_not_fit_are_refused(hub: Hub, obj: str, name: str, value: Any) -> None:
    with pytest.raises(Refused) as caught:
        hub.create(obj, {name: value})
    assert (caught.value.code, caught.value.facts["field"]) == ("TF-R01", name)


def test_a_refused_change_leaves_nothing_behind(hub: Hub) -> None:
    record = hub.create("contact", {"firstname": "Ada"})
    before = hub.database.connection.total_changes
    with pytest.raises(Refused):
        hub.update("contact", record.id, {"firstname": "Grace", "date_of_birth": "yesterday"})
    assert hub.read("contact", record.id) == record
    assert hub.database.connection.total_changes == before


def test_the_full_name_is_calculated(hub: Hub) -> None:
    record = hub.create("contact", {"email": "ada@example.org"})
    name = "hs_full_name_or_email"
    assert record.fields[name] == "ada@example.org"
    record = hub.update("contact", record.id, {"firstname": "Ada", "lastname": "Lovelace"})
    assert record.fields[name] == "Ada Lovelace"
    record = hub.update("contact", record.id, {"firstname": None, "email": None})
    assert record.fields[name] == "Lovelace"
    assert hub.update("contact", record.id, {"lastname": ""}).fields[name] is None


def test_records_can_be_given_to_owners(hub: Hub) -> None:
    ada = hub.add_owner("ada@example.org", "Ada Lovelace")
    record = hub.create("company", {"hubspot_owner_id": ada})
    assert record.fields["hubspot_owner_id"] == ada
    for kind in hub.types():
        field = kind.field("hubspot_owner_id")
        assert field is not None
        assert [(option.value, option.label) for option in field.options] == [(ada, "Ada Lovelace")]


HOSTILE_IDS = (
    *(
        "",
        " ",
        "0",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "01",
        "1\n",
        "\u0661",
        "\uff19",
        "1 OR 1=1",
        "\x00",
        "\ud800",
    ),
    *("9" * 18, "9" * 19, "9" * 5000, str(2**63), "../../etc/passwd", "None"),
)


@pytest.mark.parametrize("record_id", HOSTILE_IDS)
def test_ids_that_cannot_be_ours_find_nothing(hub: Hub, record_id: str) -> None:
    made = hub.create("contact", {"firstname": "Ada"})
    assert made.id == "1"
    assert hub.read("contact", record_id) is None
    assert hub.find("contact", [record_id, "1"]).keys() == {"1"}
    for op in (Op.UPDATE, Op.ARCHIVE, Op.DELETE):
        (result,) = hub.write("contact", [Write("w", op, record_id, {})])
        assert result.status is Status.MISSING
    associate = (("company", Target(record_id)),)
    (result,) = hub.write("contact", [Write("w", Op.UPDATE, "1", associate=associate)])
    assert result.status is Status.INVALID
    hub.update("contact", "1", {}, dissociate=[("company", record_id)])
    assert hub.read("contact", "1") == made


@given(st.text() | st.text(st.characters(categories=["Cs", "Cc"])))
def test_keys_are_found_by_any_text_or_not_at_all(text: str) -> None:
    hub = Hub.open(None)
    hub.create("contact", {"email": "ada@example.org"})
    assert hub.carriers("contact", "email", [text]) == {}
