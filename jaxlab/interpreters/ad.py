"""Derivative rules given to primitives one by one, under the names of ``jax.interpreters.ad``.

A new primitive is best written as a class whose methods are its rules (`jaxlab.extend`). Code that makes a bare
`Primitive` and hands it one rule after another does the same to the same effect:

>>> cube_p = jaxlab.extend.core.Primitive("cube")
>>> _ = cube_p.def_impl(lambda x: x * x * x)
>>> _ = cube_p.def_abstract_eval(lambda x: x)
>>> jaxlab.interpreters.ad.defjvp(cube_p, lambda t, x: 3.0 * x * x * t)
>>> jaxlab.grad(cube_p.bind)(2.0)
Array(12., dtype=float32, weak_type=True)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.core.aval import UndefinedPrimal, Zero, is_undefined
from jaxlab.core.primitive import Primitive
from jaxlab.core.rule_tables import RuleTable
from jaxlab.interpreters.jvp import JVPTrace, JVPTracer
from jaxlab.primitives.broadcasting import instantiate, zeros_like_aval
from jaxlab.primitives.elementwise import add_any, add_any_p

__all__ = [
    "JVPTrace",
    "JVPTracer",
    "UndefinedPrimal",
    "Zero",
    "add_jaxvals",
    "add_jaxvals_p",
    "add_tangents",
    "defbilinear",
    "defjvp",
    "defjvp2",
    "deflinear",
    "deflinear2",
    "get_primitive_transpose",
    "instantiate_zeros",
    "is_undefined_primal",
    "primitive_jvps",
    "primitive_transposes",
    "zeros_like_aval",
]

Rule = Callable[..., Any]

add_jaxvals = add_any
add_jaxvals_p = add_any_p
instantiate_zeros = instantiate
is_undefined_primal = is_undefined


def _transpose_method(rule: Rule) -> Rule:
    """A transpose rule may return the class `Zero` itself, for zeros everywhere."""

    def transpose(ct: Any, *args: Any, **params: Any) -> Sequence[Any]:
        cts = rule(ct, *args, **params)
        return [None] * len(args) if cts is Zero else cts

    return transpose


# rule(primals, tangents, **params) -> (out, tangent_out), and rule(ct, *args, **params) -> cotangents.
primitive_jvps = RuleTable("jvp")
primitive_transposes = RuleTable("transpose", _transpose_method)


def get_primitive_transpose(p: Primitive) -> Rule:
    """The transpose rule of a primitive; NotImplementedError if it has none."""
    rule = primitive_transposes.get(p)
    if rule is None:
        raise NotImplementedError(
            f"get_primitive_transpose: primitive {p} was given, but it has no transpose rule; "
            "give it one in primitive_transposes, if it is linear"
        )
    return rule


def add_tangents(x: Any, y: Any) -> Any:
    """The sum of two tangents, of which either may be a `Zero`.

    >>> add_tangents(Zero(jaxlab.typeof(1.0)), 2.0)
    2.0
    """
    if type(x) is Zero:
        return y
    return x if type(y) is Zero else add_any(x, y)


def _zeros_of(out: Any, primitive: Primitive) -> Any:
    if primitive.multiple_results:
        return [Zero.from_primal_value(x) for x in out]
    return Zero.from_primal_value(out)


def _one_result(name: str, primitive: Primitive) -> None:
    if primitive.multiple_results:
        raise TypeError(
            f"{name}: primitive {primitive} has several results, but the rules of its arguments give one tangent; "
            "set primitive_jvps[primitive] to a rule of primals and tangents"
        )


def defjvp(primitive: Primitive, *jvprules: Rule | None) -> None:
    """Give a primitive its derivative, one share for each argument; the shares are summed.

    Args:
      primitive: a primitive with one result.
      jvprules: for each argument ``rule(tangent, *primals, **params)``, linear in the tangent, or None where the
        result does not depend on the argument smoothly.
    """
    _one_result("defjvp", primitive)
    defjvp2(
        primitive,
        *[rule and (lambda t, out, *xs, rule=rule, **params: rule(t, *xs, **params)) for rule in jvprules],
    )


def defjvp2(primitive: Primitive, *jvprules: Rule | None) -> None:
    """As `defjvp`, for rules that use the result too: ``rule(tangent, out, *primals, **params)``."""
    _one_result("defjvp2", primitive)

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        out = primitive.bind(*primals, **params)
        total: Any = Zero.from_primal_value(out)
        for rule, t in zip(jvprules, tangents, strict=True):
            if rule is not None and type(t) is not Zero:
                total = add_tangents(total, rule(t, out, *primals, **params))
        return out, total

    primitive_jvps[primitive] = jvp


def deflinear2(primitive: Primitive, transpose_rule: Rule) -> None:
    """Say that a primitive is linear in all its arguments together, and give its transpose.

    Args:
      primitive: a primitive.
      transpose_rule: ``rule(ct, *args, **params)``, the cotangent of each argument; linear ones are
        `UndefinedPrimal`.
    """

    def jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        out = primitive.bind(*primals, **params)
        if all(type(t) is Zero for t in tangents):
            return out, _zeros_of(out, primitive)
        return out, primitive.bind(*[instantiate(t) for t in tangents], **params)

    def transpose(ct: Any, *args: Any, **params: Any) -> Any:
        return Zero if type(ct) is Zero else transpose_rule(ct, *args, **params)

    primitive_jvps[primitive] = jvp
    primitive_transposes[primitive] = transpose


def deflinear(primitive: Primitive, transpose_rule: Rule) -> None:
    """As `deflinear2`, for a transpose that needs no types: ``rule(ct, **params)``.

    >>> negated_p = jaxlab.extend.core.Primitive("negated")
    >>> _ = negated_p.def_impl(lambda x: -x)
    >>> _ = negated_p.def_abstract_eval(lambda x: x)
    >>> jaxlab.interpreters.ad.deflinear(negated_p, lambda ct: [negated_p.bind(ct)])
    >>> jaxlab.grad(negated_p.bind)(2.0)
    Array(-1., dtype=float32, weak_type=True)
    """
    deflinear2(primitive, lambda ct, *args, **params: transpose_rule(ct, **params))


def defbilinear(prim: Primitive, lhs_rule: Rule, rhs_rule: Rule) -> None:
    """Say that a primitive is linear in each of its two arguments, and give its two transposes.

    Args:
      prim: a primitive of two arguments, with one result.
      lhs_rule: ``rule(ct, x, y, **params)``, the cotangent of ``x``, which is an `UndefinedPrimal`.
      rhs_rule: the same for ``y``.
    """
    defjvp(
        prim,
        lambda t, x, y, **params: prim.bind(t, y, **params),
        lambda t, x, y, **params: prim.bind(x, t, **params),
    )

    def transpose(ct: Any, x: Any, y: Any, **params: Any) -> Any:
        if is_undefined(x) and is_undefined(y):
            raise NotImplementedError(
                f"transpose: {prim} of {x.aval.str_short()} and {y.aval.str_short()} is to be transposed, but it is "
                "linear in one of them at a time; linearize the function at a point, as vjp does"
            )
        if type(ct) is Zero:
            return Zero
        if is_undefined(x):
            return lhs_rule(ct, x, y, **params), None
        return None, rhs_rule(ct, x, y, **params)

    primitive_transposes[prim] = transpose
