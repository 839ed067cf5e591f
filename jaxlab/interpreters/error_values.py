"""Errors as values: whether a check failed, which, and the values that tell how."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlab import dtypes, tree
from jaxlab.core import source
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.effects import Effect, Effects
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.trace import Tracer, current, leaked
from jaxlab.interpreters.check_errors import (
    BatchedError,
    ErrorCategory,
    JaxException,
    JaxRuntimeError,
    Report,
)
from jaxlab.primitives.arg_extremes import argmax
from jaxlab.primitives.broadcasting import broadcast_axis, move_axis
from jaxlab.primitives.comparison import select_n
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.dynamic_slicing import dynamic_index_in_dim
from jaxlab.primitives.logic import bitwise_and, bitwise_not, bitwise_or
from jaxlab.primitives.reshaping import reshape

_codes = itertools.count(1)

CHECK = Effect("Check")


@dataclass(frozen=True, slots=True)
class Kind:
    """A category of errors whose values have the same types."""

    category: ErrorCategory
    types: tuple[ShapedArray, ...] = ()

    def order(self) -> str:
        """What kinds are sorted by."""
        return f"{self.category.__qualname__}{self.types}"


@dataclass(frozen=True, slots=True, eq=False)
class Error:
    """The first check that failed, if one did. A pytree of arrays, so that compiled functions may return it.

    Of each kind it holds whether the first failure was of that kind, the number of its report, and its
    values. Use `get`, `throw`, or `check_error`.
    """

    _pred: dict[Kind, Any]
    _code: dict[Kind, Any]
    _metadata: dict[int, Report]
    _payload: dict[Kind, list[Any]]

    def get(self) -> str | None:
        """What went wrong, with the line that failed; None if nothing did."""
        error = self.get_exception()
        return None if error is None else str(error)

    def get_exception(self) -> JaxException | None:
        """The exception that tells what went wrong; None if nothing did."""
        preds = {kind: np.asarray(pred) for kind, pred in self._pred.items()}
        shape = np.broadcast_shapes(*[pred.shape for pred in preds.values()])
        if not shape:
            return self._at(preds, ())
        found = {index: self._at(preds, index) for index in np.ndindex(*shape)}
        failed = {index: error for index, error in found.items() if error is not None}
        return BatchedError(failed) if failed else None

    def _at(self, preds: dict[Kind, np.ndarray], index: tuple[int, ...]) -> JaxException | None:
        for kind, pred in preds.items():
            if pred[index]:
                report = self._metadata[int(np.asarray(self._code[kind])[index])]
                payload = [np.asarray(x)[index] if index else x for x in self._payload[kind]]
                return report.category.of(report, payload)
        return None

    def throw(self) -> None:
        """Raise JaxRuntimeError if something went wrong; under `checkify`, add the error to its own."""
        raise_error(self, debug=False)

    def __repr__(self) -> str:
        if any(isinstance(pred, Tracer) for pred in self._pred.values()):
            return "Error(traced)"
        return f"Error({self.get()})"

    def failed(self) -> Any:
        """Whether anything went wrong, as a value of the program; None if nothing was checked."""
        failed = None
        for pred in self._pred.values():
            failed = pred if failed is None else bitwise_or(failed, pred)
        return failed

    def then(self, other: Error) -> Error:
        """This error if it is one, else the other."""
        failed = self.failed()
        preds, codes, payloads = dict(self._pred), dict(self._code), dict(self._payload)
        for kind, pred in other._pred.items():
            first = pred if failed is None else bitwise_and(pred, bitwise_not(failed))
            code, payload = other._code[kind], other._payload[kind]
            if kind in preds:
                preds[kind] = bitwise_or(preds[kind], first)
                codes[kind] = select_n(first, codes[kind], code)
                payloads[kind] = [select_n(first, a, b) for a, b in zip(payloads[kind], payload, strict=True)]
            else:
                preds[kind], codes[kind], payloads[kind] = first, code, payload
        return Error(preds, codes, {**self._metadata, **other._metadata}, payloads)

    def with_kinds(self, kinds: Iterable[Kind]) -> Error:
        """The same with places for errors of these kinds, of which there are none."""
        preds, codes, payloads = dict(self._pred), dict(self._code), dict(self._payload)
        for kind in kinds:
            if kind not in preds:
                preds[kind], codes[kind] = np.bool_(False), np.int32(-1)
                payloads[kind] = [np.zeros(aval.shape, aval.dtype) for aval in kind.types]
        return Error(preds, codes, self._metadata, payloads)

    def only(self, enabled: frozenset[ErrorCategory]) -> Error:
        """The errors of some categories."""
        kept = [kind for kind in self._pred if kind.category in enabled]
        return Error(
            {kind: self._pred[kind] for kind in kept},
            {kind: self._code[kind] for kind in kept},
            self._metadata,
            {kind: self._payload[kind] for kind in kept},
        )

    def one_of_many(self) -> Error:
        """Of errors along leading axes, the first that is one."""
        preds, codes, payloads = {}, {}, {}
        size = np.prod([1, *max((aval_of(p).shape for p in self._pred.values()), key=len, default=())])
        for kind, pred in self._pred.items():
            flat = reshape(pred, (int(size),))
            which = argmax(convert_element_type(flat, np.dtype(np.int32)), 0, np.dtype(np.int32))

            def take(x: Any, aval: ShapedArray, which: Any = which) -> Any:
                return dynamic_index_in_dim(reshape(x, (int(size), *aval.shape)), which, 0, False)

            scalar = ShapedArray((), np.dtype(np.int32))
            preds[kind], codes[kind] = take(pred, scalar), take(self._code[kind], scalar)
            payloads[kind] = [take(x, t) for x, t in zip(self._payload[kind], kind.types, strict=True)]
        # One kind may have failed in one slice and another in another: the first kind is told.
        result = init_error
        for kind in preds:
            own = Error({kind: preds[kind]}, {kind: codes[kind]}, self._metadata, {kind: payloads[kind]})
            result = result.then(own)
        return result


def _children(error: Error) -> tuple[tuple[Any, ...], Any]:
    kinds = tuple(sorted(error._pred, key=Kind.order))
    parts = [[of[kind] for kind in kinds] for of in (error._pred, error._code, error._payload)]
    return tuple(parts), (kinds, tuple(sorted(error._metadata.items())))


def _of_children(known: Any, parts: Sequence[Any]) -> Error:
    kinds, metadata = known
    preds, codes, payloads = [dict(zip(kinds, part, strict=True)) for part in parts]
    return Error(preds, codes, dict(metadata), payloads)


tree.register_pytree_node(Error, _children, _of_children)

init_error = Error({}, {}, {}, {})
"""The error of a program of which nothing was checked yet."""


def failure(pred: Any, report: Report, payload: Sequence[Any] = ()) -> Error:
    """The error of ``report`` where ``pred``, a boolean scalar, is true."""
    code = next(_codes)
    values = [convert_element_type(x, aval_of(x).dtype) if aval_of(x).weak_type else x for x in payload]
    kind = Kind(report.category, tuple(aval_of(x) for x in values))
    return Error({kind: pred}, {kind: np.int32(code)}, {code: report}, {kind: values})


def place() -> str:
    """The user's line that is being run, or traced."""
    return source.summary(current.traceback or source.take())


