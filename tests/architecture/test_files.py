"""How files are named and how long they are; what is public says what it is for; the version stands once."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from source_tree import PACKAGE, ROOT, Module, modules

LONGEST_FILE = 500
FORBIDDEN_NAME = re.compile(r"utils?|common|misc|helpers?|base|.*2|.*_new|fancy_.*", re.IGNORECASE)
# Nouns of the field that end in a digit.
ALLOWED_NAMES = {"threefry2x32"}
# Properties that mean on our objects what they mean on every array.
ARRAY_PROPERTIES = {"dtype", "itemsize", "nbytes", "ndim", "shape", "size", "weak_type"}

ALL = sorted(modules())


@cache
def source_files() -> list[Path]:
    """All source files of the project that are not made by a build."""
    folders = [
        PACKAGE,
        ROOT / "tests",
        ROOT / "benchmarks",
        ROOT / "notebooks",
        ROOT / "labextension" / "packaging",
    ]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    front_end = ROOT / "labextension"
    for folder in ("src", "tests", "build"):
        files += [
            path for suffix in ("ts", "mjs", "css") for path in (front_end / folder).rglob(f"*.{suffix}")
        ]
    return sorted(files)


def test_no_file_is_too_long() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in source_files()
        if (lines := path.read_text(encoding="utf-8").count("\n")) > LONGEST_FILE
    }
    assert not too_long, f"over {LONGEST_FILE} lines, so one of these is two files: {too_long}"


def test_no_file_has_a_name_that_says_nothing() -> None:
    named = [
        str(path.relative_to(ROOT))
        for path in source_files()
        for part in (path.stem, path.parent.name)
        if FORBIDDEN_NAME.fullmatch(part) and part not in ALLOWED_NAMES
    ]
    assert not named, f"named for nothing that they hold: {named}"


def test_no_two_test_files_share_a_name() -> None:
    """pytest imports them by their bare names, except in folders that are packages."""
    seen: dict[str, Path] = {}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if path.name != "conftest.py" and not (path.parent / "__init__.py").exists():
            assert path.name not in seen, f"{path} and {seen[path.name]}"
            seen[path.name] = path


def test_the_version_is_one() -> None:
    namespace: dict[str, str] = {}
    exec((PACKAGE / "version.py").read_text(encoding="utf-8"), namespace)
    package = json.loads((ROOT / "labextension" / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == namespace["__version__"]


def test_the_lock_file_names_no_machine() -> None:
    lock = json.loads((ROOT / "labextension" / "package-lock.json").read_text(encoding="utf-8"))
    hosts = {
        entry["resolved"]
        for entry in lock["packages"].values()
        if not entry.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/")
    }
    assert not hosts
    assert all("integrity" in entry for path, entry in lock["packages"].items() if path)


def test_nothing_that_a_build_makes_is_committed() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    made = re.compile(r"labextension/(dist|lib|node_modules)/|jaxlab/widgets/static/|notebooks/out/|\.venv")
    assert not [line for line in listed.splitlines() if made.match(line)]


@pytest.mark.parametrize("name", ALL)
def test_what_is_public_has_a_docstring(name: str) -> None:
    module = modules()[name]
    missing = [f"{module.path}:{line}: {what}" for what, line in undocumented(module)]
    assert not missing, "\n".join(missing)


def undocumented(module: Module) -> Iterator[tuple[str, int]]:
    """The public names of a module without a docstring.

    A method that overrides a documented one needs none, nor does the class of a primitive: what users read
    is the function beside it.
    """
    if ast.get_docstring(module.tree) is None:
        yield "the module", 1
    if module.name.rpartition(".")[2].startswith("_"):
        return
    for node in module.tree.body:
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) or is_exempt(node):
            continue
        if ast.get_docstring(node) is None and "Primitive" not in ancestors(node.name):
            yield node.name, node.lineno
        if isinstance(node, ast.ClassDef):
            inherited = documented_above(node.name)
            for method in node.body:
                if (
                    isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef))
                    and not is_exempt(method)
                    and method.name not in inherited
                    and ast.get_docstring(method) is None
                ):
                    yield f"{node.name}.{method.name}", method.lineno


def is_exempt(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Private names, overloads, the setters of documented properties, and what every array has."""
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    return (
        node.name.startswith("_")
        or any(text.endswith(("overload", ".setter", ".deleter")) for text in decorators)
        or (node.name in ARRAY_PROPERTIES and "property" in decorators)
    )


@cache
def classes() -> dict[str, ast.ClassDef]:
    """All classes of the package by their bare names."""
    found = {}
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                found[node.name] = node
    return found


@cache
def ancestors(name: str) -> frozenset[str]:
    """The bare names of the classes of the package that a class inherits from; none for what is no class."""
    found: set[str] = set()
    for parent in classes()[name].bases if name in classes() else []:
        parent_name = ast.unparse(parent).partition("[")[0].rpartition(".")[2]
        if parent_name in classes() and parent_name != name:
            found |= {parent_name} | ancestors(parent_name)
    return frozenset(found)


def documented_above(name: str) -> frozenset[str]:
    """The methods with a docstring in the classes that a class inherits from."""
    return frozenset(
        method.name
        for parent in ancestors(name)
        for method in classes()[parent].body
        if isinstance(method, ast.FunctionDef) and ast.get_docstring(method)
    )
