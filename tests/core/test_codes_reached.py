"""Every error of configuration is reached by a test, and by name."""

from __future__ import annotations

from tools.tree import ROOT

from twofold.core.codes import CODES

GROUPS = "EFLMY"
"""Edits and plans, fields and mappings, limits, matching, documents."""


def test_each_error_of_configuration_is_named_by_a_test() -> None:
    here = ROOT / "tests" / "core" / "test_codes_reached.py"
    pages = [p.read_text() for p in (ROOT / "tests").rglob("*.py") if p != here]
    wanted = {code for code in CODES if code[3] in GROUPS}
    missing = {code for code in wanted if not any(code in page for page in pages)}
    assert missing == set(), "write a test that ends in it"
