"""The mutants: which rule is broken, how, and which quick command must notice."""

from __future__ import annotations

from dataclasses import dataclass

CHOICES = ("pytest", "tests/core/test_choices.py")
MERGE = ("pytest", "tests/core/test_merge.py")
SEEN = ("pytest", "tests/core/test_seen.py")
PLAN = ("pytest", "tests/core/test_plan.py")
MATCHING = ("pytest", "tests/core/test_matching.py")
ENGINE = ("pytest", "tests/engine")
TROUBLE = ("pytest", "tests/engine/test_trouble.py")
STORE = ("pytest", "tests/store/test_pages.py", "tests/store/test_settling.py")
HISTORIES = ("tests.simulation", "--seeds", "150", "--stop")


def only(words: str, command: tuple[str, ...]) -> tuple[str, ...]:
    """The tests of a command whose names hold these words."""
    return (*command, "-k", words)


def seed(number: int) -> tuple[str, ...]:
    """One history of the simulation."""
    return ("tests.simulation", "--first", str(number), "--seeds", "1")


@dataclass(frozen=True)
class Mutant:
    """One broken rule."""

    name: str
    file: str
    old: str
    """Occurs exactly once in the file."""
    new: str
    command: tuple[str, ...]


CORE = (
    Mutant(
        "a blank erases",
        "core/merge.py",
        "if blanks is Blanks.CLEAR:",
        "if True:",
        CHOICES,
    ),
    Mutant(
        "the other app wins a conflict",
        "core/merge.py",
        "return Reason.CONFLICT, default.other, True",
        "return Reason.CONFLICT, default, True",
        CHOICES,
    ),
    Mutant(
        "the other app wins the first meeting",
        "core/merge.py",
        "return Reason.DEFAULT_WINS, default.other, True",
        "return Reason.DEFAULT_WINS, default, True",
        CHOICES,
    ),
    Mutant(
        "a clear beats an edit",
        "core/merge.py",
        "return Reason.EDIT_OVER_CLEAR, blank, True",
        "return Reason.EDIT_OVER_CLEAR, blank.other, True",
        CHOICES,
    ),
    Mutant(
        "one-way writes back",
        "core/merge.py",
        "receiver = Side.HUB if direction is Direction.TO_HUB else Side.APP",
        "receiver = Side.APP if direction is Direction.TO_HUB else Side.HUB",
        CHOICES,
    ),
    Mutant(
        "the receiving side's own edit counts as agreed",
        "core/merge.py",
        "(Reason.DIFFERS, None, False) if receiver in edited",
        "(Reason.DIFFERS, None, True) if receiver in edited",
        CHOICES,
    ),
    Mutant(
        "a closed side is written",
        "core/merge.py",
        "if to not in open_to:",
        "if False:",
        only("closed", MERGE),
    ),
    Mutant(
        "a frozen mapping is written",
        "core/merge.py",
        "if conversion.name in frozen:",
        "if False:",
        only("frozen", MERGE),
    ),
    Mutant(
        "another spelling is an edit",
        "core/merge.py",
        "if own(values[side]) != own(seen[side][name]):",
        "if values[side] != seen[side][name]:",
        only("travels or overwritten", MERGE),
    ),
    Mutant(
        "a field that may be written once is written again",
        "core/merge.py",
        "if not conversion.updatable[to]:",
        "if False:",
        SEEN,
    ),
    Mutant(
        "seen moves on a refused write",
        "core/links.py",
        "elif receiver is None and conversion.name in unsettled:",
        "elif False:",
        SEEN,
    ),
    Mutant(
        "what a side stored of our write is not its seen",
        "core/links.py",
        "after[side][name] = written[side][conversion.name]",
        "after[side][name] = planned[side].get(name)",
        SEEN,
    ),
    Mutant(
        "a note is not read after a crash",
        "core/links.py",
        "if not link.note:\n        return link.seen",
        "if True:\n        return link.seen",
        PLAN,
    ),
    Mutant(
        "an edit over a noted write counts as ours",
        "core/links.py",
        "= holds if arrived else sent.value",
        "= holds",
        PLAN,
    ),
    Mutant(
        "what the app filled by itself counts as agreed",
        "core/links.py",
        "if same(conversion, *pair):",
        "if True:",
        SEEN,
    ),
    Mutant(
        "two rewriting apps never freeze",
        "core/links.py",
        "count = flip.count + 1 if again",
        "count = flip.count if again",
        PLAN,
    ),
    Mutant(
        "a person who toggles is frozen",
        "core/links.py",
        "again = side in flip.written and flip.written[side] == value",
        "again = side in flip.written",
        PLAN,
    ),
    Mutant(
        "an association is removed at first meeting",
        "core/associations.py",
        "edited: frozenset[Side] | None = None",
        "edited: frozenset[Side] | None = frozenset(s for s in Side if values[s] is None)",
        PLAN,
    ),
    Mutant(
        "an association does not wait for its far end",
        "core/associations.py",
        "twin = twins[to.other].get(str(wanted))",
        "twin = twins[to.other].get(str(wanted), str(wanted))",
        PLAN,
    ),
    Mutant(
        "blanks are written into new records",
        "core/plan.py",
        "if is_blank(source):",
        "if False:",
        PLAN,
    ),
    Mutant(
        "an excluded record is created",
        "core/plan.py",
        "if scope.exclusion is not None:\n        return _outcome(scope)",
        "if False:\n        return _outcome(scope)",
        PLAN,
    ),
    Mutant(
        "a frozen mapping is not told",
        "core/plan.py",
        "if decision.reason is Reason.FROZEN:",
        "if False:",
        PLAN,
    ),
    Mutant(
        "one of several candidates is linked",
        "core/matching.py",
        "candidate = others[0] if len(others) == 1 else None",
        "candidate = others[0]",
        MATCHING,
    ),
    Mutant(
        "an empty side is no brake",
        "core/guards.py",
        "if found > 0 or known < EMPTY_FROM:",
        "if True:",
        ENGINE,
    ),
)

