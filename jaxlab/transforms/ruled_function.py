"""Functions with derivative rules of their own: how they are called, and as what rules see their arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, aval_makers, aval_of
from jaxlab.core.jaxpr import DebugInfo
from jaxlab.core.trace import Tracer
from jaxlab.interpreters.functions import argument_paths, function_name, signature_of
from jaxlab.primitives.conversion import stop_gradient
from jaxlab.transforms.descriptions import check_result, is_value, kind_of, type_of
from jaxlab.transforms.ruled_call import RuledCall


class RuledFunction:
    """A function that takes the place of another, with rules for its derivative.

    ``nondiff_argnums`` are the positions of arguments that are no part of the mathematical function: rules get
    them as they are.
    """

    kind: str
    primitive: RuledCall
    nondiff_argnums: tuple[int, ...]

    def __init__(
        self, fun: Callable[..., Any], nondiff_argnums: Sequence[int], nondiff_argnames: Sequence[str]
    ) -> None:
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.symbolic_zeros = False
        self._simple_count: int | None = None
        if not callable(fun):
            raise TypeError(
                f"{self.kind}: {type_of(fun)} was given, but a function is needed; pass the function, not its result"
            )
        if isinstance(nondiff_argnums, str):
            raise TypeError(
                f"{self.kind}: nondiff_argnums={nondiff_argnums!r} was given, but a tuple of positions is needed; for "
                "names write nondiff_argnames"
            )
        if isinstance(nondiff_argnums, int):
            raise TypeError(
                f"{self.kind}: nondiff_argnums={nondiff_argnums} was given, but a tuple of positions is needed; "
                f"write nondiff_argnums=({nondiff_argnums},)"
            )
        numbers = set(nondiff_argnums)
        if nondiff_argnames:
            names = (nondiff_argnames,) if isinstance(nondiff_argnames, str) else tuple(nondiff_argnames)
            signature = signature_of(fun)
            known = list(signature.parameters) if signature is not None else []
            numbers.update(known.index(name) for name in names if name in known)
        self.nondiff_argnums = tuple(sorted(numbers))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        raise NotImplementedError(f"{self.kind}: a kind of function with rules says how it is called")

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments as positional ones, with defaults.

        Raises:
          TypeError: if they do not fit the function, or one can be given by name alone.
        """
        if not kwargs and len(args) == self._simple_count:  # saves 4 us of binding
            return args
        signature = signature_of(self.fun)
        if signature is None:
            return args
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(
                f"{self.kind}: the arguments do not fit {_written(self.fun, signature)}, but all must become "
                f"positional ones; {error}"
            ) from None
        bound.apply_defaults()
        named = [name for name in bound.kwargs if name in kwargs]
        if named:
            raise TypeError(
                f"{self.kind}: `{named[0]}` was given by name to {_written(self.fun, signature)}, but a "
                "function with a derivative rule takes arguments that have a position; make it a positional "
                "parameter"
            )
        kinds = {p.kind for p in signature.parameters.values()}
        if not kwargs and kinds <= _POSITIONAL and len(args) == len(signature.parameters):
            self._simple_count = len(args)
        return bound.args

    def nondiff_positions(self, count: int) -> tuple[int, ...]:
        """``nondiff_argnums`` counted from the front, for a call with ``count`` arguments."""
        for i in self.nondiff_argnums:
            if not -count <= i < count:
                raise IndexError(
                    f"{self.kind}: nondiff_argnums names argument {i}, but {function_name(self.fun)} was called "
                    f"with {count} argument{'s' * (count != 1)}"
                )
        return tuple(sorted(i % count for i in self.nondiff_argnums))

    def evaluate(self, args: tuple[Any, ...]) -> Any:
        """Call the function where nothing is being transformed: the rules do not matter then."""
        numbers = self.nondiff_positions(len(args)) if self.nondiff_argnums else ()
        self.check_arguments(args, numbers)
        out = self.fun(*args)
        for x in tree.leaves(out):
            if type(x) not in aval_makers:
                check_result(self.kind, self.fun, x)
        return out

    def apply(self, args: tuple[Any, ...], numbers: tuple[int, ...], rule: Callable[..., Any]) -> Any:
        """Call the function where its rules may matter: ``rule`` makes one for the call and its operands."""
        self.check_arguments(args, numbers)
        call, operands = FlatCall.of(self.kind, self.fun, args, numbers)
        out = self.primitive.bind(
            *operands,
            name=call.name(),
            call_jaxpr=call,
            rule=rule(call, operands),
            num_consts=0,
            symbolic_zeros=self.symbolic_zeros,
        )
        return tree.unflatten(call.out_tree, out)

    def check_arguments(self, args: tuple[Any, ...], numbers: Sequence[int]) -> None:
        """Raise TypeError unless all arguments that rules differentiate by are arrays or trees of them."""
        leaves = tree.leaves([x for i, x in enumerate(args) if i not in numbers] if numbers else args)
        for place, x in enumerate(leaves):
            if type(x) not in aval_makers and not is_value(x):
                path = argument_paths(self.fun, args, {}, numbers)[place]
                raise TypeError(
                    f"{self.kind}: argument `{path}` of {function_name(self.fun)} is {kind_of(x)}, but "
                    "arrays and numbers are needed; name it in nondiff_argnums if it is neither"
                )


