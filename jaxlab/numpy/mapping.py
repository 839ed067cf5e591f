"""Functions of small arrays applied along axes of large ones: vectorize, apply_along_axis, piecewise."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from jaxlab import lax
from jaxlab.control.cond import switch
from jaxlab.core.aval import aval_of
from jaxlab.numpy.creation import asarray
from jaxlab.numpy.manipulation import axes_of, broadcast_to, expand_dims
from jaxlab.numpy.promotion import broadcast_shapes, cast, check_arraylike
from jaxlab.numpy.wrapping import as_array, filled
from jaxlab.primitives.reshaping import canonical_axis
from jaxlab.transforms.vmap import vmap

_NAMES = r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*,?)?\s*\)"
_SIGNATURE = re.compile(rf"\s*{_NAMES}(?:\s*,\s*{_NAMES})*\s*->\s*{_NAMES}(?:\s*,\s*{_NAMES})*\s*")


def _core_axes(text: str) -> list[tuple[str, ...]]:
    return [tuple(re.findall(r"\w+", group)) for group in re.findall(_NAMES, text)]


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Collection[int | str] = frozenset(), signature: str | None = None
) -> Callable[..., Any]:
    """A function that maps ``pyfunc`` over leading axes of its arguments, which broadcast. It is built of `vmap`.

    Args:
      pyfunc: a function of arrays of few axes.
      excluded: numbers and names of arguments that are passed as they are.
      signature: the axes that ``pyfunc`` takes and returns, such as ``"(m,n),(n)->(m)"``; scalars by default.

    Raises:
      ValueError: if the signature cannot be read; at a call, if the arguments do not fit it.

    >>> mv = jnp.vectorize(jnp.dot, signature="(m,n),(n)->(m)")
    >>> mv(jnp.ones((5, 2, 3)), jnp.ones(3)).shape
    (5, 2)
    """
    if any(not isinstance(n, int | str) for n in excluded):
        raise TypeError(
            f"vectorize: excluded={excluded!r} was given, but it holds numbers and names of arguments"
        )
    if any(isinstance(n, int) and n < 0 for n in excluded):
        raise ValueError(
            f"vectorize: excluded={excluded!r} was given, but numbers of arguments are 0 or more"
        )
    if signature is not None and not _SIGNATURE.fullmatch(signature):
        raise ValueError(
            f"vectorize: signature {signature!r} cannot be read; write it as in '(m,n),(n)->(m)'"
        )

    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        fixed_names = {name: x for name, x in kwargs.items() if name in excluded}
        names = [name for name in kwargs if name not in excluded]
        numbers = [i for i in range(len(args)) if i not in excluded]
        arrays = [
            as_array(asarray(x)) for x in (*[args[i] for i in numbers], *[kwargs[name] for name in names])
        ]

        def call(*given: Any) -> Any:
            full = list(args)
            for i, x in zip(numbers, given, strict=False):
                full[i] = x
            return pyfunc(*full, **fixed_names, **dict(zip(names, given[len(numbers) :], strict=True)))

        if signature is None:
            inputs: list[tuple[str, ...]] = [()] * len(arrays)
            checked = call
        else:
            left, _, right = signature.partition("->")
            inputs, outputs = _core_axes(left), _core_axes(right)
            if len(inputs) != len(arrays):
                raise ValueError(
                    f"vectorize: {len(arrays)} arguments were given for the signature {signature!r}"
                )
            checked = _checked(call, signature, inputs, outputs)
        leads = [_leading(signature, x, axes) for x, axes in zip(arrays, inputs, strict=True)]
        common = broadcast_shapes(*leads)
        mapped = checked
        # The innermost map is over the last of the leading axes; an argument without it is passed as it is.
        given = [_without_ones(x, lead) for x, lead in zip(arrays, leads, strict=True)]
        for back in range(1, len(common) + 1):
            dims = [0 if len(lead) >= back and lead[-back] != 1 else None for lead in leads]
            if any(dim is not None for dim in dims):
                mapped = vmap(mapped, tuple(dims))
        out = mapped(*given)
        missing = [
            i for i in range(len(common)) if all(_size_at(lead, len(common) - i) == 1 for lead in leads)
        ]
        if not missing:
            return out
        return (
            tuple(expand_dims(x, missing) for x in out)
            if isinstance(out, tuple)
            else expand_dims(out, missing)
        )

    return vectorized


def _size_at(lead: tuple[int, ...], back: int) -> int:
    return lead[-back] if len(lead) >= back else 1


def _leading(signature: str | None, x: Any, core: tuple[str, ...]) -> tuple[int, ...]:
    shape = aval_of(x).shape
    if len(shape) < len(core):
        raise ValueError(
            f"vectorize: an argument of shape {shape} was given, but {signature!r} asks for {len(core)} axes"
        )
    return shape[: len(shape) - len(core)]


def _without_ones(x: Any, lead: tuple[int, ...]) -> Any:
    return lax.squeeze(x, [i for i, size in enumerate(lead) if size == 1])


def _checked(
    call: Callable[..., Any],
    signature: str,
    inputs: Sequence[tuple[str, ...]],
    outputs: Sequence[tuple[str, ...]],
) -> Callable[..., Any]:
    """A function that checks the sizes of named axes, of arguments and results."""

    def checked(*args: Any) -> Any:
        sizes: dict[str, int] = {}

        def check(what: str, shape: tuple[int, ...], names: tuple[str, ...]) -> None:
            if len(shape) != len(names):
                raise ValueError(
                    f"vectorize: {what} has shape {shape}, but {signature!r} asks for axes {names}"
                )
            for name, size in zip(names, shape, strict=True):
                known = int(name) if name.isdigit() else sizes.setdefault(name, size)
                if known != size:
                    raise ValueError(
                        f"vectorize: axis {name} of {what} has size {size}, but {known} is needed ({signature!r})"
                    )

        for i, (x, names) in enumerate(zip(args, inputs, strict=True)):
            check(f"argument {i}", aval_of(x).shape, names)
        out = call(*args)
        results = out if isinstance(out, tuple | list) else (out,)
        if len(results) != len(outputs):
            raise TypeError(
                f"vectorize: the function returned {len(results)} results, but {signature!r} has {len(outputs)}"
            )
        for i, (x, names) in enumerate(zip(results, outputs, strict=True)):
            check(f"result {i}", aval_of(x).shape, names)
        return out

    return checked


def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """A function of arrays with one axis applied along an axis; the axes of its result stand in its place.

    Args:
      func1d: takes an array with one axis, and ``args`` and ``kwargs``.
      axis: the axis.
      arr: array.

    Raises:
      ValueError: if there is no such axis.

    >>> jnp.apply_along_axis(jnp.sum, 0, jnp.array([[1, 2], [3, 4]]))
    Array([4, 6], dtype=int32)
    """
    check_arraylike("apply_along_axis", arr)
    ndim = len(aval_of(arr).shape)
    axis = canonical_axis("apply_along_axis", axis, ndim)

    def function(row: Any) -> Any:
        return func1d(row, *args, **kwargs)

    for i in range(1, ndim - axis):
        function = vmap(function, in_axes=i, out_axes=-1)
    for _ in range(axis):
        function = vmap(function, in_axes=0, out_axes=0)
    return function(arr)


def apply_over_axes(func: Callable[[Any, int], Any], a: Any, axes: Sequence[int]) -> Any:
    """A reduction applied along several axes in turn, which stay with size 1.

    Args:
      func: takes an array and an axis.
      a: array.
      axes: the axes.

    Raises:
      ValueError: if the function changes the number of axes by more than one.

    >>> jnp.apply_over_axes(jnp.sum, jnp.ones((2, 3)), [0, 1])
    Array([[6.]], dtype=float32)
    """
    check_arraylike("apply_over_axes", a)
    for axis in axes_of("apply_over_axes", tuple(axes), len(aval_of(a).shape)):
        out = func(a, axis)
        missing = len(aval_of(a).shape) - len(aval_of(out).shape)
        if missing not in (0, 1):
            raise ValueError("apply_over_axes: the function changed the number of axes by more than one")
        a = expand_dims(out, axis) if missing else out
    return a


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """At each place the value of the function whose condition is the first to hold.

    Args:
      x: array.
      condlist: arrays of booleans.
      funclist: as many functions of arrays, or numbers; one more is for where no condition holds, which is 0 otherwise.
      args, kw: further arguments of the functions.

    Raises:
      ValueError: if the numbers of conditions and functions do not fit.

    >>> jnp.piecewise(jnp.array([-1.0, 2.0]), [jnp.array([True, False])], [0.0, lambda v: v * 10])
    Array([ 0., 20.], dtype=float32)
    """
    check_arraylike("piecewise", x)
    conditions = list(condlist) if isinstance(condlist, Sequence) else list(lax.unstack(condlist))
    functions = list(funclist)
    if len(functions) == len(conditions):
        functions.append(0)
    if len(functions) != len(conditions) + 1:
        raise ValueError(
            f"piecewise: {len(conditions)} conditions and {len(functions)} functions were given, but as "
            f"many are needed, or "
            "one function more"
        )
    dtype, shape = aval_of(x).dtype, aval_of(x).shape
    x = as_array(x)
    chosen = lax.full(shape, len(conditions), np.dtype(np.int32))
    for i in range(len(conditions) - 1, -1, -1):
        holds = broadcast_to(cast(asarray(conditions[i]), np.dtype(np.bool_)), shape)
        chosen = lax.select_n(holds, chosen, filled(chosen, i))

    def branch(function: Any) -> Callable[[Any], Any]:
        def run(element: Any) -> Any:
            out = function(element, *args, **kw) if callable(function) else function
            return cast(asarray(out), dtype)

        return run

    each = functools.partial(_switch, [branch(f) for f in functions])
    return vectorize(each)(chosen, x)


def _switch(branches: Sequence[Callable[[Any], Any]], number: Any, element: Any) -> Any:
    return switch(number, branches, element)
