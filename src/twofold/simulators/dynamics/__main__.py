"""``python -m twofold.simulators.dynamics``: an environment to rehearse with, on this machine."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import suppress

from twofold.simulators.dynamics.server import Server


async def serve(port: int) -> None:
    """Serve until Ctrl-C."""
    server = Server()
    address = await server.start(port)
    client, secret = server.client
    print(f"A Dynamics 365 environment to rehearse with: {address}", flush=True)
    print(f"  twofold network allow {address.split('/')[2].split(':')[0]}", flush=True)
    print(
        f"  twofold connect dynamics --set url={address} --set login={address}"
        f" --set client_id={client} --set client_secret={secret}",
        flush=True,
    )
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


def main() -> None:
    """Read the port, and serve."""
    parser = argparse.ArgumentParser(prog="python -m twofold.simulators.dynamics")
    parser.add_argument("--port", type=int, default=8091)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
