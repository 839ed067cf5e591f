"""Each rule of each primitive on each of its examples, by the checks that `jaxlab.extend` offers to everybody."""

from __future__ import annotations

import pytest

from jaxlab.extend.checks.cases import Case
from jaxlab.extend.checks.rules import CHECKS

from .cases import cases

BY_RULE = {check.rule: check for check in CHECKS}


def _cases(rule: str) -> pytest.MarkDecorator:
    chosen = [case for case in cases if BY_RULE[rule].applies(case)]
    return pytest.mark.parametrize("case", chosen, ids=lambda case: case.id)


@_cases("abstract_eval")
def test_abstract_eval(case: Case) -> None:
    BY_RULE["abstract_eval"](case)


@_cases("lower")
def test_lower(case: Case) -> None:
    BY_RULE["lower"](case)


@_cases("jvp")
def test_jvp(case: Case) -> None:
    BY_RULE["jvp"](case)


@_cases("second_order")
def test_second_order(case: Case) -> None:
    BY_RULE["second_order"](case)


@_cases("taylor")
def test_taylor(case: Case) -> None:
    BY_RULE["taylor"](case)


@_cases("transpose")
def test_transpose(case: Case) -> None:
    BY_RULE["transpose"](case)


@_cases("reverse_alone")
def test_reverse_alone(case: Case) -> None:
    BY_RULE["reverse_alone"](case)


@_cases("batch")
def test_batch(case: Case) -> None:
    BY_RULE["batch"](case)


def test_each_check_has_a_test() -> None:
    assert {name.removeprefix("test_") for name in globals() if name.startswith("test_")} >= set(BY_RULE)
