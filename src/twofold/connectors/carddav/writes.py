"""Writing cards: one multiget for a batch, one PUT or DELETE per card, one multiget to look again.

The second multiget is what makes an answer whole. A PUT may be answered without an etag, and a
server may store other bytes than it was given, so a card is only called the result of a write when
it still carries the etag that the write was answered with.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec import Struct

from twofold.connectors.carddav.cards import CONCURRENT, Body, Cards
from twofold.connectors.carddav.fields import new_card, object_type, patch, read
from twofold.connectors.carddav.schema import FIELDS
from twofold.connectors.carddav.vcard import Card
from twofold.connectors.carddav.webdav import CARD, clean_etag, preconditions
from twofold.core.errors import TwofoldError
from twofold.core.records import Record
from twofold.core.schema import Op
from twofold.core.values import is_blank
from twofold.kit.contract import Response, Result, Status, Write
from twofold.kit.errors import ConnectorError, OutcomeUnknown, Reject

_MANY = 60
"""Characters of a server's answer that an issue repeats."""


class _Sent(Struct, frozen=True):
    """A PUT that was answered, before it is known what is stored now."""

    write: Write
    record_id: str
    response: Response
    over: str | None
    """The etag that it was to replace."""

    @property
    def etag(self) -> str | None:
        """Of what this PUT stored."""
        return clean_etag(self.response.headers.get("etag"))

    @property
    def worth_a_look(self) -> bool:
        """Whether the stored card tells more than the answer did."""
        return self.response.status == 412 or (_went_well(self.response) and bool(self.etag))


_Outcome = Result | _Sent


