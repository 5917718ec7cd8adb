"""Dynamics 365: contacts, accounts, opportunities, leads and custom tables of one environment.

Facts about the API are those of Microsoft's documentation of the Dataverse Web API, told again by
hand. Read in this order: `calls` and `batches` (how it answers), `schema` (what a table has),
`values` (how a value is written), `feed` (what changed), `writes`, `connector` (all of it behind
the contract).
"""

from twofold.connectors.dynamics.connector import Dynamics

__all__ = ["Dynamics"]
