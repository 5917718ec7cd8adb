"""What an object has: property definitions of the API as fields.

Row "Metadata" of the facts: "Properties", "Owners" and "Pipelines" of the reference.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from twofold.connectors.hubspot import paths
from twofold.connectors.hubspot.calls import Calls, Refused, absent
from twofold.connectors.hubspot.objects import Kind as Object
from twofold.core.schema import Field, Option
from twofold.core.values import Kind
from twofold.kit.errors import SchemaChanged

TEXT_LENGTH = 65_536
"""Characters that a text property holds ("Properties": single-line and multi-line text)."""
_OWNER = "OWNER"
_MOVING = frozenset({"lastmodifieddate", "hs_lastmodifieddate"})
_SEVERAL_EMAILS = frozenset({"hs_additional_emails"})
"""Holds addresses between semicolons, which its definition does not tell."""
_LINKS = frozenset({"website", "hs_linkedin_url", "linkedin_company_page", "facebook_company_page"})


class Listed(Struct, frozen=True):
    """One option of a property."""

    value: str
    label: str = ""
    hidden: bool = False


class Rights(Struct, frozen=True, rename="camel"):
    """What may be changed of a property."""

    read_only_value: bool = False


class Property(Struct, frozen=True, rename="camel"):
    """One property, as far as it matters here."""

    name: str
    label: str = ""
    type: str = "string"
    field_type: str = ""
    options: Sequence[Listed] = ()
    calculated: bool = False
    hidden: bool = False
    has_unique_value: bool = False
    external_options: bool = False
    referenced_object_type: str | None = None
    text_display_hint: str | None = None
    modification_metadata: Rights = Rights()


class Properties(Struct, frozen=True):
    """All properties of an object: this list has no pages."""

    results: Sequence[Property]


class Owner(Struct, frozen=True, rename="camel"):
    """One user whom records can be given to."""

    id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class After(Struct, frozen=True):
    """Where a list goes on."""

    after: str


class Paging(Struct, frozen=True):
    """Whether there is more."""

    next: After | None = None


class Owners(Struct, frozen=True):
    """A page of owners."""

    results: Sequence[Owner]
    paging: Paging | None = None


class Stage(Struct, frozen=True):
    """A stage, or a pipeline with its stages."""

    id: str
    label: str = ""
    stages: Sequence[Stage] = ()


class Pipelines(Struct, frozen=True):
    """All pipelines of an object."""

    results: Sequence[Stage]


class Definitions:
    """The properties of one object, asked once."""

    def __init__(self, calls: Calls, kind: Object) -> None:
        self._calls = calls
        self._kind = kind
        self._known: Mapping[str, Property] | None = None

    async def all(self) -> Mapping[str, Property]:
        """Those that people see, by name.

        Raises:
            SchemaChanged: there is no such object.
        """
        if self._known is None:
            try:
                path = paths.properties(self._kind.type_id)
                found, _ = await self._calls.get(path, Properties)
            except Refused as refused:
                raise absent(self._kind.name, refused) from refused
            self._known = {one.name: one for one in found.results if not one.hidden}
        return self._known

    async def fields(self, names: Collection[str]) -> tuple[Field, ...]:
        """Properties as fields, without their options.

        Raises:
            SchemaChanged: one of them is not there.
        """
        known = await self.all() if names else {}
        for name in names:
            if name not in known:
                raise SchemaChanged("TF-F01", object_type=self._kind.name, field=name)
        return tuple(field_of(known[name], self._kind) for name in names)

    async def confirm(self, names: Collection[str]) -> None:
        """Ask anew whether these are there, as an answer was silent about them.

        The API leaves out what it does not know, and shows null for what is empty.

        Raises:
            SchemaChanged: one of them is gone.
        """
        if names:
            self._known = None
            await self.fields(names)


async def owners(calls: Calls) -> tuple[Option, ...]:
    """All owners, those included whose account was closed: records may still name them."""
    found: list[Option] = []
    for archived in ("false", "true"):
        after: str | None = ""
        while after is not None:
            more = {"after": after} if after else {}
            page, _ = await calls.get(paths.OWNERS, Owners, limit="100", archived=archived, **more)
            found += [_owner(one, active=archived == "false") for one in page.results]
            onward = page.paging.next if page.paging else None
            after = onward.after if onward else None
    return tuple({option.value: option for option in reversed(found)}.values())


def _owner(one: Owner, *, active: bool) -> Option:
    name = f"{one.first_name or ''} {one.last_name or ''}".strip()
    return Option(one.id, name or one.email or one.id, active, one.email or "")


async def stages(calls: Calls, kind: Object) -> Mapping[str, tuple[Option, ...]]:
    """The options of the properties that hold a pipeline and its stage; nothing where none are."""
    try:
        found, _ = await calls.get(paths.pipelines(kind.type_id), Pipelines)
    except Refused:
        return {}
    pipelines = tuple(Option(one.id, one.label) for one in found.results)
    each = {s.id: Option(s.id, s.label) for one in found.results for s in one.stages}
    names = ("pipeline", "dealstage") if kind.name == "deal" else ("hs_pipeline", _STAGE)
    return dict(zip(names, (pipelines, tuple(each.values())), strict=True))


_STAGE = "hs_pipeline_stage"


def field_of(
    one: Property,
    kind: Object,
    people: tuple[Option, ...] = (),
    listed: Mapping[str, tuple[Option, ...]] | None = None,
) -> Field:
    """A property as a field. ``people``: all owners; ``listed``: options kept elsewhere."""
    sort, multi = _kind(one)
    options = tuple(Option(o.value, o.label or o.value, not o.hidden) for o in one.options)
    if sort is Kind.OWNER:
        options = people
    elif sort is not Kind.CHOICE:
        options = ()
    elif not options and listed:
        options = listed.get(one.name, ())
    writable = not (one.modification_metadata.read_only_value or one.calculated)
    is_text = sort in {Kind.TEXT, Kind.EMAIL, Kind.PHONE, Kind.URL}
    return Field(
        one.name,
        one.label or one.name,
        sort,
        multi=multi,
        creatable=writable,
        updatable=writable,
        required=one.name in kind.needed,
        unique=(one.has_unique_value or one.name in kind.keys) and writable,
        max_length=TEXT_LENGTH if is_text and not multi else None,
        options=options,
        closed=bool(options),
        computed=_computed(one),
        silent=one.calculated,
        unmappable=_unmappable(one),
        native=f"{one.type}/{one.field_type}",
    )


def _kind(one: Property) -> tuple[Kind, bool]:
    """What a property holds, and whether several of it."""
    if one.referenced_object_type == _OWNER:
        return Kind.OWNER, False
    if one.name in _SEVERAL_EMAILS:
        return Kind.EMAIL, True
    if one.type == "enumeration":
        if one.field_type == "booleancheckbox":
            return Kind.BOOL, False
        return Kind.CHOICE, one.field_type == "checkbox"
    simple = _SIMPLE.get(one.type)
    return (simple, False) if simple is not None else (_text(one), False)


def _text(one: Property) -> Kind:
    hint = (one.text_display_hint or "").lower()
    if one.field_type == "phonenumber" or hint == "phone_number":
        return Kind.PHONE
    if hint == "email" or one.name == "email":
        return Kind.EMAIL
    return Kind.URL if one.name in _LINKS else Kind.TEXT


def _computed(one: Property) -> str:
    if not one.calculated:
        return ""
    return "score" if "score" in one.field_type else "calculation"


def _unmappable(one: Property) -> str:
    if one.name in _MOVING:
        return "it moves with each write, ours too"
    if one.type in {"json", "object_coordinates"}:
        return "its form is HubSpot's own"
    return ""


_SIMPLE: Mapping[str, Kind] = {
    "number": Kind.DECIMAL,
    "bool": Kind.BOOL,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "phone_number": Kind.PHONE,
}
