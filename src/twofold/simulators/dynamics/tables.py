"""What every environment has: tables with some of their columns. Row "Metadata" of the facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, structs

Row = dict[str, Any]


class Column(Struct, frozen=True):
    """A column of a table."""

    name: str
    label: str
    type: str = "String"
    """As ``AttributeType`` says it; ``MultiSelectPicklist`` stands for itself."""
    length: int = 0
    format: str = ""
    options: tuple[tuple[int, str], ...] = ()
    targets: tuple[str, ...] = ()
    creatable: bool = True
    updatable: bool = True
    required: bool = False
    """By the system: the API itself refuses a record without it."""
    day: bool = False
    """A date without a time."""
    states: tuple[tuple[int, int], ...] = ()
    """Of a reason: the state that each belongs to."""

    @property
    def lookup(self) -> bool:
        """Whether it names another record."""
        return self.type in {"Lookup", "Customer", "Owner"}

    @property
    def shown(self) -> str:
        """Its name in answers."""
        return f"_{self.name}_value" if self.lookup else self.name

    def navigation(self, target: str) -> str:
        """The name by which it is written."""
        return f"{self.name}_{target}" if len(self.targets) > 1 else self.name


class Table(Struct):
    """A table with its records."""

    name: str
    label: str
    set: str
    id: str
    columns: dict[str, Column]
    custom: bool = False
    tracked: bool = True
    mergeable: bool = False
    keys: tuple[tuple[str, ...], ...] = ()
    rows: dict[str, Row] = {}

    def by_shown(self, name: str) -> Column | None:
        """The column that answers name so."""
        return next((one for one in self.columns.values() if one.shown == name), None)


def made(name: str, entity_set: str, label: str, *columns: Column, **more: Any) -> Table:
    """A table with the columns that every table has."""
    own = (Column(f"{name}id", label, "Uniqueidentifier", updatable=False), *_SYSTEM, *columns)
    merges = (_MERGED, structs.replace(_MASTER, targets=(name,))) if more.get("mergeable") else ()
    every = {column.name: column for column in (*own, *merges)}
    return Table(name, label, entity_set, f"{name}id", every, **more)


def standard() -> Iterator[Table]:
    """The tables that every environment has."""
    yield made("systemuser", "systemusers", "User", *_USER, tracked=False)
    yield made("organization", "organizations", "Organization", _told("name", "Name"))
    yield made("account", "accounts", "Account", *_ACCOUNT, mergeable=True)
    yield made("contact", "contacts", "Contact", *_CONTACT, mergeable=True, keys=(("new_extkey",),))
    yield made("opportunity", "opportunities", "Opportunity", *_OPPORTUNITY)
    yield made("lead", "leads", "Lead", *_LEAD, mergeable=True)
    yield made("new_project", "new_projects", "Project", *_PROJECT, custom=True, tracked=False)


def _told(name: str, label: str, kind: str = "String", **more: Any) -> Column:
    """A column that only the environment writes."""
    return Column(name, label, kind, creatable=False, updatable=False, **more)


def _text(name: str, label: str, length: int = 100, form: str = "Text") -> Column:
    return Column(name, label, length=length, format=form)


_STATES = ((0, "Active"), (1, "Inactive"))
_SYSTEM = (
    _told("createdon", "Created On", "DateTime"),
    _told("modifiedon", "Modified On", "DateTime"),
    Column("ownerid", "Owner", "Owner", targets=("systemuser",), required=True),
    Column("statecode", "Status", "State", options=_STATES, creatable=False),
    Column(
        "statuscode",
        "Status Reason",
        "Status",
        options=((1, "Active"), (2, "Inactive")),
        states=((1, 0), (2, 1)),
    ),
)
_MERGED = _told("merged", "Merged", "Boolean")
_MASTER = _told("masterid", "Master ID", "Lookup")
_USER = (
    _told("fullname", "Full Name"),
    _told("internalemailaddress", "Primary Email", format="Email"),
    _told("isdisabled", "Status", "Boolean"),
)
_ADDRESS = (
    _text("address1_line1", "Street 1", 250),
    _text("address1_city", "City", 80),
    _text("address1_stateorprovince", "State/Province", 50),
    _text("address1_postalcode", "ZIP/Postal Code", 20),
    _text("address1_country", "Country/Region", 80),
)
_ACCOUNT = (
    _text("name", "Account Name", 160),
    _text("websiteurl", "Website", 200, "Url"),
    _text("telephone1", "Main Phone", 50, "Phone"),
    *_ADDRESS,
    Column("numberofemployees", "Number of Employees", "Integer"),
    Column("revenue", "Annual Revenue", "Money"),
    Column("description", "Description", "Memo", length=2000),
    Column("primarycontactid", "Primary Contact", "Lookup", targets=("contact",)),
)
_CONTACT = (
    _text("firstname", "First Name", 50),
    _text("lastname", "Last Name", 50),
    _told("fullname", "Full Name", length=160),
    _text("emailaddress1", "Email", 100, "Email"),
    _text("telephone1", "Business Phone", 50, "Phone"),
    _text("mobilephone", "Mobile Phone", 50, "Phone"),
    _text("jobtitle", "Job Title", 100),
    *_ADDRESS,
    Column("birthdate", "Birthday", "DateTime", day=True),
    Column("lastonholdtime", "Last On Hold Time", "DateTime"),
    Column("donotphone", "Do not allow Phone Calls", "Boolean"),
    Column("creditlimit", "Credit Limit", "Money"),
    Column("numberofchildren", "No. of Children", "Integer"),
    Column("new_score", "Score", "Decimal"),
    _text("new_extkey", "External Key", 60),
    Column(
        "preferredcontactmethodcode",
        "Preferred Method of Contact",
        "Picklist",
        options=((1, "Any"), (2, "Email"), (3, "Phone")),
    ),
    Column(
        "new_topics",
        "Topics",
        "MultiSelectPicklist",
        options=((1, "News"), (2, "Offers"), (3, "Events")),
    ),
    Column("parentcustomerid", "Company Name", "Customer", targets=("account", "contact")),
    Column("originatingleadid", "Originating Lead", "Lookup", targets=("lead",)),
)
_OPPORTUNITY = (
    _text("name", "Topic", 300),
    Column("estimatedvalue", "Est. Revenue", "Money"),
    Column("estimatedclosedate", "Est. Close Date", "DateTime", day=True),
    Column("customerid", "Potential Customer", "Customer", targets=("account", "contact")),
    Column("parentaccountid", "Account", "Lookup", targets=("account",)),
    Column("parentcontactid", "Contact", "Lookup", targets=("contact",)),
    Column(
        "statecode",
        "Status",
        "State",
        options=((0, "Open"), (1, "Won"), (2, "Lost")),
        creatable=False,
    ),
    Column(
        "statuscode",
        "Status Reason",
        "Status",
        options=((1, "In Progress"), (3, "Won"), (4, "Canceled")),
        states=((1, 0), (3, 1), (4, 2)),
    ),
)
_LEAD = (
    _text("subject", "Topic", 300),
    _text("firstname", "First Name", 50),
    _text("lastname", "Last Name", 50),
    _text("companyname", "Company Name", 100),
    _text("emailaddress1", "Email", 100, "Email"),
    Column("parentcontactid", "Parent Contact", "Lookup", targets=("contact",)),
    Column(
        "statecode",
        "Status",
        "State",
        options=((0, "Open"), (1, "Qualified"), (2, "Disqualified")),
        creatable=False,
    ),
    Column(
        "statuscode",
        "Status Reason",
        "Status",
        options=((1, "New"), (3, "Qualified"), (4, "Lost")),
        states=((1, 0), (3, 1), (4, 2)),
    ),
)
_PROJECT = (
    Column("new_name", "Name", length=100, format="Text", required=True),
    Column("new_budget", "Budget", "Money"),
    Column("new_account", "Account", "Lookup", targets=("account",)),
)
