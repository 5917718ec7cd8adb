"""What the hub inside keeps: contacts, companies and deals with their typed properties.

Names and options are those that HubSpot's API uses for the same properties, so that mappings read
alike for both hubs.
"""

from __future__ import annotations

from collections.abc import Mapping

from twofold.core.schema import Association, Feed, Field, ObjectType, Op, Option
from twofold.core.values import Kind

APP = "the hub"
"""How messages name the hub inside."""

BATCH = 1000
"""Most items in one push, and the size of a page."""

TEXT_LENGTH = 65_536
"""Characters that a text property holds."""

OWNER_FIELD = "hubspot_owner_id"
CREATED = "createdate"
FULL_NAME = "hs_full_name_or_email"
CONTACT_COUNT = "num_associated_contacts"
"""Counted when it is read: keeping it would rewrite a company for every contact."""


def _text(name: str, label: str, kind: Kind = Kind.TEXT) -> Field:
    return Field(name, label, kind, max_length=TEXT_LENGTH)


def _choice(name: str, label: str, options: Mapping[str, str], *, multi: bool = False) -> Field:
    listed = tuple(Option(value, text) for value, text in options.items())
    return Field(name, label, Kind.CHOICE, multi=multi, options=listed)


def _calculated(name: str, label: str, kind: Kind, *, silent: bool = False) -> Field:
    return Field(
        name,
        label,
        kind,
        creatable=False,
        updatable=False,
        computed="calculation",
        silent=silent,
    )


def _object_type(
    name: str,
    label: str,
    fields: tuple[Field, ...],
    associations: tuple[Association, ...],
    keys: tuple[str, ...],
) -> ObjectType:
    shared = (
        Field(OWNER_FIELD, "Owner", Kind.OWNER),
        Field(CREATED, "Create date", Kind.DATETIME, creatable=False, updatable=False),
    )
    return ObjectType(
        name,
        label,
        fields + shared,
        associations,
        keys,
        feed=Feed.LOG,
        deletes=True,
        merges=True,
        ops=frozenset(Op),
        batch=dict.fromkeys(Op, BATCH),
        conditional=True,
        idempotent=True,
    )


_ADDRESS = (
    _text("address", "Street address"),
    _text("city", "City"),
    _text("state", "State or region"),
    _text("zip", "Postal code"),
    _text("country", "Country or region"),
)

_STAGES = {
    "subscriber": "Subscriber",
    "lead": "Lead",
    "marketingqualifiedlead": "Marketing qualified lead",
    "salesqualifiedlead": "Sales qualified lead",
    "opportunity": "Opportunity",
    "customer": "Customer",
    "evangelist": "Evangelist",
    "other": "Other",
}

_ROLES = {
    "BLOCKER": "Blocker",
    "BUDGET_HOLDER": "Budget holder",
    "CHAMPION": "Champion",
    "DECISION_MAKER": "Decision maker",
    "END_USER": "End user",
    "EXECUTIVE_SPONSOR": "Executive sponsor",
    "INFLUENCER": "Influencer",
    "LEGAL_AND_COMPLIANCE": "Legal and compliance",
    "OTHER": "Other",
}

