"""What a connector gives the engine, and what the engine gives a connector.

Four calls move data: ``describe``, ``pull``, ``get``, ``push``; ``verify`` says who we are. Cursors
are opaque strings that the engine stores in the same transaction as the changes it took. A
connector never sleeps, retries or refreshes a token: it asks ``Http``, which owns sign-in, rate
budgets and retries. Everything that an app sends is hostile until it is decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from twofold.core.errors import Issue
from twofold.core.records import Fields, Record, Target
from twofold.core.schema import ObjectType, Op


class Batch(Struct, frozen=True):
    """One page of a feed, in columns: unchanged rows are never decoded."""

    ids: Sequence[str]
    digests: Sequence[int | None]
    """Signed 64-bit hash over what was received for the asked fields; equal to the stored one
    means unchanged. None: changed, body not fetched, use ``get``."""
    versions: Sequence[str | None]
    gone: Sequence[tuple[str, str | None]]
    """(id, the id that it was merged into, or None)."""
    decode: Callable[[Sequence[int]], Sequence[Record]]
    """Positions in ``ids`` → records, in that order."""
    cursor: str
    """Store it with the page."""
    more: bool
    """Call again now."""
    snapshot: bool
    """Part of a full listing: at its end (``more`` is false), ids that never appeared are gone."""


class Write(Struct, frozen=True):
    """One intended change of one record."""

    ref: str
    """Unique, and the same when the same write is repeated: trace id, idempotency key."""
    op: Op
    id: str | None = None
    """None only for a create."""
    fields: Fields = msgspec.field(default_factory=dict)
    """Only what changes; None clears."""
    associate: tuple[tuple[str, Target], ...] = ()
    """(association, target) to add. A primary target becomes the only primary one; an association
    that is not ``many`` is replaced. Labels are added to those that the target has; one that is not
    primary stays what it is."""
    dissociate: tuple[tuple[str, str], ...] = ()
    """(association, target id) to remove, before anything is added: the same target in both begins
    anew, with the given labels alone."""
    if_version: str | None = None
    """The version that this change was planned against; None = do not compare."""
    expected: Fields = msgspec.field(default_factory=dict)
    """What the plan saw in ``fields`` (updates only), for apps that can compare old values."""


class Status(StrEnum):
    """What became of one write."""

    OK = "ok"
    CONFLICT = "conflict"
    """``if_version`` (or ``expected``) did not match: nothing was written."""
    DUPLICATE = "duplicate"
    """A unique value is taken; ``issue.other_id`` names the holder where the app says so."""
    MISSING = "missing"
    """No record of that id."""
    INVALID = "invalid"
    """The app refuses the values; ``issue`` says which and why."""
    DENIED = "denied"
    """This account may not do that."""
    RETRY = "retry"
    """Not applied, safe to send again."""
    UNKNOWN = "unknown"
    """May have been applied: look before sending again."""


class Result(Struct, frozen=True):
    """The app's answer to one write."""

    ref: str
    status: Status
    id: str | None = None
    version: str | None = None
    """Of exactly this write; None where the app does not say."""
    stored: Record | None = None
    """The record right after this very write, as the app itself answered; None = the engine reads
    it back. A record fetched by a second call may already hold somebody's next edit."""
    issue: Issue | None = None


class Limit(Struct, frozen=True):
    """One budget that an app grants."""

    name: str
    permits: float
    per: timedelta
    concurrent: bool = False
    """``permits`` counts requests in flight."""


class Pause(Struct, frozen=True):
    """What a response says about budgets."""

    limit: str
    """A name from ``Manifest.limits``."""
    remaining: float | None = None
    until: datetime | None = None
    refused: bool = False
    """This very request was throttled."""
    granted: float | None = None
    """Permits that this account has in place of those of the manifest."""


class Question(Struct, frozen=True):
    """Something asked from a person before signing in."""

    name: str
    label: str
    example: str = ""
    pattern: str = ""
    """Full-match regular expression; empty = anything."""
    secret: bool = False
    optional: bool = False
    default: str = ""
    """Counts where no answer is given."""
    asked: bool = True
    """False: the sign-in itself gives the answer."""


class DefaultMapping(Struct, frozen=True):
    """One line of a connector's default field mappings; names are fields of each side."""

    hub_field: str
    app_field: str
    to_hub: bool = True
    to_app: bool = True


