"""Who reads: language, time zone and theme, as the browser says or the person chose."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from msgspec import Struct

from twofold.web.language import LANGUAGES, preferred

LANGUAGE, ZONE, THEME = "twofold_language", "twofold_zone", "twofold_theme"
"""Names of cookies. Each holds a choice that is checked when it is read, and nothing secret."""


class Theme(StrEnum):
    """Light or dark; AUTO follows the device."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class Reader(Struct, frozen=True):
    """How somebody reads pages."""

    language: str = "en"
    zone: str = "UTC"
    theme: Theme = Theme.AUTO

    def number(self, value: float) -> str:
        """A number with the separators of the language."""
        return format_decimal(value, locale=self.language)

    def moment(self, at: datetime) -> str:
        """A moment with date and time, in the reader's zone."""
        return format_datetime(at, "medium", _zone(self.zone), locale=self.language)

    def day(self, at: datetime) -> str:
        """The day of a moment, in the reader's zone."""
        return format_date(at.astimezone(_zone(self.zone)), "long", locale=self.language)

    def ago(self, at: datetime, now: datetime) -> str:
        """How long ago, in one unit: "3 minutes ago"."""
        return format_timedelta(at - now, add_direction=True, locale=self.language)


def reader_of(cookies: Mapping[str, str], accepted: str) -> Reader:
    """The reader behind a request; whatever makes no sense counts as not chosen."""
    language = cookies.get(LANGUAGE, "")
    zone, theme = cookies.get(ZONE, ""), cookies.get(THEME, "")
    return Reader(
        language if language in LANGUAGES else preferred(accepted),
        zone if zone in zones() else "UTC",
        Theme(theme) if theme in set(Theme) else Theme.AUTO,
    )


@cache
def zones() -> frozenset[str]:
    """The names of all time zones."""
    return frozenset(available_timezones())


def instant(value: str | float | datetime) -> datetime:
    """A moment out of ISO 8601 text, or out of seconds since 1970."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromtimestamp(value, UTC)


@cache
def _zone(name: str) -> tzinfo:
    return ZoneInfo(name)
