"""Connections: verified by a real call before anything is saved; a refusal saves nothing (C2b)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct

from twofold.core.errors import TwofoldError
from twofold.core.schema import ObjectType
from twofold.core.timing import POLL
from twofold.kit import catalog
from twofold.kit.budgets import RESERVE
from twofold.kit.contract import Identity, Manifest
from twofold.kit.oauth import REFRESH
from twofold.services.installation import Installation
from twofold.store.syncs import HUB_CONNECTION, Connection


class Shown(Struct, frozen=True):
    """A connection as people may see it: no secret is in here."""

    label: str
    app: str
    account: str
    settings: dict[str, str]
    hidden: tuple[str, ...]
    """Names of the answers that are stored sealed."""
    syncs: tuple[str, ...]
    is_hub: bool = False
    poll: float = POLL
    """Seconds between two polls, unless somebody is at work."""
    requests: int = 0
    """Sent over HTTP since midnight (UTC), to keep what is connected in step."""
    per_day: float | None = None
    """What the app allows on a day, where its connector says so."""
    reserve: float = RESERVE
    """The share of that, from 0 to 1, which is left to others who use the account."""


class Contents(Struct, frozen=True):
    """What goes with a connection when it is removed."""

    label: str
    syncs: tuple[str, ...]
    records: int
    """Records of the app that are remembered. Nothing in the app itself is touched."""


def every(here: Installation) -> list[Shown]:
    """All connections, the hub first."""
    return [_shown(here, connection) for connection in here.state.syncs.connections()]


def one(here: Installation, label: str) -> Shown:
    """A connection by its label; TF-U05 where there is none."""
    return _shown(here, here.connection(label))


def missing(app: str, answers: Mapping[str, str]) -> list[str]:
    """The names of the required questions that have no answer yet."""
    manifest = catalog.load(app).manifest
    defaults = {q.name: q.default for q in manifest.questions if q.default}
    return _absent(manifest, {**defaults, **{n: a for n, a in answers.items() if a}})


class Examined(Struct, frozen=True):
    """What an account shows of itself before it is connected."""

    account: str
    label: str
    scopes: tuple[str, ...]
    """What the app granted, in its own words; empty where it grants all or nothing."""
    types: tuple[ObjectType, ...]


async def examine(here: Installation, app: str, answers: Mapping[str, str]) -> Examined:
    """Sign in with these answers and look around; nothing is saved.

    Raises:
        TwofoldError: as `connect`, but for the label.
        ConnectorError: the app refuses, or cannot be reached.
    """
    given = checked(catalog.load(app).manifest, answers)
    async with here.opener.opened(app, given) as connector:
        identity = await connector.verify()
        for known in here.state.syncs.connections():
            if (known.app, known.account) == (app, identity.account):
                raise TwofoldError("TF-A04", app=app, label=known.label)
        types = tuple(await connector.describe())
    return Examined(identity.account, identity.label, tuple(sorted(identity.scopes)), types)


async def connect(
    here: Installation, app: str, answers: Mapping[str, str], label: str = ""
) -> Shown:
    """Verify the answers with a real call, then store them.

    Raises:
        TwofoldError: TF-U02 to TF-U04, the answers are not complete or malformed; TF-A04, the
            account is connected already; TF-A05, the label is taken.
        ConnectorError: the app refuses, or cannot be reached.
    """
    manifest = catalog.load(app).manifest
    given = checked(manifest, answers)
    identity = await _verified(here, app, given)
    settings, secrets = _split(manifest, given, identity.settings)
    here.state.syncs.add_connection(
        app,
        label or _free_label(here, app),
        identity.account,
        settings,
        here.vault.seal(secrets, app, settings),
    )
    return next(shown for shown in every(here) if shown.account == identity.account)


async def test(here: Installation, label: str) -> Identity:
    """Make the real call again with what is stored."""
    async with here.opened(here.connection(label)) as connector:
        return await connector.verify()


async def object_types(here: Installation, label: str) -> list[ObjectType]:
    """What the app behind a connection offers at this moment."""
    async with here.opened(here.connection(label)) as connector:
        return list(await connector.describe())


async def reconnect(here: Installation, label: str, answers: Mapping[str, str]) -> Shown:
    """Replace some answers, after a real call; mappings and links are kept (C4).

    Raises:
        TwofoldError: TF-U15, the answers lead to another account.
    """
    connection = here.connection(label)
    manifest = catalog.load(connection.app).manifest
    given = checked(manifest, {**_stored(here, connection), **answers})
    identity = await _verified(here, connection.app, given)
    if identity.account != connection.account:
        raise TwofoldError(
            "TF-U15",
            app=connection.app,
            found=identity.account,
            label=label,
            known=connection.account,
        )
    settings, secrets = _split(manifest, given, identity.settings)
    sealed = here.vault.seal(secrets, connection.app, settings)
    here.state.syncs.reconnect(connection.id, settings, sealed)
    return one(here, label)


def rename(here: Installation, label: str, new: str) -> Shown:
    """Give a connection another label; TF-A05 where it is taken."""
    here.state.syncs.rename_connection(here.connection(label).id, new)
    return one(here, new)


def poll_every(here: Installation, label: str, seconds: float) -> Shown:
    """Set the time between two polls of an app (R2)."""
    here.state.schedule.poll_every(here.connection(label).id, seconds)
    return one(here, label)


def reserve(here: Installation, label: str, share: float) -> Shown:
    """Leave a share, from 0 to 1, of an app's limit per day to others (R7)."""
    here.state.spending.keep(here.connection(label).id, share)
    return one(here, label)


