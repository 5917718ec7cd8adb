"""Two installations: one signs in at the other's hub as at HubSpot, by the page of consent."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.api.client import Client, administrator
from tests.interfaces.program import rows
from tests.service.service import service

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _allowed(person: Client, address: str, *, allow: bool = True) -> str:
    """What a person does in a browser: read the page, press the button; returns where it leads."""
    parts = urlsplit(address)
    page = person.raw("GET", f"{parts.path}?{parts.query}").body.decode()
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
    assert "crm.objects.contacts.read" in page
    if allow:
        fields["allow"] = "yes"
    fields = {name: value.replace("&amp;", "&") for name, value in fields.items()}
    answer = person.raw("POST", parts.path, raw=urlencode(fields).encode(), headers=FORM)
    assert answer.status == 303, answer.body
    return str(answer.headers["location"])


def test_authorize_code_token_and_a_connection_that_works(tmp_path: Path) -> None:
    with service(tmp_path / "theirs") as theirs, service(tmp_path / "ours") as ours:
        their_admin, our_admin = administrator(theirs), administrator(ours)
        back = f"{ours.url}/oauth/callback"
        made = theirs.program.json("hub", "client", "make", "twofold", "--redirect", back)
        answers = {
            "url": theirs.url,
            "authorize": f"{theirs.url}/oauth/authorize",
            "client_id": made["client"]["id"],
            "client_secret": made["secret"],
        }
        given = {"app": "hubspot", "answers": answers, "label": "their-hub"}
        address = our_admin("POST", "/sign-ins", given, status=201).json["address"]

        # Who has not signed in there is asked to, and who refuses is sent back without a code.
        stranger = Client(theirs.url).raw("GET", f"/oauth/authorize?{urlsplit(address).query}")
        assert (stranger.status, "/sign-in" in stranger.headers["location"]) == (303, True)
        refused = _allowed(their_admin, address, allow=False)
        assert parse_qs(urlsplit(refused).query)["error"] == ["access_denied"]

        led = urlsplit(_allowed(their_admin, address))
        assert f"{led.scheme}://{led.netloc}{led.path}" == back
        done = our_admin.raw("GET", f"{led.path}?{led.query}")
        assert done.status == 303, done.body
        shown = our_admin("GET", "/connections/their-hub").json
        assert "client_id" in shown["settings"]
        assert {"refresh_token", "access_token", "client_secret"} <= set(shown["hidden"])
        assert our_admin("POST", "/connections/their-hub/test").json["label"]
        names = [
            kind["name"]
            for kind in our_admin("GET", "/connections/their-hub/object-types").json["object_types"]
        ]
        assert names == ["contact", "company", "deal"]

        # A code counts once, and a state of nobody's leads nowhere.
        again = our_admin.raw("GET", f"{led.path}?{led.query}")
        assert "TF-A50" in again.body.decode()

        # The access token is over: it is refreshed, and the new one is kept, sealed.
        before = rows(ours.folder / "state.db", "SELECT secrets FROM connections WHERE id > 0")
        with closing(sqlite3.connect(theirs.folder / "hub.db")) as db, db:
            db.execute("DELETE FROM api_token WHERE name LIKE 'oauth:%'")
        assert our_admin("POST", "/connections/their-hub/test").json["label"]
        after = rows(ours.folder / "state.db", "SELECT secrets FROM connections WHERE id > 0")
        assert before != after

        # The client is removed there: a person here is told to sign in again.
        theirs.program("hub", "client", "remove", "twofold")
        told = our_admin("POST", "/connections/their-hub/test", status=502)
        assert told.code == "TF-A01"
