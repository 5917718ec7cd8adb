"""The promises of a connector as a pytest suite, for connectors of ours and of third parties.

A connector's test class inherits it, says what the connector declares, and supplies records::

    class TestAcme(ConnectorConformance):
        declares = frozenset({Capability.LOG, Capability.CREATE, Capability.UPDATE})

        @pytest.fixture
        async def connector(self) -> AsyncIterator[Connector]: ...

        def fields(self, n: int) -> Fields:
            return {"email": f"n{n}@example.org", "firstname": f"First {n}"}

        def edited(self, n: int) -> Fields:
            return {"firstname": f"Edited {n}"}

        async def reconnect(self, connector: Connector) -> Connector: ...

The class gets exactly the tests that ``declares`` calls for, and one of them compares ``declares``
with ``describe()``: what a connector can do is tested, what it cannot is listed with the reason,
nothing is skipped. The optional methods ``outside_*`` and ``expire_cursors`` let the tests act as
another user of the app; tests that depend on one exist where it is defined. pytest and
pytest-asyncio are needed here only.
"""

from twofold.kit.conformance.capabilities import Capability, capabilities
from twofold.kit.conformance.subject import Subject
from twofold.kit.conformance.suite import SUITE, ConnectorConformance

__all__ = ["SUITE", "Capability", "ConnectorConformance", "Subject", "capabilities"]
