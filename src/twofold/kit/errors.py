"""Every way a call to an app can fail, grouped by what the engine does next.

::

    ConnectorError
      Retry             wait and try the same call again   RateLimited · Unavailable
      Reject            this record fails, the run goes on InvalidValue · NotPermitted
      Stop              the run pauses, a person is asked  AccessDenied · Redirected · Forbidden ·
                                                           SchemaChanged · Misunderstood
      OutcomeUnknown    a write was sent, no answer came   look before sending again
      CursorExpired     start again with ``cursor=None``
      LimitUntil        the budget is used up for long: unwind, come back at ``until``
"""

from __future__ import annotations

from datetime import datetime

from twofold.core.errors import TwofoldError


class ConnectorError(TwofoldError):
    """A call to an app failed as a whole; nothing of it was applied, except OutcomeUnknown."""


class Retry(ConnectorError):
    """The engine waits and tries the same call again."""


class RateLimited(Retry):
    """The app throttled us."""

    def __init__(self, app: str, until: datetime) -> None:
        self.until = until
        super().__init__("TF-C02", app=app, until=until.isoformat(timespec="seconds"))


class Unavailable(Retry):
    """The app cannot be reached, or answers with a server error."""

    def __init__(self, app: str, reason: str) -> None:
        super().__init__("TF-C01", app=app, reason=reason)


class Reject(ConnectorError):
    """The engine marks this one record as failing and goes on."""


class InvalidValue(Reject):
    """A value that the other side does not take."""

    def __init__(self, field: str, value: object, expected: str) -> None:
        super().__init__("TF-R01", field=field, value=value, expected=expected)


class NotPermitted(Reject):
    """The app refuses this record for a reason of its own."""

    def __init__(self, app: str, reason: str, field: str | None = None) -> None:
        super().__init__("TF-R03", app=app, reason=reason, field=field)


class Stop(ConnectorError):
    """The engine stops the run and asks a person."""


class AccessDenied(Stop):
    """Credentials or permissions are not, or no longer, accepted."""

    def __init__(self, app: str, reason: str) -> None:
        super().__init__("TF-A01", app=app, reason=reason)


class Redirected(Stop):
    """The app points to another host; credentials are never sent there."""

    def __init__(self, app: str, host: str) -> None:
        super().__init__("TF-A02", app=app, host=host)


class Forbidden(Stop):
    """The app's address is one that only this machine can reach, and nobody allowed it."""

    def __init__(self, app: str, host: str, address: str) -> None:
        super().__init__("TF-A40", app=app, host=host, address=address)


class SchemaChanged(Stop):
    """An object type or field that a sync needs is gone."""


class Misunderstood(Stop):
    """The answer is not one that this app can give: the address is probably wrong."""

    def __init__(self, app: str, reason: str) -> None:
        super().__init__("TF-C05", app=app, reason=reason)


class CursorExpired(ConnectorError):
    """The engine starts again with ``cursor=None``."""

    def __init__(self, app: str) -> None:
        super().__init__("TF-C04", app=app)


class OutcomeUnknown(ConnectorError):
    """A write was sent, but no answer came: it may have been applied."""

    def __init__(self, app: str, reason: str) -> None:
        super().__init__("TF-C03", app=app, reason=reason)


class LimitUntil(ConnectorError):
    """The budget is used up for longer than a slice should wait."""

    def __init__(self, app: str, until: datetime) -> None:
        self.until = until
        super().__init__("TF-C02", app=app, until=until.isoformat(timespec="seconds"))
