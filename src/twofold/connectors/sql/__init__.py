"""Databases as apps: tables and views are object types, rows are records."""

from twofold.connectors.sql.connector import Sql

__all__ = ["Sql"]
