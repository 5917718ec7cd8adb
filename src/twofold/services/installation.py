"""One installation at work: its state, its key, and the way to its connectors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from twofold.core.errors import TwofoldError
from twofold.core.records import Side
from twofold.engine.world import World
from twofold.kit import catalog
from twofold.kit.contract import Connector
from twofold.store.secrets import Vault
from twofold.store.state import State
from twofold.store.syncs import HUB_CONNECTION, Connection, Sync

Opener = Callable[[str, Mapping[str, str]], AbstractAsyncContextManager[Connector]]
"""From a connector's name and all answers to its questions, to a connector that is ready."""

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
        self.open_connector = opener

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
        return self.open_connector(connection.app, self.answers(connection))

    @asynccontextmanager
    async def both_sides(self, sync: Sync) -> AsyncIterator[dict[Side, Connector]]:
        """The connectors of a sync's two sides."""
        hub = self.state.syncs.connection(HUB_CONNECTION)
        app = self.state.syncs.connection(sync.connection)
        async with self.opened(hub) as here, self.opened(app) as there:
            yield {Side.HUB: here, Side.APP: there}

    def close(self) -> None:
        """Close the state."""
        self.state.close()
