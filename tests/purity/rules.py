"""What the core may not do, as shapes in its source."""

from __future__ import annotations

import ast
import re

from tests.purity.names import Unordered, is_set_type

# What the core may import. Whoever adds to it says that it reads nothing but its arguments.
IMPORTS = {
    *("__future__", "bisect", "collections", "contextlib", "dataclasses", "datetime", "decimal"),
    *("enum", "functools", "hashlib", "io", "itertools", "math", "operator", "re", "struct"),
    *("heapq", "html", "statistics", "types", "typing"),  # NormalDist and variance: arithmetic only
    *("fastavro", "google", "hadron", "msgspec", "numpy", "plotly", "pydantic"),
}
# Also reached through modules that it may import.
NAMES = {
    "now": "reads a clock",
    "today": "reads a clock",
    "utcnow": "reads a clock",
    "fromtimestamp": "depends on the time zone of the machine; build it from nanoseconds",
    "getcontext": "shares decimal's context; use localcontext with one of our own",
    "setcontext": "changes decimal's context for all; use localcontext with one of our own",
    "DefaultContext": "changes decimal's context for all; use localcontext with one of our own",
    "urandom": "draws chance",
    "random": "draws chance",
    "default_rng": "draws chance",
    "RandomState": "draws chance",
}
BUILTINS = {
    "hash": "differs by PYTHONHASHSEED; use hashlib",
    "id": "differs in each run",
    "open": "does I/O",
    "input": "does I/O",
    "exec": "hides what it does from this check",
    "eval": "hides what it does from this check",
    "compile": "hides what it does from this check",
    "globals": "hides what it does from this check",
    "__import__": "hides what it does from this check",
}
# What gives the same for a set in whatever order.
FREE = {"sorted", "set", "frozenset", "any", "all", "len", "bool", "isinstance"}
UNLESS_BY_KEY = {"min", "max"}  # equal keys: the first that comes
ORDERED = {
    *("list", "tuple", "iter", "enumerate", "zip", "map", "filter", "dict", "deque", "str"),
    *("repr", "sum", "min", "max", "reversed", "format", "OrderedDict"),
}
TAKING = {"join", "extend", "fromkeys", "encode", "_encode", "writelines", "extendleft"}
LOCAL = re.compile(r"%[aAbBcpxXZ]")


class Rules(ast.NodeVisitor):
    """Visits one module."""

    def __init__(self, known: Unordered) -> None:
        self.found: list[tuple[int, str]] = []
        self._known = known
        self._free: set[ast.AST] = set()  # comprehensions whose order nobody sees

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._imported(node, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._imported(node, node.module or "hadron")
        for alias in node.names:
            if alias.name in NAMES:
                self._found(node, f"{alias.name} {NAMES[alias.name]}")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in NAMES:
            self._found(node, f"{node.attr} {NAMES[node.attr]}")
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in BUILTINS and isinstance(node.ctx, ast.Load):
            self._found(node, f"{node.id}() {BUILTINS[node.id]}")

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            if isinstance(target, ast.Tuple) and not isinstance(node.value, ast.Tuple):
                self._ordered(node.value, "unpacks a set")
            self._known.assign(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name) and is_set_type(node.annotation):
            self._known.sets.add(node.target.id)

    def visit_For(self, node: ast.For) -> None:
        self._ordered(node.iter, "goes over a set; sort it")
        self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> None:
        self._ordered(node.value, "unpacks a set; sort it")
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self._ordered(node.value, "yields a set; sort it")
        self.generic_visit(node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        self._ordered(node.value, "writes a set; sort it")
        match node.format_spec:
            case ast.JoinedStr(values=[*_, ast.Constant(value=str(spec))]) if spec.endswith("n"):
                self._found(node, "formats by locale")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = self._called(node)
        by_key = any(one.arg == "key" for one in node.keywords)
        if name in FREE or (name in UNLESS_BY_KEY and not by_key):
            self._free.update(node.args)
        elif name in ORDERED | TAKING:
            for argument in node.args:
                self._ordered(argument, f"{name} takes a set in its order; sort it")
        self._of_method(node, name)
        self.generic_visit(node)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node)

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.DictComp) -> None:
        if node not in self._free:
            for generator in node.generators:
                self._ordered(generator.iter, "goes over a set; sort it")
        self.generic_visit(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer, self._known = self._known, self._known.extended()
        arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
        for one in arguments:
            sets = one.annotation is not None and is_set_type(one.annotation)
            (self._known.sets.add if sets else self._known.sets.discard)(one.arg)
        self.generic_visit(node)
        self._known = outer

    def _of_method(self, node: ast.Call, name: str) -> None:
        if not isinstance(node.func, ast.Attribute):
            return
        if name == "pop" and not node.args:
            self._ordered(node.func.value, "pops from a set; sort it")
        if name == "astimezone" and not node.args:
            self._found(node, "depends on the time zone of the machine")
        if name in ("strftime", "strptime"):
            formats = [one.value for one in node.args if isinstance(one, ast.Constant)]
            if any(LOCAL.search(str(one)) for one in formats):
                self._found(node, "depends on the locale")

    def _called(self, node: ast.Call) -> str:
        match node.func:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return name
        return ""

    def _ordered(self, value: ast.expr, what: str) -> None:
        if self._known.is_set(value):
            self._found(value, what)

    def _imported(self, node: ast.stmt, module: str) -> None:
        if module.partition(".")[0] not in IMPORTS:
            self._found(node, f"imports {module}, which is not among what the core may import")

    def _found(self, node: ast.AST, what: str) -> None:
        self.found.append((getattr(node, "lineno", 0), what))
