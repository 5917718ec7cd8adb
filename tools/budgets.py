"""Size and structure: what keeps every file readable in one sitting."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

LONGEST_FILE = 500
LONGEST_FUNCTION = 80
USUAL_FUNCTION = 35
USUAL_SHARE = 0.95
NAMES_WITHOUT_MEANING = frozenset(
    {"utils", "util", "helpers", "helper", "common", "base", "manager"}
)

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


class Function(NamedTuple):
    """One function of a file."""

    name: str
    line: int
    length: int
    """Lines without the docstring and without the functions inside it."""
    annotated: bool


def functions(source: str) -> list[Function]:
    """All functions of a source text, inner ones included."""
    return [
        Function(node.name, node.lineno, _length(node), _annotated(node))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, AnyFunction)
    ]


def _lines(node: ast.stmt | ast.expr) -> int:
    """How many lines a node covers."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _length(node: AnyFunction) -> int:
    """Lines of a function's own code."""
    length = _lines(node)
    if ast.get_docstring(node) is not None:
        length -= _lines(node.body[0])
    inner = (child for child in ast.walk(node) if isinstance(child, AnyFunction))
    return length - sum(_lines(child) for child in inner if child in node.body)


def _annotated(node: AnyFunction) -> bool:
    """Whether each parameter but self or cls, and the result, has a type."""
    spec = node.args
    named = [*spec.posonlyargs, *spec.args]
    if named and named[0].arg in {"self", "cls"}:
        named = named[1:]
    extra = [spec.vararg] if spec.vararg else []
    extra += [spec.kwarg] if spec.kwarg else []
    typed = all(arg.annotation is not None for arg in [*named, *spec.kwonlyargs, *extra])
    return typed and node.returns is not None


def over_budget(name: str, source: str) -> Iterator[str]:
    """One sentence for each budget that a file breaks."""
    lines = len(source.splitlines())
    if lines > LONGEST_FILE:
        yield f"{name}: {lines} lines; a file has at most {LONGEST_FILE}"
    parts = name.removesuffix(".py").split("/")
    for part in sorted(NAMES_WITHOUT_MEANING.intersection(parts)):
        yield f"{name}: {part!r} says nothing about what is in it"
    for function in functions(source):
        where = f"{name}:{function.line}: {function.name}"
        if function.length > LONGEST_FUNCTION:
            yield f"{where} has {function.length} lines; at most {LONGEST_FUNCTION}"
        if not function.annotated:
            yield f"{where} is not fully annotated"


def too_many_long(sources: Mapping[str, str]) -> Iterator[str]:
    """The long functions, where more than one in twenty is long."""
    found = [(name, f) for name, source in sources.items() for f in functions(source)]
    long = sorted(
        (f.length, f"{name}:{f.line}: {f.name}") for name, f in found if f.length > USUAL_FUNCTION
    )
    allowed = math.floor(len(found) * (1 - USUAL_SHARE) + 1e-9)
    if len(long) > allowed:
        share = f"{len(long)} of {len(found)} functions"
        yield f"{share} pass {USUAL_FUNCTION} lines; at most {allowed}"
        yield from (f"{where} has {length}" for length, where in reversed(long))


def imports(source: str, modules: frozenset[str]) -> set[str]:
    """Which of these modules a source text imports when it is loaded."""
    found: set[str] = set()
    for node in _loaded(ast.parse(source).body):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            submodules = inner & modules
            found |= submodules
            if len(submodules) < len(inner):
                found.add(node.module)
    return found & modules


def _loaded(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run on import: not those for the type checker only."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _loaded(node.body)


def cycle(sources: Mapping[str, str]) -> list[str]:
    """A ring of modules that import each other, as module names; empty when there is none."""
    names = frozenset(sources)
    graph = {name: imports(source, names) - {name} for name, source in sources.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring: list[str] = error.args[1]
        return ring
    return []
