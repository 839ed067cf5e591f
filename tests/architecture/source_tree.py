"""The modules of the package as data, read from their source: what each imports, where, and its floor."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "jaxlab"

# DESIGN.md, "Folders and floors": a name directly below `jaxlab` and the floor that it is on.
FLOORS = {
    "version": 0,
    "errors": 0,
    "config": 0,
    "tree": 0,
    "tree_util": 0,
    "elements": 0,
    "lattice": 0,
    "dtypes": 0,
    "caching": 0,
    "logs": 0,
    "monitoring": 0,
    "lazy": 0,
    "core": 1,
    "runtime": 2,
    "stablehlo": 2,
    "primitives": 3,
    "interpreters": 4,
    "control": 5,
    "transforms": 5,
    "ad_checkpoint": 6,
    "flatten_util": 6,
    "custom_batching": 6,
    "lax": 6,
    "ref": 6,
    "typing": 6,
    "ad": 6,
    "api_util": 6,
    "numpy": 6,
    "test_util": 6,
    "scipy": 6,
    "random": 6,
    "nn": 6,
    "stages": 6,
    "export": 6,
    "image": 6,
    "custom_derivatives": 6,
    "debug": 6,
    "extend": 6,
    "experimental": 6,
    "inspection": 7,
    "magics": 8,
    "widgets": 8,
    "cli": 8,
}
TOP = max(FLOORS.values())


@dataclass(frozen=True, slots=True)
class Import:
    """One import of a module of this package, or of another top-level package."""

    target: str
    line: int
    in_function: bool
    for_types: bool


@dataclass(frozen=True, slots=True)
class Module:
    """One source file of the package."""

    name: str
    path: Path
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def part(self) -> str:
        """The name directly below the package that it belongs to; empty for the package itself."""
        return self.name.partition(".")[2].partition(".")[0]

    @property
    def lines(self) -> int:
        """How many lines its file has."""
        return self.path.read_text(encoding="utf-8").count("\n")


@cache
def modules() -> dict[str, Module]:
    """All modules by name; a package goes by its own name, `jaxlab.core` and not `jaxlab.core.__init__`."""
    paths = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
    found = {}
    for name, path in paths.items():
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        found[name] = Module(name, path, tree, tuple(imports(tree, package, frozenset(paths))))
    return found


def name_of(path: Path) -> str:
    """The dotted name of the module in this file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.Module, package: str, known: frozenset[str]) -> Iterator[Import]:
    """All imports of a module, those inside functions and below TYPE_CHECKING among them."""

    def visit(node: ast.AST, in_function: bool, for_types: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, child.lineno, in_function, for_types)
            elif isinstance(child, ast.ImportFrom):
                source = absolute(child, package)
                for alias in child.names:
                    # `from jaxlab import numpy` imports the module jaxlab.numpy.
                    full = f"{source}.{alias.name}"
                    yield Import(full if full in known else source, child.lineno, in_function, for_types)
            elif isinstance(child, ast.If) and is_type_checking(child.test):
                for statement in child.body:
                    yield from visit(ast.Module([statement], []), in_function, True)
                for statement in child.orelse:
                    yield from visit(ast.Module([statement], []), in_function, for_types)
            else:
                is_function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                yield from visit(child, in_function or is_function, for_types)

    return visit(tree, False, False)


def absolute(node: ast.ImportFrom, package: str) -> str:
    """The absolute name of the module that an import statement names."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def is_type_checking(test: ast.expr) -> bool:
    """Whether this is the condition of a block that only type checkers read."""
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name.lstrip("_") == "TYPE_CHECKING"
