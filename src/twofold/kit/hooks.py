"""Webhooks: an app calls us when something changed there, so that nobody waits for the next poll.

The service takes calls at ``/hooks/<label of the connection>``. A connector takes part with one
static method beside those of the contract::

    class Acme:
        @staticmethod
        def heard(settings: Mapping[str, str], call: HookCall) -> Collection[str]:
            '''The object types that changed; empty = any may have.'''
            if not genuine(settings["app_secret"], call, …):
                raise NotGenuine("the signature is wrong")
            return {event["objectType"] for event in msgspec.json.decode(call.body)}

- It is pure and quick: no input or output, no clock (``call.at`` is the time). ``settings`` are all
  answers of the connection, the secret ones included.
- It must prove that the call comes from the app before it believes a word of it: a signature over
  the body with a secret that only the app and we know, compared in constant time, and an age.
  Where that fails it raises `NotGenuine`, which is answered with 401.
- What it answers is only a nudge. The syncs of these object types read the app's changes soon, the
  same way as a poll does; nothing of the call itself becomes a record. So a call that is lost,
  doubled, late or made up costs a reading, never a wrong value; 100,000 calls at once become one
  nudge. Calls are answered with 202 before anything is read.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from msgspec import Struct

from twofold.core.errors import TwofoldError

OLDEST = timedelta(minutes=5)
"""How old a signed call may be, and how far ahead of our clock."""
SIGNATURE = "twofold-signature"
"""The header of calls that are signed with a secret of the person's own."""
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


class HookCall(Struct, frozen=True):
    """One call, as it came in."""

    method: str
    url: str
    """As the caller wrote it: with the address by which others know the service (``--public-url``)
    where that is set, path and query included."""
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes
    """At most a megabyte."""
    at: datetime
    """When it came, aware."""


class NotGenuine(TwofoldError):
    """The call does not prove that it comes from the app."""

    def __init__(self, reason: str) -> None:
        super().__init__("TF-W30", reason=reason)


@runtime_checkable
class Hears(Protocol):
    """A connector class that takes webhooks."""

    @staticmethod
    def heard(settings: Mapping[str, str], call: HookCall) -> Collection[str]:
        """The object types that changed, by the app's names; empty = any may have.

        Raises:
            NotGenuine: it is not proven that the app sent this, or it is too old.
        """
        ...


def digest(secret: str, content: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.new(secret.encode(), content, hashlib.sha256).digest()


def signed(secret: str, body: bytes, at: datetime) -> str:
    """The value of our own header: the time in seconds, and a digest of it and the body."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={digest(secret, b'%d.%b' % (seconds, body)).hex()}"


def check_age(call: HookCall, sent: datetime) -> None:
    """Raise NotGenuine unless a call was sent just now, by its own signed word."""
    if abs(call.at - sent) > OLDEST:
        raise NotGenuine("it is older than five minutes, or a clock is wrong")


def check_own_signature(secret: str, call: HookCall) -> None:
    """For apps that sign nothing themselves: a program beside them signs with a shared secret.

    Raises:
        NotGenuine: the header is missing or wrong, or no secret was agreed.
    """
    found = _SIGNATURE.fullmatch(call.headers.get(SIGNATURE, ""))
    if not secret or found is None:
        raise NotGenuine("it is not signed")
    content = b"%d.%b" % (int(found[1]), call.body)
    if not hmac.compare_digest(digest(secret, content).hex(), found[2]):
        raise NotGenuine("the signature is wrong")
    check_age(call, datetime.fromtimestamp(int(found[1]), call.at.tzinfo))
