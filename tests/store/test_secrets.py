"""Credentials at rest open with their own key only."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofold.core.errors import TwofoldError
from twofold.store.secrets import Vault

KEY = bytes(range(32))
SECRETS = {"password": "Tr0ub4dor&3 ❤", "user": ""}
FOR = ("carddav", {"url": "https://cards.example"})
"""The app and the settings that credentials are sealed for."""


def refused(vault: Vault, sealed: bytes) -> bool:
    with pytest.raises(TwofoldError) as caught:
        vault.open(sealed, *FOR)
    assert "Tr0ub4dor" not in str(caught.value)
    return caught.value.code == "TF-S22"


@given(st.dictionaries(st.text(), st.text()))
def test_what_is_sealed_opens_again_and_shows_nothing(secrets: dict[str, str]) -> None:
    vault = Vault(KEY)
    sealed = vault.seal(secrets, *FOR)
    assert vault.open(sealed, *FOR) == secrets
    assert Vault(KEY).open(sealed, *FOR) == secrets
    assert vault.seal(secrets, *FOR) != sealed
    assert not any(len(v) > 3 and v.encode() in sealed for v in secrets.values())


def test_another_key_opens_nothing() -> None:
    assert refused(Vault(KEY[::-1]), Vault(KEY).seal(SECRETS, *FOR))


def test_not_one_byte_may_change() -> None:
    vault = Vault(KEY)
    sealed = vault.seal(SECRETS, *FOR)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        assert refused(vault, bytes(changed))


def test_they_open_for_nothing_else() -> None:
    sealed = Vault(KEY).seal(SECRETS, *FOR)
    for other in (("sql", FOR[1]), ("carddav", {"url": "https://elsewhere.example"})):
        with pytest.raises(TwofoldError, match="cannot be opened"):
            Vault(KEY).open(sealed, *other)


@pytest.mark.parametrize("length", [0, 5, 12, 20])
def test_a_piece_of_it_opens_nothing(length: int) -> None:
    assert refused(Vault(KEY), Vault(KEY).seal(SECRETS, *FOR)[:length])


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key"
    sealed = Vault.at(path).seal(SECRETS, *FOR)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 32
    assert Vault.at(path).open(sealed, *FOR) == SECRETS
    assert refused(Vault.at(tmp_path / "other"), sealed)


@pytest.mark.parametrize("content", [b"", b"short", KEY + b"\n"])
def test_a_file_that_holds_no_key_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(TwofoldError, match="key") as caught:
        Vault.at(path)
    assert caught.value.code == "TF-S21"
    assert path.read_bytes() == content
