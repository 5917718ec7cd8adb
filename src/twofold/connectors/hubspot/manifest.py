"""What the connector says about itself without a call."""

from __future__ import annotations

from datetime import timedelta

from twofold.connectors.hubspot.calls import DAY, SEARCHES, TEN_SECONDS
from twofold.connectors.hubspot.objects import STANDARD
from twofold.connectors.hubspot.paths import VERSION
from twofold.kit.contract import DefaultMapping, Limit, Manifest, OAuth, Question, Scopes
from twofold.kit.oauth import CLIENT, KEPT

_CONTACT = (
    *("email", "firstname", "lastname", "phone", "mobilephone", "company", "jobtitle", "website"),
    *("address", "city", "state", "zip", "country", "lifecyclestage", "hubspot_owner_id"),
)
_COMPANY = (
    *("name", "domain", "website", "phone", "address", "city", "state", "zip", "country"),
    *("industry", "numberofemployees", "annualrevenue", "description", "hubspot_owner_id"),
)
_DEAL = ("dealname", "amount", "closedate", "pipeline", "dealstage", "hubspot_owner_id")


def _same(*names: str) -> tuple[DefaultMapping, ...]:
    return tuple(DefaultMapping(name, name) for name in names)


def _scopes(plural: str) -> Scopes:
    """What an object needs (row "Scopes": "Scopes" of the reference)."""
    always = ("crm.objects.owners.read", f"crm.schemas.{plural}.read")
    read = (*always, f"crm.objects.{plural}.read")
    return Scopes(read, (*read, f"crm.objects.{plural}.write"))


MANIFEST = Manifest(
    name="hubspot",
    label="HubSpot",
    summary="Contacts, companies, deals, tickets, products and custom objects of one account.",
    questions=(
        Question(
            "token", "Service key or private-app token", "pat-eu1-…", secret=True, optional=True
        ),
        Question(
            "url",
            "Address of the API",
            "https://api.hubapi.com",
            pattern="https?://.+",
            default="https://api.hubapi.com",
        ),
        Question(
            "authorize",
            "Address of the page that signs in",
            "https://app-eu1.hubspot.com/oauth/authorize",
            pattern="https?://.+",
            default="https://app.hubspot.com/oauth/authorize",
        ),
        *CLIENT,
        *KEPT,
    ),
    # The least that an account has; answers tell what this one has (row "Limits").
    limits=(
        Limit(TEN_SECONDS, 100, timedelta(seconds=10)),
        Limit(DAY, 250_000, timedelta(days=1)),
        Limit(SEARCHES, 5, timedelta(seconds=1)),
    ),
    defaults={
        "contact": (
            *_same(*_CONTACT),
            DefaultMapping("hs_additional_emails", "hs_additional_emails", to_app=False),
        ),
        "company": _same(*_COMPANY),
        "deal": _same(*_DEAL),
    },
    objects={name: name for name in ("contact", "company", "deal")},
    address="url",
    oauth=OAuth(
        authorize="{authorize}",
        token="{url}" + f"/oauth/{VERSION}/token",
        scopes=("oauth", "crm.objects.owners.read"),
        optional=tuple(
            scope
            for kind in STANDARD.values()
            for scope in _scopes(kind.plural).write
            if scope != "crm.objects.owners.read"
        ),
    ),
    scopes={kind.name: _scopes(kind.plural) for kind in STANDARD.values()},
)
