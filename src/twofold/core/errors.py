"""Every error is facts, a sentence and advice, by a code that never changes its meaning.

The sentences live in `twofold.core.codes`; the pages, the CLI, the API and the docs read them
from there.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from twofold.core.codes import CODES, Code


class Issue(Struct, frozen=True):
    """What went wrong with one record, in words for a person."""

    code: str
    sentence: str
    field: str | None = None
    other_id: str | None = None
    """The record that stands in the way, e.g. the holder of a unique value."""
    raw: str = ""
    """The app's own answer, shortened; never a credential."""

    @property
    def advice(self) -> str:
        """What a person can do about it."""
        return CODES[self.code].advice


class TwofoldError(Exception):
    """The root of all errors of ours. Facts are attributes of ``facts``; never a secret.

    ``TwofoldError("TF-C01", app="carddav")`` builds its sentence from the registry.
    """

    def __init__(self, code: str, /, **facts: object) -> None:
        self.code = code
        self.facts: Mapping[str, object] = facts
        super().__init__(sentence(code, facts))

    @property
    def sentence(self) -> str:
        """One plain sentence with the facts."""
        return str(self)

    @property
    def entry(self) -> Code:
        """This error's line in the registry."""
        return CODES[self.code]

    @property
    def advice(self) -> str:
        """What to do."""
        return self.entry.advice

    @property
    def issue(self) -> Issue:
        """This error as the outcome of one record."""
        named, other, raw = (self.facts.get(k) for k in ("field", "other_id", "raw"))
        return Issue(
            self.code,
            self.sentence,
            None if named is None else str(named),
            None if other is None else str(other),
            "" if raw is None else str(raw)[:500],
        )


def sentence(code: str, facts: Mapping[str, object]) -> str:
    """Fill the registry's sentence with facts.

    Raises:
        KeyError: the code is not registered, or a fact that the sentence names is missing.
    """
    return CODES[code].sentence.format_map(facts)
