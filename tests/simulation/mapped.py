"""Mappings that change what travels, each with what it means, said without the product's code.

Transforms, option tables, owners, fields made of two others, and constants, on fields of contacts
that no other part of a history knows. A script names the kinds that it has; ``change`` is what
people do to such a field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from msgspec import Struct, structs
from tests.simulation.script import Act, Round, Script, SyncScript

from twofold.core.mappings import Constant, Direction, FieldMapping, Rules
from twofold.core.parts import made_of
from twofold.core.records import Fields, Record, Side
from twofold.core.schema import Field, ObjectType, Option
from twofold.core.transforms import Change, Transform
from twofold.core.values import Kind as Of
from twofold.core.values import Value

SHARE = 0.4
"""Of the histories: that have such mappings."""
CONSTANT = "x_source"
GIVEN = "made by us"
UNPAIRED = "mauve"
"""An option of the hub that the app has not."""
PAIRED = {"red": "1", "green": "2", "blue": "3"}
WORDS = {"one": "eins", "two": "zwei", "three": "drei"}
PEOPLE = {"u1": "7", "u2": "8", "u3": "8"}
"""The app has no third person, and the second one stands in."""
PREFIX = "X-"


class Kind(Struct, frozen=True):
    """One kind of mapping."""

    ends: Callable[[Side], tuple[Field, ...]]
    """The fields of a side; two are one made of two."""
    write: Callable[[Side, int], Fields]
    """What people write, by side and number."""
    settings: Mapping[str, object] = {}
    """Of the mapping."""
    app: Callable[[str], str | None] = str
    """What the hub's value is in the app; None = nothing."""
    hub: Callable[[str], str] = str
    """What the app's value is in the hub, or something else that is as good for comparing."""
    few: bool = False
    """There are few values, so they come again."""


def _text(name: str) -> Callable[[Side], tuple[Field, ...]]:
    return lambda _side: (Field(name, name, Of.TEXT),)


def _choices(side: Side) -> tuple[Field, ...]:
    names = (*PAIRED, UNPAIRED) if side is Side.HUB else PAIRED.values()
    return (Field("x_color", "Color", Of.CHOICE, options=tuple(Option(n, n) for n in names)),)


def _owners(side: Side) -> tuple[Field, ...]:
    names = PEOPLE if side is Side.HUB else dict.fromkeys(PEOPLE.values())
    people = tuple(Option(n, n, email=f"{n.translate(_MAILS)}@firm.example") for n in names)
    return (Field("x_owner", "Owner", Of.OWNER, options=people),)


_MAILS = str.maketrans({"u": "", "1": "7", "2": "8"})
"""``u1`` and ``7`` have one address, and so have ``u2`` and ``8``."""


def _names(side: Side) -> tuple[Field, ...]:
    names = ("x_name",) if side is Side.HUB else ("x_first", "x_last")
    return tuple(Field(name, name, Of.TEXT) for name in names)


def _one(name: str, value: Callable[[Side, int], Value]) -> Callable[[Side, int], Fields]:
    return lambda side, number: {name: value(side, number)}


def _write_name(side: Side, number: int) -> Fields:
    if side is Side.HUB:
        return {"x_name": f"Ann{number} Lee{number}"}
    return {"x_first": f"Bo{number}"} if number % 2 else {"x_last": f"Ray{number}"}


def _nth(values: Mapping[str, str], *more: str) -> Callable[[Side, int], Value]:
    def value(side: Side, number: int) -> Value:
        known = [*values, *more] if side is Side.HUB else list(dict.fromkeys(values.values()))
        return known[number % len(known)]

    return value


def _coded(side: Side, number: int) -> Value:
    if side is Side.HUB:
        return f"code {number}"
    return f"odd {number}" if number % 4 == 0 else f"{PREFIX}code {number}"


def _uncoded(text: str) -> str:
    return text.removeprefix(PREFIX) if text.startswith(PREFIX) else f"? {text}"


def _other_way(values: Mapping[str, str]) -> Callable[[str], str]:
    back = {there: here for here, there in values.items()}
    return lambda text: back.get(text, f"? {text}")


