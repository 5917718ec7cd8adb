"""The key of the credentials: from a file, the environment or a command; and a new one."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tests.interfaces.program import Program, connected

from twofold.core.errors import TwofoldError
from twofold.store import vault_key
from twofold.store.secrets import Vault

ONE, OTHER = "11" * 32, "22" * 32


def _opens(program: Program, env: dict[str, str] | None = None) -> bool:
    return program("connection", "test", "shop", code=None, env=env).code == 0


def _sealed(program: Program) -> bytes:
    ((found,),) = program.state("SELECT secrets FROM connections WHERE label = 'shop'")
    return bytes(found)


def _kept(program: Program) -> bytes:
    return b"".join(p.read_bytes() for p in program.folder.glob("state.db*"))


def test_after_a_rotation_the_old_key_opens_nothing(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    old, before = (program.folder / "key").read_bytes(), _sealed(program)
    assert program.json("key", "rotate")["rotated"] == {"connections": 1, "source": "file"}
    key = program.folder / "key"
    assert key.read_bytes() != old
    assert key.stat().st_mode & 0o777 == 0o600
    assert not (program.folder / "key.new").exists()
    assert _opens(program)
    assert before not in _kept(program), "what the old key opens is overwritten"
    key.write_bytes(old)
    assert program("connection", "test", "shop", code=1).error == "TF-S22"


@pytest.mark.parametrize("moment", ["seal_again", "adopt"])
@pytest.mark.parametrize("done", [False, True])
def test_a_crash_at_any_moment_leaves_what_opens(
    moment: str, done: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends right before or right after one of its two steps."""
    from twofold.store.syncs import Syncs

    class PowerCut(BaseException):
        pass

    owner = Syncs if moment == "seal_again" else vault_key
    real = getattr(owner, moment)

    def cut(*given: object) -> None:
        if done:
            real(*given)
        raise PowerCut

    program, _ = connected(tmp_path)
    old = (program.folder / "key").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(owner, moment, cut)
        with pytest.raises(PowerCut):
            program("key", "rotate")
    assert _opens(program)
    program("connection", "reconnect", "shop", "--set", "changes=people=-")
    assert _opens(program), "what is sealed in between opens too"
    program("key", "rotate")
    assert _opens(program)
    assert not (program.folder / "key.new").exists()
    with pytest.raises(TwofoldError, match="cannot be opened"):
        Vault(old).open(_sealed(program), "sql", {"changes": "people=-"})


def test_a_key_from_the_environment_makes_no_file(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    program("key", "rotate", env={"TWOFOLD_KEY": ONE})  # from the file to the environment
    (program.folder / "key").unlink()
    assert _opens(program, {"TWOFOLD_KEY": ONE})
    in_base64 = base64.b64encode(bytes.fromhex(ONE)).decode()
    assert _opens(program, {"TWOFOLD_KEY": in_base64})
    assert not (program.folder / "key").exists()
    assert not _opens(program, {"TWOFOLD_KEY": OTHER})
    moved = {"TWOFOLD_KEY": OTHER, "TWOFOLD_KEY_OLD": ONE}
    assert program.json("connection", "list")  # names need no key
    program("key", "rotate", env=moved)
    assert _opens(program, {"TWOFOLD_KEY": OTHER})
    assert not _opens(program, {"TWOFOLD_KEY": ONE})


def test_a_key_from_a_command(tmp_path: Path) -> None:
    program, _ = connected(tmp_path)
    ring = tmp_path / "ring"
    ring.write_text(f"{ONE}\n")
    env = {"TWOFOLD_KEY_COMMAND": f"cat {ring}"}
    program("key", "rotate", env=env)
    (program.folder / "key").unlink()
    assert _opens(program, env)


@pytest.mark.parametrize(
    "env",
    [
        {"TWOFOLD_KEY": "too short"},
        {"TWOFOLD_KEY": "zz" * 32},
        {"TWOFOLD_KEY_COMMAND": "false"},
        {"TWOFOLD_KEY_COMMAND": "/no/such/program"},
        {"TWOFOLD_KEY_COMMAND": "echo 'unbalanced"},
    ],
    ids=str,
)
def test_what_is_no_key_is_refused_and_not_repeated(env: dict[str, str], tmp_path: Path) -> None:
    answer = Program(tmp_path)("connection", "list", code=1, env=env)
    assert answer.error == "TF-S23"
    assert "zz" not in answer.err
