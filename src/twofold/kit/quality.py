"""The bar for connectors, and how far a connector is: its quality file.

``quality.yaml`` lies beside a connector's code and names every rule of the bar once, with ``done``,
``todo`` or the reason why the rule does not apply::

    page: done
    types: todo
    merges: {exempt: A file knows no merges.}

What a machine can see of a claim is compared with what the connector declares, so that a file
cannot claim what the code does not do, nor excuse what it does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from twofold.core.schema import ObjectType, Op
from twofold.kit.catalog import ConnectorClass
from twofold.kit.contract import Manifest

FILE = "quality.yaml"
RULES: Mapping[str, str] = {
    "page": "Its page says what it can do, what it cannot, and what is asked of a person.",
    "rights": "The page names the rights or scopes that it needs, in words.",
    "verify": "Wrong answers are refused by a real call, before anything is saved.",
    "account": "One account has one name, however its address is spelled.",
    "defaults": "It proposes object types and field mappings for the hub.",
    "limits": "The app's budgets are declared, and its throttling is understood.",
    "types": "Required, unique, read-only, lengths and options are declared as the app has them.",
    "changes": "How changes are found, how late, and how long a position lives is as declared.",
    "deletes": "A delete is reported by the feed, or found in a full listing.",
    "merges": "A merge in the app keeps the link, under the surviving record.",
    "associations": "Relations between records are read and written.",
    "conditional": "A write that was planned against an older state is refused.",
    "creates": "A create whose answer was lost makes no second record.",
    "hostile": "Values and answers are data: nothing in them is obeyed, nothing breaks a run.",
    "real": "Its tests meet the real app, or a simulator with the app's documented faults.",
    "conformance": "It passes the conformance suite.",
    "scenario": "It passes the scenario that is run for every app.",
}
"""Rule → what it asks, in the order of the pages."""


class Standing(StrEnum):
    """How a connector stands to a rule."""

    DONE = "done"
    TODO = "todo"
    EXEMPT = "exempt"


class Mark(Struct, frozen=True):
    """One line of a quality file."""

    standing: Standing
    why: str = ""
    """Of an exemption, always; of a todo, where there is something to say."""


def file_of(connector: ConnectorClass) -> Path:
    """Where a connector's quality file lies, or would lie."""
    source = sys.modules[str(connector.__module__)].__file__
    return Path(source or ".").with_name(FILE)


def read(content: bytes) -> tuple[Mapping[str, Mark], Sequence[str]]:
    """A quality file as its marks by rule, and what is wrong with its form."""
    try:
        found = msgspec.yaml.decode(content, type=dict[str, str | dict[str, str]])
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        return {}, [str(error)]
    marks: dict[str, Mark] = {}
    problems = [f"there is no rule {rule}" for rule in found if rule not in RULES]
    problems += [f"the rule {rule} is missing" for rule in RULES if rule not in found]
    for rule, said in found.items():
        mark = _mark(said)
        if mark is None:
            problems.append(f"{rule} is neither done, todo nor {{exempt: why}}")
        else:
            marks[rule] = mark
    return marks, problems


def _mark(said: str | dict[str, str]) -> Mark | None:
    pairs = [(said, "")] if isinstance(said, str) else list(said.items())
    if len(pairs) != 1:
        return None
    (word, why), words = pairs[0], {str(standing) for standing in Standing}
    needs_why = word == Standing.EXEMPT
    if word not in words or (needs_why and not why.strip()):
        return None
    return Mark(Standing(word), why)


def contradictions(
    marks: Mapping[str, Mark], manifest: Manifest, types: Sequence[ObjectType]
) -> Iterator[str]:
    """Where the file says one thing and the declarations of the connector another."""
    for rule, shown in _shown(manifest, types).items():
        said = marks.get(rule, Mark(Standing.TODO)).standing
        if said is Standing.DONE and not shown:
            yield f"{rule} is said to be done, and nothing of it is declared"
        if said is Standing.EXEMPT and shown:
            yield f"{rule} is said not to apply, and it is declared"


def _shown(manifest: Manifest, types: Sequence[ObjectType]) -> Mapping[str, bool]:
    """Which rules the declarations alone can speak about, and what they say."""
    writable = [kind for kind in types if kind.ops & {Op.UPDATE, Op.DELETE, Op.ARCHIVE}]
    made = [kind for kind in types if Op.CREATE in kind.ops]
    return {
        "defaults": bool(manifest.objects and manifest.defaults),
        "limits": bool(manifest.limits),
        "merges": any(kind.merges for kind in types),
        "associations": any(kind.associations for kind in types),
        "conditional": bool(writable) and all(kind.conditional for kind in writable),
        "creates": bool(made) and all(kind.idempotent or kind.keys for kind in made),
    }
