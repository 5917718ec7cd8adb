"""What people and connectors do with the hub's records: keys, relations, merges, the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.hub.consistency import assert_consistent

from twofold.core.records import Record, Target
from twofold.core.schema import Op
from twofold.hub.connector import HubConnector
from twofold.hub.crm import _BY_ID, Hub
from twofold.hub.properties import Refused
from twofold.kit.contract import Status, Write
from twofold.kit.errors import SchemaChanged


@pytest.fixture
def hub() -> Hub:
    return Hub.open(None)


@pytest.fixture
def connector(hub: Hub) -> HubConnector:
    return HubConnector.over(hub)


def companies(record: Record | None) -> dict[str, bool]:
    assert record is not None
    return {target.id: target.primary for target in record.associations["company"]}


def company(hub: Hub, name: str) -> str:
    return hub.create("company", {"name": name}).id


# --- relations -------------------------------------------------------------------------------


def test_the_first_company_becomes_primary_and_the_next_does_not(hub: Hub) -> None:
    one, two = company(hub, "One"), company(hub, "Two")
    ada = hub.create("contact", {}, [("company", Target(one)), ("company", Target(two))])
    assert companies(ada) == {one: True, two: False}


def test_a_new_primary_company_demotes_the_old_one_which_stays(hub: Hub) -> None:
    one, two = company(hub, "One"), company(hub, "Two")
    ada = hub.create("contact", {}, [("company", Target(one))])
    moved = hub.update("contact", ada.id, {}, associate=[("company", Target(two, primary=True))])
    assert companies(moved) == {one: False, two: True}
    again = hub.update("contact", ada.id, {}, associate=[("company", Target(two))])
    assert again == moved


def test_without_its_primary_company_a_contact_has_none(hub: Hub) -> None:
    one, two, three = (company(hub, name) for name in ("One", "Two", "Three"))
    ada = hub.create("contact", {}, [("company", Target(one)), ("company", Target(two))])
    hub.update("contact", ada.id, {}, dissociate=[("company", one)])
    after = hub.update("contact", ada.id, {}, associate=[("company", Target(three))])
    assert companies(after) == {two: False, three: False}


def test_one_write_can_replace_a_company(hub: Hub) -> None:
    one, two = company(hub, "One"), company(hub, "Two")
    ada = hub.create("contact", {}, [("company", Target(one))])
    swapped = hub.update(
        "contact", ada.id, {}, dissociate=[("company", one)], associate=[("company", Target(two))]
    )
    assert companies(swapped) == {two: True}


def test_a_relation_to_what_is_not_there_is_refused(hub: Hub) -> None:
    person = hub.create("contact", {}).id
    for name, target in (("company", "99"), ("company", person), ("employer", person)):
        with pytest.raises(Refused) as caught:
            hub.create("contact", {}, [(name, Target(target))])
        assert caught.value.status is Status.INVALID
        assert name in caught.value.sentence


def test_when_a_company_goes_its_relations_end_and_that_is_a_change(hub: Hub) -> None:
    one, two = company(hub, "One"), company(hub, "Two")
    ada = hub.create("contact", {}, [("company", Target(one)), ("company", Target(two))])
    _, before = hub.position()
    hub.archive("company", one)
    after = hub.read("contact", ada.id)
    assert companies(after) == {two: False}
    assert after is not None
    assert after.version != ada.version
    assert [row[0] for row in hub.changes("contact", before, 9).rows] == [int(ada.id)]


async def test_a_company_counts_its_contacts_when_asked(hub: Hub, connector: HubConnector) -> None:
    one, two = company(hub, "One"), company(hub, "Two")
    for _ in range(3):
        hub.create("contact", {}, [("company", Target(one))])
    hub.create("deal", {}, [("company", Target(one))])
    asked = ["name", "num_associated_contacts"]
    page = await connector.pull("company", None, asked)
    shown = {r.id: r.fields["num_associated_contacts"] for r in page.decode([0, 1])}
    assert shown == {one: 3, two: 0}
    hub.create("contact", {}, [("company", Target(two))])
    later = await connector.pull("company", None, asked)
    assert [a == b for a, b in zip(page.digests, later.digests, strict=True)] == [True, False]


async def test_a_digest_covers_the_relations_that_were_asked_and_no_others(
    hub: Hub, connector: HubConnector
) -> None:
    one, ada = company(hub, "One"), hub.create("contact", {}).id
    deal = hub.create("deal", {"dealname": "Engine"}).id

    async def digests() -> list[int | None]:
        questions: list[tuple[str, ...]] = [(), ("company",), ("contact",), ("company", "contact")]
        pages = [await connector.pull("deal", None, ["dealname"], names) for names in questions]
        return [page.digests[0] for page in pages]

    async def moved_by(name: str, target: str) -> list[bool]:
        before = await digests()
        hub.update("deal", deal, {}, associate=[(name, Target(target))])
        return [a != b for a, b in zip(before, await digests(), strict=True)]

    assert await moved_by("contact", ada) == [False, False, True, True]
    assert await moved_by("company", one) == [False, True, False, True]


# --- merges ----------------------------------------------------------------------------------


def test_the_winner_of_a_merge_keeps_its_values_and_takes_what_it_lacks(hub: Hub) -> None:
    one, two = company(hub, "One"), company(hub, "Two")
    winner = hub.create(
        "contact",
        {"email": "ada@example.org", "firstname": "Ada"},
        [("company", Target(one))],
    )
    loser = hub.create(
        "contact",
        {
            "email": "a.l@example.org",
            "firstname": "A.",
            "lastname": "Lovelace",
            "hs_additional_emails": ("old@example.org", "ADA@example.org"),
        },
        [("company", Target(two))],
    )
    merged = hub.merge("contact", winner.id, loser.id)
    assert merged.fields["firstname"] == "Ada"
    assert merged.fields["lastname"] == "Lovelace"
    assert merged.fields["hs_full_name_or_email"] == "Ada Lovelace"
    assert merged.fields["hs_additional_emails"] == ("a.l@example.org", "old@example.org")
    assert merged.fields["createdate"] == winner.fields["createdate"]
    assert companies(merged) == {one: True, two: False}
    assert hub.read("contact", loser.id) == merged


def test_the_losers_email_moves_to_a_winner_without_one(hub: Hub) -> None:
    winner = hub.create("contact", {"firstname": "Ada"})
    loser = hub.create("contact", {"email": "ada@example.org"})
    merged = hub.merge("contact", winner.id, loser.id)
    assert merged.fields["email"] == "ada@example.org"
    assert merged.fields["hs_additional_emails"] is None
    assert list(hub.carriers("contact", "email", ["Ada@Example.org"])) == ["Ada@Example.org"]


def test_merges_in_a_row_lead_to_the_last_winner(hub: Hub) -> None:
    first, second, third = (hub.create("company", {"name": str(n)}).id for n in range(3))
    deal = hub.create("deal", {}, [("company", Target(first))])
    hub.merge("company", second, first)
    hub.merge("company", third, second)
    last = hub.read("company", third)
    assert hub.read("company", first) == hub.read("company", second) == last
    assert companies(hub.read("deal", deal.id)) == {third: True}
    assert hub.changes("company", 0, 9).gone == [(first, third), (second, third)]


def test_a_relation_to_a_merged_company_reaches_the_survivor(hub: Hub) -> None:
    loser, winner = company(hub, "One"), company(hub, "Two")
    hub.merge("company", winner, loser)
    ada = hub.create("contact", {}, [("company", Target(loser))])
    assert companies(ada) == {winner: True}


@pytest.mark.parametrize("other", ["same", "gone", "company", "never"])
def test_merges_that_make_no_sense_are_refused(hub: Hub, other: str) -> None:
    ada = hub.create("contact", {}).id
    others = {"same": ada, "company": company(hub, "One"), "never": "99"}
    gone = hub.create("contact", {}).id
    hub.delete("contact", gone)
    for pair in ((ada, others.get(other, gone)), (others.get(other, gone), ada)):
        with pytest.raises(Refused):
            hub.merge("contact", *pair)
    assert_consistent(hub)


# --- what is gone ----------------------------------------------------------------------------


def test_an_archived_record_comes_back_and_a_deleted_one_does_not(hub: Hub) -> None:
    kept, lost = (hub.create("contact", {"email": f"{n}@example.org"}) for n in range(2))
    hub.archive("contact", kept.id)
    hub.delete("contact", lost.id)
    assert hub.carriers("contact", "email", ["0@example.org", "1@example.org"]) == {}
    back = hub.restore("contact", kept.id)
    assert back.fields == kept.fields
    assert list(hub.carriers("contact", "email", ["0@example.org"])) == ["0@example.org"]
    for gone in (lost.id, kept.id, "99"):
        with pytest.raises(Refused) as caught:
            hub.restore("contact", gone)
        assert caught.value.status is Status.MISSING


def test_ids_of_the_gone_are_never_given_again(hub: Hub) -> None:
    first = hub.create("contact", {}).id
    hub.delete("contact", first)
    assert hub.create("contact", {}).id != first


# --- keys ------------------------------------------------------------------------------------


def test_two_hubs_in_memory_are_two() -> None:
    one, two = Hub.open(None), Hub.open(None)
    one.create("contact", {})
    assert one.position()[0] != two.position()[0]
    assert two.records("contact") == []


async def test_shared_values_of_a_key_find_all_their_carriers(
    hub: Hub, connector: HubConnector
) -> None:
    family = [hub.create("contact", {"email": e}).id for e in ("us@example.org", "US@example.org")]
    alone = hub.create("contact", {"email": "me@example.org"}).id
    hub.create("company", {"domain": "us@example.org"})
    asked = ["us@example.org", "Us@Example.Org", "me@example.org", "nobody@example.org"]
    found = await connector.get("contact", asked, ["email"], key="email")
    ids = {key: [record.id for record in records] for key, records in found.items()}
    assert ids == {asked[0]: family, asked[1]: family, asked[2]: [alone]}


async def test_names_have_case_and_domains_do_not(hub: Hub, connector: HubConnector) -> None:
    made = hub.create("company", {"name": "IBM", "domain": "IBM.example"}).id
    by_domain = await connector.get("company", ["ibm.EXAMPLE"], [], key="domain")
    assert [record.id for record in by_domain["ibm.EXAMPLE"]] == [made]
    assert await connector.get("company", ["ibm"], [], key="name") == {}
    with pytest.raises(SchemaChanged):
        await connector.get("company", ["Utrecht"], [], key="city")


def test_unique_is_a_switch_that_holds_within_a_batch_too() -> None:
    hub = Hub.open(None, unique={"contact": ("email",)})
    ada = hub.create("contact", {"email": "ada@example.org"})
    field = hub.types()[0].field("email")
    assert field is not None
    assert field.unique
    emails = ("ADA@example.org", "new@example.org", "NEW@example.org")
    writes = [Write(e, Op.CREATE, fields={"email": e}) for e in emails]
    results = hub.write("contact", writes)
    assert [r.status for r in results] == [Status.DUPLICATE, Status.OK, Status.DUPLICATE]
    holders = [result.issue and result.issue.other_id for result in results]
    assert holders == [ada.id, None, results[1].id]
    freed = [
        Write("a", Op.UPDATE, ada.id, {"email": "other@example.org"}),
        Write("b", Op.UPDATE, results[1].id, {"email": "ada@example.org"}),
    ]
    assert [r.status for r in hub.write("contact", freed)] == [Status.OK, Status.OK]
    assert_consistent(hub)


# --- batches and the log ---------------------------------------------------------------------


def test_a_batch_sees_its_own_earlier_writes(hub: Hub) -> None:
    ada = hub.create("contact", {"firstname": "Ada"})
    writes = [
        Write("1", Op.UPDATE, ada.id, {"lastname": "King"}, if_version=ada.version),
        Write("2", Op.UPDATE, ada.id, {"lastname": "Late"}, if_version=ada.version),
        Write("3", Op.UPDATE, ada.id, {"firstname": "A."}),
        Write("4", Op.UPDATE, "99", {"firstname": "Nobody"}),
    ]
    results = hub.write("contact", writes)
    statuses = [result.status for result in results]
    assert statuses == [Status.OK, Status.CONFLICT, Status.OK, Status.MISSING]
    shown = hub.read("contact", ada.id)
    assert results[2].stored == shown
    assert shown is not None
    assert (shown.fields["firstname"], shown.fields["lastname"]) == ("A.", "King")


def test_a_ref_makes_one_record_for_ever(hub: Hub) -> None:
    write = Write("ref", Op.CREATE, fields={"firstname": "Ada"})
    first, twice = hub.write("contact", [write, write])
    hub.update("contact", first.id or "", {"firstname": "Grace"})
    (again,) = hub.write("contact", [write])
    assert first.id == twice.id == again.id
    assert again.stored is not None
    assert again.stored.fields["firstname"] == "Grace"
    hub.delete("contact", first.id or "")
    (gone,) = hub.write("contact", [write])
    assert (gone.status, gone.id, gone.stored) == (Status.OK, first.id, None)


def test_a_change_of_nothing_writes_no_row(hub: Hub) -> None:
    one = company(hub, "One")
    writes = [
        Write(
            str(n), Op.CREATE, fields={"firstname": str(n)}, associate=(("company", Target(one)),)
        )
        for n in range(100)
    ]
    made = hub.write("contact", writes)
    before = hub.database.connection.total_changes, hub.position()
    again = [
        Write("u", Op.UPDATE, r.id, w.fields, w.associate, (("company", "99"),), r.version)
        for r, w in zip(made, writes, strict=True)
    ]
    results = hub.write("contact", again)
    assert [(r.id, r.version, r.stored) for r in results] == [
        (r.id, r.version, r.stored) for r in made
    ]
    assert (hub.database.connection.total_changes, hub.position()) == before


def test_the_log_holds_each_record_once_in_its_newest_state(hub: Hub) -> None:
    ids = [hub.create("contact", {"firstname": str(n)}).id for n in range(3)]
    for n in range(5):
        hub.update("contact", ids[0], {"firstname": f"new {n}"})
    page = hub.changes("contact", 0, 9)
    assert [str(row[0]) for row in page.rows] == [ids[1], ids[2], ids[0]]
    assert hub.changes("contact", page.sequence, 9).rows == []


def test_a_person_pages_through_whole_records(hub: Hub) -> None:
    one = company(hub, "One")
    made = [
        hub.create("contact", {"firstname": str(n)}, [("company", Target(one))]) for n in range(5)
    ]
    first = hub.records("contact", size=3)
    assert first + hub.records("contact", first[-1].id, size=3) == made
    assert hub.records("contact", made[-1].id) == []
    assert hub.records("company", "no id") == [hub.read("company", one)]


def test_the_clock_is_the_callers(hub: Hub) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    hub = Hub.open(None, clock=lambda: now)
    made = hub.create("contact", {})
    assert (made.modified, made.fields["createdate"]) == (now, now)
    now += timedelta(microseconds=1)
    changed = hub.update("contact", made.id, {"firstname": "Ada"})
    assert (changed.modified, changed.fields["createdate"]) == (now, made.modified)


def test_records_are_found_by_id_without_reading_all_of_their_type() -> None:
    hub = Hub.open(None)
    steps = hub.database.connection.execute(f"EXPLAIN QUERY PLAN {_BY_ID}", ("[1]", 1)).fetchall()
    assert not [step for *_, step in steps if "record_log" in step or "record_listing" in step]
