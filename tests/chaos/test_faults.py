"""Real processes under other blows than kill -9: a full disk, a server that goes away, Ctrl-C.

Each is followed by a run to the end, and by the same checks from outside as after the kills.
"""

from __future__ import annotations

import json
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chaos.__main__ import prepared
from tests.chaos.book import BookApp
from tests.chaos.checks import verdict
from tests.chaos.companies import Expected
from tests.chaos.subject import Ended, Subject

_PATIENCE = 120.0


def _when(process: subprocess.Popen[str], holds: Callable[[], bool]) -> None:
    """Wait until something holds; the process must not end before."""
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert process.poll() is None, f"it ended before: {process.communicate()}"
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.001)


def _error(ended: Ended) -> dict[str, Any]:
    """The one coded error of a run, however it was told."""
    assert "Traceback" not in ended.out + ended.err
    told = json.loads(ended.out)
    found: dict[str, Any] = told["error"] if "error" in told else told["runs"][0]
    assert found["sentence"]
    assert found["advice"]
    return found


def _assert_kept(subject: Subject, known: Expected) -> None:
    assert verdict(subject, known, subject.run()).broken == []


# --- no room ------------------------------------------------------------------------------------


def _largest(folder: Path) -> int:
    return max(path.stat().st_size for path in folder.iterdir())


@pytest.mark.parametrize("room", [50_000, 400_000])
def test_files_that_may_not_grow(room: int) -> None:
    """A limit on the size of files, as a quota of a host sets it (setrlimit(2), RLIMIT_FSIZE)."""
    with prepared("sqlite", 600) as (subject, known):
        most = _largest(subject.folder) + room
        process = subject.start_run()
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
        ended = subject.ended(process)
        assert ended.code == 1
        assert _error(ended)["code"] in {"TF-S05", "TF-S08"}
        _assert_kept(subject, known)


def _mount(*options: str, folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    assert _mount("-o", "size=64m", folder=folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _may_mount() -> bool:
    """Only root may; elsewhere the limit above stands for a full disk."""
    if shutil.which("mount") is None:
        return False
    with_namespace = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(with_namespace, check=False, capture_output=True).returncode == 0


if _may_mount():

    @pytest.mark.parametrize("room", [64_000, 600_000])
    def test_a_full_disk(small_disk: Path, room: int) -> None:
        with prepared("sqlite", 600) as (subject, known):
            moved = Subject(Path(shutil.move(subject.folder, small_disk)), subject.app)
            used = shutil.disk_usage(small_disk).used
            assert _mount("-o", f"remount,size={used + room}", folder=small_disk)
            ended = moved.run()
            assert ended.code == 1
            assert _error(ended)["code"] == "TF-S05"
            assert _mount("-o", "remount,size=64m", folder=small_disk)
            _assert_kept(moved, known)

else:
    print("only root may make a small disk: the tests on one do not exist here")


# --- a server that goes away ----------------------------------------------------------------------


@pytest.mark.parametrize("back_at_once", [True, False])
def test_the_address_book_s_server_stops_in_mid_run(back_at_once: bool) -> None:
    with prepared("carddav", 80) as (subject, known):
        app = subject.app
        assert isinstance(app, BookApp)
        process = subject.start_run()
        _when(process, lambda: app.proxy.done > 5)
        app.server.stop()
        if back_at_once:
            app.server.start()
        ended = subject.ended(process)
        if not back_at_once:
            assert ended.code == 3
            assert _error(ended)["code"] in {"TF-C01", "TF-C03"}
            app.server.start()
        assert ended.code in {0, 3}, ended
        _assert_kept(subject, known)


# --- Ctrl-C ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("app", ["sqlite", "carddav"])
def test_ctrl_c_while_a_write_is_in_flight(app: str) -> None:
    with prepared(app, 80 if app == "carddav" else 600) as (subject, known):
        process = subject.start_run()
        _when(process, subject.app.in_flight)
        process.send_signal(signal.SIGINT)
        ended = subject.ended(process)
        assert ended.code == 130
        assert _error(ended)["code"] == "TF-U16"
        _assert_kept(subject, known)
