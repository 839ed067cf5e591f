"""Which names a cell reads before it assigns them, which it assigns and which it deletes.

The answer is the signature of the cell as a function.  It is found on the syntax tree, in the order in which
Python evaluates it: a name is *assigned* only where every way through the cell has assigned it, so a name
bound in one branch of an ``if`` and read after it stays an input.  The bodies of functions count where the
function's name is first read, because that is the earliest point at which they can run.
"""

from __future__ import annotations

import ast
import copy
import symtable
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Reach = Callable[[str], Iterable[str]]
"""Names read through the notebook's value of a name (a function's own globals, for example)."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Names:
    """The names of a cell, each list in order of first appearance."""

    reads: list[str] = field(default_factory=list)
    direct: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)


def names_of(tree: ast.Module, reach: Reach = lambda name: ()) -> Names:
    """The names that ``tree`` reads, assigns and deletes at its top level.

    ``reads`` includes what is reached through the values that ``reach`` knows, ``direct`` only what the
    cell's own text names.

    >>> found = names_of(ast.parse("h = W @ x\\nloss = h.sum()"))
    >>> found.reads, found.writes
    (['W', 'x'], ['h', 'loss'])
    """
    walk = _Walk(reach)
    walk.block(tree.body)
    return walk.found


class _Walk:
    """One pass over a module in evaluation order, with the set of names that are assigned for certain."""

    def __init__(self, reach: Reach) -> None:
        self.found = Names()
        self.reach = reach
        self.assigned: set[str] = set()
        self.deferred: dict[str, list[str]] = {}

    # What happens to one name

    def read(self, name: str) -> None:
        if name in self.assigned:
            for inner in self.deferred.pop(name, ()):
                self.read(inner)
            return
        _add(self.found.direct, name)
        self.reached(name)

    def reached(self, name: str) -> None:
        if name in self.found.reads:
            return
        _add(self.found.reads, name)
        for inner in self.reach(name):
            if inner not in self.assigned:
                self.reached(inner)

    def write(self, name: str) -> None:
        _add(self.found.writes, name)
        if name in self.found.deletes:
            self.found.deletes.remove(name)
        self.assigned.add(name)
        self.deferred.pop(name, None)

    def delete(self, name: str) -> None:
        if name not in self.assigned:
            self.read(name)
        self.assigned.discard(name)
        if name in self.found.writes:
            self.found.writes.remove(name)
        _add(self.found.deletes, name)

    # Statements

    def block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def branches(self, *blocks: Iterable[ast.stmt]) -> None:
        """Alternative blocks: afterwards only what all of them assign is assigned."""
        before, after = set(self.assigned), []
        for block in blocks:
            self.assigned = set(before)
            self.block(block)
            after.append(self.assigned)
        self.assigned = set.intersection(*after)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.expressions([*node.decorator_list, *_defaults(node.args)])
                self.write(node.name)
                self.deferred[node.name] = _free_names(node)
            case ast.ClassDef():
                self.expressions([*node.decorator_list, *node.bases, *(k.value for k in node.keywords)])
                self.class_body(node)
                self.write(node.name)
            case ast.Assign():
                self.expression(node.value)
                self.expressions(node.targets)
            case ast.AugAssign():
                if isinstance(node.target, ast.Name):
                    self.read(node.target.id)
                self.expression(node.value)
                self.expression(node.target)
            case ast.AnnAssign():
                if node.value is not None:
                    self.expression(node.value)
                    self.expression(node.target)
            case ast.Delete():
                self.expressions(node.targets)
            case ast.For() | ast.AsyncFor():
                self.expression(node.iter)
                self.branches([_Bind(node.target), *node.body], [])
                self.branches(node.orelse, [])
            case ast.While():
                self.expression(node.test)
                self.branches(node.body, [])
                self.branches(node.orelse, [])
            case ast.If():
                self.expression(node.test)
                self.branches(node.body, node.orelse)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self.expression(item.context_expr)
                    if item.optional_vars is not None:
                        self.expression(item.optional_vars)
                self.block(node.body)
            case ast.Try() | ast.TryStar():
                self.branches([*node.body, *node.orelse], *([_handler(h)] for h in node.handlers))
                self.block(node.finalbody)
            case ast.Match():
                self.expression(node.subject)
                cases = [[_Bind(case.pattern), _Guard(case.guard), *case.body] for case in node.cases]
                self.branches([], *cases)
            case ast.Import():
                for alias in node.names:
                    self.write(alias.asname or alias.name.partition(".")[0])
            case ast.ImportFrom():
                for alias in node.names:
                    if alias.name != "*":
                        self.write(alias.asname or alias.name)
            case _Bind():
                self.bind(node.pattern)
            case _Guard():
                if node.expression is not None:
                    self.expression(node.expression)
            case _Handler():
                self.handler(node.handler)
            case _:
                self.children(node)

    def handler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.expression(node.type)
        if node.name is not None:
            self.assigned.add(node.name)
        self.block(node.body)
        if node.name is not None:  # Python unbinds it at the end of the handler
            self.assigned.discard(node.name)

    def bind(self, pattern: ast.AST) -> None:
        """A loop's target or a ``case`` pattern."""
        for node in ast.walk(pattern):
            if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
                self.write(node.name)
            elif isinstance(node, ast.MatchMapping) and node.rest:
                self.write(node.rest)
        if isinstance(pattern, ast.expr):
            self.expression(pattern)
        else:
            for node in ast.walk(pattern):
                if isinstance(node, ast.MatchValue):
                    self.expression(node.value)
                elif isinstance(node, ast.MatchClass):
                    self.expression(node.cls)

    def class_body(self, node: ast.ClassDef) -> None:
        outer = set(self.assigned)
        for name in _free_names(node):
            if name not in outer:
                self.read(name)

    # Expressions

    def expressions(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.expression(node)

    def expression(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                self.read(node.id)
            elif isinstance(node.ctx, ast.Store):
                self.write(node.id)
            else:
                self.delete(node.id)
        elif isinstance(node, ast.NamedExpr):
            self.expression(node.value)
            self.expression(node.target)
        elif isinstance(node, _FUNCTIONS):
            self.expressions(_defaults(node.args))
            for name in _free_names(node):
                self.read(name)
        elif isinstance(node, _COMPREHENSIONS):
            for name in _free_names(node):
                self.read(name)
            for name in _walrus(node):
                self.write(name)
                self.assigned.discard(name)  # the loop may not have run
        elif isinstance(node, ast.IfExp):
            self.expression(node.test)
            self.children(node)
        else:
            self.children(node)

    def children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self.statement(child)
            else:
                self.expression(child)


class _Bind(ast.stmt):
    """A pseudo statement: bind a target or pattern inside a block of alternatives."""

    def __init__(self, pattern: ast.AST) -> None:
        super().__init__()
        self.pattern = pattern


class _Guard(ast.stmt):
    """A pseudo statement: evaluate the guard of a ``case``."""

    def __init__(self, expression: ast.expr | None) -> None:
        super().__init__()
        self.expression = expression


class _Handler(ast.stmt):
    """A pseudo statement: one ``except`` clause."""

    def __init__(self, handler: ast.ExceptHandler) -> None:
        super().__init__()
        self.handler = handler


def _handler(node: ast.ExceptHandler) -> ast.stmt:
    return _Handler(node)


def _add(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    return [node for node in (*arguments.defaults, *arguments.kw_defaults) if node is not None]


def _walrus(node: ast.AST) -> list[str]:
    return [n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)]


def _free_names(node: ast.AST) -> list[str]:
    """Global names read inside a function, class or comprehension, as Python's own scoping rules resolve
    them.
    """
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        text = "\n" * len(node.decorator_list) + ast.unparse(_undecorated(node))
    else:
        # In a function of its own: from Python 3.12 a comprehension's names count as those of what holds it.
        text = f"lambda: ({ast.unparse(node)})"
    return global_names(symtable.symtable(text, "<cell>", "exec"))


def _undecorated(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.stmt:
    bare = copy.copy(node)
    bare.decorator_list = []
    if not isinstance(
        bare, ast.ClassDef
    ):  # defaults are read where the function is defined, not where it runs
        bare.args = copy.copy(bare.args)
        bare.args.defaults = [ast.Constant(None) for _ in bare.args.defaults]
        bare.args.kw_defaults = [d and ast.Constant(None) for d in bare.args.kw_defaults]
    return bare


def global_names(table: symtable.SymbolTable) -> list[str]:
    """Names that a module's symbol table, or any scope inside it, reads from the module's namespace.

    >>> global_names(symtable.symtable("f = lambda x: x + W", "<cell>", "exec"))
    ['W']
    """
    found: list[str] = []
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            _add(found, symbol.get_name())
    for child in table.get_children():
        for name in global_names(child):
            _add(found, name)
    return found
