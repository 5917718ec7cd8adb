"""What every org has: objects with some of their fields. Row "Metadata" of the facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct, structs

Row = dict[str, Any]

SYSTEM = ("CreatedDate", "LastModifiedDate", "SystemModstamp")
"""Times that the org keeps of every record."""


class Field(Struct, frozen=True, rename="camel"):
    """A field, as its object describes it."""

    name: str
    label: str
    type: str = "string"
    length: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    calculated: bool = False
    defaulted_on_create: bool = False
    unique: bool = False
    external_id: bool = False
    filterable: bool = True
    restricted_picklist: bool = False
    picklist_values: list[dict[str, Any]] = []
    reference_to: list[str] = []


class Sobject(Struct):
    """An object with its records."""

    name: str
    label: str
    prefix: str
    """The first three characters of its ids."""
    fields: dict[str, Field]
    custom: bool = False
    mergeable: bool = False
    rows: dict[str, Row] = {}


def standard() -> Iterator[Sobject]:
    """The objects that every org has."""
    yield _made("User", "User", "005", *_USER)
    yield _made("Organization", "Organization", "00D", _told("Name", "Name"))
    yield _made("Account", "Account", "001", *_ACCOUNT, merges=True)
    yield _made("Contact", "Contact", "003", *_CONTACT, merges=True)
    yield _made("Opportunity", "Opportunity", "006", *_OPPORTUNITY)
    yield _made("Lead", "Lead", "00Q", *_LEAD, merges=True)


def _made(name: str, label: str, prefix: str, *fields: Field, merges: bool = False) -> Sobject:
    own = [_OWNER] if name not in {"User", "Organization"} else []
    masters = [structs.replace(_MASTER, reference_to=[name])] if merges else []
    every = {field.name: field for field in (*_SYSTEM_FIELDS, *own, *masters, *fields)}
    return Sobject(name, label, prefix, every, mergeable=merges)


def _told(name: str, label: str, kind: str = "string", target: str = "") -> Field:
    """A field that only the org writes."""
    return Field(
        name,
        label,
        kind,
        nillable=bool(target),
        createable=False,
        updateable=False,
        defaulted_on_create=True,
        reference_to=[target] if target else [],
    )


def _address(kind: str) -> Sequence[Field]:
    return [
        Field(f"{kind}Street", f"{kind} Street", "textarea", 255),
        Field(f"{kind}City", f"{kind} City", length=40),
        Field(f"{kind}State", f"{kind} State", length=80),
        Field(f"{kind}PostalCode", f"{kind} Postal Code", length=20),
        Field(f"{kind}Country", f"{kind} Country", length=80),
    ]


def _picklist(name: str, *values: str, kind: str = "picklist", restricted: bool = False) -> Field:
    choices = [{"value": v, "label": v, "active": True} for v in values]
    label = name.removesuffix("__c")
    return Field(name, label, kind, 255, restricted_picklist=restricted, picklist_values=choices)


_SYSTEM_FIELDS = (
    Field("Id", "Record ID", "id", 18, nillable=False, createable=False, updateable=False),
    *(_told(name, name, "datetime") for name in SYSTEM),
    _told("IsDeleted", "Deleted", "boolean"),
)
_OWNER = Field(
    "OwnerId",
    "Owner ID",
    "reference",
    18,
    nillable=False,
    defaulted_on_create=True,
    reference_to=["User"],
)
_MASTER = Field(
    "MasterRecordId", "Master Record ID", "reference", 18, createable=False, updateable=False
)
_ACCOUNT_ID = Field("AccountId", "Account ID", "reference", 18, reference_to=["Account"])
_USER = (
    _told("Name", "Full Name"),
    _told("Email", "Email", "email"),
    _told("IsActive", "Active", "boolean"),
    _told("UserType", "User Type", "picklist"),
)
_ACCOUNT = (
    Field("Name", "Account Name", length=255, nillable=False),
    Field("Website", "Website", "url", 255),
    Field("Phone", "Account Phone", "phone", 40),
    *_address("Billing"),
    Field("NumberOfEmployees", "Employees", "int"),
    Field("AnnualRevenue", "Annual Revenue", "currency"),
    Field("Description", "Account Description", "textarea", 32_000, filterable=False),
    _picklist("Industry", "Banking", "Education", "Energy"),
)
_CONTACT = (
    Field("LastName", "Last Name", length=80, nillable=False),
    Field("FirstName", "First Name", length=40),
    _told("Name", "Full Name"),
    Field("Email", "Email", "email", 80),
    Field("Phone", "Business Phone", "phone", 40),
    Field("MobilePhone", "Mobile Phone", "phone", 40),
    Field("Title", "Title", length=128),
    *_address("Mailing"),
    Field("Birthdate", "Birthdate", "date"),
    Field("DoNotCall", "Do Not Call", "boolean", nillable=False, defaulted_on_create=True),
    Field("Score__c", "Score", "double"),
    Field("Seen__c", "Seen", "datetime"),
    Field("ExtKey__c", "External Key", length=60, unique=True, external_id=True),
    _picklist("Level__c", "Primary", "Secondary", restricted=True),
    _picklist("Topics__c", "News", "Offers", "Events", kind="multipicklist", restricted=True),
    _ACCOUNT_ID,
)
_OPPORTUNITY = (
    Field("Name", "Name", length=120, nillable=False),
    Field("Amount", "Amount", "currency"),
    Field("CloseDate", "Close Date", "date", nillable=False),
    structs.replace(
        _picklist("StageName", "Prospecting", "Negotiation", "Closed Won", "Closed Lost"),
        nillable=False,
    ),
    _ACCOUNT_ID,
)
_LEAD = (
    Field("LastName", "Last Name", length=80, nillable=False),
    Field("FirstName", "First Name", length=40),
    _told("Name", "Full Name"),
    Field("Company", "Company", length=255, nillable=False),
    Field("Email", "Email", "email", 80),
    _told("IsConverted", "Converted", "boolean"),
    _told("ConvertedContactId", "Converted Contact ID", "reference", "Contact"),
)
