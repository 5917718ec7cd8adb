"""An app with a REST API, described by a document and without code."""

from twofold.connectors.rest.connector import Rest

__all__ = ["Rest"]
