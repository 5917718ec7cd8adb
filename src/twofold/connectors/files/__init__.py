"""CSV, Excel and JSON Lines files as an app."""

from twofold.connectors.files.connector import Files

__all__ = ["Files"]
