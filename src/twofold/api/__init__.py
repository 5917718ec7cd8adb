"""The REST API: everything that a person can do, over the services that the commands use."""

from twofold.api.routes import mount

__all__ = ["mount"]
