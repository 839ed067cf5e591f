"""All checks of a primitive's rules, each with the cases to which it applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxlab.config import enable_x64
from jaxlab.core.primitive import Primitive
from jaxlab.extend.checks.adjoints import check_reverse_alone, check_transpose
from jaxlab.extend.checks.batching import check_batch
from jaxlab.extend.checks.cases import Case, cases_of
from jaxlab.extend.checks.derivatives import check_jvp, check_second_order
from jaxlab.extend.checks.forward import check_abstract_eval, check_lower
from jaxlab.extend.checks.series import check_taylor


@dataclass(frozen=True, slots=True)
class Check:
    """One check: the rule it is about, the function that raises AssertionError, and whether it is for a case.

    Derivatives are checked in 64 bits (``wide``), in which they can be told from differences.
    """

    rule: str
    run: Callable[[Case], None]
    applies: Callable[[Case], bool]
    wide: bool = False

    def __call__(self, case: Case) -> None:
        """Check the rule on a case."""
        with enable_x64(self.wide):
            self.run(case)


def _forward(case: Case) -> bool:
    return case.differentiated and case.example.forward


CHECKS = (
    Check("abstract_eval", check_abstract_eval, lambda case: True),
    Check("lower", check_lower, lambda case: case.reference is not None),
    Check("jvp", check_jvp, _forward, wide=True),
    Check("transpose", check_transpose, lambda case: _forward(case) and case.example.reverse, wide=True),
    Check(
        "reverse_alone",
        check_reverse_alone,
        lambda case: case.differentiated and not case.example.forward,
        wide=True,
    ),
    Check("second_order", check_second_order, _forward, wide=True),
    Check("taylor", check_taylor, _forward, wide=True),
    Check("batch", check_batch, lambda case: bool(case.example.args)),
)


def check_rules(primitive: Primitive) -> None:
    """Check every rule of a primitive on each of its examples, as the tests do for those that are built in.

    The types that ``abstract_eval`` promises are what comes out; the compiled operation computes ``reference``;
    tangents are central differences, and so are the tangents of tangents; Taylor mode gives the derivatives of
    derivatives; the transpose is the adjoint; batching, over every choice of mapped axes, is a loop.

    Args:
      primitive: one with ``examples()``.

    Raises:
      ValueError: if it has no examples.
      AssertionError: for the first rule that is wrong; the text names the primitive, the rule and the example.

    >>> from jaxlab.extend.core.primitives import sin_p
    >>> check_rules(sin_p)
    """
    cases = cases_of(primitive)
    if not cases:
        raise ValueError(
            f"check_rules: {primitive.name} has no examples(), but its rules are checked on them; yield at least one"
        )
    for case in cases:
        for check in CHECKS:
            if check.applies(case):
                try:
                    check(case)
                except Exception as error:
                    raise AssertionError(
                        f"{primitive.name}, {check.rule}, example {case.index}: {error}"
                    ) from error
