"""What the API answers, request by request; alone or as parts of a batch.

Rows of the facts: "List", "Change feed", "Write single", "Metadata", "Concurrency" and "Errors".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from msgspec import Struct

from twofold.simulators.dynamics import definitions, odata
from twofold.simulators.dynamics.environment import VERSION, Environment
from twofold.simulators.dynamics.reading import Reader, shown
from twofold.simulators.dynamics.tables import Row, Table
from twofold.simulators.dynamics.values import Wrong, stored

ROOT = "/api/data/v9.2/"
_ONE = re.compile(r"(?P<set>[A-Za-z_0-9]+)\((?P<key>[^()]*)\)")
_PAIR = re.compile(r"(?P<name>[a-z_0-9]+)=(?:'(?P<text>(?:[^']|'')*)'|(?P<bare>[^',]+))")
_DEFINITION = re.compile(r"EntityDefinitions\(LogicalName='(?P<name>[^']*)'\)(?P<rest>.*)")
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Request(Struct, frozen=True):
    """One request, wherever it stood."""

    method: str
    path: str
    """Below the root, unescaped."""
    options: Mapping[str, str]
    headers: Mapping[str, str]
    """Lower-case names."""
    content: bytes = b""

    @property
    def prefers(self) -> Mapping[str, str]:
        """What the client prefers, by name."""
        pairs = re.findall(r'([\w.\-]+)(?:=("[^"]*"|[^,;\s]+))?', self.headers.get("prefer", ""))
        return {name: value.strip('"') for name, value in pairs}


class Answer(Struct, frozen=True):
    """What is answered."""

    status: int
    json: Any = None
    headers: Mapping[str, str] = {}


def request(method: str, target: str, headers: Mapping[str, str], content: bytes) -> Request:
    """A request of its parts; ``target``: the address with its query. Raises Wrong."""
    address, _, query = target.partition("?")
    path = unquote(address)
    if "://" in path:
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    if path.startswith("/"):
        if not path.startswith(ROOT):
            raise Wrong(404, "0x8006088a", f"Resource not found: '{path}'.")
        path = path.removeprefix(ROOT)
    options = dict(parse_qsl(query.replace("+", "%20"), keep_blank_values=True))
    return Request(method, path, options, headers, content)


class Api:
    """One environment's answers. ``base``: its address, which links begin with."""

    def __init__(self, environment: Environment, base: str, days: float = 7) -> None:
        self.environment = environment
        self.reader = Reader(environment, f"{base}{ROOT}", days)

    def answer(self, asked: Request) -> Answer:
        """The answer, refusals too."""
        try:
            return self._answered(asked)
        except Wrong as wrong:
            error = {"code": wrong.code, "message": wrong.message}
            return Answer(wrong.status, {"error": error})
        except odata.Malformed as malformed:
            error = {"code": "0x80060888", "message": str(malformed)}
            return Answer(400, {"error": error})

    def _answered(self, asked: Request) -> Answer:
        if asked.path in {"WhoAmI", "WhoAmI()"}:
            environment = self.environment
            return Answer(200, {"UserId": environment.user, "OrganizationId": environment.id})
        if asked.path.startswith("EntityDefinitions"):
            _only(asked, "GET")
            return Answer(200, self._defined(asked))
        one = _ONE.fullmatch(asked.path)
        if one is None:
            return self._of_all(self.environment.by_set(asked.path), asked)
        return self._of_one(self.environment.by_set(one["set"]), one["key"], asked)

    # --- a table ----------------------------------------------------------------------------

    def _of_all(self, table: Table, asked: Request) -> Answer:
        if asked.method == "GET":
            self._readable(table)
            return Answer(200, self.reader.page(table, asked.options, asked.prefers))
        _only(asked, "POST")
        record_id = self.environment.create(table.name, _object(asked))
        return self._written(table, record_id, asked, 201)

    def _of_one(self, table: Table, key: str, asked: Request) -> Answer:
        if asked.method == "GET":
            self._readable(table)
            row = self.environment.there(table, self._found(table, key) or key)
            names = self.reader.selection(table, asked.options)
            return Answer(200, shown(table, row, names, asked.prefers))
        _only(asked, "PATCH", "DELETE")
        record_id = self._found(table, key)
        held = table.rows.get((record_id or "").lower())
        self._matched(asked, table, held, key)
        if asked.method == "DELETE":
            self.environment.delete(table.name, record_id or key)
            return Answer(204)
        body = _object(asked)
        if held is None or record_id is None:  # a change to nobody makes somebody
            made = self.environment.create(table.name, {**_keyed(table, key), **body})
            return self._written(table, made, asked, 201)
        self.environment.update(table.name, record_id, body)
        return self._written(table, record_id, asked, 200)

    def _matched(self, asked: Request, table: Table, held: Row | None, key: str) -> None:
        """Conditional requests (row "Concurrency")."""
        wanted = asked.headers.get("if-match", "")
        if wanted and held is None:
            raise Wrong(404, "0x80040217", f"{table.name} With Id = {key} Does Not Exist")
        if wanted and wanted != "*" and held is not None and wanted != f'W/"{held[VERSION]}"':
            text = "The version of the existing record doesn't match the RowVersion property"
            raise Wrong(412, "0x80060882", f"{text} provided.")
        if asked.headers.get("if-none-match") == "*" and held is not None:
            raise Wrong(412, "0x80040237", "A record with matching key values already exists.")

    def _written(self, table: Table, record_id: str, asked: Request, status: int) -> Answer:
        address = f"{self.reader.root}{table.set}({record_id})"
        headers = {"OData-EntityId": address}
        if asked.prefers.get("return") != "representation":
            return Answer(204, None, headers)
        names = self.reader.selection(table, asked.options)
        row = self.environment.there(table, record_id)
        return Answer(status, shown(table, row, names, asked.prefers), headers)

    def _found(self, table: Table, key: str) -> str | None:
        """The id that a key means; None where nobody has it."""
        if _ID.fullmatch(key):
            return key.lower()
        values = _keyed(table, key)
        for record_id, row in table.rows.items():
            if all(row.get(name) == value for name, value in values.items()):
                return record_id
        return None

    def _readable(self, table: Table) -> None:
        if (table.name, "") in self.environment.denied:
            text = f"Principal user is missing prvRead{table.name.capitalize()} privilege"
            raise Wrong(403, "0x80040220", text)

    # --- definitions ------------------------------------------------------------------------

    def _defined(self, asked: Request) -> Row:
        wanted = (
            frozenset(odata.names(asked.options["$select"]))
            if "$select" in asked.options
            else frozenset()
        )
        if asked.path == "EntityDefinitions":
            every = [definitions.definition(table) for table in self.environment.tables.values()]
            return {"value": _selected(every, wanted)}
        match = _DEFINITION.fullmatch(asked.path)
        table = self.environment.tables.get(match["name"]) if match else None
        if match is None or table is None:
            raise Wrong(404, "0x80060888", "Could not find an entity with that name.")
        if not match["rest"]:
            return _selected([definitions.definition(table)], wanted)[0]
        return {"value": _selected(self._parts(table, match["rest"]), wanted, asked)}

    def _parts(self, table: Table, rest: str) -> list[Row]:
        plain = {
            "/Attributes": definitions.columns,
            "/ManyToOneRelationships": definitions.relations,
            "/Keys": definitions.keys,
        }
        if rest in plain:
            return plain[rest](table)
        found = definitions.cast(table, rest.removeprefix("/Attributes/"))
        if found is None:
            raise Wrong(404, "0x8006088a", f"Resource not found for the segment '{rest}'.")
        return found


