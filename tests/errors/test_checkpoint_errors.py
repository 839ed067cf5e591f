"""Errors of checkpoint, jet and Jacobians: the class, and the exact first line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import jaxlab as jax
import jaxlab.numpy as jnp
from jaxlab.ad_checkpoint import checkpoint_policies
from jaxlab.experimental.jet import jet


def identity(x: object) -> object:
    return x


def choose(x: float) -> float:
    return x if x > 0 else -x


X = np.ones(3, np.float32)

CASES: list[tuple[Callable[[], object], type[Exception], str]] = [
    (
        lambda: jax.checkpoint(identity, concrete=True),
        NotImplementedError,
        "checkpoint: concrete=True was given, but that option is no more; mark the arguments that are Python values "
        "with static_argnums",
    ),
    (
        lambda: jax.checkpoint(3),
        TypeError,
        "checkpoint: expected a function, but got a int; pass the function, not its result",
    ),
    (
        lambda: jax.checkpoint(identity, prevent_cse=1),
        TypeError,
        "checkpoint: prevent_cse is a int, but a boolean or a tuple of booleans is needed",
    ),
    (
        lambda: jax.checkpoint(identity, static_argnums=1)(X),
        ValueError,
        "checkpoint: static_argnums names argument 1, but the function was called with 1 positional argument",
    ),
    (
        lambda: jax.checkpoint(identity, static_argnums="0")(X),
        TypeError,
        "checkpoint: static_argnums is '0', but an integer or a tuple of integers is needed",
    ),
    (
        lambda: jax.grad(jax.checkpoint(jnp.sin, policy=lambda *_, **__: "yes"))(1.0),
        TypeError,
        "checkpoint: the policy returned a str for cos, but a boolean, Saveable, Recompute or Offloadable is needed",
    ),
    (
        lambda: checkpoint_policies.save_and_offload_only_these_names(
            names_which_can_be_saved=["a", "b"],
            names_which_can_be_offloaded=["b"],
            offload_src="device",
            offload_dst="pinned_host",
        ),
        ValueError,
        "save_and_offload_only_these_names: the names ['b'] are given both to be saved and to be offloaded, but each "
        "can be in one place; leave them in one of the two",
    ),
    (
        lambda: jax.grad(
            jax.checkpoint(
                jnp.sin,
                policy=checkpoint_policies.save_from_both_policies(
                    lambda *_, **__: None, lambda *_, **__: True
                ),
            )
        )(1.0),
        ValueError,
        "save_from_both_policies: the policies returned None and True, but booleans are needed; write one policy "
        "that decides for both",
    ),
    (
        lambda: jet(jnp.add, (1.0, 2.0), ((1.0,), (1.0, 2.0))),
        ValueError,
        "jet: series of [1, 2] terms were given, but each argument needs as many; fill up with zeros",
    ),
    (
        lambda: jet(identity, ((1.0, 2.0),), ((1.0,),)),
        ValueError,
        "jet: the argument at position 0 is a tuple, but an array is needed; let the function take its parts as "
        "arguments of their own",
    ),
    (
        lambda: jet(identity, (1.0,), (([1.0],),)),
        ValueError,
        "jet: term 0 for the argument at position 0 is a list, but an array is needed; let the function take its "
        "parts as arguments of their own",
    ),
    (
        lambda: jax.jacfwd(identity)(np.arange(3)),
        TypeError,
        "jacfwd: argument 0 of identity has dtype int32, but it must be real floating-point; convert it, or "
        "use holomorphic=True for a complex-differentiable function",
    ),
    (
        lambda: jax.jacrev(identity)("text"),
        TypeError,
        "jacrev: argument 0 of identity is a str, but arrays and numbers are needed; name another argument in argnums",
    ),
    (
        lambda: jax.jacrev(identity, holomorphic=True)(X),
        TypeError,
        "jacrev: argument 0 of identity has dtype float32, but it must be complex, because holomorphic=True; "
        "convert it, or leave holomorphic out",
    ),
    (
        lambda: jax.jacfwd(identity, argnums=1)(X),
        ValueError,
        "jacfwd: argnums names argument 1, but identity was called with 1 positional argument; give a position among them",
    ),
    (
        lambda: jax.hessian(3),
        TypeError,
        "hessian: an int was given, but a function is needed; pass the function, not its result",
    ),
]


@pytest.mark.parametrize(("call", "error", "line"), CASES, ids=[line[:60] for _, _, line in CASES])
def test_first_line(call: Callable[[], object], error: type[Exception], line: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).splitlines()[0] == line


def test_a_branch_on_an_argument_tells_of_static_argnums() -> None:
    with pytest.raises(jax.errors.TracerBoolConversionError) as caught:
        jax.checkpoint(choose)(1.0)
    assert caught.value.__notes__ == [
        "checkpoint: an argument of choose that decides what is computed can be made a Python value with "
        "static_argnums"
    ]
