"""What no program can do without: fetch the same bytes and turn them into Python values.

Nothing of Twofold is imported here. ``python -m benchmarks.floor json HUB APP`` prints one line of
JSON: how many records there were, and the CPU seconds that they took, the start-up left out.
"""

from __future__ import annotations

import base64
import http.client
import re
import sqlite3
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import orjson

PAGE = 200
"""Cards of one multiget."""
USER = ("ada", "correct horse")


def json_records(address: str) -> Iterator[list[Any]]:
    """The pages of a listing, over one connection that is kept."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    after = "0"
    while after:
        connection.request("GET", f"/records?after={after}")
        page = orjson.loads(connection.getresponse().read())
        yield page["results"]
        after = page["next"]
    connection.close()


def table_rows(address: str) -> Iterator[list[Any]]:
    """The rows of a table, by pages of its key."""
    db = sqlite3.connect(address)
    db.row_factory = sqlite3.Row
    last = 0
    while rows := db.execute(
        "SELECT * FROM people WHERE id > ? ORDER BY id LIMIT 2000", (last,)
    ).fetchall():
        last = rows[-1]["id"]
        yield [dict(row) for row in rows]
    db.close()


def cards(address: str) -> Iterator[list[Any]]:
    """The cards of an address book: one listing, then 200 with each request."""
    url, book = address.split("|")
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    listed = _report(connection, book, _LISTING)
    hrefs = [r.findtext(f"{_DAV}href") or "" for r in listed.iter(f"{_DAV}response")]
    for start in range(0, len(hrefs), PAGE):
        asked = "".join(f"<D:href>{href}</D:href>" for href in hrefs[start : start + PAGE])
        answer = _report(connection, book, _MULTIGET % asked)
        yield [_card(data.text or "") for data in answer.iter(f"{_CARD}address-data")]
    connection.close()


_DAV, _CARD = "{DAV:}", "{urn:ietf:params:xml:ns:carddav}"
_LISTING = """<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>1</D:sync-level>
<D:prop><D:getetag/></D:prop></D:sync-collection>"""
_MULTIGET = """<C:addressbook-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav">
<D:prop><D:getetag/><C:address-data/></D:prop>%s</C:addressbook-multiget>"""


def _report(connection: http.client.HTTPConnection, book: str, body: str) -> ET.Element:
    secret = base64.b64encode(":".join(USER).encode()).decode()
    headers = {"Authorization": f"Basic {secret}", "Depth": "1", "Content-Type": "application/xml"}
    connection.request("REPORT", f"/{USER[0]}/{book}/", body.encode(), headers)
    return ET.fromstring(connection.getresponse().read())


def _card(text: str) -> dict[str, list[str]]:
    """The lines of a vCard by the name of their property (RFC 6350, section 3.3)."""
    found: dict[str, list[str]] = {}
    for line in re.sub(r"\r?\n[ \t]", "", text).splitlines():
        head, _, value = line.partition(":")
        found.setdefault(head.partition(";")[0].upper(), []).append(value)
    return found


SOURCES = {"json": json_records, "sql": table_rows, "carddav": cards}


def measure(kind: str, addresses: list[str]) -> dict[str, float]:
    """Fetch both sides and decode every record."""
    records = 0
    begun = time.process_time()
    for address in addresses:
        for page in SOURCES[kind](address):
            records += len(page)
    return {"records": records, "cpu": time.process_time() - begun}


if __name__ == "__main__":
    print(orjson.dumps(measure(sys.argv[1], sys.argv[2:])).decode())
