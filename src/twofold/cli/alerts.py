"""``twofold alerts``: who is told when something needs a person."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click
from msgspec import structs

from twofold.cli.command import Group, as_json, ask, ask_app
from twofold.cli.output import reply, say
from twofold.services import alerts as service
from twofold.services.alerts import AlertChange, MailSettings, Told
from twofold.services.letters import Security

PASSWORD = "TWOFOLD_SMTP_PASSWORD"  # noqa: S105 (the name of a variable)


@click.group(cls=Group, example="twofold alerts show")
def alerts() -> None:
    """Tell people when a sync needs them: by e-mail, or by a webhook such as Slack's."""


@alerts.command("show", example="twofold alerts show")
def show() -> None:
    """Show what is set, and how sending goes."""
    _say(ask(service.told))


@alerts.command(
    "set",
    example="""twofold alerts set --smtp mx.example.org:587 --from a@example.org --to b@example.org
    twofold alerts set --webhook https://hooks.example.org/services/x --digest 08:00""",
)
@click.option("--smtp", metavar="HOST:PORT", help="The mail server; 'none': no e-mail.")
@click.option("--security", type=click.Choice([one.value for one in Security]))
@click.option("--from", "sender", metavar="ADDRESS")
@click.option("--to", multiple=True, metavar="ADDRESS", help="Who is told.")
@click.option("--user", help=f"Of the mail server; its password is taken from {PASSWORD}.")
@click.option("--webhook", metavar="URL", help="Takes JSON as Slack's do; 'none': no webhook.")
@click.option("--failing-share", type=float, help="Percent of records failing; 0: never.")
@click.option("--failing-hours", type=float, help="Records failing for so long; 0: never.")
@click.option("--silent-hours", type=float, help="No run got through for so long; 0: never.")
@click.option("--action/--no-action", default=None, help="A sync waits for a person.")
@click.option("--drift/--no-drift", default=None, help="Something had been missed.")
@click.option("--again-hours", type=float, help="Tell again while it lasts; 0: only once.")
@click.option("--recovered/--no-recovered", default=None, help="Tell when it is over.")
@click.option("--digest", metavar="HH:MM", help="Send a digest daily at this time, UTC; or 'none'.")
def set_(
    smtp: str | None,
    security: str | None,
    sender: str | None,
    to: Sequence[str],
    user: str | None,
    webhook: str | None,
    digest: str | None,
    **thresholds: Any,
) -> None:
    """Set who is told, of what, and how often; what is not named stays as it is."""
    given = {name: value for name, value in thresholds.items() if value is not None}
    mail = {
        "security": None if security is None else Security(security),
        "sender": sender,
        "to": tuple(to) or None,
        "user": user,
    }
    before = ask(service.told).settings
    change = AlertChange(
        structs.replace(before.thresholds, **given),
        _mail(before.mail, smtp, {name: v for name, v in mail.items() if v is not None}),
        os.environ.get(PASSWORD),
        "" if webhook == "none" else webhook,
        before.digest if digest is None else digest.replace("none", ""),
    )
    _say(ask(lambda here: service.change(here, change), writes=True))


@alerts.command("test", example="twofold alerts test")
def test() -> None:
    """Send a test over everything that is set."""
    channels = ask_app(service.test)
    if as_json():
        reply({"sent": channels})
    else:
        say(f"Sent by {' and '.join(channels)}.")


def _mail(
    before: MailSettings | None, smtp: str | None, given: dict[str, Any]
) -> MailSettings | None:
    if smtp == "none":
        return None
    if smtp is not None:
        host, colon, port = smtp.rpartition(":")
        known = structs.asdict(before) if before is not None else {"sender": "", "to": ()}
        number = int(port) if colon and port.isdecimal() and len(port) < 6 else 0
        return MailSettings(**{**known, "host": host, "port": number, **given})
    if before is None and given:
        raise click.UsageError("name the mail server with --smtp")
    return None if before is None else structs.replace(before, **given)


def _say(found: Told) -> None:
    if as_json():
        reply({"alerts": found})
        return
    settings = found.settings
    mail = settings.mail
    if mail is not None:
        where = f"{mail.host}:{mail.port}, {mail.security.value}"
        say(f"e-mail to {', '.join(mail.to)} through {where}")
    if settings.webhook:
        say("a webhook")
    if mail is None and not settings.webhook:
        say("Nobody is told: neither e-mail nor a webhook is set.")
    for name in settings.thresholds.__struct_fields__:
        say(f"  {name.replace('_', ' ')}: {getattr(settings.thresholds, name)}")
    say(f"  daily digest: {settings.digest or 'none'}")
    if found.undelivered:
        say(f"{found.undelivered} message(s) are not delivered yet. {found.trouble}")


COMMANDS = (alerts,)
