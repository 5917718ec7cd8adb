"""Leads and contacts of one app by the hub's lifecycle stage, and leads that users convert (S9)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.engine.stage import CONTACT, StillWorld

from twofold.core.health import State as Health
from twofold.core.mappings import Constant, Deletes, Direction, FieldMapping, Matching, Rules
from twofold.core.records import Side
from twofold.core.schema import ObjectType
from twofold.core.values import Value
from twofold.engine.run import run_slice
from twofold.engine.setup import install
from twofold.kit.memory import MemoryApp, MemoryConnector, contact, leads_and_contacts
from twofold.store.byhand import Orders, Pair
from twofold.store.state import State

LEADS, CONTACTS = ("lead",), ("customer", "former")


class Office:
    """A hub, an app with leads and contacts, and the sync of each of the two."""

    def __init__(
        self,
        leads: Sequence[str] = LEADS,
        contacts: Sequence[str] = CONTACTS,
        *,
        direction: Direction = Direction.BOTH,
        deletes: Deletes = Deletes.IGNORE,
        constants: tuple[Constant, ...] = (),
    ) -> None:
        self.world = StillWorld()
        lead, person = leads_and_contacts()
        self.hub = MemoryApp((contact(),), clock=self.world.now, name="hub")
        self.app = MemoryApp((lead, person), clock=self.world.now, name="app")
        self.state = State.open(None)
        self.state.syncs.add_connection("memory", "hub", "hub", {}, b"", 0)
        connection = self.state.syncs.add_connection("memory", "app", "app", {}, b"")
        self.syncs = {}
        for theirs, stages in ((lead, leads), (person, contacts)):
            rules = Rules(
                contact(),
                theirs,
                _mapped(theirs),
                direction=direction,
                matching=Matching.CONTACTS,
                stages=tuple(stages),
                deletes=deletes,
                constants=constants,
            )
            self.syncs[theirs.name] = install(
                self.state, theirs.name, connection, rules, enabled=True
            )

    async def run(self, *names: str) -> None:
        for name in names or ("lead", "contact"):
            connectors = {
                Side.HUB: MemoryConnector.over(self.hub),
                Side.APP: MemoryConnector.over(self.app),
            }
            done = await run_slice(self.state, self.world, self.syncs[name], connectors)
            assert not done.status.code, done.status.sentence

    def names(self, obj: str) -> list[Value]:
        return sorted((r.fields["firstname"] for r in self.app.all(obj)), key=str)

    def hub_person(self, stage: str | None, name: str, email: str | None = None) -> str:
        fields = {"lifecyclestage": stage, "firstname": name, "email": email}
        return self.hub.create("contact", fields)

    def why(self, name: str) -> list[str]:
        found = self.state.outcomes.each(self.syncs[name], Health.EXCLUDED)
        return sorted(issue.code for outcome in found for issue in outcome.issues)

    def linked(self, name: str) -> set[tuple[str, str]]:
        """(hub id, app id) of the links of a sync."""
        found = self.state.database.connection.execute(
            "SELECT h.id, a.id FROM links l JOIN records h ON h.row = l.hub"
            " JOIN records a ON a.row = l.app WHERE l.sync = ?",
            (self.syncs[name],),
        )
        return set(found.fetchall())


def _mapped(theirs: ObjectType) -> tuple[FieldMapping, ...]:
    mine = contact()
    ends = ((mine.field(name), theirs.field(name)) for name in CONTACT)
    return tuple(FieldMapping(a, b) for a, b in ends if a is not None and b is not None)


async def test_the_stage_decides_where_a_contact_of_the_hub_goes() -> None:
    at = Office()
    at.hub_person("lead", "Ada")
    at.hub_person("customer", "Bob")
    at.hub_person(None, "Cy")
    await at.run()
    assert at.names("lead") == ["Ada"]
    assert at.names("contact") == ["Bob"]
    assert at.why("lead") == at.why("contact") == ["TF-X07", "TF-X07"]
    for name in at.syncs:
        counts = at.state.links.counts(at.syncs[name])
        assert (counts.in_sync, counts.excluded, counts.waiting, counts.total) == (1, 2, 0, 3)


async def test_without_stages_all_of_them_take_part() -> None:
    at = Office((), ())
    at.hub_person("lead", "Ada")
    at.hub_person(None, "Cy")
    await at.run()
    assert at.names("lead") == at.names("contact") == ["Ada", "Cy"]


async def test_what_a_lead_makes_in_the_hub_is_a_lead() -> None:
    at = Office()
    at.app.create("lead", {"firstname": "Ada"})
    at.app.create("contact", {"firstname": "Bob"})
    await at.run()
    stages = {r.fields["firstname"]: r.fields["lifecyclestage"] for r in at.hub.all("contact")}
    assert stages == {"Ada": "lead", "Bob": "customer"}
    assert at.names("lead") == ["Ada"]
    assert at.names("contact") == ["Bob"]


async def test_a_constant_of_ones_own_says_which_stage() -> None:
    at = Office((), CONTACTS, constants=(Constant(Side.HUB, "lifecyclestage", "Former"),))
    at.app.create("contact", {"firstname": "Bob"})
    await at.run("contact")
    (made,) = at.hub.all("contact")
    assert made.fields["lifecyclestage"] == "former"


async def test_who_moves_on_stops_as_a_lead_and_nothing_is_deleted() -> None:
    at = Office(deletes=Deletes.DELETE)
    ada = at.hub_person("lead", "Ada", "ada@x.org")
    await at.run()
    at.hub.edit("contact", ada, {"lifecyclestage": "customer"})
    await at.run()
    assert at.names("lead") == at.names("contact") == ["Ada"]
    assert at.why("lead") == ["TF-X07"]
    (lead,), (person,) = at.app.all("lead"), at.app.all("contact")
    before = at.hub.writes
    at.app.edit("lead", lead.id, {"phone": "+31612345678"})
    at.hub.edit("contact", ada, {"firstname": "Augusta"})
    await at.run()
    assert at.names("lead") == ["Ada"], "not a lead any more, on either side"
    assert at.names("contact") == ["Augusta"]
    assert at.hub.writes == before
    at.hub.edit("contact", ada, {"lifecyclestage": "lead"})
    at.app.edit("contact", person.id, {"notes": "left alone"})
    await at.run()
    assert at.names("lead") == ["Augusta"], "back, with what happened meanwhile (D7)"
    back = at.hub.read("contact", ada)
    assert back is not None
    assert (back.fields["phone"], back.fields["notes"]) == ("+31612345678", None)


async def test_a_stage_hides_nobody_from_matching() -> None:
    """D5: the lead is found to be the customer of the hub, and makes no second one."""
    at = Office()
    at.hub_person("customer", "Ada", "ada@x.org")
    at.app.create("lead", {"email": "ada@x.org"})
    await at.run()
    assert len(at.hub.all("contact")) == 1
    assert len(at.linked("lead")) == 1
    assert at.why("lead") == ["TF-X07"]


@pytest.mark.parametrize("order", [("lead", "contact"), ("contact", "lead")])
@pytest.mark.parametrize("stage", ["lead", "customer"])
async def test_a_converted_lead_keeps_its_twin(order: tuple[str, ...], stage: str) -> None:
    """Also without any match key, and whatever becomes of the stage."""
    at = Office(deletes=Deletes.DELETE)
    ada = at.hub_person("lead", "Ada")
    await at.run()
    (lead,) = at.app.all("lead")
    made = at.app.convert("lead", lead.id, {"firstname": "Ada", "notes": "signed"})
    at.hub.edit("contact", ada, {"lifecyclestage": stage})
    await at.run(*order, *order)
    assert at.linked("lead") == {(ada, lead.id)}, "the link of the lead is kept"
    assert at.linked("contact") == {(ada, made)}
    assert len(at.app.all("contact")) == len(at.hub.all("contact")) == 1
    assert "TF-X08" in at.why("lead")
    writes = at.app.writes
    at.hub.edit("contact", ada, {"firstname": "Augusta"})
    at.app.edit("contact", made, {"phone": "+31612345678"})
    await at.run(*order)
    assert (at.names("lead"), at.names("contact")) == (["Ada"], ["Augusta"])
    assert at.app.writes == writes + 1
    (record,) = at.hub.all("contact")
    assert (record.fields["notes"], record.fields["phone"]) == ("signed", "+31612345678")
    at.app.delete("lead", lead.id)
    await at.run(*order, *order)
    assert len(at.hub.all("contact")) == len(at.app.all("contact")) == 1


async def test_a_lead_that_was_converted_long_ago_makes_nobody_twice() -> None:
    at = Office()
    lead = at.app.create("lead", {"firstname": "Ada"})
    at.app.convert("lead", lead, {"firstname": "Ada"})
    await at.run()
    assert [r.fields["firstname"] for r in at.hub.all("contact")] == ["Ada"]
    assert at.why("lead") == ["TF-X08"]
    await at.run()
    assert len(at.hub.all("contact")) == len(at.app.all("lead")) == len(at.app.all("contact")) == 1


async def test_who_meets_a_lead_later_meets_what_it_became() -> None:
    """The contact was looked at long before, when nothing tied it to anybody of the hub."""
    at = Office(direction=Direction.TO_APP)
    lead = at.app.create("lead", {"email": "ada@x.org"})
    made = at.app.convert("lead", lead, {"firstname": "Ada"})
    await at.run()
    ada = at.hub_person("customer", "Augusta", "ada@x.org")
    await at.run()
    assert at.linked("contact") == {(ada, made)}
    assert at.names("contact") == ["Augusta"]


async def test_one_way_out_of_the_app_never_writes_to_it() -> None:
    at = Office(direction=Direction.TO_HUB)
    at.app.create("lead", {"firstname": "Ada"})
    bob = at.hub_person("lead", "Bob")
    await at.run()
    (ada,) = (r.id for r in at.hub.all("contact") if r.id != bob)
    at.hub.edit("contact", ada, {"lifecyclestage": "customer"})
    at.app.edit("lead", at.app.all("lead")[0].id, {"firstname": "Augusta"})
    await at.run()
    assert at.app.writes == 0
    kept = at.hub.read("contact", ada)
    assert kept is not None
    assert kept.fields["firstname"] == "Ada"


async def test_a_pair_that_a_person_cut_is_not_joined_by_a_conversion() -> None:
    at = Office()
    ada = at.hub_person("lead", "Ada")
    await at.run()
    (lead,) = at.app.all("lead")
    made = at.app.convert("lead", lead.id, {"firstname": "Ada"})
    await at.run()
    (pair,) = at.state.links.after(at.syncs["contact"], 0, 10)
    cut = Orders(cut=[Pair(pair.hub.row, pair.app.row)])
    at.state.by_hand.decide(at.syncs["contact"], cut, [])
    await at.run()
    assert (ada, made) not in at.linked("contact")
