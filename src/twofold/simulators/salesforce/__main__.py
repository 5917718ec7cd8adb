"""``python -m twofold.simulators.salesforce``: an org to rehearse with, on this machine alone."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import suppress

from twofold.simulators.salesforce.server import Server


async def serve(port: int) -> None:
    """Serve until Ctrl-C."""
    server = Server()
    address = await server.start(port)
    client, secret = server.client
    print(f"A Salesforce org to rehearse with: {address}", flush=True)
    print(f"  twofold network allow {address.split('/')[2].split(':')[0]}", flush=True)
    print(
        f"  twofold connect salesforce --set url={address} --set client_id={client}"
        f" --set client_secret={secret}",
        flush=True,
    )
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


def main() -> None:
    """Read the port, and serve."""
    parser = argparse.ArgumentParser(prog="python -m twofold.simulators.salesforce")
    parser.add_argument("--port", type=int, default=8090)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
