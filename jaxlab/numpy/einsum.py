"""Einstein sums: the notation is read, an order of pairwise contractions planned, each becomes a dot product."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import current
from jaxlab.numpy.einsum_plan import Plan, as_text, names_of, path_of, plan_of
from jaxlab.numpy.linear_algebra import product
from jaxlab.numpy.promotion import check_arraylike, check_out, common_type
from jaxlab.numpy.wrapping import BOOL, as_array, compiled
from jaxlab.primitives.conversion import convert

U32 = np.dtype(np.uint32)


def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: None = None,
    optimize: Any = "auto",
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Any:
    """The sum of products that Einstein's notation says.

    Args:
      subscripts: a name for each axis of each operand, separated by commas, as in ``"ij,jk->ik"``. Names that are not
        after the arrow are summed over. Without an arrow, the names that occur once are kept, in alphabetical order. A
        name that occurs twice in one operand is its diagonal; ``...`` stands for further axes, which broadcast.
        Or the first operand, and after each operand a list of numbers that name its axes.
      operands: arrays or numbers.
      out: not supported.
      optimize: the order of contractions: "auto", "optimal", "greedy", False for that given, or a list of the operands
        that each step takes.
      precision, preferred_element_type: as in `matmul`.

    Raises:
      ValueError: if the notation cannot be read, or does not fit the operands.
      NotImplementedError: if ``out`` is given.

    >>> jnp.einsum("ij,j->i", jnp.array([[1, 2], [3, 4]]), jnp.array([1, 1]))
    Array([3, 7], dtype=int32)
    """
    check_out("einsum", out)
    text, arrays = as_text(subscripts, operands)
    check_arraylike("einsum", *arrays)
    plan = plan_of(text, tuple([aval_of(x).shape for x in arrays]), _hashable(optimize))
    contract = _contract.__wrapped__ if current.trace.parent is not None else _contract
    return contract(*arrays, plan=plan, precision=precision, preferred_element_type=preferred_element_type)


def einsum_path(
    subscripts: Any, /, *operands: Any, optimize: Any = "auto"
) -> tuple[list[tuple[int, ...]], Any]:
    """The order of contractions that `einsum` would take, without computing.

    Returns:
      A list of the operands that each step takes (results are appended), and a text that says the same.

    Raises:
      ValueError: if the notation cannot be read, or does not fit the operands.

    >>> jnp.einsum_path("ij,jk,kl", jnp.ones((2, 3)), jnp.ones((3, 4)), jnp.ones((4, 5)))[0]
    [(0, 1), (0, 1)]
    """
    text, arrays = as_text(subscripts, operands)
    shapes = tuple([aval_of(x).shape for x in arrays])
    inputs, output = names_of(text, shapes)
    path = path_of(inputs, output, shapes, _hashable(optimize))
    steps = [" and ".join(str(i) for i in step) for step in path]
    return path, f"{','.join(inputs)}->{output}: " + ", then ".join(steps)


def _hashable(optimize: Any) -> Any:
    return tuple(map(tuple, optimize)) if isinstance(optimize, list) else optimize


@compiled(static_argnames=("plan", "precision", "preferred_element_type"))
def _contract(*operands: Any, plan: Plan, precision: Any, preferred_element_type: Any) -> Any:
    avals = [aval_of(x) for x in operands]
    if preferred_element_type is None:
        dtype, weak = common_type(avals)
    else:
        dtype, weak = dtypes.canonicalize_requested(preferred_element_type, "einsum", stacklevel=4), False
    pending = list(zip(operands, plan.inputs, strict=True))
    for step in plan.steps:
        parts = [pending.pop(i) for i in step.taken]
        if len(parts) == 1:
            (part,) = parts
            done, names = _sum_alone(*part, step.output, "")
        else:
            done, names = _multiply(*parts, step.output, precision, dtype)
        if names != step.output:
            done = lax.transpose(done, [names.index(name) for name in step.output])
        pending.append((done, step.output))
    ((result, _),) = pending
    aval = aval_of(result)
    same = aval.dtype == dtype and aval.weak_type == weak
    return as_array(result) if same else convert(result, dtype, weak)


def _multiply(
    left: tuple[Any, str], right: tuple[Any, str], output: str, precision: Any, dtype: Any
) -> tuple[Any, str]:
    (a, a_names), (b, b_names) = left, right
    a, a_names = _without_singletons(a, a_names, b, b_names)
    b, b_names = _without_singletons(b, b_names, a, a_names)
    a, a_names = _sum_alone(a, a_names, output, b_names)
    b, b_names = _sum_alone(b, b_names, output, a_names)
    both = set(a_names) & set(b_names)
    contracted = sorted(both - set(output))
    batch = [name for name in output if name in both]
    own_a = [name for name in a_names if name not in both]
    own_b = [name for name in b_names if name not in both]
    if "".join([*batch, *own_b, *own_a]) == output:  # the order that needs no transposition
        (a, a_names, own_a), (b, b_names, own_b) = (b, b_names, own_b), (a, a_names, own_a)
    out = product(
        "einsum",
        a,
        b,
        ([a_names.index(n) for n in contracted], [b_names.index(n) for n in contracted]),
        ([a_names.index(n) for n in batch], [b_names.index(n) for n in batch]),
        precision=precision,
        preferred_element_type=dtype,
    )
    return out, "".join([*batch, *own_a, *own_b])


def _without_singletons(x: Any, names: str, other: Any, other_names: str) -> tuple[Any, str]:
    """``x`` without the axes of size 1 that broadcast against the other operand."""
    sizes = dict(zip(other_names, aval_of(other).shape, strict=True))
    shape = aval_of(x).shape
    dropped = [
        axis
        for axis, (name, size) in enumerate(zip(names, shape, strict=True))
        if size == 1 and sizes.get(name, 1) != 1
    ]
    kept = "".join(name for axis, name in enumerate(names) if axis not in dropped)
    return lax.squeeze(x, dropped), kept


def _sum_alone(x: Any, names: str, output: str, other: str) -> tuple[Any, str]:
    """``x`` summed over the names that it alone has, and with its diagonals taken."""
    counts = Counter(names)
    kept = set(output) | set(other)
    alone = [axis for axis, name in enumerate(names) if counts[name] == 1 and name not in kept]
    if alone:
        x = _sum(x, alone)
        names = "".join(name for axis, name in enumerate(names) if axis not in alone)
    for name in [name for name, count in counts.items() if count > 1]:
        axes = [axis for axis, own in enumerate(names) if own == name]
        x = _on_diagonal(x, axes)
        summed = axes[:-1] if name in kept else axes
        x = _sum(x, summed)
        names = "".join(own for axis, own in enumerate(names) if axis not in summed)
    return x, names


def _sum(x: Any, axes: Sequence[int]) -> Any:
    return lax.reduce_or(x, axes) if aval_of(x).dtype == BOOL else lax.reduce_sum(x, axes)


def _on_diagonal(x: Any, axes: Sequence[int]) -> Any:
    """``x`` with zeros where the indices of some axes differ."""
    aval = aval_of(x)
    shape = tuple(aval.shape[axis] for axis in axes)
    counts = [lax.broadcasted_iota(U32, shape, i) for i in range(len(axes))]
    equal = [lax.eq(i, j) for i, j in itertools.pairwise(counts)]
    mask = functools.reduce(lax.bitwise_and, equal)
    if len(axes) < len(aval.shape):
        mask = lax.broadcast_in_dim(mask, aval.shape, axes)
    return lax.select_n(mask, lax.broadcast_in_dim(aval.dtype.type(0), aval.shape, ()), x)