def contents(here: Installation, label: str) -> Contents:
    """What would be removed with a connection."""
    connection = here.connection(label)
    remembered = here.state.syncs.remembered(connection.id)
    return Contents(label, _syncs_of(here, connection), remembered)


def remove(here: Installation, label: str, *, with_syncs: bool = False) -> Contents:
    """Forget a connection. No record on either side is touched.

    Raises:
        TwofoldError: TF-U09, syncs use it, and they were not to go too; TF-U26, it is the hub.
    """
    connection = here.connection(label)
    going = contents(here, label)
    if connection.id == HUB_CONNECTION:
        raise TwofoldError("TF-U26")
    if going.syncs and not with_syncs:
        names = ", ".join(going.syncs)
        raise TwofoldError("TF-U09", label=label, count=len(going.syncs), names=names)
    for sync in here.state.syncs.all():
        if sync.connection == connection.id:
            here.state.syncs.delete(sync.id)
    here.state.syncs.remove_connection(connection.id)
    return going


def _syncs_of(here: Installation, connection: Connection) -> tuple[str, ...]:
    is_hub = connection.id == HUB_CONNECTION
    syncs = here.state.syncs.all()
    return tuple(s.name for s in syncs if is_hub or s.connection == connection.id)


def _shown(here: Installation, connection: Connection) -> Shown:
    return Shown(
        connection.label,
        connection.app,
        connection.account,
        connection.settings,
        _hidden(here, connection),
        _syncs_of(here, connection),
        connection.id == HUB_CONNECTION,
        connection.poll,
        here.state.spending.on_day(connection.id, here.world.now().timestamp()),
        _per_day(connection.app),
        here.state.spending.reserve(connection.id),
    )


def _per_day(app: str) -> float | None:
    """The smallest limit on a day; None without one, or where the connector is gone."""
    try:
        limits = catalog.load(app).manifest.limits
    except TwofoldError:
        return None
    return min((one.permits for one in limits if one.per == timedelta(days=1)), default=None)


def _hidden(here: Installation, connection: Connection) -> tuple[str, ...]:
    """What is sealed, by name; without the right key, nobody can tell."""
    if not connection.secrets:
        return ()
    try:
        return tuple(here.vault.open(connection.secrets, connection.app, connection.settings))
    except TwofoldError:
        return ()


def _stored(here: Installation, connection: Connection) -> Mapping[str, str]:
    """The answers so far, as far as the key opens them."""
    try:
        return here.answers(connection)
    except TwofoldError:
        return connection.settings


async def _verified(here: Installation, app: str, answers: Mapping[str, str]) -> Identity:
    async with here.opener.opened(app, answers) as connector:
        return await connector.verify()


def checked(
    manifest: Manifest, answers: Mapping[str, str], *, signing_in: bool = False
) -> dict[str, str]:
    """The answers without blanks, once they are known to be complete and well formed.

    ``signing_in``: what the app's own page gives is not there yet.

    Raises:
        TwofoldError: TF-U02 to TF-U04.
    """
    questions = {question.name: question for question in manifest.questions}
    for name in answers:
        if name not in questions:
            known = ", ".join(questions) or "nothing"
            raise TwofoldError("TF-U03", app=manifest.name, name=name, known=known)
    given = {q.name: q.default for q in manifest.questions if q.default}
    given |= {name: answer for name, answer in answers.items() if answer}
    absent = _absent(manifest, given, signing_in=signing_in)
    if absent:
        raise TwofoldError("TF-U02", app=manifest.name, questions=", ".join(absent))
    for name, answer in given.items():
        pattern = questions[name].pattern
        if pattern and not re.fullmatch(pattern, answer):
            example = questions[name].example or "the one that the app expects"
            raise TwofoldError("TF-U04", name=name, example=example)
    return given


def _absent(manifest: Manifest, given: Mapping[str, str], *, signing_in: bool = False) -> list[str]:
    """The questions that still need an answer.

    Where an app has its own page to sign in, a token that a person typed in does in its place, and
    so does a client that signs in for itself.
    """
    absent = [q.name for q in manifest.questions if not q.optional and q.name not in given]
    if manifest.oauth is None or signing_in or REFRESH in given:
        return absent
    if manifest.oauth.machine and {"client_id", "client_secret"} <= given.keys():
        return absent
    typed = [q.name for q in manifest.questions if q.name == "token" and q.name not in given]
    return absent + typed


_PASSWORD_IN_ADDRESS = re.compile(r"\w+://[^/?#]*@")


def _split(
    manifest: Manifest, given: Mapping[str, str], better: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """What may be kept in clear, and what is sealed: secrets, and addresses that carry one.

    ``better``: answers to keep in place of those given.
    """
    secret = {question.name for question in manifest.questions if question.secret}
    secret |= {name for name, answer in given.items() if _PASSWORD_IN_ADDRESS.search(answer)}
    kept = {**given, **better}
    settings = {name: answer for name, answer in kept.items() if name not in secret}
    return settings, {name: answer for name, answer in kept.items() if name in secret}


def _free_label(here: Installation, app: str) -> str:
    taken = {connection.label for connection in here.state.syncs.connections()}
    label, number = app, 2
    while label in taken:
        label, number = f"{app}-{number}", number + 1
    return label
