"""Mutants of the engine for each promise of the simulation, all of which its histories notice."""

from __future__ import annotations

from tests.mutants.mutant import HISTORIES, KEPT, STAGES, Mutant, only

RARE = only("not thirty", KEPT)

PROMISES = (
    Mutant(
        "quiet: nobody wakes for a retry",
        "engine/run.py",
        "context.state.links.wake(context.sync.id, context.world.now().timestamp())",
        "pass",
        HISTORIES,
    ),
    Mutant(
        "one-way: the source is written",
        "core/merge.py",
        "receiver = Side.HUB if direction is Direction.TO_HUB else Side.APP",
        "receiver = Side.APP if direction is Direction.TO_HUB else Side.HUB",
        HISTORIES,
    ),
    Mutant(
        "no duplicate: no note before a create",
        "engine/apply.py",
        "[creation_of(c, now) for c in creates],",
        "[],",
        HISTORIES,
    ),
    Mutant(
        "no duplicate: a note is not on the disk before the write",
        "store/links.py",
        "with self._database.durable_transaction() as db:\n            check_fence",
        "with self._database.transaction() as db:\n            check_fence",
        RARE,
    ),
    Mutant(
        "nothing deleted: a twin is deleted though nobody asked",
        "core/deletes.py",
        "Deletes.IGNORE: (),",
        "Deletes.IGNORE: (Op.DELETE,),",
        HISTORIES,
    ),
    Mutant(
        "excluded: a record that must not take part is created",
        "core/plan.py",
        "if scope.exclusion is not None:\n        return _outcome(scope)",
        "if False:\n        return _outcome(scope)",
        HISTORIES,
    ),
    Mutant(
        "counted once: counters do not move",
        "store/settling.py",
        "_move(deltas, change.old_state, state)\n        values",
        "pass\n        values",
        HISTORIES,
    ),
    Mutant(
        "no edit lost: a refused write moves seen",
        "core/links.py",
        "elif receiver is None and conversion.name in unsettled:",
        "elif False:",
        HISTORIES,
    ),
    Mutant(
        "no edit lost: another form of our value is an edit",
        "core/forms.py",
        "return canonical(holds) == canonical(sent) or _alike(holds, sent)",
        "return canonical(holds) == canonical(sent)",
        RARE,
    ),
    Mutant(
        "no edit lost: fences are ignored",
        "store/fences.py",
        "if found is None or found[0] != fence:",
        "if found is None:",
        HISTORIES,
    ),
    Mutant(
        "mapped values: a prefix is left out",
        "core/transforms.py",
        "return lambda text: transform.form + text.strip()",
        "return lambda text: text.strip()",
        HISTORIES,
    ),
    Mutant(
        "mapped values: nobody stands in for an owner without a pair",
        "core/options.py",
        "        if fallback:\n",
        "        if False:\n",
        HISTORIES,
    ),
    Mutant(
        "mapped values: new records are given no constants",
        "engine/creates.py",
        "    if constants:\n",
        "    if False:\n",
        HISTORIES,
    ),
    Mutant(
        "stages: what is made in the hub gets no stage",
        "core/plan.py",
        "**_first_stage(rules, side),",
        "",
        STAGES,
    ),
    Mutant(
        "stages: a converted lead loses its twin",
        "engine/chunk.py",
        "_Matched(keep_twins(context, places), {}, [])",
        "_Matched([], {}, [])",
        STAGES,
    ),
)
