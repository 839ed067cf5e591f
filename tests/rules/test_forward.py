"""The types that ``abstract_eval`` promises, and the values that ``lower`` computes."""

from __future__ import annotations

import pytest

from jaxlab.core.aval import aval_of
from jaxlab.core.primitive import result_avals

from .cases import Case, cases
from .checks import same
from .running import apply, as_numpy, results
from .values import arguments, types


@pytest.mark.parametrize("case", cases, ids=lambda case: case.id)
def test_abstract_eval(case: Case) -> None:
    """The types of the results are what came out of the device."""
    args, params = arguments(case), dict(case.example.params)
    promised = result_avals(case.primitive, types(args), params)
    found = apply(case.primitive, args, params)
    assert len(found) == len(promised)
    for x, aval in zip(found, promised, strict=True):
        assert aval_of(x) == aval
        if not hasattr(x, "words"):
            assert as_numpy(x).shape == aval.shape
            assert as_numpy(x).dtype == aval.dtype
    # Types are part of cache keys, so the same question must have the same answer.
    assert result_avals(case.primitive, types(args), params) == promised


@pytest.mark.parametrize("case", [c for c in cases if c.has_reference], ids=lambda case: case.id)
def test_lower(case: Case) -> None:
    """The compiled operation computes what NumPy does."""
    args, params = arguments(case), dict(case.example.params)
    found = apply(case.primitive, args, params)
    wanted = results(case.primitive, case.primitive.reference(*map(as_numpy, args), **params))
    for i, (x, y) in enumerate(zip(found, wanted, strict=True)):
        same(as_numpy(x), y, case.example.tolerance, f"result {i} of {case.primitive} and its reference")
