"""CardDAV address books (RFC 6352): contacts and companies, by vCard 3.0 and 4.0.

Read in this order: `vcard` (content lines), `fields` (what they mean), `feed` (what changed),
`writes` (how a card is changed), `connector` (all of it behind the contract).
"""

from twofold.connectors.carddav.connector import CardDav

__all__ = ["CardDav"]