class Check(Primitive):
    """Raises an error if it is one: at once, or as a result of the program that `checkify` makes."""

    name = "check"
    multiple_results = True

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it: where nothing is traced, raise the error."""
        if current.trace.parent is not None:
            return super().bind(*args, **params)
        for x in args:
            if isinstance(x, Tracer):
                raise leaked(x)
        error = None if params["debug"] else tree.unflatten(params["err_tree"], args).get_exception()
        if error is not None:
            raise JaxRuntimeError(str(error)) from error
        return []

    def effects(self, params: dict[str, Any]) -> Effects:
        return frozenset({CHECK})

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"debug": params["debug"]}

    def abstract_eval(self, *avals: Any, **params: Any) -> list[ShapedArray]:
        return []

    def lower(self, ctx: Any, *operands: Any, err_tree: Any, debug: bool) -> list[Any]:
        if not debug:
            raise ValueError(
                f"check: the check at {source.summary(ctx.eqn.traceback)} was given to be compiled, but a "
                "compiled program cannot raise; compile jit(checkify(f)), which returns the error, or write "
                "debug_check, which is left out"
            )
        return []

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        self.bind(*primals, **params)
        return [], []

    def transpose(self, ct: Any, *args: Any, **params: Any) -> list[Any]:
        return [None] * len(args)

    def batch(
        self, size: int, args: Sequence[Any], dims: Sequence[int | None], **params: Any
    ) -> tuple[Any, Any]:
        stacks = [
            broadcast_axis(x, size, 0) if d is None else move_axis(x, d, 0)
            for x, d in zip(args, dims, strict=True)
        ]
        raise_error(tree.unflatten(params["err_tree"], stacks).one_of_many(), debug=params["debug"])
        return [], []

    def check(self, trace: Any, args: Sequence[Any], **params: Any) -> list[Any]:
        trace.include(tree.unflatten(params["err_tree"], args).only(trace.enabled))
        return []

    def reference(self, *args: Any, **params: Any) -> list[Any]:
        return []

    def examples(self) -> Iterable[Example]:
        shown = ShapedArray((), np.dtype(np.float32))
        report = Report(JaxException, "", format="{}", in_tree=tree.structure(((0,), {})))
        error = failure(np.bool_(True), report, [np.zeros((), dtypes.canonicalize("float32"))])
        params = {"err_tree": tree.structure(error), "debug": True}
        yield Example((np.bool_(True), np.int32(1), shown), params)


check_p = Check()


def raise_error(error: Error, *, debug: bool) -> None:
    """Raise JaxRuntimeError if ``error`` is one; with ``debug`` only under `checkify`."""
    if any(aval_of(pred).shape for pred in error._pred.values()):
        error = error.one_of_many()
    leaves, err_tree = tree.flatten(error)
    check_p.bind(*leaves, err_tree=err_tree, debug=debug)
