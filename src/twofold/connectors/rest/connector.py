"""The REST connector: an app as a document describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from twofold.connectors.rest.definition import (
    Definition,
    ObjectOf,
    field_of,
    load,
    names_in,
)
from twofold.connectors.rest.places import found, parsed, value_of
from twofold.connectors.rest.writing import Writer
from twofold.core.records import Record, Target
from twofold.core.schema import Association, Feed, ObjectType, Op
from twofold.core.values import Kind
from twofold.kit.auth import Auth, BasicAuth, BearerAuth, HeaderAuth, Reach
from twofold.kit.contract import (
    Batch,
    Http,
    Identity,
    Limit,
    Manifest,
    Pause,
    Question,
    Response,
    Result,
    Write,
)
from twofold.kit.digests import digest_values
from twofold.kit.errors import (
    AccessDenied,
    CursorExpired,
    Misunderstood,
    SchemaChanged,
    Unavailable,
)

APP = "rest"
_WRITES = 20
"""Most items of one push: each is a request of its own."""
_GONE = frozenset({404, 410})


class _Cursor(Struct, frozen=True, array_like=True):
    """A position in a list; all None = its beginning."""

    at: str | None = None
    """A token, a link or an id."""
    number: int | None = None


class Rest:
    """One account of an app that a document describes. Its lists are read whole each time."""

    manifest = Manifest(
        name=APP,
        label="REST app",
        summary="An app with a REST API, described by a YAML document of your own.",
        questions=(
            Question("definition", "The document that describes the app", "acme.yaml"),
            Question("names", "Names in its address", "subdomain=acme", optional=True),
            Question("user", "User name, where it signs in by one", "ada", optional=True),
            Question("password", "Password", secret=True, optional=True),
            Question("token", "Token or key", secret=True, optional=True),
        ),
        limits=(Limit("requests", 8, timedelta(0), concurrent=True),),
    )

    def __init__(self, settings: Mapping[str, str], http: Http) -> None:
        """Reads the document.

        Raises:
            Misdescribed: TF-Y13, it does not describe an app.
        """
        self._settings = settings
        self._path = _path(settings)
        self._app = load(self._path)
        self._http = http

    @staticmethod
    def reach(answers: Mapping[str, str]) -> Reach:
        """The address and sign-in of the document, with a person's answers.

        Raises:
            Misdescribed: TF-Y13, it does not describe an app.
            AccessDenied: an answer that it needs is missing.
        """
        app = load(_path(answers))
        parts = (part.partition("=") for part in answers.get("names", "").split(","))
        names = {name.strip(): value.strip() for name, _, value in parts}
        address = app.address
        for name in names_in(address):
            if not names.get(name):
                raise AccessDenied(APP, f"the answer to 'names' has no {name}")
            address = address.replace(f"{{{name}}}", quote(names[name], safe=""))
        limits = Rest.manifest.limits
        if app.requests_per_second:
            limits = (*limits, Limit("rate", app.requests_per_second, timedelta(seconds=1)))
        return Reach(address.rstrip("/") + "/", _auth(app, answers), limits)

    def pauses(self, response: Response) -> Sequence[Pause]:
        """None beyond what ``Http`` understands by itself: 429 and Retry-After."""
        return ()

    async def verify(self) -> Identity:
        """The document's own check, else the first list."""
        address = self.reach(self._settings).address
        kept = {"definition": str(self._path)}
        check = self._app.check
        if check is None:
            await self._page(next(iter(self._app.objects.values())), _Cursor(), {})
            return Identity(address, self._app.name, settings=kept)
        answer = await self._answer(check.path, {})
        account = found(answer, check.account)
        if account is None:
            raise Misunderstood(APP, f"{check.path} has no {check.account}")
        label = found(answer, check.label) if check.label else None
        return Identity(f"{address}#{account}", str(label or self._app.name), settings=kept)

    async def describe(self) -> Sequence[ObjectType]:
        """What the document says."""
        return [_kind(name, one) for name, one in self._app.objects.items()]

    async def pull(
        self, obj: str, cursor: str | None, fields: Sequence[str], associations: Sequence[str] = ()
    ) -> Batch:
        """A page of the list."""
        one = self._object(obj, fields, associations)
        try:
            at = _Cursor() if cursor is None else msgspec.json.decode(cursor, type=_Cursor)
        except msgspec.DecodeError:
            raise CursorExpired(APP) from None
        rows, following = await self._page(one, at, {})
        records = [_record(obj, one, row, fields, associations) for row in rows]
        return Batch(
            ids=[record.id for record in records],
            digests=[record.digest for record in records],
            versions=[record.version for record in records],
            gone=(),
            decode=lambda positions: [records[position] for position in positions],
            cursor=msgspec.json.encode(following or _Cursor()).decode(),
            more=following is not None,
            snapshot=True,
        )

    async def get(
        self,
        obj: str,
        ids: Sequence[str],
        fields: Sequence[str],
        associations: Sequence[str] = (),
        key: str | None = None,
    ) -> Mapping[str, Sequence[Record]]:
        """One request per id, or one search per value."""
        one = self._object(obj, fields, associations)
        if key is not None and key not in one.find:
            raise SchemaChanged("TF-F01", object_type=obj, field=f"{key} to look up by")
        answers: dict[str, Sequence[Record]] = {}
        for asked in dict.fromkeys(ids):
            rows = await (self._by_id(one, asked) if key is None else self._by(one, key, asked))
            if rows:
                answers[asked] = [_record(obj, one, row, fields, associations) for row in rows]
        return answers

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        """One request per write."""
        one = self._object(obj, (), ())
        writer = Writer(APP, obj, one, _kind(obj, one), self._http)
        return [await writer.carried_out(write) for write in writes]

    async def close(self) -> None:
        """Nothing is held open; ``Http`` belongs to who made it."""

    # --- within ---------------------------------------------------------------------------

    def _object(self, obj: str, fields: Sequence[str], associations: Sequence[str]) -> ObjectOf:
        one = self._app.objects.get(obj)
        if one is None:
            known = ", ".join(self._app.objects)
            raise SchemaChanged("TF-F02", app=APP, object_type=obj, known=known)
        unknown = [name for name in fields if name not in one.fields]
        unknown += [name for name in associations if name not in one.associations]
        if unknown:
            raise SchemaChanged("TF-F01", object_type=obj, field=unknown[0])
        return one

    async def _answer(self, path: str, params: Mapping[str, str]) -> Any:
        """The JSON that a request is answered with.

        Raises:
            Misunderstood: it is no JSON, or there is nothing of that kind.
            AccessDenied: this account may not read it.
            Unavailable: the server has an error of its own.
        """
        response = await self._http.send("GET", path.lstrip("/"), params=params)
        if response.status == 403:
            raise AccessDenied(APP, f"this account may not read {path}")
        if response.status >= 500:
            raise Unavailable(APP, f"it answers with the server error {response.status}")
        if response.status != 200:
            raise Misunderstood(APP, f"{path} is answered with {response.status}")
        try:
            return parsed(response.content)
        except ValueError as error:
            raise Misunderstood(APP, f"the answer to {path}: {error}") from None

    async def _page(
        self, one: ObjectOf, at: _Cursor, search: Mapping[str, str]
    ) -> tuple[list[Any], _Cursor | None]:
        """The rows of a page, and where it goes on; None at the end."""
        pages = one.pages
        params = dict(search)
        if pages.size:
            params[pages.size] = str(pages.most)
        path = one.list
        if pages.by == "link" and at.at is not None:
            path, params = at.at, {}
        elif pages.by in {"number", "offset"}:
            first = pages.first if pages.by == "number" else 0
            params[pages.send] = str(first if at.number is None else at.number)
        elif at.at is not None:
            params[pages.send] = at.at
        answer = await self._answer(path, params)
        rows = found(answer, one.records)
        if not isinstance(rows, list):
            raise Misunderstood(APP, f"the answer to {one.list} has no list {one.records}".strip())
        following = _following(one, at, answer, rows)
        if following is not None and following == at:
            raise Misunderstood(APP, f"the list {one.list} goes on with the same page")
        return rows, following

    async def _by_id(self, one: ObjectOf, record_id: str) -> list[Any]:
        if not record_id.strip(". "):
            return []  # no record is called that, and a path with it would be another one
        path = one.get.replace("{id}", quote(record_id, safe=""))
        response = await self._http.send("GET", path.lstrip("/"))
        if response.status in _GONE or 400 <= response.status < 403:
            return []
        if response.status != 200:
            raise Unavailable(APP, f"{one.get} is answered with {response.status}")
        try:
            row = found(parsed(response.content), one.record)
        except ValueError as error:
            raise Misunderstood(APP, f"the answer to {one.get}: {error}") from None
        return [row] if str(found(row, one.id)) == record_id else []

    async def _by(self, one: ObjectOf, key: str, value: str) -> list[Any]:
        """What a search finds, as far as it really carries the value: searches may be loose."""
        said, at, rows = one.fields[key], _Cursor(), []
        fold = str.casefold if said.kind is Kind.EMAIL else str
        field = field_of(key, said, writes=True, creates=True)
        more: _Cursor | None = at
        while more is not None:
            page, more = await self._page(one, more, {one.find[key]: value})
            shown = [(row, str(value_of(row, said.at or key, field))) for row in page]
            rows += [row for row, text in shown if fold(text) == fold(value)]
        return rows


