"""The composition root: the only module that knows every other.

::

    with installation(Path("~/.local/share/twofold").expanduser()) as here:
        await connections.connect(here, "sql", {"url": "sqlite:///shop.db"})
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from twofold.core.errors import TwofoldError
from twofold.database.errors import DatabaseError, coding
from twofold.engine.world import RealWorld, World
from twofold.hub.crm import Hub
from twofold.kit import catalog
from twofold.kit.auth import Auth, BasicAuth, BearerAuth, Reach
from twofold.kit.budgets import RESERVE, Budgets, Ledger
from twofold.kit.contract import Connector, Limit, Manifest
from twofold.kit.network import Network, Sockets
from twofold.kit.oauth import ACCESS, EXPIRES, ClientAuth, Keeper, OAuthAuth, Post, kept, poster
from twofold.services import network
from twofold.services.installation import HUB_FILE, Installation
from twofold.services.kept_tokens import NewTokens
from twofold.store.secrets import Vault
from twofold.store.state import State
from twofold.store.syncs import HUB_CONNECTION

if TYPE_CHECKING:
    from twofold.kit.http import AioHttp

STATE_FILE = "state.db"
KEY_FILE = "key"


@contextmanager
def installation(folder: Path, world: World | None = None) -> Iterator[Installation]:
    """Open the installation in a folder; what is missing is made, for its owner's eyes only.

    Raises:
        TwofoldError: TF-U13, the folder cannot be used; TF-S…, a file in it cannot.
    """
    world = world or RealWorld()
    prepare(folder)
    try:
        vault = Vault.at(folder / KEY_FILE)
    except OSError as error:
        raise _unusable(folder, error) from error
    state = State.open(folder / STATE_FILE)
    try:
        with coding(folder / STATE_FILE):
            _ensure_hub(state, folder / HUB_FILE)
            yield Installation(
                folder, state, vault, world, _Opener(world, lambda: network.reachable(state))
            )
    finally:
        state.close()


def prepare(folder: Path) -> None:
    """Make the data folder where it is missing.

    Raises:
        TwofoldError: TF-U13, that is not possible.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from error


def _unusable(folder: Path, error: OSError) -> TwofoldError:
    return TwofoldError("TF-U13", path=folder, reason=error.strerror or type(error).__name__)


def _ensure_hub(state: State, path: Path) -> None:
    """The hub inside is a connection like any other, which needs no sign-in."""
    if any(known.id == HUB_CONNECTION for known in state.syncs.connections()):
        return
    hub = Hub.open(path)
    try:
        identity, _ = hub.position()
    finally:
        hub.close()
    try:
        state.syncs.add_connection("hub", "hub", identity, {}, b"", HUB_CONNECTION)
    except (DatabaseError, sqlite3.IntegrityError, TwofoldError):
        # Another process may have been faster; whatever else it was, it is still wrong.
        if not any(known.id == HUB_CONNECTION for known in state.syncs.connections()):
            raise


