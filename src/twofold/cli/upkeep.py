"""``twofold backup``, ``restore`` and ``doctor``; ``twofold user invite``."""

from __future__ import annotations

from pathlib import Path

import click

from twofold.cli.command import Command, Group, as_json, ask, data_folder
from twofold.cli.confirmation import confirm
from twofold.cli.output import reply, say, table
from twofold.services import access, upkeep
from twofold.services.access import Role, Who
from twofold.services.upkeep import Verdict


@click.command(cls=Command, example="twofold backup /srv/backups/monday")
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--with-key",
    is_flag=True,
    help="Copy the key of the credentials too: who has both has the passwords.",
)
def backup(target: Path, with_key: bool) -> None:
    """Copy both databases into the new folder TARGET; the service may go on meanwhile."""
    names = upkeep.backup(data_folder(), target.absolute(), with_key=with_key)
    if as_json():
        reply({"backup": str(target), "files": names})
    else:
        say(f"Copied {', '.join(names)} to {target}.")


@click.command(cls=Command, example="twofold restore /srv/backups/monday --yes")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(source: Path, yes: bool) -> None:
    """Put a backup in place; what was there is kept in a folder beside it.

    Nothing may run. Then 'twofold sync run --full' reads everything anew.
    """
    confirm(f"replace what {data_folder()} holds by {source}", yes)
    aside = upkeep.restore(data_folder(), source.absolute())
    if as_json():
        reply({"restored": str(source), "aside": None if aside is None else str(aside)})
    else:
        say(f"Restored {source}." + (f" What was there is in {aside}." if aside else ""))


@click.command(cls=Command, example="twofold doctor")
def doctor() -> None:
    """Look at the databases, the key, the disk and the worker, and say what is wrong."""
    findings = ask(upkeep.examine)
    if as_json():
        reply({"findings": findings})
    else:
        rows = [(one.what, one.verdict.value, f"{one.sentence} {one.advice}") for one in findings]
        table(("what", "verdict", "found"), rows, "Nothing to look at.")
    if any(one.verdict is Verdict.BAD for one in findings):
        raise click.exceptions.Exit(1)


@click.group(cls=Group, example="twofold user list")
def user() -> None:
    """Who may sign in to the service."""


@user.command("list", example="twofold user list")
def list_() -> None:
    """List all users."""
    found = ask(access.people)
    if as_json():
        reply({"users": found})
        return
    rows = [(one.name, one.role.value, "" if one.active else "off") for one in found]
    table(("user", "role", ""), rows, "Nobody can sign in yet.")


@user.command(example="twofold user invite --role operator")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.VIEWER.value,
    show_default=True,
)
def invite(role: str) -> None:
    """Make a one-time link for a new user, as whoever may use this machine's data folder."""
    shell = Who("the command line", Role.ADMIN)
    secret = ask(lambda here: access.invite(here, shell, Role(role)), writes=True)
    if as_json():
        reply({"secret": secret})
    else:
        say(f"Open this at the service's address, once, within a day: /accept#{secret}")


COMMANDS = (backup, restore, doctor, user)
