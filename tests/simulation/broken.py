"""What is raised where a promise does not hold."""

from __future__ import annotations


class Broken(AssertionError):
    """A promise does not hold."""

    def __init__(self, promise: str, sentence: str) -> None:
        self.promise = promise
        super().__init__(f"{promise}: {sentence}")
