"""HubSpot's CRM: contacts, companies, deals, tickets, products and custom objects.

Facts about the API are those of its public reference, developers.hubspot.com/docs/api-reference,
version 2026-09, told again by hand. Read in this order: `calls` (how it answers), `properties`
(what an object has), `values` (how a value is written), `records`, `feed` (what changed), `writes`,
`relations` (associations), `connector` (all of it behind the contract).
"""

from twofold.connectors.hubspot.connector import HubSpot

__all__ = ["HubSpot"]