WRITING = (
    Mutant(
        "no note before a write",
        "engine/apply.py",
        "_note(context, outcomes, creates)\n    for side",
        "_note(context, [], [])\n    for side",
        HISTORIES,
    ),
    Mutant(
        "no note before a create",
        "engine/apply.py",
        "[creation_of(context, c) for c in creates],",
        "[],",
        TROUBLE,
    ),
    Mutant(
        "a note forgets that the one before it arrived",
        "engine/apply.py",
        "if not pair.link.note or seen is None:",
        "if True:",
        TROUBLE,
    ),
    Mutant(
        "no look before a create",
        "engine/creates.py",
        "for key in look_keys(context, side):",
        "for key in ():",
        ENGINE,
    ),
    Mutant(
        "the version is not sent",
        "engine/updates.py",
        "if_version=u.record.version,",
        "if_version=None,",
        HISTORIES,
    ),
    Mutant(
        "no look where an app compares no versions",
        "engine/updates.py",
        "if not port.type.conditional:",
        "if False:",
        TROUBLE,
    ),
    Mutant(
        "a moved record is written nevertheless",
        "engine/updates.py",
        "if now is not None and _same_in_program(context, port.side, u.record, now):",
        "if now is not None:",
        TROUBLE,
    ),
    Mutant(
        "the fence is not checked before a push",
        "engine/push.py",
        "context.state.links.check(context.sync.id, context.fence)\n",
        "pass\n",
        TROUBLE,
    ),
    Mutant(
        "what an app made of our value is an edit",
        "engine/updates.py",
        "written[c.name] = now if arrived else u.values[c.name]",
        "written[c.name] = u.values[c.name]",
        TROUBLE,
    ),
    Mutant(
        "an edit right after our write is not planned",
        "engine/updates.py",
        "outcome.stale = outcome.stale or not arrived",
        "pass",
        TROUBLE,
    ),
    Mutant(
        "what a side shows after our write is not stored",
        "engine/apply.py",
        "settlement.sightings.append((context.ports[side].reader, sightings[side, held.id]))",
        "pass",
        TROUBLE,
    ),
    Mutant(
        "a refused field counts as written",
        "engine/updates.py",
        "outcome.failed.add(c.name)\n            continue",
        "continue",
        TROUBLE,
    ),
    Mutant(
        "a refused write moves seen",
        "engine/updates.py",
        "outcome.failed.update(u.values)\n    if u.associate",
        "if u.associate",
        TROUBLE,
    ),
    Mutant(
        "an atomic batch is not split",
        "engine/push.py",
        "if port.type.atomic and len(writes) > 1 and not _applied(results):",
        "if False:",
        ENGINE,
    ),
    Mutant(
        "unsent counts as written",
        "engine/updates.py",
        "elif answer.unsent:\n        outcome.unsent = True",
        "elif answer.unsent:\n        pass",
        TROUBLE,
    ),
    Mutant(
        "an unknown outcome counts as an answer",
        "engine/apply.py",
        "if outcome.unknown or not outcome.complete:",
        "if False:",
        HISTORIES,
    ),
    Mutant(
        "an unknown create counts as an answer",
        "engine/apply.py",
        "if made.unknown:\n        context.uncertain = True",
        "if False:\n        context.uncertain = True",
        TROUBLE,
    ),
    Mutant(
        "a noted create is not looked at",
        "engine/run.py",
        "await recover_creations(context, began)",
        "pass",
        ENGINE,
    ),
    Mutant(
        "a lagging feed hides what we made",
        "engine/recover.py",
        "visible = began - port.type.lag.total_seconds()",
        "visible = began",
        TROUBLE,
    ),
    Mutant(
        "a stranger is taken for what we made",
        "engine/recover.py",
        "for row in sorted(sharing.union(self._keyless)) if wanted else sorted(self._left):",
        "for row in sorted(self._left):",
        TROUBLE,
    ),
    Mutant(
        "what was not applied is not tried again",
        "engine/apply.py",
        "settlement.retries.append((place, at, tried + 1))",
        "pass",
        TROUBLE,
    ),
    Mutant(
        "nobody wakes for a retry",
        "engine/run.py",
        "context.state.links.wake(context.sync.id, context.world.now().timestamp())",
        "pass",
        TROUBLE,
    ),
    Mutant(
        "due is cleared before the outcome",
        "engine/run.py",
        "await apply(context, assemble(context, places), moves)",
        "chunk = assemble(context, places)\n"
        '        context.state.database.connection.execute("DELETE FROM due")\n'
        "        await apply(context, chunk, moves)",
        HISTORIES,
    ),
)

