"""Alerts: who is told, of what, and how; watched and sent by the worker (H8)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, time

from msgspec import Struct, structs

from twofold.core.alerts import Facts, Message, Thresholds, digest, headline, judge
from twofold.core.errors import TwofoldError
from twofold.services.installation import Installation
from twofold.services.letters import Mail, Security, post, send_mail
from twofold.services.network import reachable
from twofold.store.alerts import Letter
from twofold.store.syncs import Sync

Log = Callable[..., None]

MAIL, WEBHOOK = "mail", "webhook"
MOST_ATTEMPTS = 60
"""A message that nobody took for about two days is given up."""
_FIRST_WAIT, _LONGEST_WAIT = 30.0, 3_600.0
_SETTING, _DIGEST_SENT = "alerts", "alerts_digest_sent"
_ADDRESS = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+")
_MOST_PEOPLE = 50


class MailSettings(Struct, frozen=True):
    """A mail server, and who writes to whom; the password is kept apart."""

    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    security: Security = Security.STARTTLS
    user: str = ""


class AlertSettings(Struct, frozen=True):
    """What is set, without secrets."""

    thresholds: Thresholds = Thresholds()
    mail: MailSettings | None = None
    webhook: bool = False
    """Whether one is set; its address is a secret."""
    digest: str = ""
    """When the daily digest is sent, as HH:MM in UTC; empty: none is."""


class AlertChange(Struct, frozen=True):
    """What to set; what is left out of the secrets stays as it is."""

    thresholds: Thresholds = Thresholds()
    mail: MailSettings | None = None
    password: str | None = None
    """None: as it is, unless the server is another one. Empty: none."""
    webhook: str | None = None
    """Its address. None: as it is. Empty: none."""
    digest: str = ""


class Told(Struct, frozen=True):
    """What is set, and how sending goes."""

    settings: AlertSettings
    undelivered: int
    """Messages that nobody took yet; they are tried again."""
    trouble: str
    """What was the matter with the last one."""


class _Stored(Struct, frozen=True):
    settings: AlertSettings = AlertSettings()
    sealed: str = ""
    """Password and webhook, sealed for this mail server; base64."""


def told(here: Installation) -> Told:
    """What is set, and how sending goes."""
    return Told(_stored(here).settings, *here.state.alerts.waiting())


def change(here: Installation, given: AlertChange) -> Told:
    """Set alerts.

    Raises:
        TwofoldError: TF-N01, what is wrong.
    """
    stored = _stored(here)
    secrets = _secrets(here, stored)
    same_server = stored.settings.mail is not None and given.mail is not None
    same_server = same_server and _server(stored.settings.mail) == _server(given.mail)
    password = given.password
    if password is None:
        password = secrets.get("password", "") if same_server else ""
    webhook = secrets.get("webhook", "") if given.webhook is None else given.webhook
    _check(given, password, webhook)
    settings = AlertSettings(given.thresholds, given.mail, bool(webhook), given.digest)
    kept = {"password": password, "webhook": webhook}
    sealed = here.vault.seal(kept, _SETTING, _server(given.mail))
    here.state.settings.put(_SETTING, _Stored(settings, base64.b64encode(sealed).decode()))
    here.state.settings.put(_DIGEST_SENT, here.world.now().timestamp())
    return told(here)


async def test(here: Installation) -> list[str]:
    """Send a message over everything that is set; returns the channels.

    Raises:
        TwofoldError: TF-N02, nothing is set; TF-N03, it was not taken.
    """
    channels = _channels(_stored(here).settings)
    if not channels:
        raise TwofoldError("TF-N02")
    for channel in channels:
        letter = Letter(0, channel, "a test", "This is a test: alerts arrive here.", 0)
        await _send(here, letter)
    return channels


def watch(here: Installation) -> None:
    """See whether anything is to be told, and put it into the outbox."""
    settings = _stored(here).settings
    channels = _channels(settings)
    if not channels:
        return
    now = here.world.now().timestamp()
    for sync in here.state.syncs.all():
        known = here.state.alerts.standing(sync.id)
        standing, messages = judge(settings.thresholds, _facts(here, sync, now), known, now)
        if messages or standing != known:
            letters = [_letter(channel, m) for m in messages for channel in channels]
            here.state.alerts.settle(sync.id, standing, letters, now)
    if settings.digest and _digest_due(here, settings.digest):
        text = digest(_facts(here, sync, now) for sync in here.state.syncs.all())
        letters = [(channel, "where every sync stands", text) for channel in channels]
        here.state.settings.put(_DIGEST_SENT, now)
        here.state.alerts.settle(0, {}, letters, now)


async def deliver(here: Installation, log: Log) -> None:
    """Send what is due; what is not taken is tried again, ever later."""
    for letter in here.state.alerts.due(here.world.now().timestamp()):
        try:
            await _send(here, letter)
        except TwofoldError as error:
            log("alert not delivered", channel=letter.channel, code=error.code)
            if letter.attempts + 1 < MOST_ATTEMPTS:
                wait = min(_FIRST_WAIT * 2.0 ** min(letter.attempts, 20), _LONGEST_WAIT)
                at = here.world.now().timestamp() + wait
                here.state.alerts.failed(letter.id, at, error.sentence)
                continue
        here.state.alerts.delivered(letter.id)


def _stored(here: Installation) -> _Stored:
    return here.state.settings.get(_SETTING, _Stored())


def _secrets(here: Installation, stored: _Stored) -> dict[str, str]:
    if not stored.sealed:
        return {}
    sealed = base64.b64decode(stored.sealed)
    return here.vault.open(sealed, _SETTING, _server(stored.settings.mail))


def _server(mail: MailSettings | None) -> dict[str, str]:
    """What a password is for: it goes to no other server."""
    return {} if mail is None else {"host": mail.host, "port": str(mail.port), "user": mail.user}


def _channels(settings: AlertSettings) -> list[str]:
    return [MAIL] * (settings.mail is not None) + [WEBHOOK] * settings.webhook


def _check(given: AlertChange, password: str, webhook: str) -> None:
    reason = _wrong_mail(given.mail, password) if given.mail is not None else ""
    t = given.thresholds
    numbers = (t.failing_share, t.failing_hours, t.silent_hours, t.again_hours)
    if not all(0 <= number <= 1e5 for number in numbers):
        reason = "a share or a number of hours is below 0, or far too large"
    if webhook and not re.fullmatch(r"https?://[^\s@/?#]+(/\S*)?", webhook):
        reason = "the webhook is no address such as https://hooks.example/abc"
    if given.digest and _moment_of_day(given.digest) is None:
        reason = "the digest's time is not written as 08:00"
    if reason:
        raise TwofoldError("TF-N01", reason=reason)


def _wrong_mail(mail: MailSettings, password: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_-]+", mail.host) or not 0 < mail.port < 65_536:
        return "the mail server is no host and port"
    if not mail.to or len(mail.to) > _MOST_PEOPLE:
        return f"mail goes to 1 to {_MOST_PEOPLE} addresses"
    if not all(_ADDRESS.fullmatch(address) for address in (mail.sender, *mail.to)):
        return "the sender, or who is written to, is no e-mail address"
    if bool(mail.user) is not bool(password):
        return "a user name and a password come together"
    if password and mail.security is Security.NONE:
        return "a password is not sent in clear"
    return ""


def _moment_of_day(text: str) -> time | None:
    try:
        return datetime.strptime(text, "%H:%M").replace(tzinfo=UTC).timetz()
    except ValueError:
        return None


def _digest_due(here: Installation, text: str) -> bool:
    """Whether its time of day has come since it was last sent."""
    now = here.world.now().astimezone(UTC)
    at = _moment_of_day(text)
    assert at is not None, "checked when it was set"
    today = datetime.combine(now.date(), at)
    last = here.state.settings.get(_DIGEST_SENT, now.timestamp())
    return last < today.timestamp() <= now.timestamp()


def _facts(here: Installation, sync: Sync, now: float) -> Facts:
    verified = here.state.verifications.of(sync.id)
    return Facts(
        sync.name,
        sync.enabled,
        here.state.links.counts(sync.id),
        sync.status.needs_person,
        sync.status.sentence,
        _through(here, sync, now),
        0 if verified is None else verified.drift,
    )


def _through(here: Installation, sync: Sync, now: float) -> float:
    """When a run last got through; without any, when the first that is known began."""
    moment = ""
    for run in here.state.syncs.runs(sync.id, 50):
        moment = run.started
        if run.ended is not None and run.summary.get("ending") in {"done", "more"}:
            moment = run.ended
            break
    return datetime.fromisoformat(moment).timestamp() if moment else now


def _letter(channel: str, message: Message) -> tuple[str, str, str]:
    subject = headline(message)
    return channel, subject, message.sentence


async def _send(here: Installation, letter: Letter) -> None:
    stored = _stored(here)
    secrets = _secrets(here, stored)
    network = reachable(here.state)
    mail = stored.settings.mail
    if letter.channel == MAIL and mail is not None:
        whole = Mail(**structs.asdict(mail), password=secrets.get("password", ""))
        await send_mail(whole, network, letter.subject, letter.body)
    elif letter.channel == WEBHOOK and secrets.get("webhook"):
        text = f"*{letter.subject}*\n{letter.body}"
        await post(secrets["webhook"], network, text)
