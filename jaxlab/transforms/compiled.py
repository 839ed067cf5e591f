"""Calling what was compiled ahead of time, through jaxlib's dispatch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer
from jaxlab.interpreters.program import Program
from jaxlab.runtime import execution
from jaxlab.runtime.donation import checked_call, donation_error
from jaxlab.transforms.call_device import check_places
from jaxlab.transforms.tracing import Call


class CompiledCall:
    """A program, and what its arguments must be."""

    def __init__(self, program: Program, call: Call, names: Sequence[str], committed: bool) -> None:
        self.program = program
        self.in_tree, self.out_tree = call.in_tree, call.traced.out_tree
        self.avals = call.avals
        self.names = names
        self.donated: tuple[bool, ...] = call.params["donated_invars"]
        self.committed = committed

    def dispatch(self) -> Any:
        """The C++ function that checks the types of a call, and runs the program.

        The program has one fast path for each way in which arguments of the right types can be given: as
        arrays, NumPy arrays or numbers.
        """
        function = execution.pjit(
            self.program.name, lambda *args, **kwargs: self._first(args, kwargs)[0], self._on_miss
        )
        return checked_call(function, self._explain) if any(self.donated) else function

    def _on_miss(self, /, *args: Any, **kwargs: Any) -> tuple[Any, Any, bool]:
        return self._first(args, kwargs)

    def _first(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, bool]:
        leaves, in_tree = tree.flatten((args, kwargs))
        for x in leaves:
            if isinstance(x, Tracer):
                raise TypeError(
                    f"{self.program.name}: it was compiled for given types, and was called with a value that is "
                    f"{x.describe()}, but a compiled program cannot be transformed; transform the function before "
                    "it is lowered, or call the function that jit returned"
                )
        if in_tree != self.in_tree:
            raise self._wrong_structure(args, kwargs, in_tree)
        self._check_types(leaves)
        name_of = self.names.__getitem__
        check_places(self.program.name, leaves, self.program.device, name_of, "it was compiled for")
        error = donation_error(self.program.name, leaves, self.names.__getitem__, self.donated)
        if error is not None:
            raise error
        outputs = self.program.run(leaves, self.avals, self.committed)
        out = tree.unflatten(self.out_tree, outputs)
        return out, self.program.fast_path(self.out_tree, self.committed), False

    def _wrong_structure(self, args: Any, kwargs: Any, in_tree: Any) -> TypeError:
        wanted = tree.unflatten(self.in_tree, self.avals)
        found = tree.first_difference(wanted, (args, kwargs))
        where = ""
        if found is not None:
            path, one, two = found
            place = ("args", "kwargs")[path[0].idx] + tree.keystr(path[1:]) if path else "the arguments"
            where = f": {place} was {one}, and is {two}"
        return TypeError(
            f"{self.program.name}: it was compiled for arguments of structure {self.in_tree}, but was called with "
            f"{in_tree}{where}; static arguments are left out, and defaults are passed if they were"
        )

    def _check_types(self, leaves: Sequence[Any]) -> None:
        wrong = []
        for name, x, aval in zip(self.names, leaves, self.avals, strict=True):
            try:
                given = aval_of(x)
            except TypeError:
                raise TypeError(
                    f"{self.program.name}: the argument {name} is of type {type(x).__name__}, but it was compiled for "
                    f"{aval.str_short()}; pass an array"
                ) from None
            if (given.shape, given.dtype) != (aval.shape, aval.dtype):
                wrong.append(f"{name} is {given.str_short()}, but it was compiled for {aval.str_short()}")
        if wrong:
            raise TypeError(
                f"{self.program.name}: the argument {'; '.join(wrong)}; convert it, or lower and compile for "
                "these types"
            )

    def _explain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exception | None:
        leaves = tree.leaves((args, kwargs))
        return donation_error(self.program.name, leaves, self.names.__getitem__, self.donated)