class Scopes(Struct, frozen=True):
    """What an account must grant for one object type, by the app's own names."""

    read: tuple[str, ...] = ()
    """To sync it to the hub only."""
    write: tuple[str, ...] = ()
    """To write it too: all of ``read`` and more."""


class OAuth(Struct, frozen=True):
    """How to sign in by the app's own page; see `twofold.kit.oauth`.

    Addresses may hold answers, as ``https://login.example.com/{tenant}/token``.
    """

    authorize: str
    token: str
    scopes: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    """Asked for, too; a person may leave them out."""
    extra: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Further parameters of the app's page."""
    machine: bool = False
    """A client may also sign in for itself, without a person (RFC 6749, section 4.4)."""
    machine_scopes: tuple[str, ...] = ()
    """What it asks for then; may hold answers, as the addresses."""


class Manifest(Struct, frozen=True):
    """What a connector says about itself without a call."""

    name: str
    """Short and lower case, as in ``twofold connect NAME``."""
    label: str
    summary: str
    """One sentence for the catalog."""
    questions: tuple[Question, ...] = ()
    limits: tuple[Limit, ...] = ()
    defaults: Mapping[str, tuple[DefaultMapping, ...]] = msgspec.field(default_factory=dict)
    """By *hub* object type (contact, company, deal)."""
    objects: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Hub object type → the app's object type that pairs with it by default."""
    address: str = ""
    """The question that asks for the base address of ``Http``; empty: no HTTP is spoken, and a
    connector that speaks another protocol is given a `twofold.kit.network.Sockets`. Requests
    sign in with the answers to ``user`` and ``password``, or to ``token``, where these are asked.
    """
    scopes: Mapping[str, Scopes] = msgspec.field(default_factory=dict)
    """By the app's object type."""
    oauth: OAuth | None = None
    """Sign-in by the app's own page, as far as it has one."""


class Identity(Struct, frozen=True):
    """What ``verify`` learned: which account this is, and what it may do."""

    account: str
    """Stable and unique per account of this app: refuses the same account a second time."""
    label: str
    scopes: frozenset[str] = frozenset()
    settings: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Answers to keep in place of those given, where these meant something only at this moment:
    a path from the folder that a person was in."""


class Response(Struct, frozen=True):
    """An HTTP answer, whole."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    content: bytes
    url: str = ""
    """Where it came from, after redirects within the same host."""


class Http(Protocol):
    """Given by the engine. Adds sign-in, waits for budgets, retries what is safe to retry."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        cost: Mapping[str, float] | None = None,
        safe: bool = False,
    ) -> Response:
        """Send one request and return the answer.

        An answer of any status is returned, except where a rule of the kit says what it means
        (401, 403, 429, 5xx): that raises.

        ``safe``: may be repeated after an unknown outcome (GET, HEAD, OPTIONS, PROPFIND and REPORT
        always are).

        Raises:
            Unavailable: no connection, or repeated server errors; nothing was applied.
            OutcomeUnknown: an unsafe request was sent and no answer came.
            AccessDenied: 401 after signing in.
            Redirected: the answer points to another host.
            LimitUntil: the budget is used up for longer than this call may wait.
        """
        ...


class Connector(Protocol):
    """Made as ``SomeConnector(settings, http)``, where settings maps question names to answers.

    It keeps no state that a new instance could not do without.
    """

    manifest: Manifest

    def pauses(self, response: Response) -> Sequence[Pause]:
        """Rate signals in a response. Pure."""
        ...

    async def verify(self) -> Identity:
        """One real, harmless call. Raises AccessDenied, Unavailable, Redirected, Misunderstood."""
        ...

    async def describe(self) -> Sequence[ObjectType]:
        """All object types that can sync, with fields, associations and capabilities."""
        ...

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        """One page. ``cursor=None`` starts a full listing; its cursors then run on into changes.

        With no fields asked, it is an id-only listing for finding deletes. The digests depend on
        the asked fields only: not on the version, not on the time.

        Raises:
            CursorExpired: the app no longer knows this position.
        """
        ...

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        """By what was asked; what does not exist is absent. Never through a lagging index.

        ``key``: ``ids`` are values of this field instead, and all records that carry one are
        answered. A record whose id differs from the asked id was merged into it.
        """
        ...

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        """One result per write, in order. All have the same op and fit ``ObjectType.batch``."""
        ...

    async def close(self) -> None:
        """Release what this connector holds open."""
        ...
