"""Mutants of deletes, merges, brakes, freezing and verification."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, only

DELETES = ("pytest", "tests/engine/test_deletes.py")
MERGES = ("pytest", "tests/engine/test_merges.py")
BRAKES = ("pytest", "tests/engine/test_brakes.py")
RULES = ("pytest", "tests/core/test_deletes.py")
VERIFY = ("pytest", "tests/engine/test_verify.py")
FLIPS = ("pytest", "tests/engine/test_oscillation.py")

DELETING = (
    Mutant(
        "a record that does not send sends its delete",
        "core/deletes.py",
        "if side not in program.scope(shown[Side.HUB], shown[Side.APP], standing).open:",
        "if False:",
        RULES,
    ),
    Mutant(
        "an edited twin is removed unasked",
        "core/deletes.py",
        "return Removal(side, op, edited, edited or rules.deletes is Deletes.APPROVE)",
        "return Removal(side, op, edited, rules.deletes is Deletes.APPROVE)",
        RULES,
    ),
    Mutant(
        "the twin of a merged record is removed",
        "engine/ended.py",
        "if lost.into_id is not None:",
        "if False:",
        MERGES,
    ),
    Mutant(
        "a yes holds for whatever the record shows by then",
        "engine/ended.py",
        "if decided and known.op is removal.op and known.shown == twin.shown:",
        "if decided and known.op is removal.op:",
        only("moved_since", DELETES),
    ),
    Mutant(
        "a no is forgotten",
        "engine/ended.py",
        "if known.phase is Phase.REJECTED:",
        "if False:",
        only("no_is", DELETES),
    ),
    Mutant(
        "who comes back after both were gone is removed again",
        "engine/ended.py",
        "return known.phase is Phase.OVER or known.side is self.gone",
        "return False",
        only("back", DELETES),
    ),
    Mutant(
        "no look before a delete",
        "engine/removals.py",
        "await _look(context, _links(context, rows))",
        "pass",
        DELETES,
    ),
    Mutant(
        "the version is not sent with a delete",
        "engine/removals.py",
        "id=twin.id, if_version=twin.version)",
        "id=twin.id)",
        only("right_before", DELETES),
    ),
    Mutant(
        "a repeated delete that finds nothing is a failure",
        "engine/removals.py",
        "return answer.status is Status.MISSING or (",
        "return (",
        DELETES,
    ),
    Mutant(
        "a removal under way is forgotten when its cause is back",
        "store/gone.py",
        "AND phase <> ?3 AND hub =",
        "AND ?3 AND hub =",
        only("nobody_knows", DELETES),
    ),
    Mutant(
        "another twin has the reference of the one before",
        "engine/creates.py",
        'told += b"again"',
        'told += b""',
        only("after_the_delete", DELETES),
    ),
    Mutant(
        "an unlinked survivor does not take the link over",
        "engine/rejoin.py",
        "relinks.append(Relink(one.gone, lost.row, survivor.row, unnoted))",
        "pass",
        MERGES,
    ),
    Mutant(
        "a survivor agreed to what it shows itself",
        "store/rejoining.py",
        "agreed_{end} = coalesce(agreed_{end},",
        "agreed_{end} = coalesce(NULL AND agreed_{end}, NULL AND",
        MERGES,
    ),
    Mutant(
        "both sides merged the same two and nobody is linked",
        "engine/rejoin.py",
        "if other and not _crossed(one, other[0]):",
        "if other:",
        MERGES,
    ),
    Mutant(
        "a taken value is not tried again when it is free",
        "store/keys.py",
        "[(int(State.FAILING), sync, key) for sync, key, _, _ in dropped],",
        "[(99, sync, key) for sync, key, _, _ in dropped],",
        only("handed", MERGES),
    ),
    Mutant(
        "deletes are not counted",
        "engine/run.py",
        "    guard_deletes(context)\n",
        "",
        BRAKES,
    ),
    Mutant(
        "creates and changes are not counted",
        "engine/run.py",
        "    guard_writes(context)\n",
        "",
        BRAKES,
    ),
    Mutant(
        "a yes to some is a yes to any number",
        "engine/brakes.py",
        "if allowed is None or brake.number > allowed:",
        "if allowed is None:",
        BRAKES,
    ),
    Mutant(
        "a yes is for ever",
        "engine/run.py",
        "        state.brakes.rest(sync_id, world.now().timestamp())\n",
        "        pass\n",
        BRAKES,
    ),
    Mutant(
        "what is frozen never thaws",
        "core/links.py",
        "if flip.count < FLIPS_TO_FREEZE or name in rewritten",
        "if True",
        FLIPS,
    ),
    Mutant(
        "a late feed is drift",
        "engine/verify.py",
        "await read(port, context.world)  # the feed",
        "pass  # the feed",
        VERIFY,
    ),
    Mutant(
        "drift is not put right",
        "engine/verify.py",
        "port.store(list(records.values()), {**gone, **merged})",
        "pass",
        VERIFY,
    ),
    Mutant(
        "a side that shows nothing is believed by verification",
        "engine/verify.py",
        "pull(context, side_suddenly_empty(side, port.app, len(ends), found))",
        "pass",
        VERIFY,
    ),
)
