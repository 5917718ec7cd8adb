"""What the connector says about itself without a call."""

from __future__ import annotations

from datetime import timedelta

from twofold.connectors.salesforce.calls import DAY
from twofold.kit.contract import DefaultMapping, Limit, Manifest, OAuth, Question
from twofold.kit.oauth import CLIENT, KEPT

_CONTACT = {
    "email": "Email",
    "firstname": "FirstName",
    "lastname": "LastName",
    "phone": "Phone",
    "mobilephone": "MobilePhone",
    "jobtitle": "Title",
    "address": "MailingStreet",
    "city": "MailingCity",
    "state": "MailingState",
    "zip": "MailingPostalCode",
    "country": "MailingCountry",
    "hubspot_owner_id": "OwnerId",
}
_COMPANY = {
    "name": "Name",
    "website": "Website",
    "phone": "Phone",
    "address": "BillingStreet",
    "city": "BillingCity",
    "state": "BillingState",
    "zip": "BillingPostalCode",
    "country": "BillingCountry",
    "numberofemployees": "NumberOfEmployees",
    "annualrevenue": "AnnualRevenue",
    "description": "Description",
    "hubspot_owner_id": "OwnerId",
}
_DEAL = {
    "dealname": "Name",
    "amount": "Amount",
    "closedate": "CloseDate",
    "dealstage": "StageName",
    "hubspot_owner_id": "OwnerId",
}


def _pairs(names: dict[str, str]) -> tuple[DefaultMapping, ...]:
    return tuple(DefaultMapping(ours, theirs) for ours, theirs in names.items())


MANIFEST = Manifest(
    name="salesforce",
    label="Salesforce",
    summary="Contacts, accounts, opportunities, leads and custom objects of one org.",
    questions=(
        Question(
            "url",
            "Address of your org (My Domain)",
            "https://acme.my.salesforce.com",
            pattern="https?://.+",
        ),
        Question("token", "Access token, for a try", secret=True, optional=True),
        *CLIENT,
        *KEPT,
    ),
    # Of a Developer Edition, the smallest; every answer tells what this org has (row "Limits").
    limits=(Limit(DAY, 15_000, timedelta(days=1)), Limit("at once", 25, timedelta(0), True)),
    defaults={"contact": _pairs(_CONTACT), "company": _pairs(_COMPANY), "deal": _pairs(_DEAL)},
    objects={"contact": "Contact", "company": "Account", "deal": "Opportunity"},
    address="url",
    # Row "OAuth": "OAuth Authorization Flows" of Salesforce Help; on the org's own host.
    oauth=OAuth(
        authorize="{url}/services/oauth2/authorize",
        token="{url}/services/oauth2/token",  # noqa: S106 - an address
        scopes=("api", "refresh_token"),
        machine=True,
    ),
)