class Writer:
    """One push to one object type of an address book."""

    def __init__(self, cards: Cards, obj: str, show: Callable[[str, Body, Card], Record]) -> None:
        self._cards = cards
        self._app = cards.app
        self._obj = obj
        self._show = show
        self._names = frozenset(field.name for field in FIELDS[obj])
        self._required = [field.name for field in FIELDS[obj] if field.required]

    async def push(self, writes: Sequence[Write]) -> list[Result]:
        """One result per write, in order.

        Raises:
            ConnectorError: not one of them was applied.
        """
        update = any(write.op is Op.UPDATE for write in writes)
        found = await self._cards.fetch([write.id or "" for write in writes]) if update else {}
        outcomes = await self._each(writes, found)
        return await self._settled(outcomes)

    async def _each(self, writes: Sequence[Write], found: Mapping[str, Body]) -> list[_Outcome]:
        turns = asyncio.Semaphore(CONCURRENT)

        async def one(write: Write) -> _Outcome | ConnectorError:
            async with turns:
                try:
                    return await self._one(write, found)
                except ConnectorError as error:
                    return error

        outcomes = await asyncio.gather(*map(one, writes))
        failed = [o for o in outcomes if isinstance(o, ConnectorError)]
        if failed and all(isinstance(o, ConnectorError) and _is_whole(o) for o in outcomes):
            raise failed[0]
        return [
            self._excused(write, o) if isinstance(o, ConnectorError) else o
            for write, o in zip(writes, outcomes, strict=True)
        ]

    def _one(self, write: Write, found: Mapping[str, Body]) -> Awaitable[_Outcome]:
        match write.op:
            case Op.CREATE:
                return self._create(write)
            case Op.UPDATE:
                return self._update(write, found.get(write.id or ""))
            case _:
                return self._delete(write)

    async def _create(self, write: Write) -> _Outcome:
        """A card at an address made from the write's ref, so that it cannot be made twice."""
        self._check_names(write)
        for name in self._required:
            if is_blank(write.fields.get(name)):
                return _result(write, Status.INVALID, "TF-R04", app=self._app, field=name)
        uid = _uid(write)
        content = new_card(self._obj, uid, write.fields)
        record_id = f"{uid}.vcf"
        response = await self._cards.put(record_id, content, None, new=True)
        moved = self._cards.book.id_of(response.headers.get("location", "")) or record_id
        return _Sent(write, moved if _went_well(response) else record_id, response, None)

    async def _update(self, write: Write, body: Body | None) -> _Outcome:
        card = Card(body.content) if body else None
        if body is None or card is None or write.id is None or object_type(card) != self._obj:
            return _result(write, Status.MISSING, "TF-R06", app=self._app)
        self._check_names(write)
        if write.if_version not in (None, body.etag) or not _as_expected(card, write):
            return _result(write, Status.CONFLICT, "TF-R05", app=self._app)
        patch(card, write.fields)
        content = bytes(card)
        if content == body.content:
            stored = self._show(write.id, body, card)
            return Result(write.ref, Status.OK, write.id, body.etag, stored)
        response = await self._cards.put(write.id, content, body.etag, new=False)
        return _Sent(write, write.id, response, body.etag)

    async def _delete(self, write: Write) -> _Outcome:
        record_id = write.id or ""
        response = await self._cards.delete(record_id, write.if_version)
        if _went_well(response):
            return Result(write.ref, Status.OK, record_id)
        if response.status in (404, 410):
            return _result(write, Status.MISSING, "TF-R06", app=self._app)
        if response.status == 412:
            return _result(write, Status.CONFLICT, "TF-R05", app=self._app)
        return self._refusal(write, response)

    def _check_names(self, write: Write) -> None:
        for name in (*write.fields, *write.expected):
            if name not in self._names:
                raise Reject("TF-F01", object_type=self._obj, field=name)

    # --- after the writes ----------------------------------------------------------------

    async def _settled(self, outcomes: Sequence[_Outcome]) -> list[Result]:
        open_ids = [o.record_id for o in outcomes if isinstance(o, _Sent) and o.worth_a_look]
        try:
            stored = await self._cards.fetch(open_ids)
        except ConnectorError:
            stored = None  # the writes are done; what they became is read later
        return [o if isinstance(o, Result) else self._settle(o, stored) for o in outcomes]

    def _settle(self, sent: _Sent, stored: Mapping[str, Body] | None) -> Result:
        write, body = sent.write, (stored or {}).get(sent.record_id)
        if _went_well(sent.response):
            record = None
            if body is not None and body.etag == sent.etag:
                record = self._show(sent.record_id, body, Card(body.content))
            return Result(write.ref, Status.OK, sent.record_id, sent.etag, record)
        if sent.response.status != 412:
            return self._refusal(write, sent.response)
        if stored is None:
            return _result(write, Status.UNKNOWN, "TF-C03", app=self._app, reason="no second look")
        if write.op is Op.CREATE:
            return self._settle_create(sent, body)
        if body is not None and body.etag == sent.over:
            reason = "it answers 412 although nobody changed the card"
            return _result(write, Status.INVALID, "TF-R03", app=self._app, reason=reason)
        if write.if_version is None:
            reason = "somebody else was faster"
            return _result(write, Status.RETRY, "TF-R07", app=self._app, reason=reason)
        return _result(write, Status.CONFLICT, "TF-R05", app=self._app)

    def _settle_create(self, sent: _Sent, body: Body | None) -> Result:
        """There is a card at our address already: our own earlier create, if it has our UID."""
        write = sent.write
        if body is None:
            reason = "it answers 412 although there is no such card"
            return _result(write, Status.INVALID, "TF-R03", app=self._app, reason=reason)
        if Card(body.content).value("UID") == _uid(write):
            return Result(write.ref, Status.OK, sent.record_id)
        other = sent.record_id
        return _result(write, Status.DUPLICATE, "TF-R02", field="address", other_id=other)

    def _refusal(self, write: Write, response: Response) -> Result:
        named = {name.rpartition("}")[2] for name in preconditions(response.content)}
        status, reason = response.status, f"status {response.status}"
        if named:
            reason += f", {', '.join(sorted(named))[:_MANY]}"
        if status == 409 and f"{CARD}no-uid-conflict" in preconditions(response.content):
            return _result(write, Status.DUPLICATE, "TF-R02", field="UID", other_id="another card")
        if status in (401, 403) and (not named or "need-privileges" in named):
            action = f"{write.op} cards"
            return _result(write, Status.DENIED, "TF-A03", app=self._app, action=action)
        if status in (423, 429, 503, 507):
            return _result(write, Status.RETRY, "TF-R07", app=self._app, reason=reason)
        if status >= 500:
            return _result(write, Status.UNKNOWN, "TF-C03", app=self._app, reason=reason)
        return _result(write, Status.INVALID, "TF-R03", app=self._app, reason=reason)

    def _excused(self, write: Write, error: ConnectorError) -> Result:
        """The outcome of a write whose call failed, among others that did not."""
        if isinstance(error, Reject):
            status = Status.INVALID
        elif isinstance(error, OutcomeUnknown):
            status = Status.UNKNOWN
        else:
            status = Status.RETRY
        return Result(write.ref, status, write.id, issue=error.issue)


def _is_whole(error: ConnectorError) -> bool:
    """Whether the call failed and not the record, and certainly nothing was applied."""
    return not isinstance(error, Reject | OutcomeUnknown)


def _went_well(response: Response) -> bool:
    return 200 <= response.status < 300


def _result(write: Write, status: Status, code: str, /, **facts: object) -> Result:
    return Result(write.ref, status, write.id, issue=TwofoldError(code, **facts).issue)


def _uid(write: Write) -> str:
    """The same for the same ref; carries nothing of it."""
    return str(uuid.UUID(bytes=hashlib.sha256(write.ref.encode()).digest()[:16], version=5))


def _as_expected(card: Card, write: Write) -> bool:
    shown = read(card, write.expected)
    return all(
        shown[name] == value or (is_blank(shown[name]) and is_blank(value))
        for name, value in write.expected.items()
    )
