"""What an address book says about itself: two object types, their fields, the default mappings."""

from __future__ import annotations

from datetime import timedelta

from twofold.connectors.carddav.discovery import Book
from twofold.connectors.carddav.fields import COMPANY, CONTACT
from twofold.core.schema import Feed, Field, ObjectType, Op
from twofold.core.values import Kind
from twofold.kit.contract import DefaultMapping, Limit, Manifest, Question

WRITES = 50
"""Most items of one push: one multiget and as many requests of their own."""


def _labeled(name: str, label: str, kind: Kind, native: str) -> Field:
    return Field(name, label, kind, labeled=True, native=native)


_ADDRESS = (
    _labeled("street", "Street", Kind.TEXT, "ADR"),
    _labeled("city", "City", Kind.TEXT, "ADR"),
    _labeled("state", "State or region", Kind.TEXT, "ADR"),
    _labeled("zip", "Postal code", Kind.TEXT, "ADR"),
    _labeled("country", "Country", Kind.TEXT, "ADR"),
)
_SHARED = (
    _labeled("email", "E-mail", Kind.EMAIL, "EMAIL"),
    Field(
        "additional_emails",
        "Other e-mails",
        Kind.EMAIL,
        multi=True,
        creatable=False,
        updatable=False,
        labeled=True,
        native="EMAIL",
    ),
    _labeled("phone", "Phone", Kind.PHONE, "TEL"),
    _labeled("website", "Website", Kind.URL, "URL"),
    *_ADDRESS,
    Field("note", "Note", Kind.TEXT, native="NOTE"),
)
_CONTACT = (
    Field("firstname", "First name", Kind.TEXT, native="N"),
    Field("lastname", "Last name", Kind.TEXT, native="N"),
    Field("full_name", "Full name", Kind.TEXT, nullable=False, native="FN"),
    _labeled("mobilephone", "Mobile phone", Kind.PHONE, "TEL"),
    Field("company", "Company", Kind.TEXT, native="ORG"),
    Field("department", "Department", Kind.TEXT, native="ORG"),
    Field("jobtitle", "Job title", Kind.TEXT, native="TITLE"),
    Field("date_of_birth", "Birthday", Kind.DATE, native="BDAY"),
    *_SHARED,
)
_COMPANY = (
    Field("name", "Name", Kind.TEXT, required=True, nullable=False, native="ORG"),
    *_SHARED,
)
FIELDS = {CONTACT: _CONTACT, COMPANY: _COMPANY}
_LABELS = {CONTACT: "Contacts", COMPANY: "Companies"}


def object_types(book: Book) -> list[ObjectType]:
    """The two object types of one address book, with what this server can do."""
    ops = (Op.CREATE, Op.UPDATE, Op.DELETE) if book.writable else ()
    return [
        ObjectType(
            name=name,
            label=_LABELS[name],
            fields=fields,
            feed=Feed.LOG if book.syncs else Feed.SNAPSHOT,
            deletes=book.syncs,
            ops=frozenset(ops),
            batch=dict.fromkeys(ops, WRITES),
            conditional=True,
            idempotent=True,
        )
        for name, fields in FIELDS.items()
    ]


def _default(
    hub_field: str, app_field: str | None = None, *, to_app: bool = True
) -> DefaultMapping:
    return DefaultMapping(hub_field, app_field or hub_field, to_app=to_app)


_PLACE = (
    _default("phone"),
    _default("website"),
    _default("address", "street"),
    *map(_default, ("city", "state", "zip", "country")),
)
MANIFEST = Manifest(
    name="carddav",
    label="CardDAV address book",
    summary="People and organizations of an address book on any CardDAV server.",
    questions=(
        Question("url", "Address of the server", "https://cloud.example.org"),
        Question("user", "User name", "ada@example.org"),
        Question("password", "Password or app password", secret=True),
        Question("addressbook", "Address book, by name", "Contacts", optional=True),
    ),
    limits=(Limit("requests", 8, timedelta(0), concurrent=True),),
    defaults={
        CONTACT: (
            *map(_default, ("email", "firstname", "lastname", "mobilephone", "company")),
            _default("jobtitle"),
            _default("date_of_birth"),
            _default("hs_additional_emails", "additional_emails", to_app=False),
            *_PLACE,
        ),
        COMPANY: (_default("name"), _default("description", "note"), *_PLACE),
    },
    objects={CONTACT: CONTACT, COMPANY: COMPANY},
    address="url",
)