def _path(answers: Mapping[str, str]) -> Path:
    return Path(answers.get("definition", "")).expanduser().absolute()


def _auth(app: Definition, answers: Mapping[str, str]) -> Auth | None:
    by = app.sign_in.by
    needed = {"basic": ("user", "password"), "bearer": ("token",), "header": ("token",)}
    missing = [name for name in needed.get(by, ()) if not answers.get(name)]
    if missing:
        raise AccessDenied(APP, f"there is no answer to {', '.join(missing)}")
    if by == "basic":
        return BasicAuth(APP, answers["user"], answers["password"])
    if by == "bearer":
        return BearerAuth(APP, answers["token"])
    return HeaderAuth(APP, app.sign_in.name, answers["token"]) if by == "header" else None


def _kind(name: str, one: ObjectOf) -> ObjectType:
    offered = {Op.CREATE: one.create, Op.UPDATE: one.update, Op.DELETE: one.delete}
    ops = [op for op, request in offered.items() if request is not None]
    fields = (
        field_of(n, said, writes=one.update is not None, creates=one.create is not None)
        for n, said in one.fields.items()
    )
    return ObjectType(
        name=name,
        label=one.label or name,
        fields=tuple(fields),
        associations=tuple(Association(n, tie.to) for n, tie in one.associations.items()),
        keys=tuple(one.find),
        feed=Feed.SNAPSHOT,
        ops=frozenset(ops),
        batch=dict.fromkeys(ops, _WRITES),
        conditional=one.if_match,
        idempotent=bool(one.repeat) and one.create is not None,
    )


