"""What holds for all tests: no time limits on properties, and no connection off this machine."""

from __future__ import annotations

import ipaddress
import os
import sys
from typing import Any

from hypothesis import Phase, settings

settings.register_profile("twofold", deadline=None, print_blob=True)
# For broken rules (tests/mutants): the first counterexample will do, and none is remembered.
settings.register_profile(
    "mutants", deadline=None, database=None, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("twofold")

# The servers of the tests are on this machine, which connections do not reach unless allowed.
os.environ["TWOFOLD_ALLOW_ADDRESSES"] = "127.0.0.0/8, ::1"


class LeavesTheMachine(AssertionError):
    """A test tried to reach another machine."""


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        # A name in .invalid resolves nowhere (RFC 6761, section 6.4).
        return host == "localhost" or host.endswith(".invalid")


def _stay_here(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook: refuse a connection to an address that is not on the loopback interface."""
    if event != "socket.connect" or not isinstance(args[1], tuple):
        return
    if not _is_here(args[1][0]):
        raise LeavesTheMachine(f"a test connects to {args[1][0]}; tests talk to this machine only")


sys.addaudithook(_stay_here)
