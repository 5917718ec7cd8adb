"""What a person configures of a mapping, in real runs: write rules, seeds, names, people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import structs
from tests.engine.stage import Stage

from twofold.core.filters import Criterion, Operator, all_of
from twofold.core.mappings import Constant, Direction, FieldMapping, Rules, When
from twofold.core.parts import find_field, made_of
from twofold.core.records import Side
from twofold.core.schema import Field, ObjectType, Option
from twofold.core.transforms import Change, Transform
from twofold.core.values import Kind, Value
from twofold.engine.edit import Edit, Meaning
from twofold.kit.errors import Unavailable
from twofold.kit.memory import Fail, contact

JOIN = Transform(Change.JOIN)
FULL = Field("fullname", "Full name", Kind.TEXT, max_length=30)
PEOPLE = ("ann@firm.example", "bob@firm.example", "eve@firm.example")


def owner(*emails: str) -> Field:
    options = tuple(Option(str(n), e.partition("@")[0], email=e) for n, e in enumerate(emails))
    return Field("owner", "Owner", Kind.OWNER, options=options)


class MappedStage(Stage):
    """Contacts whose mappings a test makes of the two object types."""

    def __init__(self, more: dict[Side, tuple[Field, ...]] | None = None, **rules: Any) -> None:
        plain = contact().fields
        facts = {s: {"fields": (*plain, *(more or {}).get(s, ()))} for s in Side}
        super().__init__(hub=facts[Side.HUB], app=facts[Side.APP], **rules)

    def rules(self) -> Rules:
        return self.state.syncs.get(self.contacts).rules

    def mapping(self, hub: str, app: str, **settings: Any) -> FieldMapping:
        ends = (find_field(self.rules().hub, hub), find_field(self.rules().app, app))
        assert ends[0] is not None
        assert ends[1] is not None
        return FieldMapping(ends[0], ends[1], **settings)

    def edit(
        self, mappings: Sequence[FieldMapping], seeds: dict[str, Side] | None = None, **more: Any
    ) -> dict[Meaning, int]:
        sync = self.state.syncs.get(self.contacts)
        rules = structs.replace(sync.rules, mappings=tuple(mappings), **more)
        return Edit(self.state, self.world, sync, rules, seeds or {}).save()

    def change(self, name: str, **settings: Any) -> dict[Meaning, int]:
        mappings = [
            structs.replace(m, **settings) if m.name == name else m for m in self.rules().mappings
        ]
        return self.edit(mappings)

    def value(self, side: Side, name: str) -> Value:
        (value,) = self.values(side, name)
        return value

    async def quiet(self) -> None:
        """Nothing is left to write, and nothing is stored anew."""
        before, stored = self.writes(), self.dump()
        await self.run()
        assert (self.writes(), self.dump()) == (before, stored)


async def started(**rules: Any) -> MappedStage:
    stage = MappedStage(**rules)
    stage.hub.create("contact", {"email": "a@x.example", "firstname": "Ada", "lastname": "Byron"})
    await stage.run()
    return stage


async def _edit_both(stage: Stage, name: str, hub: Value, app: Value) -> None:
    for side, value in ((Side.HUB, hub), (Side.APP, app)):
        (record,) = stage.apps[side].all("contact")
        stage.apps[side].edit("contact", record.id, {name: value})


# --- seeds ------------------------------------------------------------------------------------


async def unmapped(hub: Value, app: Value) -> tuple[MappedStage, Sequence[FieldMapping]]:
    """A pair in sync whose notes are not mapped and hold these values."""
    stage = await started()
    whole = stage.rules().mappings
    stage.edit([m for m in whole if m.name != "notes"])
    await stage.run()
    await _edit_both(stage, "notes", hub, app)
    await stage.run()
    return stage, whole


async def test_a_new_mapping_leaves_values_that_differ_until_one_changes() -> None:
    stage, whole = await unmapped("ours", "theirs")
    stage.edit(whole)
    await stage.run()
    assert [stage.value(s, "notes") for s in Side] == ["ours", "theirs"]
    await stage.quiet()
    (record,) = stage.app.all("contact")
    stage.app.edit("contact", record.id, {"notes": "newer"})
    await stage.run()
    assert [stage.value(s, "notes") for s in Side] == ["newer", "newer"]


async def test_a_side_seeds_a_new_mapping() -> None:
    for seed, expected in ((Side.HUB, "ours"), (Side.APP, "theirs")):
        stage, whole = await unmapped("ours", "theirs")
        assert stage.edit(whole, {"notes": seed}) == {Meaning.CHANGES: 1}
        await stage.run()
        assert [stage.value(s, "notes") for s in Side] == [expected] * 2
        await stage.quiet()


async def test_a_seed_survives_a_run_that_could_not_write() -> None:
    stage, whole = await unmapped("ours", "theirs")
    stage.edit(whole, {"notes": Side.APP})
    stage.hub.fault = lambda call: (
        Fail(Unavailable("hub", "scripted")) if call.name == "push" else None
    )
    await stage.run()
    stage.hub.fault = None
    await stage.run()
    assert [stage.value(s, "notes") for s in Side] == ["theirs"] * 2


async def test_off_and_on_again_merges_what_happened_meanwhile() -> None:
    stage = await started()
    await _edit_both(stage, "notes", "old", "old")
    await stage.run()
    stage.change("notes", enabled=False)
    await _edit_both(stage, "notes", "from the hub", "old")
    await stage.run()
    await _edit_both(stage, "firstname", "Ada M", "Ada")  # the pair settles while it is off
    await stage.run()
    assert [stage.value(s, "notes") for s in Side] == ["from the hub", "old"]
    assert [stage.value(s, "firstname") for s in Side] == ["Ada M"] * 2
    await stage.quiet()
    stage.change("notes", enabled=True, default_side=Side.APP)
    await stage.run()
    assert [stage.value(s, "notes") for s in Side] == ["from the hub"] * 2, "one-sided edit"
    await stage.quiet()


# --- when, blanks, default ----------------------------------------------------------------------


async def test_on_create_writes_new_records_only() -> None:
    stage = MappedStage()
    stage.change("notes", when=When.ON_CREATE)
    stage.hub.create("contact", {"email": "a@x.example", "notes": "first"})
    await stage.run()
    assert stage.value(Side.APP, "notes") == "first"
    await _edit_both(stage, "notes", "second", "first")
    await stage.run()
    assert stage.value(Side.APP, "notes") == "first"
    await stage.quiet()


async def test_if_empty_fills_and_never_replaces() -> None:
    stage = await started()
    stage.change("notes", when=When.IF_EMPTY)
    await _edit_both(stage, "notes", "first", None)
    await stage.run()
    assert stage.value(Side.APP, "notes") == "first"
    await _edit_both(stage, "notes", "second", "first")
    await stage.run()
    assert [stage.value(s, "notes") for s in Side] == ["second", "first"]
    await stage.quiet()


async def test_a_mapping_has_its_own_default_app() -> None:
    stage = await started()
    stage.change("notes", default_side=Side.APP)
    await _edit_both(stage, "notes", "ours", "theirs")
    await _edit_both(stage, "firstname", "Ours", "Theirs")
    await stage.run()
    assert [stage.value(s, "notes") for s in Side] == ["theirs"] * 2
    assert [stage.value(s, "firstname") for s in Side] == ["Ours"] * 2


# --- names of two parts -------------------------------------------------------------------------


async def named(**rules: Any) -> MappedStage:
    """First and last name of the hub are the full name of the app."""
    stage = MappedStage({Side.APP: (FULL,)}, **rules)
    rest = [m for m in stage.rules().mappings if m.name not in {"firstname", "lastname"}]
    stage.edit([*rest, stage.mapping("firstname+lastname", "fullname", transforms=(JOIN,))])
    return stage


async def test_a_name_is_joined_when_it_is_made_and_split_when_it_is_edited() -> None:
    stage = await named()
    stage.hub.create(
        "contact", {"email": "a@x.example", "firstname": "Ada", "lastname": "Lovelace"}
    )
    stage.app.create("contact", {"email": "b@x.example", "fullname": "Jan van der Berg"})
    await stage.run()
    assert sorted(map(str, stage.values(Side.APP, "fullname"))) == [
        "Ada Lovelace",
        "Jan van der Berg",
    ]
    assert sorted(map(str, stage.values(Side.HUB, "lastname"))) == ["Lovelace", "van der Berg"]
    await stage.quiet()
    record = next(r for r in stage.app.all("contact") if r.fields["email"] == "a@x.example")
    stage.app.edit("contact", record.id, {"fullname": "Ada King"})
    await stage.run()
    assert "King" in stage.values(Side.HUB, "lastname")
    record = next(r for r in stage.hub.all("contact") if r.fields["email"] == "b@x.example")
    stage.hub.edit("contact", record.id, {"firstname": "Piet"})
    await stage.run()
    assert "Piet van der Berg" in stage.values(Side.APP, "fullname")
    await stage.quiet()


async def test_a_part_that_is_refused_fails_the_whole_and_nothing_else() -> None:
    stage = await named()
    stage.app.create("contact", {"email": "a@x.example", "notes": "kept", "fullname": "A B"})
    await stage.run()
    (record,) = stage.hub.all("contact")
    stage.hub.edit("contact", record.id, {"lastname": "L" * 40, "notes": "newer"})
    await stage.run()
    assert stage.counts().failing == 1
    assert stage.value(Side.APP, "fullname") == "A B"
    assert stage.value(Side.APP, "notes") == "newer"


# --- constants and people -----------------------------------------------------------------------


async def test_a_constant_is_given_to_new_records_where_nothing_else_is() -> None:
    constant = Constant(Side.APP, "notes", "made by the sync")
    stage = await started(constants=(constant,))
    assert stage.value(Side.APP, "notes") == "made by the sync"
    stage.hub.create("contact", {"email": "b@x.example", "notes": "its own"})
    await stage.run()
    assert set(stage.values(Side.APP, "notes")) == {"made by the sync", "its own"}
    await stage.quiet()


async def test_owners_go_by_email_and_one_without_a_pair_fails_its_field_alone() -> None:
    stage = MappedStage({Side.HUB: (owner(*PEOPLE),), Side.APP: (owner(*PEOPLE[1::-1]),)})
    mapping = stage.mapping("owner", "owner")
    stage.edit([*stage.rules().mappings, mapping])
    for n, name in enumerate(("Ada", "Bo", "Cy")):
        stage.hub.create("contact", {"email": f"{n}@x.example", "firstname": name, "owner": str(n)})
    await stage.run()
    held = {r.fields["firstname"]: r.fields.get("owner") for r in stage.app.all("contact")}
    assert held == {"Ada": "1", "Bo": "0", "Cy": None}
    assert (stage.counts().in_sync, stage.counts().failing) == (2, 1)
    await stage.quiet()
    stage.change("owner", app_fallback="1", direction=Direction.BOTH)
    await stage.run()
    held = {r.fields["firstname"]: r.fields.get("owner") for r in stage.app.all("contact")}
    assert held["Cy"] == "1"
    assert stage.counts().in_sync == 3
    await stage.quiet()


def test_a_field_of_two_parts_is_found_by_their_names() -> None:
    first, last = (Field(n, n, Kind.TEXT) for n in ("first", "last"))
    odd = Field("a+b", "Odd", Kind.TEXT)
    kind = ObjectType("contact", "Contacts", (first, last, odd))
    assert find_field(kind, "first+last") == made_of([first, last])
    assert find_field(kind, made_of([first, last]).name) == made_of([first, last])
    assert find_field(kind, "a+b") is odd
    assert find_field(kind, "first+gone") is None


async def test_a_mapping_beside_a_limit_by_days_can_be_turned_off() -> None:
    stage = await started()
    recent = all_of(Criterion("createdate", Operator.LAST_DAYS, ("30",)))
    stage.edit(stage.rules().mappings, hub_filter=recent)
    stage.change("notes", enabled=False)
    await stage.run()
    assert not next(m for m in stage.rules().mappings if m.name == "notes").enabled
