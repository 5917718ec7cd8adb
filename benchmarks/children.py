"""Child processes: the servers, and what is measured: what each says, and its peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import orjson
from msgspec import Struct


class Ran(Struct):
    """What a child printed, and its peak resident memory in MB."""

    said: dict[str, Any]
    peak: float


def run(module: str, *arguments: str) -> Ran:
    """Run ``python -m MODULE …`` to its end.

    Raises:
        RuntimeError: it failed.
    """
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} ended with {child.returncode}")
    return Ran(orjson.loads(said), usage.ru_maxrss / 1024)


@contextmanager
def servers(size: int) -> Iterator[tuple[str, str]]:
    """The servers of both sides; yields their addresses."""
    with ExitStack() as stack:
        children = []
        for side in ("hub", "app"):
            command = [sys.executable, "-m", "benchmarks.server", side, str(size)]
            child = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
            assert child.stdin is not None
            stack.callback(child.stdin.close)
            children.append(child)
        ports = [int(child.stdout.readline()) for child in children if child.stdout is not None]
        yield f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"


def reset(urls: tuple[str, str]) -> None:
    """Both servers as they were at their start."""
    for url in urls:
        urllib.request.urlopen(urllib.request.Request(f"{url}/reset", b"")).close()


def calls(urls: tuple[str, str]) -> dict[str, int]:
    """Requests, and records written, of both servers since the last time this was asked."""
    total: dict[str, int] = {}
    for url in urls:
        with urllib.request.urlopen(f"{url}/calls") as answer:
            for what, count in orjson.loads(answer.read()).items():
                total[what] = total.get(what, 0) + count
    return total
