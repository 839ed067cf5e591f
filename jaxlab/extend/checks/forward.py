"""The types that ``abstract_eval`` promises, and the values that ``lower`` computes."""

from __future__ import annotations

from jaxlab.core.aval import aval_of
from jaxlab.core.primitive import Primitive, result_avals
from jaxlab.extend.checks.agreement import expect, same
from jaxlab.extend.checks.cases import Case
from jaxlab.extend.checks.running import apply, as_numpy, results, run
from jaxlab.extend.checks.values import arguments, types


def check_abstract_eval(case: Case) -> None:
    """The types of the results are what came out of the device."""
    args, params = arguments(case), dict(case.example.params)
    promised = result_avals(case.primitive, types(args), params)
    found = apply(case.primitive, args, params)
    expect(len(found) == len(promised), f"{len(found)} results came out, but {len(promised)} are promised")
    for i, (x, aval) in enumerate(zip(found, promised, strict=True)):
        expect(aval_of(x) == aval, f"result {i} is {aval_of(x)}, but {aval} is promised")
        if not hasattr(x, "words"):
            own = as_numpy(x)
            expect(
                own.shape == aval.shape and own.dtype == aval.dtype,
                f"result {i} holds {own.dtype}{list(own.shape)}, but {aval} is promised",
            )
    # Types are part of cache keys, so the same question must have the same answer.
    again = result_avals(case.primitive, types(args), params)
    expect(again == promised, f"the same types gave {promised}, then {again}")


def check_lower(case: Case) -> None:
    """The compiled operation computes what the reference does, where there is one."""
    if case.reference is None:
        return
    args, params = arguments(case), dict(case.example.params)
    if type(case.primitive).bind is Primitive.bind:
        found = apply(case.primitive, args, params)
    else:  # applied at once it may be run in some other way: in a program it is lowered
        found = run(lambda *xs: results(case.primitive, case.primitive.bind(*xs, **params)), *args)
    wanted = results(case.primitive, case.reference(*map(as_numpy, args), **params))
    for i, (x, y) in enumerate(zip(found, wanted, strict=True)):
        same(as_numpy(x), y, case.example.tolerance, f"result {i} of {case.primitive} and its reference")
