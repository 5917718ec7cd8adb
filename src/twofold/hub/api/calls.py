"""What every operation gets, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from twofold.hub.api.faults import invalid
from twofold.hub.api.kinds import Type, named
from twofold.hub.api.realism import Realism
from twofold.hub.crm import Hub

T = TypeVar("T")
_LARGEST = 10**18


class Answer(Struct, frozen=True):
    """What is answered; None: nothing."""

    status: int
    body: Any = None


class Call:
    """One request that may be made."""

    def __init__(
        self,
        hub: Hub,
        path: Mapping[str, str],
        query: Mapping[str, list[str]],
        content: bytes,
        now: datetime,
        realism: Realism,
    ) -> None:
        self.hub = hub
        self.path = path
        self.content = content
        self.now = now
        self.realism = realism
        self._query = query

    @property
    def kind(self) -> Type:
        """The object type that the path names."""
        return named(self.path["type"])

    def text(self, name: str) -> str | None:
        """A parameter of the query."""
        return self._query[name][-1] if self._query.get(name) else None

    def texts(self, name: str) -> list[str]:
        """A parameter that may come several times, or with commas."""
        given = self._query.get(name, [])
        return [part.strip() for item in given for part in item.split(",") if part.strip()]

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A parameter that is a number.

        Raises:
            Fault: 400, it is not one between the bounds.
        """
        text = self.text(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal() and least <= int(text[:20]) <= most):
            words = f"{name} must be a number between {least} and {most}"
            raise invalid(words, "INVALID_PARAMETER", parameter=name)
        return int(text)

    def flag(self, name: str) -> bool:
        """A parameter that is true or false."""
        text = (self.text(name) or "false").lower()
        if text not in {"true", "false"}:
            raise invalid(f"{name} must be true or false", "INVALID_PARAMETER", parameter=name)
        return text == "true"

    def after(self) -> int:
        """The position behind which a list goes on."""
        return self.number("after", 0, 0, _LARGEST)

    def body(self, kind: type[T]) -> T:
        """The request's body as that type.

        Raises:
            Fault: 400, it is not one.
        """
        try:
            return msgspec.json.decode(self.content, type=kind)
        except msgspec.ValidationError as error:
            raise invalid(f"Invalid input JSON: {error}", "INVALID_JSON") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise invalid("Invalid input JSON: it cannot be parsed", "INVALID_JSON") from None


Operation = Callable[[Call], Answer]
