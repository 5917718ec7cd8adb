"""What an account may answer that nobody hopes for: each has its own end, and none is silent.

Facts are those of the rows "Limits", "Errors", "Per-item errors", "Dedup" and "Scopes".
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.connectors.hubspot.account import Account
from tests.hub_api.serving import Serving

from twofold.core.schema import Op
from twofold.hub.api.realism import Broken, Realism
from twofold.hub.api.tokens import SCOPES
from twofold.kit.contract import Status, Write
from twofold.kit.errors import (
    AccessDenied,
    LimitUntil,
    OutcomeUnknown,
    RateLimited,
    SchemaChanged,
    Stop,
    Unavailable,
)

CONTACTS = "/crm/v3/objects/contacts"
NAMES = ["email", "firstname", "lifecyclestage"]


def made(served: Serving, **properties: str) -> str:
    answer = served("POST", CONTACTS, {"properties": properties})
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def creates(*emails: str) -> list[Write]:
    return [Write(f"ref-{email}", Op.CREATE, fields={"email": email}) for email in emails]


async def test_an_unknown_token_is_refused_at_once(account: Account) -> None:
    with pytest.raises(AccessDenied):
        await account.connect("pat-eu1-nobody").verify()


async def test_an_expired_token_is_refused(served: Serving, account: Account) -> None:
    connector = account.connect(served.token("short", SCOPES, days=1))
    await connector.verify()
    served.clock.move(86_401)
    with pytest.raises(AccessDenied):
        await connector.pull("contact", None, NAMES)


async def test_a_token_revoked_in_mid_run_stops_it(served: Serving, account: Account) -> None:
    made(served, email="a@example.org")
    connector = account.connect()
    page = await connector.pull("contact", None, NAMES)
    hub = served.hub()
    hub.database.connection.execute("DELETE FROM api_token")
    hub.close()
    with pytest.raises(AccessDenied) as stopped:
        await connector.pull("contact", page.cursor, NAMES)
    assert stopped.value.code == "TF-A01"


async def test_an_under_scoped_token_names_what_it_lacks(served: Serving, account: Account) -> None:
    reader = ("crm.schemas.contacts.read", "crm.objects.owners.read", "crm.objects.contacts.read")
    connector = account.connect(served.token("reader", reader))
    # Objects that it may not read are left out …
    assert [kind.name for kind in await connector.describe()] == ["contact"]
    # … and without their far end associations cannot sync.
    assert (await connector.describe())[0].associations == ()
    with pytest.raises(Stop) as stopped:
        await connector.push("contact", creates("a@example.org"))
    assert stopped.value.code == "TF-A03"
    assert "crm.objects.contacts.write" in stopped.value.sentence


async def test_a_token_for_nothing_is_told_so(served: Serving, account: Account) -> None:
    with pytest.raises(Stop) as stopped:
        await account.connect(served.token("none", ())).describe()
    assert stopped.value.code == "TF-A03"
    assert "crm." in stopped.value.sentence


async def test_429_without_retry_after_is_waited_out(
    account: Account, served: Serving, realism: Realism
) -> None:
    realism.broken = [Broken(429), Broken(429)]
    before = served.clock()
    await account.connect().verify()
    assert not realism.broken
    assert served.clock() - before >= timedelta(seconds=20)  # ten for each


async def test_a_search_that_is_refused_waits_a_second(
    served: Serving, account: Account, realism: Realism
) -> None:
    connector = account.connect()
    cursor = (await connector.pull("contact", None, NAMES)).cursor
    assert realism.limits is not None
    before = served.clock()
    realism.broken = [Broken(429, part="/search", policy="SECONDLY")]
    await connector.pull("contact", cursor, NAMES)
    assert timedelta(seconds=1) <= served.clock() - before < timedelta(seconds=5)


async def test_423_is_tried_again_after_two_seconds(
    account: Account, served: Serving, realism: Realism
) -> None:
    connector = account.connect()
    realism.broken = [Broken(423, part="batch/create")]
    before = served.clock()
    (result,) = await connector.push("contact", creates("a@example.org"))
    assert result.status is Status.OK
    assert served.clock() - before >= timedelta(seconds=2)


async def test_477_comes_back_when_the_app_says(
    account: Account, served: Serving, realism: Realism
) -> None:
    """An account on the move: its Retry-After may be hours."""
    realism.broken = [Broken(477, headers={"Retry-After": "3600"})]
    before = served.clock()
    await account.connect().verify()
    assert served.clock() - before >= timedelta(hours=1)


async def test_a_refusal_that_never_ends_is_one(account: Account, realism: Realism) -> None:
    realism.broken = [Broken(429)] * 10
    with pytest.raises((RateLimited, LimitUntil)) as refused:
        await account.connect().verify()
    assert refused.value.code == "TF-C02"


async def test_pages_of_a_gateway_are_no_answer(account: Account, realism: Realism) -> None:
    realism.broken = [Broken(502, html=True)] * 10
    with pytest.raises(Unavailable):
        await account.connect().verify()
    realism.broken = [Broken(502, part="batch/create", html=True)]
    with pytest.raises(OutcomeUnknown):  # it may have been passed on
        await account.connect().push("contact", creates("a@example.org"))


async def test_a_server_error_in_a_write_leaves_it_unknown(
    account: Account, realism: Realism
) -> None:
    realism.broken = [Broken(500, part="batch/create", after_doing=True)]
    connector = account.connect()
    with pytest.raises(OutcomeUnknown):
        await connector.push("contact", creates("a@example.org"))
    # Looking finds it: nothing is made twice.
    found = await connector.get("contact", ["A@example.org"], NAMES, key="email")
    assert [record.fields["email"] for record in found["A@example.org"]] == ["a@example.org"]


async def test_half_of_a_batch_may_fail(
    served: Serving, account: Account, realism: Realism
) -> None:
    realism.unordered = True
    taken = made(served, email="n1@example.org")
    emails = [f"n{n}@example.org" for n in range(4)] + ["no address", "n5@example.org"]
    results = await account.connect().push("contact", creates(*emails))
    assert [result.status for result in results] == [
        Status.OK,
        Status.DUPLICATE,
        Status.OK,
        Status.OK,
        Status.INVALID,
        Status.OK,
    ]
    assert len(account.calls("batch/create")) == 1
    issue = results[1].issue
    assert issue is not None
    assert (issue.code, issue.other_id, issue.field) == ("TF-R02", taken, "email")
    refused = results[4].issue
    assert refused is not None
    assert (refused.code, refused.field) == ("TF-R01", "email")


async def test_an_email_that_is_taken_names_its_holder(served: Serving, account: Account) -> None:
    holder, other = made(served, email="a@example.org"), made(served, email="b@example.org")
    write = Write("ref", Op.UPDATE, other, {"email": "a@example.org"})
    (result,) = await account.connect().push("contact", [write])
    assert result.status is Status.DUPLICATE
    assert result.issue is not None
    assert result.issue.other_id == holder


async def test_an_unknown_option_is_of_its_record_alone(served: Serving, account: Account) -> None:
    first, second = made(served, email="a@example.org"), made(served, email="b@example.org")
    writes = [
        Write("one", Op.UPDATE, first, {"lifecyclestage": "astronaut"}),
        Write("two", Op.UPDATE, second, {"lifecyclestage": "lead"}),
    ]
    results = await account.connect().push("contact", writes)
    assert [result.status for result in results] == [Status.INVALID, Status.OK]
    issue = results[0].issue
    assert issue is not None
    assert (issue.code, issue.field) == ("TF-R01", "lifecyclestage")
    assert "one of its options" in issue.sentence


async def test_a_lifecycle_stage_moves_forward_only(served: Serving, account: Account) -> None:
    one = made(served, email="a@example.org", lifecyclestage="customer")
    connector = account.connect()
    for value, shown in (("lead", "customer"), ("evangelist", "evangelist"), (None, None)):
        write = Write(f"to {value}", Op.UPDATE, one, {"lifecyclestage": value})
        (result,) = await connector.push("contact", [write])
        assert result.status is Status.OK
        found = await connector.get("contact", [one], ["lifecyclestage"])
        assert found[one][0].fields["lifecyclestage"] == shown


async def test_a_property_that_is_deleted_in_mid_run_stops_it(
    served: Serving, account: Account, realism: Realism
) -> None:
    made(served, email="a@example.org", firstname="Ada")
    connector = account.connect()
    page = await connector.pull("contact", None, NAMES)
    served.clock.move(20)
    made(served, email="b@example.org", firstname="Bob")
    served.clock.move(20)
    realism.without.add("firstname")
    # It is not taken for a blank, which would look like everybody's name being erased.
    for reading in (
        connector.pull("contact", page.cursor, NAMES),
        connector.pull("contact", None, NAMES),
    ):
        with pytest.raises(SchemaChanged) as stopped:
            await reading
        assert stopped.value.code == "TF-F01"
        assert "firstname" in stopped.value.sentence


async def test_an_object_that_there_is_not(account: Account) -> None:
    with pytest.raises(SchemaChanged) as stopped:
        await account.connect().pull("starship", None, ())
    assert stopped.value.code == "TF-F02"
    with pytest.raises(SchemaChanged) as stopped:  # the connector knows it, the account does not
        await account.connect().pull("ticket", None, ())
    assert stopped.value.code == "TF-F33"