def _written(fun: Any, signature: inspect.Signature) -> str:
    """A function and its parameters, without annotations."""
    plain = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return f"{function_name(fun)}{signature.replace(parameters=plain, return_annotation=signature.empty)}"


_POSITIONAL = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}


class FlatCall:
    """One call of a function, as a function of the arrays among its arguments, in a flat sequence.

    The first ``num_fixed`` of them are tracers in arguments that are not differentiated: they are operands, so
    that they live as long as the call.

    Attributes:
      in_tree: the structure of the tuple of arguments that are differentiated.
      out_tree: the structure of the result, once the function or one of its rules has run; else None.
      out_avals: the types of the results, once the function itself has run; else None.
      tag: that of the trace that maps it, if one does.
    """

    __slots__ = (
        "args",
        "fixed_places",
        "fun",
        "in_tree",
        "kind",
        "numbers",
        "out_avals",
        "out_tree",
        "static",
        "static_tree",
        "tag",
    )

    def __init__(self, kind: str, fun: Callable[..., Any], numbers: tuple[int, ...]) -> None:
        self.kind = kind
        self.fun = fun
        self.numbers = numbers
        self.out_tree: Any = None
        self.out_avals: list[ShapedArray] | None = None
        self.static: list[Any] = []
        self.fixed_places: list[int] = []
        self.static_tree: Any = None
        self.in_tree: Any = None
        self.tag: object | None = None

    @staticmethod
    def of(
        kind: str, fun: Callable[..., Any], args: tuple[Any, ...], numbers: tuple[int, ...] = ()
    ) -> tuple[FlatCall, list[Any]]:
        """A call, and its operands; arguments at ``numbers`` are not differentiated."""
        call = FlatCall(kind, fun, numbers)
        if not numbers:
            operands, call.in_tree = tree.flatten(args)
            return call, operands
        operands, call.in_tree = tree.flatten(tuple(x for i, x in enumerate(args) if i not in numbers))
        call.static = [args[i] for i in numbers]
        leaves, call.static_tree = tree.flatten(call.static)
        call.fixed_places = [i for i, x in enumerate(leaves) if isinstance(x, Tracer)]
        if call.fixed_places:
            call.static = [None if isinstance(x, Tracer) else x for x in leaves]
        return call, [*(stop_gradient(leaves[i]) for i in call.fixed_places), *operands]

    @property
    def num_fixed(self) -> int:
        """How many of the operands are no part of the mathematical function."""
        return len(self.fixed_places)

    def static_arguments(self, operands: Sequence[Any]) -> list[Any]:
        """The arguments that are not differentiated."""
        if not self.fixed_places:
            return self.static
        leaves = list(self.static)
        for i, x in zip(self.fixed_places, operands, strict=False):
            leaves[i] = x
        return list(tree.unflatten(self.static_tree, leaves))

    def arguments(self, operands: Sequence[Any]) -> list[Any]:
        """All arguments, from the operands."""
        dynamic = tree.unflatten(self.in_tree, operands[self.num_fixed :])
        if not self.numbers:
            return list(dynamic)
        static = iter(self.static_arguments(operands))
        rest = iter(dynamic)
        count = len(self.numbers) + len(dynamic)
        return [next(static) if i in self.numbers else next(rest) for i in range(count)]

    def __call__(self, *operands: Any) -> list[Any]:
        out, out_tree = tree.flatten(self.fun(*self.arguments(operands)))
        for x in out:
            check_result(self.kind, self.fun, x)
        self.out_tree = out_tree
        self.out_avals = [aval_of(x) for x in out]
        return out

    def debug(self) -> DebugInfo:
        """What to call the function and its operands."""
        example = self.arguments(range(self.num_fixed + self.in_tree.num_leaves))
        names = argument_paths(self.fun, example, {}, self.numbers)
        return DebugInfo(function_name(self.fun), ("",) * self.num_fixed + names)

    def name(self) -> str:
        """The function's name."""
        return function_name(self.fun)

    def check_value(self, what: str, out: Sequence[Any], out_tree: Any) -> None:
        """Compare a value that ``what``, a rule, returned with what the function returned, if it has run.

        Raises:
          TypeError: if they differ in structure, shape or dtype.
        """
        if self.out_avals is None:
            self.out_tree = out_tree
            return
        if out_tree != self.out_tree:
            raise TypeError(
                f"{self.kind}: {what} returned a value of structure {out_tree}, but {self.name()} returns "
                f"structure {self.out_tree}; return the value of {self.name()} itself"
            )
        for i, (x, aval) in enumerate(zip(out, self.out_avals, strict=True)):
            own = aval_of(x)
            if own.shape != aval.shape or own.dtype != aval.dtype:
                raise TypeError(
                    f"{self.kind}: {what} returned the value{leaf_path(out_tree, i)} of type {own.str_short()}, "
                    f"but {self.name()} returns {aval.str_short()}; return the value of {self.name()} itself"
                )


def leaf_path(treedef: Any, index: int) -> str:
    """Where a leaf is in a tree: ``['w'][0]``."""
    places = tree.leaves_with_path(tree.unflatten(treedef, range(treedef.num_leaves)))
    return tree.keystr(places[index][0])
