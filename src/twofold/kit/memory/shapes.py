"""Ready-made object types for tests: contacts, companies and deals of a made-up app."""

from __future__ import annotations

from typing import Any

import msgspec

from twofold.core.schema import Association, Feed, Field, ObjectType, Op, Option
from twofold.core.values import Kind

_CAPABILITIES: dict[str, Any] = {
    "feed": Feed.LOG,
    "deletes": True,
    "ops": frozenset({Op.CREATE, Op.UPDATE, Op.DELETE}),
    "batch": {Op.CREATE: 10, Op.UPDATE: 10, Op.DELETE: 10},
    "conditional": True,
}
_STAGES = tuple(Option(name, name.capitalize()) for name in ("lead", "customer", "former"))
_CREATED = Field("createdate", "Created", Kind.DATETIME, creatable=False, updatable=False)


def contact(**changes: Any) -> ObjectType:
    """Contacts with fields of every kind; ``changes`` replace parts of the object type."""
    fields = (
        Field("email", "E-mail", Kind.EMAIL, max_length=200),
        Field("firstname", "First name", Kind.TEXT, max_length=100),
        Field("lastname", "Last name", Kind.TEXT, max_length=100),
        Field("phone", "Phone", Kind.PHONE, max_length=40),
        Field("website", "Website", Kind.URL),
        Field("notes", "Notes", Kind.TEXT, max_length=20_000),
        Field("hs_additional_emails", "Other e-mails", Kind.EMAIL, multi=True),
        Field("lifecyclestage", "Stage", Kind.CHOICE, options=_STAGES),
        Field("interests", "Interests", Kind.CHOICE, multi=True, options=_STAGES),
        Field("visits", "Visits", Kind.INT),
        Field("credit", "Credit", Kind.DECIMAL),
        Field("subscribed", "Subscribed", Kind.BOOL),
        Field("date_of_birth", "Born", Kind.DATE),
        Field("last_call", "Last call", Kind.DATETIME),
        _CREATED,
    )
    associations = (Association("company", "company", many=True, primary=True, labels=True),)
    kind = ObjectType("contact", "Contacts", fields, associations, ("email",), **_CAPABILITIES)
    return msgspec.structs.replace(kind, **changes)


def company(**changes: Any) -> ObjectType:
    """Companies, found by domain or name."""
    fields = (
        Field("name", "Name", Kind.TEXT, required=True, nullable=False, max_length=200),
        Field("domain", "Domain", Kind.TEXT, max_length=200),
        Field("phone", "Phone", Kind.PHONE),
        Field("numberofemployees", "Employees", Kind.INT),
        Field("annualrevenue", "Revenue", Kind.DECIMAL),
        _CREATED,
    )
    kind = ObjectType("company", "Companies", fields, (), ("domain", "name"), **_CAPABILITIES)
    return msgspec.structs.replace(kind, **changes)


def leads_and_contacts(**changes: Any) -> tuple[ObjectType, ObjectType]:
    """Leads that users convert into contacts; each of the two names the other one then."""
    origin = Association("lead", "lead", writable=False)
    becomes = Association("contact", "contact", writable=False)
    person = contact(**changes)
    related = (*person.associations, origin)
    lead = msgspec.structs.replace(
        person, name="lead", label="Leads", associations=(becomes,), becomes="contact"
    )
    return lead, msgspec.structs.replace(person, associations=related, origin="lead")


def deal(**changes: Any) -> ObjectType:
    """Deals of a company and its people."""
    fields = (
        Field("dealname", "Name", Kind.TEXT, required=True, max_length=200),
        Field("amount", "Amount", Kind.DECIMAL),
        Field("closedate", "Close date", Kind.DATETIME),
        _CREATED,
    )
    associations = (
        Association("company", "company"),
        Association("contact", "contact", many=True),
    )
    kind = ObjectType("deal", "Deals", fields, associations, (), **_CAPABILITIES)
    return msgspec.structs.replace(kind, **changes)
