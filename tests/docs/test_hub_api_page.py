"""The program on the page about the hub's API runs as it stands, against the service."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from tests.service.service import service
from tools.tree import ROOT

PAGE = ROOT / "docs" / "how-to" / "use-the-hub-api.md"


def test_the_program_prints_what_the_page_says(tmp_path: Path) -> None:
    pattern = r"^```python\n(.*?)^```\n\n```\n(.*?)^```"
    found = re.search(pattern, PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    program, expected = found.groups()
    with service(tmp_path / "data") as up:
        secret = up.program("hub", "token", "make", "reports").out.strip()
        program = program.replace("pat-tf1-…", secret).replace("http://127.0.0.1:8080", up.url)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(program, str(PAGE), "exec"), {})
        assert printed.getvalue() == expected
        # Only a digest of the token is kept, and its scopes and name are listed.
        assert secret.encode() not in (tmp_path / "data" / "hub.db").read_bytes()
        (listed,) = up.program.json("hub", "token", "list")["tokens"]
        assert (listed["name"], len(listed["scopes"])) == ("reports", 14)
        up.program("hub", "token", "revoke", "reports")
        assert up.program.json("hub", "token", "revoke", "reports", code=1)
        wrong = ("hub", "token", "make", "x", "--scope", "crm.everything")
        assert up.program(*wrong, code=1).error == "TF-W19"
