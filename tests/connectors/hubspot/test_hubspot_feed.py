"""How changes are found: by rounds of searches that survive ties, the cap and the index's lag.

Facts are those of the rows "List", "Change feed A" and "Delete / merge".
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.connectors.hubspot.account import LAG, Account
from tests.hub_api.serving import Serving

from twofold.connectors.hubspot import HubSpot, feed
from twofold.core.records import Target
from twofold.core.schema import Op
from twofold.core.values import Kind
from twofold.hub.api.realism import Limits, Realism
from twofold.kit.contract import Batch, Status, Write

CONTACTS = "/crm/v3/objects/contacts"
NAMES = ["email", "firstname"]


def made(served: Serving, count: int, start: int = 0) -> list[str]:
    """Contacts of one instant: the served clock stands still."""
    found: list[str] = []
    for first in range(start, start + count, 100):
        part = range(first, min(first + 100, start + count))
        inputs = [{"properties": {"email": f"n{n}@example.org"}} for n in part]
        answer = served("POST", f"{CONTACTS}/batch/create", {"inputs": inputs})
        found += [one["id"] for one in answer.json["results"]]
    return found


async def pages(
    connector: HubSpot, cursor: str | None, fields: Sequence[str] = NAMES, obj: str = "contact"
) -> list[Batch]:
    found = [await connector.pull(obj, cursor, fields)]
    while found[-1].more:
        found.append(await connector.pull(obj, found[-1].cursor, fields))
    return found


def ids(found: Sequence[Batch]) -> list[str]:
    return [one for page in found for one in page.ids]


async def test_an_instant_of_more_than_one_page_is_drained(
    served: Serving, account: Account
) -> None:
    """Five hundred records share a timestamp, which has no order: each comes once."""
    connector = account.connect()
    before = (await pages(connector, None))[-1].cursor
    served.clock.move(60)
    early = made(served, 30)
    served.clock.move(1)
    crowd = made(served, 500, 30)
    served.clock.move(1)
    late = made(served, 30, 530)
    served.clock.move(60)
    found = ids(await pages(connector, before))
    assert sorted(found, key=int) == [*early, *crowd, *late]
    # Each search asks for a first page, so that none comes near the 10,000 results.
    assert len(account.calls("/search")) <= 8


async def test_a_page_ends_before_a_timestamp_that_it_might_cut(
    served: Serving, account: Account
) -> None:
    account.size = 5
    connector = account.connect()
    before = (await pages(connector, None))[-1].cursor
    served.clock.move(60)
    expected = []
    for n in range(0, 21, 3):
        expected += made(served, 3, n)
        served.clock.move(1)
    served.clock.move(60)
    found = await pages(connector, before)
    assert ids(found) == expected
    assert all(len(page.ids) == 3 for page in found)


async def test_what_the_index_shows_late_is_not_lost(served: Serving, account: Account) -> None:
    connector = account.connect()
    cursor = (await pages(connector, None))[-1].cursor
    seen: set[str] = set()
    expected: list[str] = []
    for n in range(12):
        expected += made(served, 1, n)
        served.clock.move(3)  # less than the lag of ten
        round_ = await pages(connector, cursor)
        cursor = round_[-1].cursor
        seen.update(ids(round_))
    served.clock.move(LAG.total_seconds() + 1)
    seen.update(ids(await pages(connector, cursor)))
    assert seen == set(expected)


async def test_our_own_writes_come_back_as_nothing_new(served: Serving, account: Account) -> None:
    """What is read back after a write has the digest that the feed shows later: an echo is none."""
    connector = account.connect()
    cursor = (await pages(connector, None))[-1].cursor
    write = Write("ref", Op.CREATE, fields={"email": "ada@example.org", "firstname": "Ada"})
    (result,) = await connector.push("contact", [write])
    assert result.status is Status.OK
    held = (await connector.get("contact", [str(result.id)], NAMES))[str(result.id)][0]
    assert held.version == result.version
    served.clock.move(60)
    (page,) = await pages(connector, cursor)
    assert (list(page.ids), list(page.digests)) == ([result.id], [held.digest])


async def test_more_properties_than_a_url_holds(served: Serving, account: Account) -> None:
    expected = made(served, 3)
    connector = account.connect()
    usual = await pages(connector, None)
    assert not account.calls("/batch/read")
    longest, feed._LONGEST_URL = feed._LONGEST_URL, 10
    try:
        found = await pages(connector, None)
    finally:
        feed._LONGEST_URL = longest
    assert ids(found) == expected
    assert found[0].digests == usual[0].digests
    assert account.calls("/batch/read")


async def test_a_merge_is_told_by_its_survivor(served: Serving, account: Account) -> None:
    loser, winner = made(served, 2)
    connector = account.connect()
    cursor = (await pages(connector, None))[-1].cursor
    served.clock.move(60)
    pair = {"primaryObjectId": winner, "objectIdToMerge": loser}
    assert served("POST", f"{CONTACTS}/merge", pair).status == 200
    served.clock.move(60)
    (page,) = await pages(connector, cursor)
    assert list(page.gone) == [(loser, winner)]
    assert list(page.ids) == [winner]
    found = await connector.get("contact", [loser, winner], NAMES)
    assert {asked: record.id for asked, (record,) in found.items()} == {
        loser: winner,
        winner: winner,
    }


async def test_an_archived_record_is_missed_and_a_restored_one_comes_back(
    served: Serving, account: Account
) -> None:
    first, second = made(served, 2)
    connector = account.connect()
    (result,) = await connector.push("contact", [Write("ref", Op.ARCHIVE, first)])
    assert result.status is Status.OK
    assert ids(await pages(connector, None, ())) == [second]
    assert await connector.get("contact", [first], NAMES) == {}
    hub = served.hub()
    with hub.database.transaction() as db:  # as a person restores it in HubSpot's pages
        db.execute("UPDATE record SET gone = 0 WHERE id = ?", (first,))
    hub.close()
    assert ids(await pages(connector, None)) == [first, second]


async def test_labels_and_primary_travel_with_associations(
    served: Serving, account: Account
) -> None:
    (person,) = made(served, 1)
    firms = [
        served("POST", "/crm/v3/objects/companies", {"properties": {"name": n}}).json["id"]
        for n in ("Analytical Engines", "Difference Works")
    ]
    label = {"label": "Decision maker", "name": "decision_maker"}
    served("POST", "/crm/v4/associations/contacts/companies/labels", label)
    connector = account.connect()

    async def change(ref: str, *add: Target, drop: tuple[str, ...] = ()) -> Status:
        associate = tuple(("company", target) for target in add)
        dissociate = tuple(("company", one) for one in drop)
        write = Write(ref, Op.UPDATE, person, {}, associate, dissociate)
        (result,) = await connector.push("contact", [write])
        return result.status

    async def shown() -> tuple[Target, ...]:
        found = await connector.get("contact", [person], ["email"], ["company"])
        return found[person][0].associations["company"]

    one = Target(firms[0], primary=True, labels=("Decision maker",))
    assert await change("1", one, Target(firms[1])) is Status.OK
    assert await shown() == (one, Target(firms[1]))
    # Another primary one takes the place of the first, whose label stays.
    assert await change("2", Target(firms[1], primary=True)) is Status.OK
    assert await shown() == (
        Target(firms[0], labels=("Decision maker",)),
        Target(firms[1], primary=True),
    )
    # Ended and begun anew in one write: without the label.
    assert await change("3", Target(firms[0]), drop=(firms[0],)) is Status.OK
    assert (await shown())[0] == Target(firms[0])
    # A label that the account does not have is refused, and nothing is made.
    odd = Target(firms[0], labels=("Astronaut",))
    assert await change("4", odd) is Status.INVALID
    assert (await shown())[0] == Target(firms[0])


async def test_what_a_property_holds(served: Serving, account: Account) -> None:
    hub = served.hub()
    owner = hub.add_owner("ada@example.org", "Ada Lovelace")
    hub.close()
    kinds = {kind.name: kind for kind in await account.connect().describe()}
    contact = {field.name: field for field in kinds["contact"].fields}
    assert contact["email"].kind is Kind.EMAIL
    assert contact["phone"].kind is Kind.PHONE
    assert (contact["hs_buying_role"].kind, contact["hs_buying_role"].multi) == (Kind.CHOICE, True)
    assert contact["hs_email_optout"].kind is Kind.BOOL
    assert contact["hubspot_owner_id"].kind is Kind.OWNER
    (person,) = contact["hubspot_owner_id"].options
    assert (person.value, person.label, person.email) == (owner, "Ada Lovelace", "ada@example.org")
    assert contact["createdate"].kind is Kind.DATETIME
    assert contact["createdate"].read_only
    assert contact["lastmodifieddate"].unmappable
    assert "hs_merged_object_ids" not in contact  # hidden from people
    assert {f.name: f.kind for f in kinds["deal"].fields}["amount"] is Kind.DECIMAL
    assert {a.name: a.primary for a in kinds["deal"].associations} == {
        "company": True,
        "contact": False,
    }


async def test_budgets_follow_what_answers_tell(
    served: Serving, account: Account, realism: Realism
) -> None:
    """A hundred in ten seconds until an answer tells of more; a day's rest is told too."""
    assert realism.limits == Limits(ten_seconds=1_000)
    connector = account.connect()
    await connector.verify()
    told = {pause.limit: pause for pause in connector.pauses(account.answers[-1])}
    assert (told["requests"].granted, told["requests"].remaining) == (1_000, 999)
    assert told["requests a day"].granted == 1_000_000
    before = served.clock()
    for _ in range(150):
        await connector.verify()
    assert served.clock() == before  # 200 of 1,000 may go at once
