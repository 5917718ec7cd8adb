"""By what the service is reached: its names, its public address, the proxies before it."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct


class Reach(Struct, frozen=True):
    """Told by a person; the supervisor hands it to the web process as JSON."""

    hosts: tuple[str, ...] = ()
    """Names of the server besides those of the machine itself."""
    public: str = ""
    """The address by which others know it, as ``https://sync.example.org/twofold``."""
    proxies: tuple[str, ...] = ()
    """Addresses of proxies whose headers are believed."""

    @property
    def prefix(self) -> str:
        """The path under which others know it; empty, or as ``/twofold``."""
        return urlsplit(self.public).path.rstrip("/")