class _Opener:
    """Makes connectors; budgets are shared by all that belong to one account's address."""

    def __init__(self, world: World, reachable: Callable[[], Network]) -> None:
        """``reachable``: asked each time, as an administrator may allow more at any moment."""
        self._world = world
        self._reachable = reachable
        self._budgets: WeakKeyDictionary[
            asyncio.AbstractEventLoop, dict[tuple[str, ...], Budgets]
        ] = WeakKeyDictionary()

    @asynccontextmanager
    async def opened(
        self,
        app: str,
        answers: Mapping[str, str],
        keeper: Keeper | None = None,
        ledger: Ledger | None = None,
    ) -> AsyncIterator[Connector]:
        """A connector and, where it speaks HTTP, its clients; all closed at the end."""
        kind = catalog.load(app)
        reachable = self._reachable()
        async with AsyncExitStack() as stack:
            client = self._client(kind, answers, keeper, ledger, stack)
            connector = kind(answers, client or Sockets(reachable))
            if client is not None:
                client.pauses = connector.pauses
                stack.callback(_told, client, ledger)
            stack.push_async_callback(connector.close)
            yield connector

    @asynccontextmanager
    async def posting(self, app: str) -> AsyncIterator[Post]:
        """What sends forms to the pages by which an app signs people in."""
        async with AsyncExitStack() as stack:
            yield poster(app, lambda base: self._http(app, base, stack))

    def _client(
        self,
        kind: catalog.ConnectorClass,
        answers: Mapping[str, str],
        keeper: Keeper | None,
        ledger: Ledger | None,
        stack: AsyncExitStack,
    ) -> AioHttp | None:
        reach = _reach(kind, answers)
        if reach is None:
            return None
        manifest, auth = kind.manifest, reach.auth
        tokens = kept(answers) if manifest.oauth else None
        if tokens is not None:
            post = poster(manifest.name, lambda base: self._http(manifest.name, base, stack))
            keeper = keeper or NewTokens(tokens)
            auth = OAuthAuth(manifest, answers, keeper, post, self._world)
        elif manifest.oauth and manifest.oauth.machine and _by_itself(answers):
            post = poster(manifest.name, lambda base: self._http(manifest.name, base, stack))
            auth = ClientAuth(manifest, answers, post, self._world)
        reserve = RESERVE if ledger is None else ledger.reserve
        budgets = self._shared(manifest.name, reach.limits, answers, reserve)
        return self._http(manifest.name, reach.address, stack, budgets, auth)

    def _http(
        self,
        app: str,
        base: str,
        stack: AsyncExitStack,
        budgets: Budgets | None = None,
        auth: Auth | None = None,
    ) -> AioHttp:
        # A third of the program's start, which most commands do without.
        from twofold.kit.http import AioHttp  # noqa: PLC0415

        budgets = budgets or Budgets(app, (), self._world)
        made = AioHttp(app, base, self._world, budgets, auth=auth, network=self._reachable())
        stack.push_async_callback(made.close)
        return made

    def _shared(
        self, app: str, limits: tuple[Limit, ...], answers: Mapping[str, str], reserve: float
    ) -> Budgets:
        """The budgets of an account: one for all who use it in this program, run after run."""
        known = self._budgets.setdefault(asyncio.get_running_loop(), {})
        lasting = sorted(item for item in answers.items() if item[0] not in {ACCESS, EXPIRES})
        key = (app, str(reserve), *(part for item in lasting for part in item))
        if key not in known:
            known[key] = Budgets(app, limits, self._world, reserve=reserve)
        return known[key]


def _told(client: AioHttp, ledger: Ledger | None) -> None:
    """Tell how many requests a client sent, once nothing more can come."""
    if ledger is not None and client.sent:
        ledger.spend(client.sent)


def _reach(kind: catalog.ConnectorClass, answers: Mapping[str, str]) -> Reach | None:
    """Where the app is and how we sign in; None: it is not reached by HTTP."""
    own = getattr(kind, "reach", None)
    if own is not None:
        found: Reach = own(answers)
        return found
    manifest = kind.manifest
    if not manifest.address:
        return None
    by_tokens = bool(manifest.oauth) and kept(answers) is not None
    auth = None if by_tokens else _auth(manifest, answers)
    return Reach(answers[manifest.address], auth, manifest.limits)


def _by_itself(answers: Mapping[str, str]) -> bool:
    """Whether a client signs in for itself: it is named, and no token is."""
    named = answers.get("client_id") and answers.get("client_secret")
    return bool(named) and not answers.get("token")


def _auth(manifest: Manifest, answers: Mapping[str, str]) -> Auth | None:
    asked = {question.name for question in manifest.questions}
    if {"user", "password"} <= asked:
        return BasicAuth(manifest.name, answers["user"], answers["password"])
    if "token" in asked:
        return BearerAuth(manifest.name, answers.get("token", ""))
    return None
