"""A real MariaDB server as a separate process, from the system's ``mariadb-server`` package.

::

    with MariaDb() as server:
        server.make_database("shop")
        connector = Sql({"url": server.url("shop")})
        server.execute("shop", "CREATE TABLE ...")

It reads no configuration of the system, listens on a port of its own on the loopback interface,
and keeps its data in a temporary folder. PyPI has no binaries of MariaDB, so the package has to be
installed: a missing one is an error that says so, never a skipped test.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pymysql
from tests.servers.unprivileged import Process, folder_for_server, free_port, remove, run

_READY = "ready for connections"
_SETTINGS = (
    "--bind-address=127.0.0.1",
    "--innodb-buffer-pool-size=32M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-use-native-aio=0",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
)


class MariaDb:
    """One server with one user; a context manager."""

    def __init__(self, *, user: str = "ada", password: str = "correct horse") -> None:
        self.user = user
        self.password = password
        self.port = 0
        """0 until it has started; the same again after a restart."""
        self.folder = Path()
        self.process: Process | None = None

    def __enter__(self) -> Self:
        self.folder = folder_for_server("mariadb-")
        command = [_program("mariadb-install-db"), "--no-defaults", "--skip-test-db"]
        command += [f"--datadir={self.folder / 'data'}", "--auth-root-authentication-method=normal"]
        run(command, self.folder)
        self.start()
        self._make_user()
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
            command = [_program("mariadbd"), "--no-defaults", f"--datadir={self.folder / 'data'}"]
            command += [f"--port={port}", f"--socket={self.folder / 'socket'}", *_SETTINGS]
            command += [f"--pid-file={self.folder / 'pid'}", f"--tmpdir={self.folder}"]
            self.process = Process(command, self.folder, _READY)
            if self.process.wait_until_ready():
                self.port = port
                return
            self.stop(signal.SIGKILL)
        raise RuntimeError(f"MariaDB did not start:\n{self.process and self.process.log}")

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End the process: SIGTERM in order, SIGKILL as a crash."""
        if self.process is not None:
            self.process.stop(how)

    def _make_user(self) -> None:
        socket = str(self.folder / "socket")
        root = pymysql.connect(user="root", unix_socket=socket, autocommit=True)
        with root, root.cursor() as cursor:
            who = (self.user, "127.0.0.1")
            cursor.execute("CREATE USER %s@%s IDENTIFIED BY %s", (*who, self.password))
            cursor.execute("GRANT ALL ON *.* TO %s@%s WITH GRANT OPTION", who)

    # --- for tests ------------------------------------------------------------------------

    def url(self, database: str) -> str:
        """The address of a database, with the password."""
        password = self.password.replace(" ", "%20")
        return f"mariadb://{self.user}:{password}@127.0.0.1:{self.port}/{database}"

    def connection(self, database: str | None = None) -> Any:
        """A connection of another program, where each statement is committed at once."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=self.user,
            password=self.password,
            database=database,
            charset="utf8mb4",
            autocommit=True,
        )

    def make_database(self, name: str) -> None:
        """Make an empty database; one of that name goes first."""
        drop, make = f"DROP DATABASE IF EXISTS `{name}`", f"CREATE DATABASE `{name}`"
        self.execute(None, drop, make)

    def execute(self, database: str | None, *statements: str) -> list[Any]:
        """Run statements as another program; the rows of the last one."""
        connection = self.connection(database)
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())


def _program(name: str) -> str:
    """Where a program of the package is; servers are often off the search path of users."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/libexec")
    if found is None:
        raise RuntimeError(
            f"{name} is missing: install MariaDB, as in `apt install mariadb-server`"
        )
    return found
