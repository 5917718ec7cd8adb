"""``twofold sync resume`` and ``twofold sync brakes``."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from twofold.cli.command import Command, as_json, ask, ask_app
from twofold.cli.output import reply, say, table
from twofold.core.guards import BrakeName
from twofold.core.mappings import Brakes
from twofold.services import brakes as service
from twofold.services.installation import Installation
from twofold.store.brakes import Override

_SETTABLE = tuple(Brakes.__struct_fields__)


@click.command(
    "resume", cls=Command, example="twofold sync resume shop-contacts --override deletes"
)
@click.argument("name")
@click.option(
    "--override",
    "brake",
    type=click.Choice([brake.value for brake in BrakeName]),
    help="The brake that the sync is paused by.",
)
def resume_command(name: str, brake: str | None) -> None:
    """Let a sync go on in spite of a brake, once, with its next run.

    It is kept who said so and what they were told. The yes holds for as much as was counted when
    the brake was pulled; more asks again.
    """
    if brake is None:
        raise click.UsageError("name the brake with --override; 'twofold sync brakes' shows it")
    who = getpass.getuser()
    ask_app(lambda here: service.resume(here, name, BrakeName(brake), who=who), writes=True)
    if as_json():
        reply({"sync": name, "overridden": brake, "who": who})
    else:
        say(f"{name} goes on with its next run, in spite of {brake}.")


@click.command("brakes", cls=Command, example="twofold sync brakes shop-contacts")
@click.argument("name")
def brakes_command(name: str) -> None:
    """Show a sync's brakes: their limits, the one that is pulled, and who overrode which."""

    def work(here: Installation) -> tuple[Brakes, service.Pulled | None, list[Override]]:
        sync = here.sync(name)
        return sync.rules.brakes, service.pulled(here, sync), service.history(here, name)

    limits, pulled, overrides = ask(work)
    if as_json():
        reply({"sync": name, "limits": limits, "pulled": pulled, "overrides": overrides})
        return
    for brake in _SETTABLE:
        say(f"{brake}: more than {100 * getattr(limits, brake):g} %")
    say("no brake is pulled" if pulled is None else f"pulled: {pulled.brake}: {pulled.sentence}")
    rows = [
        (_day(one.at), one.who, one.brake, one.sentence, "" if one.used is None else _day(one.used))
        for one in overrides
    ]
    table(("when", "who", "brake", "in spite of", "used"), rows, "Nobody has overridden one.")


def limits_of(words: Sequence[str]) -> Brakes:
    """Limits as options write them, such as ``deletes=20``; those not named stay as they are.

    Raises:
        UsageError: no brake of that name has a limit, or it is no percentage.
    """
    limits: dict[str, float] = {}
    for word in words:
        brake, equals, number = word.partition("=")
        share = number.strip().removesuffix("%").strip()
        if brake not in _SETTABLE or not equals or not share.isdecimal() or int(share) > 100:
            known = ", ".join(_SETTABLE)
            raise click.UsageError(
                f"{word} is no limit: write NAME=PERCENT, NAME is one of {known}"
            )
        limits[brake] = int(share) / 100
    return Brakes(**limits)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="minutes")
