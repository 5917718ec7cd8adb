"""Mutants of limits."""

from __future__ import annotations

from tests.mutants.mutant import FILTERS, HISTORIES, LIMITS, Mutant

LIMITING = (
    Mutant(
        "who is beyond the limit is sent",
        "core/scope.py",
        "return (stays and side in standing.entered) or meets(fields)",
        "return True",
        HISTORIES,
    ),
    Mutant(
        "the last days have one day less",
        "core/filtering.py",
        "0 <= (today - day).days <= length for day",
        "0 <= (today - day).days < length for day",
        FILTERS,
    ),
    Mutant(
        "a blank meets a comparison",
        "core/filtering.py",
        "return any(one(form(v)) for v in _members(fields.get(field.name))) is not negated",
        "return any(v is None or one(form(v)) for v in _members(fields.get(field.name)))"
        " is not negated",
        FILTERS,
    ),
    Mutant(
        "one group that is met is not enough",
        "core/filtering.py",
        "            else:\n                return True\n        return not",
        "            else:\n                return self._tests[-1] is tests\n        return not",
        FILTERS,
    ),
    Mutant(
        "time alone moves nobody",
        "store/links.py",
        'db.execute(f"{query} revisits WHERE sync = ? AND at <= ?", (sync, now))',
        "pass",
        LIMITS,
    ),
    Mutant(
        "an exclusion by hand is forgotten",
        "core/scope.py",
        "if standing.by_hand is not None:",
        "if False:",
        LIMITS,
    ),
    Mutant(
        "history travels with the first edit",
        "core/plan.py",
        "seen=shown if unmet else link.seen",
        "seen=link.seen",
        LIMITS,
    ),
    Mutant(
        "a final update never ends",
        "engine/leaving.py",
        "return context.sync.rules.leaving is Leaving.FINAL and state is State.IN_SYNC",
        "return False",
        LIMITS,
    ),
    Mutant(
        "a final update is given up when it is refused",
        "engine/leaving.py",
        "return context.sync.rules.leaving is Leaving.FINAL and state is State.IN_SYNC",
        "return context.sync.rules.leaving is Leaving.FINAL",
        LIMITS,
    ),
)
