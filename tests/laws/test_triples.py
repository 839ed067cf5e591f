"""Every ordered triple of transformations means what its outermost does to the pair inside.

The pairs themselves are held against plain forms in `test_pairs`, so the plain form is needed of the outermost
alone: a third difference quotient in a row would have no digits left. Each triple is tried on two programs,
drawn from a fixed seed.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import numpy as np
import pytest

from jaxlab import tree

from .numpy_trace import run
from .programs import PROGRAMS, Program
from .transformations import TRANSFORMATIONS, Transformation

Triple = tuple[Transformation, Transformation, Transformation]


def triples() -> Iterator[tuple[Triple, list[Program]]]:
    """Each triple, outermost first, with the programs on which it is tried."""
    draw = random.Random(0)
    for triple in itertools.product(TRANSFORMATIONS, repeat=3):
        reverse = any(each.reverse for each in triple)
        able = [program for program in PROGRAMS if program.smooth and (program.reverse or not reverse)]
        yield triple, draw.sample(able, 2)


ALL = list(triples())


def _forward_through_backward_rules(
    outer: Transformation, middle: Transformation, inner: Transformation
) -> bool:
    """Whether forward mode meets a function that has rules for reverse mode only.

    Reverse mode in between makes an ordinary function of those rules.
    """
    if inner.reverse_only and (middle.forward or (outer.forward and not middle.reverse)):
        return True
    return outer.forward and middle.reverse_only


@pytest.mark.parametrize(
    ("triple", "programs"), ALL, ids=["-".join(each.name for each in triple) for triple, _ in ALL]
)
def test_triple(triple: Triple, programs: list[Program]) -> None:
    outer, middle, inner = triple
    if _forward_through_backward_rules(*triple):
        with pytest.raises((TypeError, NotImplementedError), match="forward mode"):
            run(outer.apply(middle.apply(inner.apply(programs[0].fun))), programs[0].point)
        return
    for program in programs:
        pair = middle.apply(inner.apply(program.fun))
        found = run(outer.apply(pair), program.point)
        expected = run(outer.plain(pair, True), program.point)
        assert tree.structure(found) == tree.structure(expected)
        for a, b in zip(tree.leaves(found), tree.leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6, err_msg=program.name)


def test_every_program_meets_every_transformation_at_each_place() -> None:
    met = {
        (each.name, i, program.name)
        for triple, found in ALL
        for program in found
        for i, each in enumerate(triple)
    }
    for program in PROGRAMS:
        for each in TRANSFORMATIONS:
            if program.smooth and (program.reverse or not each.reverse):
                assert all((each.name, i, program.name) in met for i in range(3)), (program.name, each.name)
