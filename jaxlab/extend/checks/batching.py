"""Batching is a loop over slices."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlab.core.axes import MappedAxis
from jaxlab.extend.checks.agreement import expect, same
from jaxlab.extend.checks.cases import Case
from jaxlab.extend.checks.running import apply, as_numpy, results, run
from jaxlab.extend.checks.values import arguments, batch_dims, generator, stack, types

SIZE = 5  # unlike the sizes in examples, so that an axis taken for another one is seen
LIMIT = 48


def check_batch(case: Case) -> None:
    """For each choice of mapped axes, the batch rule gives the stack of what the slices give one by one."""
    primitive, params = case.primitive, dict(case.example.params)
    args = arguments(case)
    choices = batch_dims(types(args), LIMIT, generator(case))
    if not choices:
        return
    stacks: list[Any] = [
        stack(x, SIZE) if any(dims[i] is not None for dims in choices) else None for i, x in enumerate(args)
    ]
    looped: dict[tuple[bool, ...], list[np.ndarray]] = {}

    def loop(mapped: tuple[bool, ...]) -> list[np.ndarray]:
        if mapped not in looped:
            slices = [
                apply(
                    primitive,
                    [s[k] if m else x for x, s, m in zip(args, stacks, mapped, strict=True)],
                    params,
                )
                for k in range(SIZE)
            ]
            looped[mapped] = [np.stack([as_numpy(x) for x in column]) for column in zip(*slices, strict=True)]
        return looped[mapped]

    # Few distinct arrays: each stack once for each place of its mapped axis.
    inputs: list[Any] = []
    places: dict[tuple[int, int | None], int] = {}
    for dims in choices:
        for i, d in enumerate(dims):
            if (i, d) not in places:
                places[i, d] = len(inputs)
                inputs.append(args[i] if d is None else np.moveaxis(stacks[i], 0, d))
    out_dims: list[list[int | None]] = []
    axis: Any = MappedAxis(SIZE) if primitive.axis_aware else SIZE

    def all_choices(*xs: Any) -> list[Any]:
        outputs = []
        for dims in choices:
            out, where = primitive.batch(
                axis,
                [xs[places[i, d]] for i, d in enumerate(dims)],
                list(dims),
                **params,
            )
            out_dims.append(results(primitive, where))
            outputs += results(primitive, out)
        return outputs

    outputs = iter(run(all_choices, *inputs))
    for dims, where in zip(choices, out_dims, strict=True):
        wanted = loop(tuple(d is not None for d in dims))
        expect(len(where) == len(wanted), f"{len(where)} places of the mapped axis for {len(wanted)} results")
        for i, (d, y) in enumerate(zip(where, wanted, strict=True)):
            x = next(outputs)
            what = f"result {i} of {primitive}, mapped over {dims}"
            if d is None:
                same(np.broadcast_to(x, (SIZE, *x.shape)), y, case.example.tolerance, what)
            else:
                same(np.moveaxis(x, d, 0), y, case.example.tolerance, what)
