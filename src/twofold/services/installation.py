"""One installation at work: its state, its key, and the way to its connectors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

from twofold.core.errors import TwofoldError
from twofold.core.records import Side
from twofold.database.errors import DatabaseError
from twofold.engine.world import World
from twofold.kit import catalog
from twofold.kit.budgets import Ledger
from twofold.kit.contract import Connector
from twofold.kit.oauth import Keeper, Post, kept
from twofold.services.kept_tokens import KeptTokens
from twofold.store.secrets import Vault
from twofold.store.state import State
from twofold.store.syncs import HUB_CONNECTION, Connection, Sync


class Opener(Protocol):
    """The way to apps."""

    def opened(
        self,
        app: str,
        answers: Mapping[str, str],
        keeper: Keeper | None = None,
        ledger: Ledger | None = None,
    ) -> AbstractAsyncContextManager[Connector]:
        """From a connector's name and all answers to its questions, to a connector that is ready.

        ``keeper``: where its tokens are kept, if it signs in with some; ``ledger``: what of the
        app's limits is kept for others, and who is told of requests.
        """
        ...

    def posting(self, app: str) -> AbstractAsyncContextManager[Post]:
        """What sends forms to the pages by which an app signs people in."""
        ...


HUB_FILE = "hub.db"


class Installation:
    """What every service works with. Not to be used by two tasks at once."""

    def __init__(
        self, folder: Path, state: State, vault: Vault, world: World, opener: Opener
    ) -> None:
        self.folder = folder
        self.state = state
        self.vault = vault
        self.world = world
        self.opener = opener
        self.posting = opener.posting

    @property
    def hub_path(self) -> Path:
        """The file of the hub inside."""
        return self.folder / HUB_FILE

    def connection(self, label: str) -> Connection:
        """The connection of that label.

        Raises:
            TwofoldError: TF-U05, there is none.
        """
        known = self.state.syncs.connections()
        for connection in known:
            if connection.label == label:
                return connection
        names = ", ".join(connection.label for connection in known)
        raise TwofoldError("TF-U05", label=label, known=names)

    def sync(self, name: str) -> Sync:
        """The sync of that name.

        Raises:
            TwofoldError: TF-U06, there is none.
        """
        known = self.state.syncs.all()
        for sync in known:
            if sync.name == name:
                return sync
        raise TwofoldError("TF-U06", name=name, known=", ".join(s.name for s in known) or "none")

    def answers(self, connection: Connection) -> dict[str, str]:
        """All answers of a connection, the secret ones included.

        Raises:
            TwofoldError: TF-S22, the key file is another one.
        """
        if connection.id == HUB_CONNECTION:
            return {"path": str(self.hub_path)}
        secrets = self.vault.open(connection.secrets, connection.app, connection.settings)
        return {**connection.settings, **secrets}

    def opened(self, connection: Connection) -> AbstractAsyncContextManager[Connector]:
        """The connector of a connection, closed at the end of the block."""
        catalog.load(connection.app)  # a connector that is gone is named before a key is tried
        answers = self.answers(connection)
        keeper, ledger = self._keeper(connection, answers), self._ledger(connection)
        return self.opener.opened(connection.app, answers, keeper, ledger)

    def _ledger(self, connection: Connection) -> Ledger:
        """Where the requests of a connection are counted, and what of its limits is kept."""
        spending, identity = self.state.spending, connection.id

        def spend(count: int) -> None:
            with suppress(DatabaseError):  # a count is not worth a run
                spending.add(identity, self.world.now().timestamp(), count)

        return Ledger(spend, spending.reserve(identity))

    def _keeper(self, connection: Connection, answers: Mapping[str, str]) -> Keeper | None:
        """Where the tokens of a connection are kept, if it has some."""
        if kept(answers) is None:
            return None
        syncs = self.state.syncs

        def load() -> Mapping[str, str]:
            return self.answers(syncs.connection(connection.id))

        def save(tokens: Mapping[str, str]) -> None:
            now = syncs.connection(connection.id)
            secrets = self.vault.open(now.secrets, now.app, now.settings)
            sealed = self.vault.seal({**secrets, **tokens}, now.app, now.settings)
            syncs.keep_secrets(now.id, sealed)

        return KeptTokens(self.folder / f"sign-in-{connection.id}.lock", load, save)

    @asynccontextmanager
    async def both_sides(self, sync: Sync) -> AsyncIterator[dict[Side, Connector]]:
        """The connectors of a sync's two sides."""
        async with self.between(sync.connection) as both:
            yield both

    @asynccontextmanager
    async def between(self, connection: int) -> AsyncIterator[dict[Side, Connector]]:
        """The connectors of the hub and of a connection."""
        hub = self.state.syncs.connection(HUB_CONNECTION)
        app = self.state.syncs.connection(connection)
        async with self.opened(hub) as here, self.opened(app) as there:
            yield {Side.HUB: here, Side.APP: there}

    def close(self) -> None:
        """Close the state."""
        self.state.close()