_INDUSTRIES = {
    "ACCOUNTING": "Accounting",
    "AUTOMOTIVE": "Automotive",
    "BANKING": "Banking",
    "COMPUTER_SOFTWARE": "Computer software",
    "CONSTRUCTION": "Construction",
    "EDUCATION_MANAGEMENT": "Education management",
    "FINANCIAL_SERVICES": "Financial services",
    "FOOD_BEVERAGES": "Food and beverages",
    "GOVERNMENT_ADMINISTRATION": "Government administration",
    "HIGHER_EDUCATION": "Higher education",
    "HOSPITAL_HEALTH_CARE": "Hospital and health care",
    "HOSPITALITY": "Hospitality",
    "INFORMATION_TECHNOLOGY_AND_SERVICES": "Information technology and services",
    "INSURANCE": "Insurance",
    "INTERNET": "Internet",
    "LEGAL_SERVICES": "Legal services",
    "LOGISTICS_AND_SUPPLY_CHAIN": "Logistics and supply chain",
    "MACHINERY": "Machinery",
    "MANAGEMENT_CONSULTING": "Management consulting",
    "MARKETING_AND_ADVERTISING": "Marketing and advertising",
    "NON_PROFIT_ORGANIZATION_MANAGEMENT": "Non-profit organization management",
    "PHARMACEUTICALS": "Pharmaceuticals",
    "PRIMARY_SECONDARY_EDUCATION": "Primary and secondary education",
    "REAL_ESTATE": "Real estate",
    "RESEARCH": "Research",
    "RETAIL": "Retail",
    "TELECOMMUNICATIONS": "Telecommunications",
    "TRANSPORTATION_TRUCKING_RAILROAD": "Transportation",
    "UTILITIES": "Utilities",
    "WHOLESALE": "Wholesale",
}

_DEAL_STAGES = {
    "appointmentscheduled": "Appointment scheduled",
    "qualifiedtobuy": "Qualified to buy",
    "presentationscheduled": "Presentation scheduled",
    "decisionmakerboughtin": "Decision maker bought in",
    "contractsent": "Contract sent",
    "closedwon": "Closed won",
    "closedlost": "Closed lost",
}

CONTACT = _object_type(
    "contact",
    "Contacts",
    (
        _text("email", "E-mail", Kind.EMAIL),
        _text("firstname", "First name"),
        _text("lastname", "Last name"),
        _text("phone", "Phone number", Kind.PHONE),
        _text("mobilephone", "Mobile phone number", Kind.PHONE),
        _text("company", "Company name"),
        _text("jobtitle", "Job title"),
        _text("website", "Website", Kind.URL),
        *_ADDRESS,
        Field("date_of_birth", "Date of birth", Kind.DATE),
        _choice("lifecyclestage", "Lifecycle stage", _STAGES),
        _choice("hs_buying_role", "Buying role", _ROLES, multi=True),
        Field("hs_email_optout", "Unsubscribed from all e-mail", Kind.BOOL),
        Field(
            "hs_additional_emails",
            "Additional e-mails",
            Kind.EMAIL,
            multi=True,
            max_length=TEXT_LENGTH,
        ),
        _calculated(FULL_NAME, "Full name or e-mail", Kind.TEXT),
    ),
    (Association("company", "company", many=True, primary=True, labels=True),),
    ("email",),
)

COMPANY = _object_type(
    "company",
    "Companies",
    (
        _text("name", "Company name"),
        _text("domain", "Company domain name"),
        _text("website", "Website", Kind.URL),
        _text("phone", "Phone number", Kind.PHONE),
        *_ADDRESS,
        _choice("industry", "Industry", _INDUSTRIES),
        Field("numberofemployees", "Number of employees", Kind.INT),
        Field("annualrevenue", "Annual revenue", Kind.DECIMAL),
        _text("description", "Description"),
        _calculated(CONTACT_COUNT, "Number of contacts", Kind.INT, silent=True),
    ),
    (),
    ("domain", "name"),
)

DEAL = _object_type(
    "deal",
    "Deals",
    (
        _text("dealname", "Deal name"),
        Field("amount", "Amount", Kind.DECIMAL),
        Field("closedate", "Close date", Kind.DATETIME),
        _choice("dealstage", "Deal stage", _DEAL_STAGES),
        _choice("pipeline", "Pipeline", {"default": "Sales pipeline"}),
    ),
    (
        Association("company", "company", many=True, primary=True, labels=True),
        Association("contact", "contact", many=True, labels=True),
    ),
    (),
)

OBJECT_TYPES: Mapping[str, ObjectType] = {kind.name: kind for kind in (CONTACT, COMPANY, DEAL)}

NUMBERS: Mapping[str, int] = {"contact": 1, "company": 2, "deal": 3}
"""How tables name an object type. A number keeps its meaning for ever."""

NAMES: Mapping[int, str] = {number: name for name, number in NUMBERS.items()}
