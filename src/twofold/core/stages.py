"""Apps with both leads and contacts: which of their syncs a record of the hub belongs to (S9).

Each of the syncs names lifecycle stages of the hub, and a stage belongs to one of them only. A
record whose stage belongs elsewhere is not written at all, on either side. What an app converted
(a lead that became a contact) goes on as what it became, whatever its stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from twofold.core.associations import field_name
from twofold.core.errors import Issue, TwofoldError, sentence
from twofold.core.mappings import Rules
from twofold.core.normalize import email
from twofold.core.records import Fields, Side
from twofold.core.schema import Field, ObjectType
from twofold.core.values import Value, as_text, is_blank

STAGE = "lifecyclestage"
"""The field that holds a record's stage, in HubSpot and in the hub inside alike."""

Elsewhere = Callable[[Fields | None, Fields | None], Issue | None]
"""From the fields of both sides (None = no such record) to why neither is written."""


class Beside(Struct, frozen=True):
    """Another sync of the same connection and the same object type of the hub."""

    name: str
    enabled: bool
    rules: Rules


def stage_values(rules: Rules) -> tuple[str, ...]:
    """The stages of a sync as the hub's API names them; those that do not exist are left out."""
    field = rules.hub.field(STAGE)
    found = () if field is None else (_option(field, text) for text in rules.stages)
    return tuple(value for value in found if value is not None)


def elsewhere(rules: Rules) -> Elsewhere | None:
    """Compile who belongs to another sync; None where that is nobody."""
    becomes, origin = (field_name(n) if n else "" for n in (rules.app.becomes, rules.app.origin))
    stages = frozenset(stage_values(rules))
    if not (becomes or rules.stages):
        return None
    takes = ", ".join(rules.stages)

    def answer(hub: Fields | None, app: Fields | None) -> Issue | None:
        if becomes and app is not None and not is_blank(app.get(becomes)):
            return _issue("TF-X08", into=app[becomes])
        if not rules.stages or hub is None or hub.get(STAGE) in stages:
            return None
        if origin and app is not None and not is_blank(app.get(origin)):
            return None
        return _issue("TF-X07", stage=_named(rules.hub.field(STAGE), hub.get(STAGE)), takes=takes)

    return answer


def conversions(object_type: ObjectType) -> tuple[str, ...]:
    """The associations of a type that say what was converted into what."""
    return tuple(filter(None, (object_type.becomes, object_type.origin)))


def check_stages(rules: Rules) -> Iterator[TwofoldError]:
    """What is wrong with the stages of one sync by itself."""
    field = rules.hub.field(STAGE)
    if not rules.stages:
        return
    if field is None:
        yield TwofoldError("TF-L17", object_type=rules.hub.label)
        return
    for text in rules.stages:
        if _option(field, text) is None:
            known = ", ".join(option.value for option in field.options)
            yield TwofoldError("TF-L06", field=STAGE, value=text, known=known)
    for constant in rules.constants:
        given = (constant.side, constant.field) == (Side.HUB, STAGE)
        if given and _option(field, constant.text) not in stage_values(rules):
            reason = "the stages of this sync are others"
            yield TwofoldError("TF-F22", field=STAGE, side=Side.HUB.value, reason=reason)


def check_beside(rules: Rules, enabled: bool, others: Sequence[Beside]) -> Iterator[TwofoldError]:
    """Where a stage would belong to two syncs that are on, or is named by two at all."""
    mine = stage_values(rules)
    for other in others:
        theirs = stage_values(other.rules)
        for stage in mine:
            if stage in theirs:
                yield TwofoldError("TF-L18", stage=stage, name=other.name)
        if bool(mine) is not bool(theirs) and enabled and other.enabled:
            yield TwofoldError("TF-L19", name=other.name)


def _option(field: Field, text: str) -> str | None:
    """A stage by its value or its label."""
    for option in field.options:
        if text == option.value or email(text) == email(option.label):
            return option.value
    return None


def _named(field: Field | None, value: Value) -> str:
    if is_blank(value):
        return "none"
    options = () if field is None else field.options
    return next((o.label for o in options if o.value == value), as_text(value))


def _issue(code: str, **facts: object) -> Issue:
    return Issue(code, sentence(code, facts))
