"""Every small way in which a module could be wrong: its syntax tree with one thing changed."""

from __future__ import annotations

import ast
import copy
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_OTHER_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
}
_OPPOSITE_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
_OTHER_MEMBER = {
    "VERIFIED": "TOLERATED",
    "TOLERATED": "VERIFIED",
    "FORCED": "FULL_REFRESH",
    "FULL_REFRESH": "FORCED",
    "ALL": "ANY",
    "KEEP": "BUILD",
    "BUILD": "KEEP",
    "CODE": "METADATA",
    "METADATA": "ENGINE",
    "ENGINE": "CODE",
    "VIEW": "TABLE",
    "DATA_TEST": "SOURCE",
    "UNIT_TEST": "SOURCE",
}
_OTHER_FUNCTION = {"any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """One changed place: ``name`` says in which function what became what."""

    name: str
    tree: ast.Module

    def module(self) -> types.ModuleType:
        """The mutant at work."""
        module = types.ModuleType("mutant")
        exec(compile(ast.fix_missing_locations(self.tree), "<mutant>", "exec"), module.__dict__)
        return module


Change = Callable[[ast.AST], str | None]
"""Changes a node in place and says how it reads now; ``None``: as its code says."""


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Every mutant of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for index, statement in enumerate(tree.body):
        name, places = _places(statement)
        for at, place in enumerate(places):
            for change in _changes(place):
                changed = copy.deepcopy(statement)
                target = _places(changed)[1][at]
                before = _text(target)
                after = change(target)
                body = [*tree.body[:index], changed, *tree.body[index + 1 :]]
                yield Mutant(f"{name}: {before} → {_text(target) if after is None else after}", ast.Module(body, []))


def _places(statement: ast.stmt) -> tuple[str, list[ast.AST]]:
    """The name of a statement and all nodes of it that matter at run time: annotations and imports do not."""
    match statement:
        case ast.FunctionDef(name=name, body=body):
            return name, [node for inner in body for node in ast.walk(inner)]
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=ast.Tuple() as value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.Tuple() as value)
        ):
            return name, [value]
        case _:
            return "", []


def _text(node: ast.AST) -> str:
    """The code of a node in one line; of a ``match`` only what it is about."""
    return f"match {_text(node.subject)}" if isinstance(node, ast.Match) else " ".join(ast.unparse(node).split())


def _changes(node: ast.AST) -> Iterator[Change]:  # noqa: C901, PLR0912 - one case per kind of syntax
    match node:
        case ast.If() | ast.IfExp():
            yield _negate_test
        case ast.comprehension(ifs=ifs):
            for index in range(len(ifs)):
                yield lambda found, index=index: _drop_filter(found, index)
                yield lambda found, index=index: _negate_filter(found, index)
        case ast.Match(cases=cases):
            for index in range(len(cases)):
                yield lambda found, index=index: _drop_case(found, index)
        case ast.match_case(guard=ast.expr()):
            yield _drop_guard
        case ast.Compare(ops=[op]):
            for other in _OTHER_COMPARISONS[type(op)]:
                yield lambda found, other=other: _compare(found, other)
        case ast.BoolOp(values=values):
            yield _swap_and_or
            for index in range(len(values)):
                yield lambda found, index=index: _drop_operand(found, index)
        case ast.UnaryOp(op=ast.Not()):
            yield _drop_not
        case ast.BinOp(op=op, left=ast.Name(), right=ast.Name()) if isinstance(op, ast.Add):
            yield _swap_operands
            yield lambda found: _become(found, found.left)
            yield lambda found: _become(found, found.right)
        case ast.BinOp(op=op) if type(op) in _OPPOSITE_ARITHMETIC:
            yield _swap_arithmetic
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            yield _drop_yield
        case ast.Attribute(attr=name) if name in _OTHER_MEMBER:
            yield _other_member
        case ast.Call(func=ast.Name(id=name)) if name in _OTHER_FUNCTION:
            yield _other_function
        case ast.Tuple(elts=elements) if len(elements) > 1:
            for index in range(len(elements)):
                yield lambda found, index=index: _drop_element(found, index)
            for index in range(len(elements) - 1):
                yield lambda found, index=index: _swap_elements(found, index)
        case ast.Return(value=ast.expr()):
            yield _return_nothing
        case _:
            return


def _become(node: ast.AST, other: ast.AST) -> str:
    """Put ``other`` in the place of ``node``, which its parent holds."""
    text = _text(other)
    node.__class__ = other.__class__
    node.__dict__.clear()
    node.__dict__.update(copy.deepcopy(other).__dict__)
    return text


def _not(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)


def _negate_test(node: ast.AST) -> str:
    node.test = _not(node.test)
    return f"if {_text(node.test)}"


def _drop_filter(node: ast.AST, index: int) -> None:
    del node.ifs[index]


def _negate_filter(node: ast.AST, index: int) -> None:
    node.ifs[index] = _not(node.ifs[index])


def _drop_case(node: ast.AST, index: int) -> str:
    gone = _text(node.cases[index].pattern)
    del node.cases[index]
    if not node.cases:
        _become(node, ast.Pass())
    return f"without case {gone}"


def _drop_guard(node: ast.AST) -> str:
    node.guard = None
    return "without the guard"


def _compare(node: ast.AST, other: type[ast.cmpop]) -> None:
    node.ops = [other()]


def _swap_and_or(node: ast.AST) -> None:
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _drop_operand(node: ast.AST, index: int) -> str:
    del node.values[index]
    return _text(node) if len(node.values) > 1 else _become(node, node.values[0])


def _drop_not(node: ast.AST) -> str:
    return _become(node, node.operand)


def _swap_operands(node: ast.AST) -> None:
    node.left, node.right = node.right, node.left


def _swap_arithmetic(node: ast.AST) -> None:
    node.op = _OPPOSITE_ARITHMETIC[type(node.op)]()


def _drop_yield(node: ast.AST) -> str:
    node.value = ast.YieldFrom(ast.Tuple([], ast.Load()))
    return "nothing"


def _other_member(node: ast.AST) -> None:
    node.attr = _OTHER_MEMBER[node.attr]


def _other_function(node: ast.AST) -> None:
    node.func.id = _OTHER_FUNCTION[node.func.id]


def _drop_element(node: ast.AST, index: int) -> None:
    del node.elts[index]


def _swap_elements(node: ast.AST, index: int) -> None:
    node.elts[index : index + 2] = reversed(node.elts[index : index + 2])


def _return_nothing(node: ast.AST) -> None:
    node.value = ast.Constant(None)
