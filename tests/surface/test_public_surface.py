"""The public names of jax 0.10.2 are here, with the same parameters and attributes, but for the list of `left_out`."""

from __future__ import annotations

import functools
from typing import Any

import left_out
import public_surface
import pytest


@functools.cache
def surfaces() -> tuple[dict[str, Any], dict[str, Any]]:
    return public_surface.of_jax(), public_surface.describe("jaxlab")


def listed(table: dict[str, dict[str, str]], key: str) -> set[str]:
    """The names that a table gives for a module or an object; none twice."""
    names = [name for group in table.get(key, {}).values() for name in group.split()]
    assert len(names) == len(set(names)), f"{key}: {sorted({n for n in names if names.count(n) > 1})} twice"
    return set(names)


def told_apart(theirs: list[list[str]] | None, ours: list[list[str]] | None) -> bool:
    """Whether a call that is right with jax's parameters could be wrong with ours.

    What takes everything says nothing; names of ``*args`` and of what is private do not matter; we may have more
    parameters, if they have defaults, and defaults where jax has none.
    """
    if theirs is None or [kind for _, kind, _ in theirs] in (
        ["VAR_POSITIONAL"],
        ["VAR_POSITIONAL", "VAR_KEYWORD"],
    ):
        return False
    if ours is None:
        return True
    kept = {name for name, *_ in theirs}

    def compared(parameters: list[list[str]]) -> list[list[str]]:
        found = []
        for name, kind, default in parameters:
            if kind.startswith("VAR_"):
                found.append([kind, kind, ""])
            elif not name.startswith("_") and (name in kept or not default):
                found.append([name, kind, default])
        return found

    return sorted(compared(theirs)) != sorted(compared(ours)) or [
        name for name, kind, _ in compared(theirs) if kind != "KEYWORD_ONLY"
    ] != [name for name, kind, _ in compared(ours) if kind != "KEYWORD_ONLY"]


def differing(theirs: dict[str, Any], ours: dict[str, Any]) -> set[str]:
    return {
        name
        for name, entry in theirs.items()
        if name in ours
        and name not in public_surface.SYNTAX
        and told_apart(entry["parameters"], ours[name]["parameters"])
    }


@pytest.mark.parametrize("module", public_surface.MODULES)
def test_names(module: str) -> None:
    theirs, ours = (side["modules"][module] for side in surfaces())
    assert set(theirs) - set(ours) == listed(left_out.NAMES, module)


@pytest.mark.parametrize("module", public_surface.MODULES)
def test_signatures(module: str) -> None:
    theirs, ours = (side["modules"][module] for side in surfaces())
    assert differing(theirs, ours) == listed(left_out.SIGNATURES, module)


@pytest.mark.parametrize("name", public_surface.OBJECTS)
def test_attributes(name: str) -> None:
    theirs, ours = (side["objects"][name] for side in surfaces())
    assert set(theirs) - set(ours) == listed(left_out.ATTRIBUTES, name)


@pytest.mark.parametrize("name", public_surface.OBJECTS)
def test_methods(name: str) -> None:
    theirs, ours = (side["objects"][name] for side in surfaces())
    assert differing(theirs, ours) == listed(left_out.METHODS, name)


def test_every_exception_is_of_something_compared() -> None:
    assert set(left_out.NAMES) | set(left_out.SIGNATURES) <= set(public_surface.MODULES)
    assert set(left_out.ATTRIBUTES) | set(left_out.METHODS) <= set(public_surface.OBJECTS)


def test_the_comparison_sees_a_difference() -> None:
    """A missing parameter, another name, another order and another default are told; more keywords are not."""
    theirs = [["x", "POSITIONAL_OR_KEYWORD", ""], ["n", "KEYWORD_ONLY", "0"]]
    assert not told_apart(theirs, theirs)
    assert not told_apart(theirs, [*theirs, ["more", "KEYWORD_ONLY", "None"]])
    assert told_apart(theirs, theirs[:1])
    assert told_apart(theirs, [["y", "POSITIONAL_OR_KEYWORD", ""], theirs[1]])
    assert told_apart(theirs, [theirs[0], ["n", "KEYWORD_ONLY", "1"]])
    assert told_apart(theirs, [*theirs, ["needed", "KEYWORD_ONLY", ""]])
    both = [["a", "POSITIONAL_OR_KEYWORD", ""], ["b", "POSITIONAL_OR_KEYWORD", ""]]
    assert told_apart(both, both[::-1])
