"""Constants: what new records are given in a field that no mapping fills (F14, F17)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from twofold.core.errors import TwofoldError
from twofold.core.mappings import Constant, FieldMapping
from twofold.core.normalize import email, text
from twofold.core.records import Side
from twofold.core.schema import Field
from twofold.core.text_forms import PARSERS
from twofold.core.type_matrix import Shape, shape
from twofold.core.values import NUMBER_KINDS, Kind, Value
from twofold.core.writing import writer


def constant_value(constant: Constant, field: Field, timezone: str) -> Value:
    """The value that a constant's text stands for in its field.

    Texts are as in D16: ISO 8601 dates and times, plain numbers, true or false, an option by its
    value or label, a person by id or e-mail, several options with semicolons between them.

    Raises:
        TwofoldError: TF-F22, the field does not take it.
    """
    zone = ZoneInfo(timezone)
    if not field.creatable:
        raise _unfit(constant, "it can only be read")
    if field.labeled or field.parts or shape(field) in {Shape.TEXTS, Shape.LIST}:
        raise _unfit(constant, "it holds several or labeled values")
    if not constant.text.strip():
        raise _unfit(constant, "a constant cannot be blank")
    value = _read(field, constant.text.strip(), zone)
    if value is None:
        raise _unfit(constant, f"{constant.text!r} is no {shape(field)}")
    try:
        return writer(FieldMapping(field, field), Side.APP, zone)(value)
    except TwofoldError as error:
        raise _unfit(constant, error.sentence.rstrip(".")) from None


def _unfit(constant: Constant, reason: str) -> TwofoldError:
    facts = {"field": constant.field, "side": constant.side.value}
    return TwofoldError("TF-F22", **facts, reason=reason)


def _read(field: Field, written: str, zone: ZoneInfo) -> Value:
    """The value that a text says; None where it says none of this field's kind."""
    if field.kind in {Kind.CHOICE, Kind.OWNER}:
        options = [_option(field, part.strip()) for part in written.split(";")]
        if not field.multi:
            return _option(field, written)
        return None if None in options else tuple(o for o in options if o is not None)
    form, parse = text(written), PARSERS.get(shape(field))
    if parse is None or not isinstance(form, str):
        return written
    found = parse(form, zone)
    if field.kind is Kind.BOOL:
        return {"true": True, "false": False}.get(str(found))
    if field.kind in NUMBER_KINDS and not isinstance(found, str | frozenset):
        return found
    return None if isinstance(found, frozenset) else found


def _option(field: Field, written: str) -> str | None:
    """An option by its value, label or e-mail; any text where the field is open."""
    wanted = email(written)
    for option in field.options:
        if written == option.value:
            return option.value
    for option in field.options:
        if wanted in {email(option.label), email(option.email)}:
            return option.value
    return None if field.options and field.closed else written
