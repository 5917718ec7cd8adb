"""People: an app of one file, {"7": {"email": "ada@example.org", "name": "Ada"}}."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from twofold.core.errors import TwofoldError
from twofold.core.records import Record
from twofold.core.schema import Field, ObjectType, Op
from twofold.core.values import Kind, Value
from twofold.kit import contract
from twofold.kit.contract import DefaultMapping, Result, Status, Write
from twofold.kit.digests import digest_values
from twofold.kit.errors import SchemaChanged, Unavailable

Names = Sequence[str]
Row = dict[str, Value]
FIELDS = (Field("email", "E-mail", Kind.EMAIL), Field("name", "Name", Kind.TEXT))
OPS = frozenset({Op.CREATE, Op.UPDATE})
KIND = ObjectType("person", "People", FIELDS, (), ("email",), ops=OPS, conditional=True)


class People:
    manifest = contract.Manifest(
        *("people", "People file", "People in a JSON file."),
        questions=(contract.Question("path", "Path of the file", "people.json"),),
        objects={"contact": KIND.name},
        defaults={"contact": tuple(map(DefaultMapping, ("email", "firstname"), ("email", "name")))},
    )

    def __init__(self, settings: Mapping[str, str], http: contract.Http | None = None) -> None:
        self._path = Path(settings["path"]).absolute()

    def pauses(self, response: contract.Response) -> Sequence[contract.Pause]:
        return ()

    async def verify(self) -> contract.Identity:
        self._rows(KIND.name, ())
        return contract.Identity(str(self._path), "People", settings={"path": str(self._path)})

    async def describe(self) -> Sequence[ObjectType]:
        return [KIND]

    async def pull(
        self, obj: str, cursor: str | None, fields: Names, associations: Names = ()
    ) -> contract.Batch:
        found = [record(i, row, fields) for i, row in self._rows(obj, fields).items()]
        columns = ([r.id for r in found], [r.digest for r in found], [r.version for r in found], ())
        # No news: every pull lists everything, so there is never more, and it is a whole listing.
        return contract.Batch(*columns, lambda at: [found[n] for n in at], "end", False, True)

    async def get(
        self, obj: str, ids: Names, fields: Names, associations: Names = (), key: str | None = None
    ) -> Mapping[str, Sequence[Record]]:
        found: dict[str, list[Record]] = {}
        for i, row in self._rows(obj, fields).items():
            asked = str(row.get(key)) if key else i
            if asked in ids:
                found.setdefault(asked, []).append(record(i, row, fields))
        return found

    async def push(self, obj: str, writes: Sequence[Write]) -> Sequence[Result]:
        rows = self._rows(obj, ())
        results = [apply(rows, write) for write in writes]
        self._path.write_text(json.dumps(rows))
        return results

    async def close(self) -> None:
        return  # nothing is held open

    def _rows(self, obj: str, fields: Names) -> dict[str, Row]:
        if obj != KIND.name:
            raise SchemaChanged("TF-F02", app="people", object_type=obj, known=KIND.name)
        for name in [name for name in fields if KIND.field(name) is None]:
            raise SchemaChanged("TF-F01", object_type=obj, field=name)
        try:
            return dict(json.loads(self._path.read_text()))
        except (OSError, ValueError):
            raise Unavailable("people", "the file is missing or holds no JSON") from None


def record(record_id: str, row: Row, fields: Names) -> Record:
    shown = {name: row.get(name) for name in fields}  # asked and blank is None; not asked is absent
    version = str(digest_values(row.items()))
    return Record(record_id, shown, version, digest=digest_values(shown.items()))


def apply(rows: dict[str, Row], write: Write) -> Result:
    for name in [name for name in write.fields if KIND.field(name) is None]:
        issue = TwofoldError("TF-F01", object_type=KIND.name, field=name).issue
        return Result(write.ref, Status.INVALID, issue=issue)
    record_id = write.id or str(1 + max(map(int, rows), default=0))
    if write.op is Op.UPDATE and record_id not in rows:
        return Result(write.ref, Status.MISSING)
    row = rows.get(record_id, {})
    if write.if_version not in (None, record(record_id, row, ()).version):
        return Result(write.ref, Status.CONFLICT)
    rows[record_id] = {**row, **write.fields}  # a patch: what is not named stays
    return Result(write.ref, Status.OK, record_id)