MAPPED = {
    "prefix": Kind(
        _text("x_code"),
        _one("x_code", _coded),
        {"transforms": (Transform(Change.PREFIX, form=PREFIX),)},
        lambda text: PREFIX + text,
        _uncoded,
    ),
    "case": Kind(
        _text("x_word"),
        _one("x_word", lambda side, number: f"{side} word {number}"),
        {"transforms": (Transform(Change.CASE, form="upper"),), "direction": Direction.TO_APP},
        str.upper,
    ),
    "lookup": Kind(
        _text("x_number"),
        _one("x_number", _nth(WORDS)),
        {"transforms": (Transform(Change.LOOKUP, table=tuple(WORDS.items())),)},
        WORDS.get,
        _other_way(WORDS),
        few=True,
    ),
    "options": Kind(
        _choices,
        _one("x_color", _nth(PAIRED, UNPAIRED, UNPAIRED)),
        {"options": tuple(PAIRED.items())},
        PAIRED.get,
        _other_way(PAIRED),
        few=True,
    ),
    "owners": Kind(
        _owners,
        _one("x_owner", _nth(PEOPLE)),
        {"app_fallback": "8"},
        PEOPLE.get,
        _other_way(PEOPLE),
        few=True,
    ),
    "composed": Kind(_names, _write_name, {"transforms": (Transform(Change.JOIN, to=Side.HUB),)}),
    "constant": Kind(_text(CONSTANT), lambda _side, _number: {}),
}
"""By the name in a script."""

NAMES = {kind.ends(Side.HUB)[0].name: name for name, kind in MAPPED.items()}
"""The kind of a mapping, by the mapping's name."""


# --- what is configured ---------------------------------------------------------------------------


def widened(side: Side, object_type: ObjectType, sync: SyncScript) -> ObjectType:
    """The contacts of a side, with the fields of these mappings."""
    more = tuple(field for name in sync.mapped for field in MAPPED[name].ends(side))
    return structs.replace(object_type, fields=(*object_type.fields, *more))


def with_mappings(rules: Rules, sync: SyncScript) -> Rules:
    """The rules of the contacts' sync with these mappings and constants."""
    mappings = [_mapping(MAPPED[name]) for name in sync.mapped if name != "constant"]
    constants = tuple(Constant(side, CONSTANT, GIVEN) for side in Side)
    return structs.replace(
        rules,
        mappings=(*rules.mappings, *mappings),
        constants=constants if "constant" in sync.mapped else (),
    )


def _mapping(kind: Kind) -> FieldMapping:
    hub, app = (kind.ends(side) for side in Side)
    whole = app[0] if len(app) == 1 else made_of(app)
    return structs.replace(FieldMapping(hub[0], whole), **kind.settings)


def draw_mapped(seed: int, script: Script) -> Script:
    """A script with some of these mappings, and people who change their fields."""
    random = Random(f"mapped {seed}")
    if random.random() >= SHARE:
        return script
    names = tuple(random.sample(list(MAPPED), random.randint(2, 4)))
    sync = structs.replace(script.sync, mapped=names)
    rounds = tuple(_changed(random, one) for one in script.rounds)
    return structs.replace(script, sync=sync, rounds=rounds)


def _changed(random: Random, one: Round) -> Round:
    acts = list(one.acts)
    for _ in range(random.randint(1, 6)):
        side = random.choice(tuple(Side))
        act = Act("change", side, "contact", random.randrange(1000), random.randrange(1000))
        acts.insert(random.randint(0, len(acts)), act)
    return structs.replace(one, acts=tuple(acts))


# --- what it means --------------------------------------------------------------------------------


def value_of(name: str, side: Side, fields: Fields) -> Value:
    """What a side shows in a mapping; of a field made of two, both with a space between."""
    kind = MAPPED.get(NAMES.get(name, ""))
    if kind is None:
        return fields.get(name)
    ends = kind.ends(side)
    if len(ends) == 1:
        return fields.get(ends[0].name)
    return " ".join(str(fields.get(end.name)) for end in ends if fields.get(end.name)) or None


def in_hub_words(name: str, side: Side, value: Value) -> Value:
    """What a value means, so that the values of both sides can be compared."""
    kind = MAPPED.get(NAMES.get(name, ""))
    if kind is None or value is None or not isinstance(value, str):
        return value
    if side is Side.APP:
        return kind.hub(value)
    there = kind.app(value)  # two people of the hub may be one in the app
    return value if there is None else kind.hub(there) if kind.few else value


def unlike(name: str, ends: Mapping[Side, Record]) -> str:
    """What is wrong between the very values of a pair in step, where both sides have one."""
    kind = MAPPED[NAMES[name]]
    hub, app = (value_of(name, side, ends[side].fields) for side in Side)
    if hub is None or app is None:
        return ""
    expected = kind.app(str(hub))
    return "" if app == expected else f"{name}: {hub!r} became {app!r}, and not {expected!r}"
