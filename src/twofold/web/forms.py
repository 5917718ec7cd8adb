"""Forms: what a person sent, what is wrong with it, and that it comes from our own page."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from twofold.api.calls import COOKIE
from twofold.core.errors import TwofoldError

FIELD, HEADER = "form_token", "x-form-token"


class Form:
    """The fields of a form, by name; what is shown again when it was not right."""

    def __init__(self, fields: Mapping[str, list[str]] | None = None) -> None:
        self._fields = dict(fields or {})
        self.errors: dict[str, str] = {}
        """Field → what is wrong with it, in the reader's language."""
        self.problem: TwofoldError | None = None
        """What is wrong with the whole."""

    def text(self, name: str, default: str = "") -> str:
        """A field's text; the first one, where it was sent more than once."""
        found = self._fields.get(name)
        return found[0] if found else default

    def many(self, name: str) -> list[str]:
        """All texts of a field."""
        return list(self._fields.get(name, ()))

    def flag(self, name: str) -> bool:
        """Whether a box is checked."""
        return bool(self._fields.get(name))

    def starting(self, prefix: str) -> dict[str, str]:
        """The fields whose names begin so, without that beginning."""
        found = {name: texts for name, texts in self._fields.items() if name.startswith(prefix)}
        return {name.removeprefix(prefix): texts[0] for name, texts in found.items()}

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.errors and self.problem is None


async def given(request: Request) -> Form:
    """A dependency: the form that was sent. Files are read by whoever expects them."""
    fields: dict[str, list[str]] = {}
    for name, value in (await request.form()).multi_items():
        if not isinstance(value, UploadFile):
            fields.setdefault(name, []).append(value)
    return Form(fields)


Given = Annotated[Form, Depends(given)]


def token(request: Request) -> str:
    """What every form of a session carries: nobody without its secret can know it."""
    secret = request.cookies.get(COOKIE, "").encode("utf-8", "surrogatepass")
    return hashlib.blake2b(secret, digest_size=16, person=b"twofold form").hexdigest()


async def check(request: Request) -> None:
    """Refuse what was not sent by a page of this session.

    Raises:
        TwofoldError: TF-W41.
    """
    sent = request.headers.get(HEADER) or (await request.form()).get(FIELD)
    if not isinstance(sent, str) or not hmac.compare_digest(
        sent.encode("utf-8", "surrogatepass"), token(request).encode()
    ):
        raise TwofoldError("TF-W41")
