"""Mutants of the store."""

from __future__ import annotations

from tests.mutants.mutant import ENGINE, STORE, Mutant

STORING = (
    Mutant(
        "a change does not become due",
        "store/records.py",
        "if subscriber.marks and subscriber.sync != quiet:",
        "if False:",
        STORE,
    ),
    Mutant(
        "seen is not copied out",
        "store/records.py",
        "_copy_out(db, subscriber, moved)",
        "pass",
        STORE,
    ),
    Mutant(
        "another reader's cursor is overwritten",
        "store/records.py",
        "if moved.rowcount != 1:",
        "if False:",
        STORE,
    ),
    Mutant(
        "scan marks cover one block",
        "store/records.py",
        "wanted[row >> _BLOCK][",
        "wanted[0][",
        STORE,
    ),
    Mutant(
        "a record that left still has its match keys",
        "store/gone.py",
        "drop_keys(db, carried)",
        "pass",
        STORE,
    ),
    Mutant(
        "a record that left is still counted",
        "store/gone.py",
        "count(db, sync, {found[0]: -1})\n            _repair",
        "pass\n            _repair",
        STORE,
    ),
    Mutant(
        "a pair that lost an end is still a pair",
        "store/gone.py",
        "_repair_pairs(db, subscriber, row, -1)",
        "pass",
        STORE,
    ),
    Mutant(
        "new fields are not read of records that look unchanged",
        "store/records.py",
        '"UPDATE records SET digest = NULL, version = NULL WHERE reader = ?"',
        '"UPDATE records SET digest = digest WHERE reader = ?"',
        STORE,
    ),
    Mutant(
        "match keys do not follow",
        "store/keys.py",
        "dropped += [",
        "_ = [",
        STORE,
    ),
    Mutant(
        "what was read during a chunk is agreed",
        "store/settling.py",
        "return None if agreed.same and unmoved else agreed.seen",
        "return None if agreed.same else agreed.seen",
        STORE,
    ),
    Mutant(
        "counters do not move",
        "store/settling.py",
        "_move(deltas, change.old_state, state)\n        values",
        "pass\n        values",
        STORE,
    ),
    Mutant(
        "the dead are counted",
        "store/settling.py",
        "if not {change.hub, change.app} <= dead:",
        "if True:",
        STORE,
    ),
    Mutant(
        "a record that was read alone and is linked now counts twice",
        "store/settling.py",
        "if made.sighting.row is not None:  # it may",
        "if False:  # it may",
        STORE,
    ),
    Mutant(
        "a new link wakes nobody",
        "store/settling.py",
        "wake_waiting(db, [row for c in new for row in (c.hub, c.app)])",
        "pass",
        STORE,
    ),
    Mutant(
        "our own write is due again",
        "store/settling.py",
        "subscribers[reader], quiet=sync)",
        "subscribers[reader])",
        STORE,
    ),
    Mutant(
        "who was taken over settles",
        "store/fences.py",
        "raise FenceLost",
        "return",
        ENGINE,
    ),
)
