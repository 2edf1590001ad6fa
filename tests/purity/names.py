"""Which names hold sets, so far as annotations and assignments say."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

SETS = {"set", "frozenset", "AbstractSet", "MutableSet", "Set", "KeysView"}
MAKERS = {"set", "frozenset"}
OF_SETS = {"union", "intersection", "difference", "symmetric_difference", "copy"}
LOOKUPS = {"get", "setdefault", "pop"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)


@dataclass
class Unordered:
    """Names of sets, of mappings to sets, and of functions that return sets."""

    sets: set[str] = field(default_factory=set)
    mappings: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)

    def extended(self) -> Unordered:
        """A copy, for the names of an inner scope."""
        return Unordered(set(self.sets), set(self.mappings), set(self.functions))

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        """Learn what an assignment makes of a name; element by element where both are tuples."""
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            made = [self.is_set(one) for one in value.elts]  # before any name changes
            for one, is_set in zip(target.elts, made, strict=False):
                self._note(one, is_set)
        else:
            self._note(target, self.is_set(value))

    def is_set(self, value: ast.expr) -> bool:
        """Whether an expression is a set."""
        match value:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in self.sets:
                return True
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, OPERATORS):
                return self.is_set(left) or self.is_set(right) or _is_keys(left) or _is_keys(right)
            case ast.IfExp(body=body, orelse=orelse):
                return self.is_set(body) or self.is_set(orelse)
            case ast.BoolOp(values=values):
                return any(self.is_set(one) for one in values)
            case ast.Subscript(value=of):
                return _name(of) in self.mappings
            case ast.Call(func=called):
                return self._returns_set(called)
        return False

    def _returns_set(self, called: ast.expr) -> bool:
        match called:
            case ast.Name(id=name):
                return name in MAKERS or name in self.functions
            case ast.Attribute(value=of, attr=name):
                return (
                    name in self.functions
                    or (name in OF_SETS and self.is_set(of))
                    or (name in LOOKUPS and _name(of) in self.mappings)
                )
        return False

    def _note(self, target: ast.expr, is_set: bool) -> None:
        # What an attribute is, its annotation says; a local name is what it was given last.
        if isinstance(target, ast.Name):
            (self.sets.add if is_set else self.sets.discard)(target.id)


def gathered(trees: Sequence[ast.Module]) -> Unordered:
    """What the annotations of all modules say, where they do not contradict each other."""
    known, ordered = Unordered(), set[str]()
    for name, annotation in (pair for tree in trees for pair in _annotated(tree)):
        if is_set_type(annotation):
            known.sets.add(name)
        else:
            ordered.add(name)
            if _is_mapping_to_sets(annotation):
                known.mappings.add(name)
    known.sets -= ordered
    returns = [node for tree in trees for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    for one in returns:
        if one.returns is not None and is_set_type(one.returns):
            known.functions.add(one.name)
            if any(_name(each) == "property" for each in one.decorator_list):
                known.sets.add(one.name)
    return known


def is_set_type(annotation: ast.expr) -> bool:
    """Whether an annotation is a set, or may be one."""
    match annotation:
        case ast.BinOp(left=left, right=right):
            return is_set_type(left) or is_set_type(right)
        case ast.Subscript(value=of, slice=inner) if _name(of) in ("ClassVar", "Final"):
            return is_set_type(inner)
        case ast.Subscript(value=of):
            return _name(of) in SETS
    return _name(annotation) in SETS


def _annotated(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Attributes of classes and objects, and names of modules, with their annotations."""
    functions = {
        id(one) for node in ast.walk(tree) if isinstance(node, FUNCTIONS) for one in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            own = isinstance(node.target, ast.Attribute) or id(node) not in functions
            if own and (name := _name(node.target)):
                yield name, node.annotation


def _is_mapping_to_sets(annotation: ast.expr) -> bool:
    match annotation:
        case ast.Subscript(slice=ast.Tuple(elts=[_, value])):
            return is_set_type(value)
    return False


def _is_keys(value: ast.expr) -> bool:
    match value:
        case ast.Call(func=ast.Attribute(attr="keys" | "items")):
            return True
    return False


def _name(value: ast.expr) -> str:
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
