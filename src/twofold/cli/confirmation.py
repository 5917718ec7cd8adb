"""A person's yes before something is forgotten."""

from __future__ import annotations

import sys

import click

from twofold.cli.command import as_json
from twofold.core.errors import TwofoldError


def confirm(what: str, yes: bool) -> None:
    """Ask, unless the answer was given.

    Raises:
        TwofoldError: TF-U20, the answer was no, or there is nobody to ask.
    """
    if yes:
        return
    if as_json() or not sys.stdin.isatty() or not click.confirm(f"This will {what}. Go on?"):
        raise TwofoldError("TF-U20", what=what)
