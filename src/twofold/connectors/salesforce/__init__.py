"""Salesforce: contacts, accounts, opportunities, leads and custom objects of one org.

Facts about the API are those of Salesforce's REST API Developer Guide, told again by hand. Read in
this order: `calls` (how it answers), `schema` (what an object has), `values` (how a value is
written), `feed` (what changed), `writes`, `connector` (all of it behind the contract).
"""

from twofold.connectors.salesforce.connector import Salesforce

__all__ = ["Salesforce"]
