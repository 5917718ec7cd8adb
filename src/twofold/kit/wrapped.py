"""A connector around another one: what it does not change, it passes on."""

from __future__ import annotations

from collections.abc import Sequence

from twofold.core.schema import ObjectType
from twofold.kit.contract import Connector, Identity, Pause, Response


class Wrapped:
    """The calls that do not concern records; ``pull``, ``get`` and ``push`` are the subclass's."""

    def __init__(self, inner: Connector) -> None:
        self._inner = inner
        self.manifest = inner.manifest

    def pauses(self, response: Response) -> Sequence[Pause]:
        """As the connector itself."""
        return self._inner.pauses(response)

    async def verify(self) -> Identity:
        """As the connector itself."""
        return await self._inner.verify()

    async def describe(self) -> Sequence[ObjectType]:
        """What the app itself has."""
        return await self._inner.describe()

    async def close(self) -> None:
        """Close the connector."""
        await self._inner.close()