def _selected(rows: list[Row], wanted: frozenset[str], asked: Request | None = None) -> list[Row]:
    """Rows with the properties that were asked for; what is expanded comes only if it is."""
    options = asked.options.get("$expand", "") if asked is not None else ""
    expanded = frozenset(re.findall(r"(\w+)(?:\([^)]*\))?(?:,|$)", options))
    for row in rows:
        for name in wanted - row.keys():
            text = f"Could not find a property named '{name}' on the type of this definition."
            raise Wrong(400, "0x80060888", text)
        if wanted & {"OptionSet", "GlobalOptionSet"}:
            raise Wrong(400, "0x80060888", "OptionSet is expanded, not selected.")
    kept = (wanted or frozenset(rows[0] if rows else ())) | expanded | {"MetadataId"}
    hidden = {"OptionSet", "GlobalOptionSet"} - expanded
    return [{n: v for n, v in row.items() if n in kept and n not in hidden} for row in rows]


def _keyed(table: Table, key: str) -> Row:
    """The columns of an address's key. Raises Wrong."""
    if _ID.fullmatch(key):
        return {table.id: key.lower()}
    pairs = list(_PAIR.finditer(key))
    names = tuple(match["name"] for match in pairs)
    if not pairs or ",".join(match[0] for match in pairs) != key or names not in table.keys:
        text = f"Bad Request - Error in query syntax: '{key}' is neither an id nor a key."
        raise Wrong(400, "0x80060888", text)
    found: Row = {}
    for match in pairs:
        text = match["bare"] if match["text"] is None else match["text"].replace("''", "'")
        found[match["name"]] = stored(table, table.columns[match["name"]], text)
    return found


def _only(asked: Request, *methods: str) -> None:
    if asked.method not in methods:
        text = f"The requested resource does not support http method '{asked.method}'."
        raise Wrong(405, "0x80060888", text)


def _object(asked: Request) -> Row:
    if not asked.headers.get("content-type", "").startswith("application/json"):
        raise Wrong(415, "0x80060888", "The content type of a body is application/json.")
    try:
        found = json.loads(asked.content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Wrong(400, "0x80048d19", "Error identified in Payload: no object of JSON.")
    return found
