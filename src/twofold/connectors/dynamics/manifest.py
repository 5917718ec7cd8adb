"""What the connector says about itself without a call."""

from __future__ import annotations

from datetime import timedelta

from twofold.connectors.dynamics.calls import AT_ONCE, REQUESTS
from twofold.kit.contract import DefaultMapping, Limit, Manifest, OAuth, Question
from twofold.kit.oauth import CLIENT, KEPT

_ADDRESS = {
    "address": "address1_line1",
    "city": "address1_city",
    "state": "address1_stateorprovince",
    "zip": "address1_postalcode",
    "country": "address1_country",
    "hubspot_owner_id": "ownerid",
}
_CONTACT = {
    "email": "emailaddress1",
    "firstname": "firstname",
    "lastname": "lastname",
    "phone": "telephone1",
    "mobilephone": "mobilephone",
    "jobtitle": "jobtitle",
    **_ADDRESS,
}
_COMPANY = {
    "name": "name",
    "website": "websiteurl",
    "phone": "telephone1",
    "numberofemployees": "numberofemployees",
    "annualrevenue": "revenue",
    "description": "description",
    **_ADDRESS,
}
_DEAL = {
    "dealname": "name",
    "amount": "estimatedvalue",
    "closedate": "estimatedclosedate",
    "hubspot_owner_id": "ownerid",
}


def _pairs(names: dict[str, str]) -> tuple[DefaultMapping, ...]:
    return tuple(DefaultMapping(ours, theirs) for ours, theirs in names.items())


MANIFEST = Manifest(
    name="dynamics",
    label="Dynamics 365",
    summary="Contacts, accounts, opportunities, leads and custom tables of one environment.",
    questions=(
        Question(
            "url",
            "Address of your environment",
            "https://acme.crm4.dynamics.com",
            pattern="https?://.+",
        ),
        Question(
            "tenant",
            "Tenant: its ID or domain",
            "acme.onmicrosoft.com",
            pattern=r"[A-Za-z0-9.\-]+",
            default="organizations",
        ),
        Question(
            "login",
            "Address of the sign-in",
            "https://login.microsoftonline.us",
            pattern="https?://.+",
            default="https://login.microsoftonline.com",
        ),
        Question("token", "Access token, for a try", secret=True, optional=True),
        *CLIENT,
        *KEPT,
    ),
    # For each user and each server of the environment (row "Limits"); trials have one server.
    limits=(
        Limit(REQUESTS, 6_000, timedelta(minutes=5)),
        Limit(AT_ONCE, 20, timedelta(0), concurrent=True),
    ),
    defaults={"contact": _pairs(_CONTACT), "company": _pairs(_COMPANY), "deal": _pairs(_DEAL)},
    objects={"contact": "contact", "company": "account", "deal": "opportunity"},
    address="url",
    # Row "Auth": "Use OAuth authentication with Microsoft Dataverse".
    oauth=OAuth(
        authorize="{login}/{tenant}/oauth2/v2.0/authorize",
        token="{login}/{tenant}/oauth2/v2.0/token",  # noqa: S106 - an address
        scopes=("{url}/user_impersonation", "offline_access"),
        machine=True,
        machine_scopes=("{url}/.default",),
    ),
)
