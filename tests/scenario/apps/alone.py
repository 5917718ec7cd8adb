"""What an adapter has where its app knows neither merges nor companies."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from tests.scenario.apps import PLAIN


class Alone:
    """A context manager around nothing, for people without companies."""

    company = ""
    association = ""
    company_fields: Mapping[str, str] = PLAIN

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Nothing was started."""

    def merge(self, loser: str, survivor: str) -> None:
        raise AssertionError("not declared, so not asked")

    def found(self, name: str) -> None:
        raise AssertionError("not declared, so not asked")

    def join(self, record_id: str, company: str) -> None:
        raise AssertionError("not declared, so not asked")

    def works_at(self, record_id: str) -> str | None:
        raise AssertionError("not declared, so not asked")
