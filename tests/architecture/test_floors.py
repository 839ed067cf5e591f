"""Imports point down, or sideways without a cycle, and stand at the head of a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from source_tree import FLOORS, TOP, Module, modules

# Where jaxlib's own modules may be named outside runtime/ and stablehlo/: each file is about one type of it.
JAXLIB_ALLOWED = {"jaxlab.tree", "jaxlab.tree_util", "jaxlab.core.source"}
JAXLIB_FOLDERS = {"runtime", "stablehlo"}

# Imports that stand in a function on purpose, as (module, what it imports): heavy or optional packages.
LAZY_ALLOWED: set[tuple[str, str]] = set()

NOTEBOOK_PACKAGES = {"IPython", "ipywidgets", "anywidget", "ipykernel", "traitlets", "jupyterlab", "comm"}

ALL = sorted(modules())


def own_imports(module: Module) -> list[tuple[str, int, bool]]:
    """What a module imports from this package: the name, the line, and whether in a function."""
    return [
        (found.target, found.line, found.in_function)
        for found in module.imports
        if found.target.split(".")[0] == "jaxlab" and found.target != module.name
    ]


def floor_of(name: str) -> int:
    """The floor of a module; the package itself gathers all and is on the top."""
    part = name.partition(".")[2].partition(".")[0]
    return FLOORS.get(part, TOP) if part else TOP


def test_every_part_of_the_package_is_on_a_floor() -> None:
    unknown = {module.part for module in modules().values()} - set(FLOORS) - {""}
    assert not unknown, f"{sorted(unknown)} are on no floor; add them to FLOORS, where DESIGN.md puts them"


@pytest.mark.parametrize("name", ALL)
def test_imports_point_down(name: str) -> None:
    module = modules()[name]
    if not module.part:
        return
    up = [
        f"{module.path}:{line}: {name} (floor {floor_of(name)}) imports {target} (floor {floor_of(target)})"
        for target, line, _ in own_imports(module)
        if floor_of(target) > floor_of(name)
    ]
    assert not up, "\n".join(up)


@pytest.mark.parametrize("name", ALL)
def test_no_import_in_a_function_below_the_jupyter_edge(name: str) -> None:
    module = modules()[name]
    if floor_of(name) >= TOP:
        return
    hidden = [
        f"{module.path}:{found.line}: {found.target}"
        for found in module.imports
        if found.in_function and (name, found.target) not in LAZY_ALLOWED
    ]
    assert not hidden, "\n".join(hidden)


def test_modules_import_each_other_in_no_cycle() -> None:
    edges: dict[str, set[str]] = {name: set() for name in ALL}
    for name, module in modules().items():
        for target, _, in_function in own_imports(module):
            # The package loads its Jupyter edge when a notebook asks for it, and that edge uses the package.
            if target in edges and not (in_function and not module.part):
                edges[name].add(target)
    assert not (cycles := find_cycles(edges)), "\n".join(" -> ".join(cycle) for cycle in cycles)


def test_folders_import_each_other_in_no_cycle() -> None:
    edges: dict[str, set[str]] = {part: set() for part in FLOORS}
    for module in modules().values():
        for target, _, _ in own_imports(module):
            part = target.partition(".")[2].partition(".")[0]
            if module.part and part and part != module.part:
                edges[module.part].add(part)
    assert not (cycles := find_cycles(edges)), "\n".join(" -> ".join(cycle) for cycle in cycles)


@pytest.mark.parametrize("name", ALL)
def test_jax_is_imported_nowhere(name: str) -> None:
    assert not outside_imports(modules()[name], {"jax"})


@pytest.mark.parametrize("name", ALL)
def test_jaxlib_is_touched_in_its_places_alone(name: str) -> None:
    module = modules()[name]
    if module.part not in JAXLIB_FOLDERS and name not in JAXLIB_ALLOWED:
        assert not outside_imports(module, {"jaxlib"})


@pytest.mark.parametrize("name", ALL)
def test_only_the_jupyter_edge_knows_notebooks(name: str) -> None:
    module = modules()[name]
    if module.part and floor_of(name) < TOP:
        assert not outside_imports(module, NOTEBOOK_PACKAGES)


def outside_imports(module: Module, packages: set[str]) -> list[str]:
    """The places where a module imports one of these packages."""
    return [
        f"{module.path}:{found.line}: {found.target}"
        for found in module.imports
        if found.target.split(".")[0] in packages
    ]


def find_cycles(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The groups of names that reach each other, each as a list; Tarjan's algorithm without recursion.

    >>> find_cycles({"a": ["b"], "b": ["c"], "c": ["b"]})
    [['b', 'c']]
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups = []
    for root in edges:
        work = [(root, iter(edges[root]))] if root not in index else []
        while work:
            name, targets = work[-1]
            if name not in index:
                index[name] = low[name] = len(index)
                stack.append(name)
            for target in targets:
                if target not in index:
                    work.append((target, iter(edges[target])))
                    break
                if target in stack:
                    low[name] = min(low[name], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    group = [stack.pop()]
                    while group[-1] != name:
                        group.append(stack.pop())
                    if len(group) > 1:
                        groups.append(sorted(group))
    return groups


def test_the_search_for_cycles_finds_them() -> None:
    assert find_cycles({"a": ["b"], "b": ["c"], "c": []}) == []
    assert find_cycles({"a": ["b", "d"], "b": ["c"], "c": ["a"], "d": ["e"], "e": ["d"]}) == [
        ["d", "e"],
        ["a", "b", "c"],
    ]
