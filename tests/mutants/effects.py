"""Mutants of the engine: writing and reading."""

from __future__ import annotations

from tests.mutants.mutant import (
    ENGINE,
    HISTORIES,
    KEPT,
    TROUBLE,
    Mutant,
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
        "[creation_of(c, now) for c in creates],",
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
        "written[c.name] = now if ours else u.values[c.name]",
        "written[c.name] = u.values[c.name]",
        TROUBLE,
    ),
    Mutant(
        "an edit right after our write is not planned",
        "engine/updates.py",
        "outcome.stale = outcome.stale or not ours",
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
        "    await apply(context, chunk, moves)",
        '    context.state.database.connection.execute("DELETE FROM due")\n'
        "    await apply(context, chunk, moves)",
        HISTORIES,
    ),
)

READING = (
    Mutant(
        "the cursor is stored before the page",
        "engine/read.py",
        "        page = await _page(port, reader, batch)\n",
        "        port.state.database.connection.execute(\n"
        '            "UPDATE readers SET cursor = ? WHERE id = ?", (batch.cursor, port.reader))\n'
        "        reader = port.state.records.reader(port.reader)\n"
        '        world.step("cursor stored")\n'
        "        page = await _page(port, reader, batch)\n",
        HISTORIES,
    ),
    Mutant(
        "a resumed listing is not read again",
        "engine/read.py",
        "if not resumed:\n                return moved",
        "if True:\n                return moved",
        HISTORIES,
    ),
    Mutant(
        "a feed's lag is ignored",
        "engine/read.py",
        "return bool(lag and found",
        "return bool(False and found",
        KEPT,
    ),
    Mutant(
        "what a listing missed is gone without a look",
        "engine/read.py",
        "if not found or found[0].id != record_id:",
        "if True:",
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
