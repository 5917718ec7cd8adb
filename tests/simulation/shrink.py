"""Make a broken history small: fewer events, plainer apps, the same broken promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec
from msgspec import Struct, structs
from tests.simulation.broken import Broken
from tests.simulation.history import History
from tests.simulation.promises import verdict
from tests.simulation.script import Round, Script

P = TypeVar("P")


def failure(script: Script) -> str | None:
    """Which promise a script breaks; None where it breaks none."""
    try:
        verdict(History(script))
    except Broken as broken:
        return broken.promise
    except Exception as error:  # noqa: BLE001 - an engine that falls over breaks every promise
        return type(error).__name__
    return None


def shrink(script: Script) -> Script:
    """The smallest script found that breaks the same promise."""
    wanted = failure(script)
    if wanted is None:
        return script
    while True:
        smaller = _smaller(script, lambda one: failure(one) == wanted)
        if smaller == script:
            return script
        script = smaller


def _smaller(script: Script, breaks: Callable[[Script], bool]) -> Script:
    for simplify in (_rounds, _events, _joined, _plainer):
        script = simplify(script, breaks)
    return script


def _rounds(script: Script, breaks: Callable[[Script], bool]) -> Script:
    def with_rounds(rounds: list[Round]) -> Script:
        return structs.replace(script, rounds=tuple(rounds))

    kept = _without(list(script.rounds), lambda rounds: breaks(with_rounds(rounds)))
    return with_rounds(kept)


def _without(items: list[P], breaks: Callable[[list[P]], bool]) -> list[P]:
    """Leave out as many items as possible, large parts first."""
    size = max(1, len(items) // 2)
    while size:
        start = 0
        while start < len(items):
            fewer = items[:start] + items[start + size :]
            if breaks(fewer):
                items = fewer
            else:
                start += size
        size //= 2
    return items


def _events(script: Script, breaks: Callable[[Script], bool]) -> Script:
    for number in range(len(script.rounds)):
        for name in ("acts", "troubles"):
            script = _fewer(script, number, name, breaks)
    return script


def _fewer(script: Script, number: int, name: str, breaks: Callable[[Script], bool]) -> Script:
    """Without as many acts or troubles of one round as possible."""

    def of(parts: list[Struct]) -> Script:
        one = structs.replace(script.rounds[number], **{name: tuple(parts)})
        return structs.replace(
            script, rounds=(*script.rounds[:number], one, *script.rounds[number + 1 :])
        )

    parts = list(getattr(script.rounds[number], name))
    return of(_without(parts, lambda fewer: breaks(of(fewer)))) if parts else script


def _joined(script: Script, breaks: Callable[[Script], bool]) -> Script:
    """Without the runs between two rounds."""
    number = 0
    while number + 1 < len(script.rounds):
        first, second = script.rounds[number : number + 2]
        if not first.troubles:
            one = structs.replace(second, acts=(*first.acts, *second.acts))
            rounds = (*script.rounds[:number], one, *script.rounds[number + 2 :])
            shorter = structs.replace(script, rounds=rounds)
            if breaks(shorter):
                script = shorter
                continue
        number += 1
    return script


def _plainer(script: Script, breaks: Callable[[Script], bool]) -> Script:
    """Apps, rules and rounds as they are when nothing is said of them."""
    for name in ("hub", "app", "sync"):
        for field in msgspec.structs.fields(getattr(script, name)):
            part = getattr(script, name)
            plain = structs.replace(part, **{field.encode_name: field.default})
            plainer = structs.replace(script, **{name: plain})
            if plain != part and breaks(plainer):
                script = plainer
    for plainer in _plainer_rounds(script):
        if breaks(plainer):
            script = plainer
    return script


def _plainer_rounds(script: Script) -> Iterator[Script]:
    rounds = tuple(structs.replace(one, wait=0) for one in script.rounds)
    if rounds != script.rounds:
        yield structs.replace(script, rounds=rounds)
    rounds = tuple(structs.replace(one, chunks=None) for one in script.rounds)
    if rounds != script.rounds:
        yield structs.replace(script, rounds=rounds)
