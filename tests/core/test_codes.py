"""The registry of errors."""

from __future__ import annotations

import pytest

from twofold.core.codes import CODES, Code


@pytest.mark.parametrize("entry", CODES.values(), ids=list(CODES))
def test_an_entry_reads_well(entry: Code) -> None:
    assert entry.sentence.endswith(".")
    assert entry.advice.endswith(".")
    assert not {"{", "}"} & set(entry.advice), "advice is shown as it is, without facts"