def _following(one: ObjectOf, at: _Cursor, answer: Any, rows: Sequence[Any]) -> _Cursor | None:
    pages = one.pages
    full = len(rows) >= pages.most
    if pages.by in {"cursor", "link"}:
        token = found(answer, pages.at)
        return _Cursor(str(token)) if token else None
    if pages.by == "after":
        return _Cursor(str(found(rows[-1], one.id))) if full else None
    if pages.by == "number":
        number = pages.first if at.number is None else at.number
        return _Cursor(None, number + 1) if full else None
    if pages.by == "offset":
        return _Cursor(None, (at.number or 0) + len(rows)) if full else None
    return None


def _record(
    obj: str, one: ObjectOf, row: Any, fields: Sequence[str], associations: Sequence[str]
) -> Record:
    """A row as a record.

    Raises:
        Misunderstood: it has no id, so it is none.
    """
    record_id = found(row, one.id)
    if not isinstance(record_id, str | int) or isinstance(record_id, bool) or record_id == "":
        raise Misunderstood(APP, f"a record of {obj} has no {one.id}")
    shown = {}
    for name in fields:
        said = one.fields[name]
        field = field_of(name, said, writes=True, creates=True)
        shown[name] = value_of(row, said.at or name, field)
    ties: dict[str, tuple[Target, ...]] = {}
    for name in associations:
        target = found(row, one.associations[name].at)
        ties[name] = () if target in (None, "") else (Target(str(target)),)
    version = found(row, one.version) if one.version else None
    digest = digest_values([*shown.items(), *((f"→{name}", to) for name, to in ties.items())])
    return Record(
        str(record_id), shown, None if version is None else str(version), ties, digest=digest
    )
