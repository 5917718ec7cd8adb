"""How a command ends that could not do what was asked: one coded error, and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from twofold.cli.output import document, plain
from twofold.connectors.rest.definition import Misdescribed
from twofold.core.codes import CODES
from twofold.core.errors import TwofoldError
from twofold.kit.yaml_text import Located
from twofold.services.link_files import NotImported
from twofold.services.syncs import Refused

_MOST_PROBLEMS = 50
"""Shown to a person; JSON has all of them."""
ERROR, USAGE, LATER, SOME_FAILING = 1, 2, 3, 4
INTERRUPTED = 128 + signal.SIGINT


class _Noted:
    """What the command line said before things went wrong."""

    json = False
    folder: Path | None = None


def note(key: str, value: Any) -> None:
    """Keep an option for the case that the command fails."""
    if key.endswith("json"):
        _Noted.json = True
    else:
        _Noted.folder = Path(value)


@contextmanager
def reported(args: Sequence[str] | None) -> Iterator[None]:
    """Turn every exception into words on the error stream (or JSON) and an exit code."""
    given = sys.argv[1:] if args is None else args
    _Noted.json, _Noted.folder = "--json" in given, None
    try:
        yield
    except click.UsageError as error:
        _leave(TwofoldError("TF-U01", reason=error.format_message().rstrip(".")), USAGE)
    except click.Abort:  # Ctrl-C, too
        _leave(TwofoldError("TF-U16"), INTERRUPTED)
    except TwofoldError as error:
        _leave(error, LATER if error.entry.retryable else ERROR)
    except BrokenPipeError:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + signal.SIGPIPE) from None
    except Exception as error:  # noqa: BLE001 (a person gets one sentence, whatever it is)
        kind, report = type(error).__name__, _report(error)
        _leave(TwofoldError("TF-U17", kind=kind, report=report), ERROR)


def described(error: TwofoldError) -> dict[str, Any]:
    """An error as JSON."""
    found: dict[str, Any] = {
        "code": error.code,
        "sentence": error.sentence,
        "advice": error.advice,
        "retryable": error.entry.retryable,
    }
    if isinstance(error, Refused | Misdescribed):
        found["problems"] = [
            {
                **({"line": p.line} if isinstance(p, Located) else {}),
                "code": p.code,
                "sentence": p.sentence,
                "mapping": p.mapping,
                "advice": p.advice,
            }
            for p in error.problems
        ]
    if isinstance(error, NotImported):
        found["problems"] = [
            {
                "line": p.line,
                "code": p.code,
                "sentence": f"line {p.line}: {p.sentence}",
                "advice": CODES[p.code].advice,
            }
            for p in error.problems
        ]
    return found


def _leave(error: TwofoldError, exit_code: int) -> None:
    shown = described(error)
    if _Noted.json:
        click.echo(document({"error": shown}))
        raise SystemExit(exit_code) from None
    lines = [f"{shown['code']} {shown['sentence']}", f"  {shown['advice']}"]
    for problem in shown.get("problems", ())[:_MOST_PROBLEMS]:
        place = f"line {problem['line']}: " if "mapping" in problem and problem.get("line") else ""
        lines += [f"{place}{problem['code']} {problem['sentence']}", f"  {problem['advice']}"]
    for line in lines:
        click.echo(plain(line), err=True)
    raise SystemExit(exit_code) from None


def _report(error: Exception) -> str:
    """Write the traceback where a person can find it; never on the terminal."""
    moment = datetime.now(UTC)
    text = f"{moment.isoformat()}\n{''.join(traceback.format_exception(error))}"
    name = f"error-{moment:%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    folders = [_Noted.folder or os.environ.get("TWOFOLD_DATA"), tempfile.gettempdir()]
    for folder in folders:
        if folder is None:
            continue
        path = Path(folder).expanduser().absolute() / name
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
        except OSError:
            continue
        return str(path)
    return "no file, as none could be written"
