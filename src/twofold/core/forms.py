"""Whether a side holds what it was given, in a form of its own: trimmed, formatted, rounded.

Asked where an app's answer to our write is missing. A value that differs from the one we sent by
its form only is taken as ours; anything else is somebody's edit.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from twofold.core.values import Scalar, Value

Canonical = Callable[[Value], object]


def arrived(canonical: Canonical, holds: Value, sent: Value) -> bool:
    """Whether a side that holds one value was given the other.

    Args:
        canonical: The canonical form of the side's field.
    """
    return canonical(holds) == canonical(sent) or _alike(holds, sent)


def _alike(holds: Value, sent: Value) -> bool:
    if isinstance(holds, tuple) and isinstance(sent, tuple):
        return sorted(map(_form, holds)) == sorted(map(_form, sent))
    if _is_number(holds) and _is_number(sent):
        return _rounded(Decimal(str(holds)), Decimal(str(sent)))
    return (
        isinstance(holds, str)
        and isinstance(sent, str)
        and bool(_form(holds))
        and _form(holds) == _form(sent)
    )


def _is_number(value: Value) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _rounded(holds: Decimal, sent: Decimal) -> bool:
    """Whether one is the other with fewer digits behind the point, rounded or cut off."""
    if not (holds.is_finite() and sent.is_finite()):
        return False
    exponent = holds.as_tuple().exponent
    assert isinstance(exponent, int), "only what is not finite has a letter there"
    return abs(holds - sent) < Decimal(1).scaleb(min(exponent, 0))


def _form(item: Scalar) -> str:
    """Letters and digits: all that apps leave alone."""
    return "".join(filter(str.isalnum, str(item))).casefold()
