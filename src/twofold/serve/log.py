"""Structured logs on the error stream: one JSON object a line, without personal data."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson


class Log:
    """``log("run ended", sync="shop", code="")``: facts are codes, numbers and names of syncs."""

    def __init__(self, process: str) -> None:
        self._process = process

    def __call__(self, event: str, **facts: Any) -> None:
        """Write one line; a log that cannot be written must not stop the service."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "process": self._process, "event": event, **facts}
        try:
            sys.stderr.write(orjson.dumps(line, default=str).decode() + "\n")
            sys.stderr.flush()
        except OSError:
            return


class Bridge(logging.Handler):
    """What libraries log, in the same form: their messages, never a traceback's values."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        kind = "" if not record.exc_info or record.exc_info[0] is None else record.exc_info[0]
        self._log(
            "library",
            name=record.name,
            level=record.levelname,
            message=record.msg if kind else record.getMessage(),
            kind=getattr(kind, "__name__", ""),
        )


def prepared(process: str) -> Log:
    """The log of a process, which its libraries use too."""
    log = Log(process)
    logging.basicConfig(handlers=[Bridge(log)], level=logging.WARNING, force=True)
    return log
