"""Small changes of a syntax tree, each of which should break something."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


@dataclass(frozen=True)
class Change:
    """One mutant of a module."""

    function: str
    old: str
    new: str
    source: str
    """The whole module, changed."""

    @property
    def name(self) -> str:
        """How a list of survivors names it: it outlives moved lines."""
        return f"{self.function}: {self.old} -> {self.new}"


def changes(source: str) -> Iterator[Change]:
    """All mutants of a module, in the order of its lines."""
    tree = ast.parse(source)
    nodes = [(function, node) for function, node in _inside(tree, "module") if function != "module"]
    for position, (function, node) in enumerate(nodes):
        for make in _mutations(node):
            fresh = copy.deepcopy(tree)
            mine = [n for f, n in _inside(fresh, "module") if f != "module"][position]
            old = ast.unparse(mine)
            make(mine)
            new = ast.unparse(mine)
            if new != old:
                yield Change(function, _short(old), _short(new), ast.unparse(fresh))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:97] + "..."


def _inside(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    """All nodes but annotations, docstrings and what only messages show, with their function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in child.body:
                yield child.name, statement
                yield from _inside(statement, child.name)
        elif child is getattr(node, "annotation", None):
            continue
        elif not isinstance(child, ast.JoinedStr | ast.Assert | ast.arguments):
            yield function, child
            yield from _inside(child, function)


Make = Callable[[ast.AST], None]


def _mutations(node: ast.AST) -> Iterator[Make]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARED:
        yield _compared
    elif isinstance(node, ast.BoolOp):
        yield _joined
    elif isinstance(node, ast.BinOp) and type(node.op) in _COUNTED:
        yield _counted
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int):
        yield _constant
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield _negated
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield _unfiltered
    elif isinstance(node, ast.Continue):
        yield _nothing
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await):
        yield _dropped
    elif isinstance(node, ast.AugAssign):
        yield _dropped_sum


def _compared(node: ast.AST) -> None:
    assert isinstance(node, ast.Compare)
    node.ops[0] = _COMPARED[type(node.ops[0])]()


def _joined(node: ast.AST) -> None:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _counted(node: ast.AST) -> None:
    assert isinstance(node, ast.BinOp)
    node.op = _COUNTED[type(node.op)]()


def _constant(node: ast.AST) -> None:
    assert isinstance(node, ast.Constant)
    node.value = not node.value if isinstance(node.value, bool) else int(str(node.value)) + 1


def _negated(node: ast.AST) -> None:
    assert isinstance(node, ast.If | ast.IfExp | ast.While)
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _unfiltered(node: ast.AST) -> None:
    assert isinstance(node, ast.comprehension)
    node.ifs = node.ifs[1:]


def _nothing(node: ast.AST) -> None:
    """``continue`` becomes nothing: a constant expression stands for it."""
    node.__class__ = ast.Pass


def _dropped(node: ast.AST) -> None:
    assert isinstance(node, ast.Expr)
    node.value = ast.Constant(None)


def _dropped_sum(node: ast.AST) -> None:
    assert isinstance(node, ast.AugAssign)
    node.op, node.value = ast.Mult(), ast.Constant(1)
