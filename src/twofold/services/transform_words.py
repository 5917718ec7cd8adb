"""Transforms as a person writes them in an option: ``prefix:T-``, ``to-hub:case:upper``."""

from __future__ import annotations

from typing import Any

from twofold.core.errors import TwofoldError
from twofold.core.records import Side
from twofold.core.transforms import Change, Transform

_SIDES = {"to-hub:": Side.HUB, "to-app:": Side.APP}


def transform_of(text: str, whole: Side) -> dict[str, Any]:
    """A transform as the sync's document writes it.

    ``whole``: the side of a joined name, where the text does not say.

    Raises:
        TwofoldError: TF-F23, it is no transform.
    """
    side, rest = next(
        ((s, text[len(w) :]) for w, s in _SIDES.items() if text.startswith(w)), (None, text)
    )
    name, _, form = rest.partition(":")
    if name not in set(Change):
        raise TwofoldError("TF-F23", text=text)
    change = Change(name)
    made: dict[str, Any] = {"change": change.value}
    if side is not None or change is Change.JOIN:
        made["to"] = (side or whole).value
    if change is Change.LOOKUP:
        made["table"] = [_pair(text, line) for line in form.split(",")]
    elif change in {Change.PHONE, Change.COUNTRY}:
        made["form"], _, made["back"] = form.partition("/")
    else:
        made["form"] = form
    return {key: value for key, value in made.items() if value}


def described(transform: Transform) -> str:
    """A transform in the same words."""
    side = "to-hub:" if transform.to is Side.HUB else ""
    form = transform.form + (f"/{transform.back}" if transform.back else "")
    if transform.table:
        form = ",".join(f"{here}={there}" for here, there in transform.table[:3])
        form += ",…" if len(transform.table) > 3 else ""
    return f"{side}{transform.change}" + (f":{form}" if form else "")


def _pair(text: str, line: str) -> list[str]:
    here, equals, there = line.partition("=")
    if not (here and equals and there):
        raise TwofoldError("TF-F23", text=text)
    return [here, there]
