"""The cell itself as a function: run its code in the notebook's namespace on traced inputs, collect what it
leaves.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Mapping
from typing import Any

from jaxlab import tree_util
from jaxlab.magics.errors import CellError, explain
from jaxlab.magics.namespace import lent
from jaxlab.magics.outputs import Frozen, Given, HiddenTracerError, Outcome, freeze, is_array, tracers_in
from jaxlab.magics.reach import Reacher, code_reads, unwrap, watch
from jaxlab.magics.source import Source
from jaxlab.magics.traceback import Place
from jaxlab.magics.transform import Traced
from jaxlab.magics.values import Binding, describe, is_leaf
from jaxlab.runtime.references import Ref


class Body:
    """One cell as a function ``{name: [traced leaves]} -> Outcome``; what it learnt in a run is in its
    attributes.

    ``reached`` are the names really read, or None where the text of the cell tells it all.  ``redefine`` are
    functions of the cell that must be defined again outside the trace.  ``places`` are the user's frames of
    an error.
    """

    def __init__(
        self, shell: Any, source: Source, bindings: Mapping[str, Binding], direct: list[str], certain: bool
    ) -> None:
        self.shell, self.source, self.bindings = shell, source, bindings
        self.direct, self.certain = direct, certain
        self.writes: list[str] = []
        self.reached: set[str] | None = None
        self.redefine: list[str] = []
        self.places: list[Place] | None = None
        self._given: dict[int, Given] = {}
        self.__name__ = "cell"

    def __call__(self, traced: Traced) -> Outcome:
        """Run the cell once; the namespace is afterwards as it was before, whatever happens."""
        space = self.shell.user_ns
        values, originals = self._substitutes(space, traced)
        with lent(space, values) as before:
            value = None
            try:
                with watch(space, active=not self.certain) as ran:
                    exec(self.source.code, space)
                    if self.source.last is not None:
                        value = eval(self.source.last, space)
            except BaseException as error:
                told, self.places = explain(error, self.shell, BODY, type_of)
                if told is error:
                    raise
                raise told from error
            if ran is not None:
                self.reached = set(self.direct).union(*(code_reads(code) for code in ran))
            self._given = {
                id(leaf): (name, place)
                for name, leaves in traced.items()
                for place, leaf in enumerate(leaves)
                if isinstance(leaf, Ref)
            }
            return self._collect(space, {**before, **values}, originals, value)

    def _substitutes(self, space: dict[str, Any], traced: Traced) -> tuple[dict[str, Any], dict[str, Any]]:
        """What stands in the namespace during the trace: tracers, new containers, and plain functions for
        compiled ones.

        A function that ``jit`` compiled earlier would answer with the values it read then.  The second dict
        has the leaves and tree of each container, to tell afterwards whether the cell changed it in place.
        """
        values: dict[str, Any] = {}
        containers: dict[str, Any] = {}
        reach = Reacher(space)
        for name, binding in self.bindings.items():
            if binding.kind != "static" or not is_leaf(binding.treedef):
                values[name] = binding.rebuild(traced.get(name, ()))
                if not is_leaf(binding.treedef):
                    containers[name] = tree_util.tree_flatten(values[name])
            elif is_compiled(space.get(name)) and any(
                n in self.bindings and self.bindings[n].kind != "static" for n in _closure(name, reach)
            ):
                values[name] = unwrap(space[name])
        return values, containers

    def _collect(
        self, space: dict[str, Any], given: dict[str, Any], containers: dict[str, Any], value: Any
    ) -> Outcome:
        changed = [name for name, new in space.items() if name not in given or new is not given[name]]
        names = [name for name in dict.fromkeys([*self.writes, *changed]) if name in space]
        mutated = [
            n for n, was in containers.items() if n not in names and n in space and _is_changed(space[n], was)
        ]
        self.redefine = [
            name for name in self._defined() if name in names and self._must_redefine(space[name])
        ]
        kept = [name for name in (*names, *mutated) if name not in self.redefine]
        return Outcome(
            None if self.source.last is None else self._freeze("the cell's value", value),
            {name: self._freeze(name, space[name]) for name in kept},
            tuple(mutated),
            tuple(name for name in given if name not in space),
        )

    def _freeze(self, name: str, value: Any) -> Frozen:
        try:
            return freeze(value, self.shell.user_ns, self._given)
        except HiddenTracerError as error:
            raise CellError(
                None,
                f"{name} is a {error} that holds a traced value, but it cannot be rebuilt around the "
                "concrete one; make it a list, or define it in a cell of its own",
            ) from error

    def _defined(self) -> list[str]:
        return [s.name for s in self.source.tree.body if isinstance(s, ast.FunctionDef | ast.ClassDef)]

    def _must_redefine(self, value: Any) -> bool:
        """Whether a definition keeps what it saw in the trace: compiled functions do, and some classes."""
        if isinstance(value, type):
            return bool(tracers_in(value, self.shell.user_ns))
        return not isinstance(value, types.FunctionType) and is_compiled(value)

    def define_again(self) -> None:
        """Run the definitions in ``redefine`` with the notebook's concrete values."""
        for statement in self.source.tree.body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef) and statement.name in self.redefine:
                code = compile(
                    ast.Module([statement], []),
                    self.source.filename,
                    "exec",
                    self.source.flags,
                    dont_inherit=True,
                )
                exec(code, self.shell.user_ns)


BODY: types.CodeType = Body.__call__.__code__
"""Frames above this code are not the user's."""


def is_compiled(value: Any) -> bool:
    """Whether a value is a function that ``jit`` made and that keeps what it traced."""
    return callable(value) and hasattr(value, "__wrapped__") and hasattr(value, "lower")


def _closure(name: str, reach: Reacher) -> set[str]:
    found, todo = set[str](), [name]
    while todo:
        for inner in reach(todo.pop()):
            if inner not in found:
                found.add(inner)
                todo.append(inner)
    return found


def _is_changed(value: Any, before: tuple[list[Any], Any]) -> bool:
    """Whether the cell changed a container in place: its leaves, as objects, or its tree."""
    leaves, treedef = tree_util.tree_flatten(value)
    return treedef != before[1] or any(a is not b for a, b in zip(leaves, before[0], strict=True))


def type_of(value: Any) -> str | None:
    """The type of an array or tracer as errors name it; None for other values."""
    return (
        describe(value)
        if is_array(value)
        or isinstance(value, Ref)
        or (hasattr(value, "__array__") and hasattr(value, "shape"))
        else None
    )
