"""Back up, restore, and look after an installation (O4)."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.database.errors import DatabaseError, coded, coded_os
from twofold.services.installation import HUB_FILE, Installation
from twofold.services.writer import only_writer

STATE_FILE = "state.db"
KEY_FILE = "key"
_KEYS = (KEY_FILE, f"{KEY_FILE}.new")
"""None, where the key comes from outside; two, where giving credentials a new one broke off."""
_DATABASES = (HUB_FILE, STATE_FILE)
"""The hub first: what the state knows and the hub does not would look deleted."""
_LITTLE = 500 * 1024 * 1024
"""Bytes of free disk below which the doctor warns."""


class Verdict(StrEnum):
    """What the doctor thinks of one thing."""

    GOOD = "ok"
    DOUBTFUL = "warning"
    BAD = "wrong"


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    sentence: str
    advice: str = ""


def backup(folder: Path, target: Path, *, with_key: bool) -> list[str]:
    """Copy both databases into a new folder, also while the service runs; returns the files.

    Raises:
        TwofoldError: TF-S41, the target is there already or cannot be made; TF-S…, a database.
    """
    parts = target.with_name(f"{target.name}.partial")
    names = [name for name in _DATABASES if (folder / name).exists()]
    if target.exists() or not names:
        reason = "it is there already" if target.exists() else f"{folder} holds nothing to copy"
        raise TwofoldError("TF-S41", path=target, reason=reason)
    try:
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir(mode=0o700, parents=True)
        for name in names:
            _copy(folder / name, parts / name)
        if with_key:
            keys = [name for name in _KEYS if (folder / name).is_file()]
            for name in keys:
                shutil.copy2(folder / name, parts / name)
            names += keys
        parts.rename(target)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TwofoldError("TF-S41", path=target, reason=reason) from error
    return names


def restore(folder: Path, source: Path) -> Path | None:
    """Put a backup in place; what was there is kept aside; returns where.

    A key that the backup does not hold stays where it is.

    Raises:
        TwofoldError: TF-U11, the folder is in use; TF-S42, the source is no backup; TF-S02, TF-S04,
            it is damaged, or another program's.
    """
    names = [name for name in (*_DATABASES, *_KEYS) if (source / name).is_file()]
    if STATE_FILE not in names:
        raise TwofoldError("TF-S42", path=source)
    for name in set(names) & set(_DATABASES):
        _check(source / name)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with only_writer(folder):
            aside = _aside(folder, names)
            for name in names:
                shutil.copy2(source / name, folder / name)
                (folder / name).chmod(0o600)
    except OSError as error:
        raise coded_os(error, folder / STATE_FILE) from error
    return aside


def examine(here: Installation) -> list[Finding]:
    """Look at everything that an installation needs."""
    return [
        _of_database("state", here.folder / STATE_FILE),
        _of_database("hub", here.hub_path),
        _of_key(here),
        _of_permissions(here.folder),
        _of_disk(here.folder),
        _of_worker(here),
        *_of_syncs(here),
    ]


def _copy(source: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as old:
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(sqlite3.connect(target)) as new:
                old.backup(new)
    except sqlite3.Error as error:
        raise coded(error, source) or error from error


def _check(path: Path) -> None:
    """Raise DatabaseError unless the file is whole."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise coded(error, path) or error from error
    if verdict != "ok":
        raise DatabaseError("TF-S02", path=str(path), reason=verdict)


def _aside(folder: Path, names: list[str]) -> Path | None:
    """Move what will be replaced, with its logs, out of the way."""
    old = [folder / f"{name}{end}" for name in names for end in ("", "-wal", "-shm")]
    old = [path for path in old if path.exists()]
    if not old:
        return None
    aside = folder / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    aside.mkdir(mode=0o700)
    for path in old:
        path.rename(aside / path.name)
    return aside


def _of_database(what: str, path: Path) -> Finding:
    try:
        _check(path)
    except TwofoldError as error:
        return Finding(what, Verdict.BAD, error.sentence, error.advice)
    size = path.stat().st_size / 1e6
    return Finding(what, Verdict.GOOD, f"{path.name} is whole, {size:.1f} MB.")


def _of_key(here: Installation) -> Finding:
    closed = []
    for connection in here.state.syncs.connections():
        try:
            here.answers(connection)
        except TwofoldError:
            closed.append(connection.label)
    if closed:
        names = ", ".join(closed)
        advice = "Put the right key file back, or reconnect these."
        return Finding("key", Verdict.BAD, f"The key does not open: {names}.", advice)
    return Finding("key", Verdict.GOOD, "The key opens all credentials.")


def _of_permissions(folder: Path) -> Finding:
    paths = [folder / name for name in (*_DATABASES, *_KEYS)]
    seen = [path.name for path in paths if path.exists() and path.stat().st_mode & 0o077]
    if seen:
        advice = "Take the rights of others away: chmod 600."
        return Finding(
            "permissions", Verdict.DOUBTFUL, f"Others may read {', '.join(seen)}.", advice
        )
    return Finding("permissions", Verdict.GOOD, "Only the owner may read the files.")


def _of_disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    sentence = f"{free / 1e9:.1f} GB of the disk are free."
    if free < _LITTLE:
        return Finding("disk", Verdict.DOUBTFUL, sentence, "Free some space.")
    return Finding("disk", Verdict.GOOD, sentence)


def _of_worker(here: Installation) -> Finding:
    silent = here.world.now().timestamp() - here.state.schedule.last_sign()
    if silent < 120:
        return Finding("worker", Verdict.GOOD, "A worker runs the syncs.")
    advice = "Start the service with 'twofold up', unless you run syncs by hand."
    return Finding("worker", Verdict.DOUBTFUL, "No worker runs the syncs.", advice)


def _of_syncs(here: Installation) -> list[Finding]:
    return [
        Finding(f"sync {sync.name}", Verdict.BAD, sync.status.sentence, "See 'twofold status'.")
        for sync in here.state.syncs.all()
        if sync.enabled and sync.status.needs_person
    ]
