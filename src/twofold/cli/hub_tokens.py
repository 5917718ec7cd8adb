"""``twofold hub token``: programs that use the API of the hub inside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from twofold.cli.command import Group, as_json, ask
from twofold.cli.output import reply, say, table
from twofold.services import hub_tokens as service


@click.group(cls=Group, example="twofold hub token make reports --scope crm.objects.contacts.read")
def token() -> None:
    """Tokens for programs that use the hub's API."""


@token.command(example="twofold hub token make reports --scope crm.objects.contacts.read")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, help="What it may do; without one, everything. Repeatable."
)
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="How long it lasts.")
def make(name: str, scopes: Sequence[str], days: float | None) -> None:
    """Make a token. It is shown once: only a digest of it is kept."""
    secret = ask(lambda here: service.make(here, name, scopes, days))
    if as_json():
        reply({"name": name, "token": secret})
    else:
        say(secret)


@token.command("list", example="twofold hub token list")
def list_() -> None:
    """List tokens with what they may do."""
    found = ask(service.listed)
    if as_json():
        reply({"tokens": found})
        return
    rows = [(one.name, _day(one.expires), ", ".join(one.scopes)) for one in found]
    table(("name", "until", "scopes"), rows, "None.")


@token.command(example="twofold hub token revoke reports")
@click.argument("name")
def revoke(name: str) -> None:
    """Forget a token: it opens nothing any more."""
    ask(lambda here: service.revoke(here, name))
    if as_json():
        reply({"revoked": name})
    else:
        say(f"Revoked {name}.")


def _day(moment: float | None) -> str:
    return "" if moment is None else datetime.fromtimestamp(moment, UTC).date().isoformat()
