"""The simulated org refuses what Salesforce refuses, and a client of others works with it.

Each refusal cites its row of the facts about the API.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from requests import Session
from simple_salesforce.api import Salesforce as Client
from simple_salesforce.exceptions import SalesforceMalformedRequest
from tests.connectors.salesforce.serving import serving

from twofold.simulators.salesforce import Server

ROOT = "/services/data/v62.0"
QUERY = f"{ROOT}/query?q="


@pytest.fixture(scope="module")
def org() -> Iterator[tuple[Server, str]]:
    server = Server()
    with serving(server) as address:
        yield server, address


def asked(org: tuple[Server, str], method: str, path: str, body: Any = None) -> tuple[int, Any]:
    server, address = org
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path.replace(" ", "%20"), data, method=method)
    request.add_header("Authorization", f"Bearer {server.session()}")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


RECORD = {"attributes": {"type": "Contact"}, "LastName": "One"}
REFUSED: list[tuple[str, str, str, Any, int, str]] = [
    ("List: AND beside OR needs parentheses", "GET", QUERY
     + "SELECT Id FROM Contact WHERE Email = 'a' OR Email = 'b' AND LastName = 'c'",
     None, 400, "MALFORMED_QUERY"),
    ("List: texts stand between single quotes", "GET",
     QUERY + 'SELECT Id FROM Contact WHERE Email = "a"', None, 400, "MALFORMED_QUERY"),
    ("List: no star", "GET", QUERY + "SELECT * FROM Contact", None, 400, "MALFORMED_QUERY"),
    ("List: a quote ends a text", "GET",
     QUERY + "SELECT Id FROM Contact WHERE LastName = 'O'Neil'", None, 400, "MALFORMED_QUERY"),
    ("List: fields are those of describe", "GET", QUERY + "SELECT Nope FROM Contact",
     None, 400, "INVALID_FIELD"),
    ("List: objects are those of describe", "GET", QUERY + "SELECT Id FROM Nope",
     None, 400, "INVALID_TYPE"),
    ("Metadata: filterable", "GET",
     QUERY + "SELECT Id FROM Account WHERE Description = 'x'", None, 400, "INVALID_FIELD"),
    ("List: the address is at most 16 KB", "GET",
     QUERY + "SELECT Id FROM Contact WHERE LastName = '" + "x" * 17_000 + "'",
     None, 414, "URI_TOO_LONG"),
    ("Batch: at most 200", "POST", f"{ROOT}/composite/sobjects",
     {"allOrNone": False, "records": [RECORD] * 201}, 400, "INVALID_INPUT"),
    ("Batch: each record has its type", "POST", f"{ROOT}/composite/sobjects",
     {"allOrNone": False, "records": [{"LastName": "One"}]}, 400, "INVALID_TYPE"),
    ("Batch: unknown field", "POST", f"{ROOT}/composite/sobjects",
     {"allOrNone": False, "records": [{**RECORD, "Nope": 1}]}, 400, "INVALID_FIELD"),
    ("Batch: at most 2,000 are read", "POST", f"{ROOT}/composite/sobjects/Contact",
     {"ids": ["003"] * 2_001, "fields": ["Id"]}, 400, "INVALID_INPUT"),
    ("Base URL: versions", "GET", "/services/data/v1.0/sobjects", None, 404, "NOT_FOUND"),
    ("Objects", "GET", f"{ROOT}/sobjects/Nope/describe", None, 404, "NOT_FOUND"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_what_salesforce_would_refuse(
    org: tuple[Server, str], method: str, path: str, body: Any, status: int, code: str
) -> None:
    got, answer = asked(org, method, path, body)
    assert (got, answer[0]["errorCode"]) == (status, code)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, "REQUIRED_FIELD_MISSING"),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG"),
        ({"LastName": "x", "Email": "no address"}, "INVALID_EMAIL_ADDRESS"),
        ({"LastName": "x", "Level__c": "Tertiary"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"LastName": "x", "Name": "told"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"LastName": "x", "AccountId": "001nothing"}, "MALFORMED_ID"),
    ],
)
def test_a_record_that_is_refused_leaves_the_others(
    org: tuple[Server, str], values: dict[str, Any], code: str
) -> None:
    bad = {"attributes": {"type": "Contact"}, **values}
    body = {"allOrNone": False, "records": [RECORD, bad, RECORD]}
    status, answer = asked(org, "POST", f"{ROOT}/composite/sobjects", body)
    assert status == 200
    assert [one["success"] for one in answer] == [True, False, True]
    assert answer[1]["errors"][0]["statusCode"] == code


def _certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for this machine's loopback address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rehearsal")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "rehearsal.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, pem


def test_the_widely_used_client_works_with_it(tmp_path: Path) -> None:
    server = Server()
    tls, pem = _certificate(tmp_path)
    with serving(server, tls) as address, Session() as session:
        session.verify = str(pem)
        session.trust_env = False  # or a bundle that the environment names takes its place
        client: Any = Client(
            instance_url=address, session_id=server.session(), session=session, version="62.0"
        )
        assert "Contact" in {one["name"] for one in client.describe()["sobjects"]}
        assert client.Contact.describe()["fields"]
        account = client.Account.create({"Name": "Acme"})["id"]
        made = client.Contact.create({"LastName": "Ünal", "AccountId": account})["id"]
        client.Contact.update(made, {"Email": "u@example.org", "Topics__c": "News;Events"})
        shown = client.Contact.get(made)
        assert (shown["Name"], shown["Email"]) == ("Ünal", "u@example.org")
        found = client.query(f"SELECT Id, Email FROM Contact WHERE AccountId = '{account}'")
        assert [row["Id"] for row in found["records"]] == [made]
        with pytest.raises(SalesforceMalformedRequest, match="MALFORMED_QUERY"):
            client.query("SELECT FROM Contact")
        for number in range(2_100):
            server.org.create("Lead", {"LastName": f"L{number}", "Company": "Acme"})
        assert client.query_all("SELECT Id FROM Lead")["totalSize"] == 2_100
        assert len(client.query_all("SELECT Id FROM Lead")["records"]) == 2_100
        client.Contact.delete(made)
        assert client.query("SELECT Id FROM Contact")["totalSize"] == 0
        gone = client.query("SELECT Id, IsDeleted FROM Contact", include_deleted=True)
        assert gone["records"][0]["IsDeleted"] is True
        assert client.limits()["DailyApiRequests"]["Max"] == 15_000
