"""The demo's shop: an SQLite database with customers and companies, used past Twofold."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from twofold.demo.people import LONGEST_TITLE, Cast, Place

_TABLES = f"""
CREATE TABLE companies (
    id INTEGER PRIMARY KEY,
    name VARCHAR(120) NOT NULL,
    website VARCHAR(200),
    phone VARCHAR(32),
    city VARCHAR(60),
    country VARCHAR(60)
);
CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    email VARCHAR(120),
    first_name VARCHAR(60),
    last_name VARCHAR(60) NOT NULL,
    phone VARCHAR(32),
    job_title VARCHAR({LONGEST_TITLE}),
    city VARCHAR(60),
    country VARCHAR(60),
    company_id INTEGER REFERENCES companies (id)
);
"""
_COMPANY = "INSERT INTO companies (name, website, phone, city, country) VALUES (?, ?, ?, ?, ?)"
_CUSTOMER = (
    "INSERT INTO customers (email, first_name, last_name, phone, job_title, city, country,"
    " company_id) VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT id FROM companies WHERE name = ?))"
)


class Shop:
    """The shop as its own people use it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def url(self) -> str:
        """Its address for the connector."""
        return f"sqlite:///{self.path}"

    def open(self, cast: Cast) -> None:
        """Make the tables and fill them with what the shop knows before the first sync."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executescript(_TABLES)
            for firm in cast.firms_in(Place.SHOP):
                values = (firm.name, firm.website, firm.phone, firm.city, firm.country)
                connection.execute(_COMPANY, values)
            for person in cast.known_in(Place.SHOP):
                firm_name = person.firm.name if person.firm else None
                connection.execute(
                    _CUSTOMER,
                    (
                        person.email or None,
                        person.first,
                        person.last,
                        person.phone,
                        person.title,
                        person.city,
                        person.country,
                        firm_name,
                    ),
                )

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Read rows."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def customer(self, email: str) -> dict[str, Any]:
        """One customer with the name of the company; empty where there is none."""
        found = self.rows(
            "SELECT customers.*, companies.name AS company FROM customers"
            " LEFT JOIN companies ON companies.id = company_id WHERE email = ?",
            (email,),
        )
        return found[0] if found else {}

    def call(self, email: str, phone: str) -> None:
        """Somebody in the shop corrects a phone number."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("UPDATE customers SET phone = ? WHERE email = ?", (phone, email))

    def content(self) -> list[str]:
        """Everything that is in it, to tell whether anything was written."""
        with closing(sqlite3.connect(self.path)) as connection:
            return list(connection.iterdump())