READING = (
    Mutant(
        "the cursor is stored before the page",
        "engine/read.py",
        'world.step(f"{port.side} pulled")',
        "port.state.database.connection.execute(\n"
        '            "UPDATE readers SET cursor = ? WHERE id = ?", (batch.cursor, port.reader))\n'
        "        reader = port.state.records.reader(port.reader)\n"
        '        world.step(f"{port.side} pulled")',
        HISTORIES,
    ),
    Mutant(
        "a resumed listing is not read again",
        "engine/read.py",
        "if not resumed:\n                return moved",
        "if True:\n                return moved",
        seed(244),
    ),
    Mutant(
        "a feed's lag is ignored",
        "engine/read.py",
        "return bool(lag and found",
        "return bool(False and found",
        seed(2475),
    ),
    Mutant(
        "what a listing missed is gone without a look",
        "engine/read.py",
        "gone += [row for row, i in part if not answered.get(i)]",
        "gone += [row for row, _ in part]",
        TROUBLE,
    ),
    Mutant(
        "equal coarse versions prove that nothing changed",
        "engine/port.py",
        "return not self.type.resolution",
        "return True",
        HISTORIES,
    ),
)

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
        "block = row >> _BLOCK",
        "block = 0",
        STORE,
    ),
    Mutant(
        "a record that left still has its match keys",
        "store/records.py",
        "drop_keys(db, carried)",
        "pass",
        STORE,
    ),
    Mutant(
        "a record that left is still counted",
        "store/records.py",
        "count(db, sync, {found[0]: -1})\n            _repair",
        "pass\n            _repair",
        STORE,
    ),
    Mutant(
        "a pair that lost an end is still a pair",
        "store/records.py",
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
        "_wake_waiting(db, [row for c in new for row in (c.hub, c.app)])",
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
        "store/links.py",
        "raise FenceLost",
        "return",
        ENGINE,
    ),
)

MUTANTS = (*CORE, *WRITING, *READING, *STORING)
