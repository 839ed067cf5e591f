"""Policies of `checkpoint`: which intermediate values the backward pass finds saved.

A policy is a function of a primitive, the types of its operands and its parameters; it returns whether the
results may be saved, as a boolean or as one of `Saveable`, `Recompute` and `Offloadable`.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jaxlab.interpreters.saving import Offloadable, Policy, Recompute, Saveable
from jaxlab.primitives.contraction import dot_general_p
from jaxlab.primitives.naming import name_p


def everything_saveable(*_: Any, **__: Any) -> bool:
    """Save whatever is needed, as without `checkpoint`.

    >>> everything_saveable(lax.dot_general_p)
    True
    """
    return True


def nothing_saveable(*_: Any, **__: Any) -> bool:
    """Save nothing but the arguments: what `checkpoint` does without a policy.

    >>> nothing_saveable(lax.dot_general_p)
    False
    """
    return False


def _has_batch_dims(params: dict[str, Any]) -> bool:
    return any(params["dimension_numbers"][1])


@dataclass(frozen=True)
class DotsSaveable:
    """Save the results of matrix products and convolutions, which are worth more time than the rest.

    Attributes:
      only_if_no_batch_dims: save matrix products without batch dimensions alone, as those of weights are.
    """

    only_if_no_batch_dims: bool

    def __call__(self, prim: Any, *_: Any, **params: Any) -> bool:
        if prim is dot_general_p:
            return not (self.only_if_no_batch_dims and _has_batch_dims(params))
        return prim.name == "conv_general_dilated" and not self.only_if_no_batch_dims


dots_saveable = DotsSaveable(False)
dots_with_no_batch_dims_saveable = DotsSaveable(True)


@dataclass(frozen=True)
class SaveOnlyTheseNames:
    """Save the values that `checkpoint_name` gave one of these names."""

    saveable_names: frozenset[str]

    def __call__(self, prim: Any, *_: Any, **params: Any) -> bool:
        return prim is name_p and params["name"] in self.saveable_names


@dataclass(frozen=True)
class SaveAnyNamesButThese:
    """Save the values that `checkpoint_name` gave any other name."""

    names: frozenset[str]

    def __call__(self, prim: Any, *_: Any, **params: Any) -> bool:
        return prim is name_p and params["name"] not in self.names


def save_only_these_names(*names_which_can_be_saved: str) -> SaveOnlyTheseNames:
    """Save the named values with one of these names, and nothing else.

    >>> save_only_these_names("a")(lax.dot_general_p)
    False
    """
    return SaveOnlyTheseNames(frozenset(names_which_can_be_saved))


def save_any_names_but_these(*names_not_to_save: str) -> SaveAnyNamesButThese:
    """Save the named values with any name but these, and nothing else.

    >>> save_any_names_but_these("a")
    SaveAnyNamesButThese(names=frozenset({'a'}))
    """
    return SaveAnyNamesButThese(frozenset(names_not_to_save))


def save_anything_except_these_names(*names_not_to_save: str) -> Policy:
    """Save everything. As in JAX it is asked about the operation that names a value, not the one that
    computes it, and so cannot keep either from being saved; ``save_any_names_but_these`` can.

    >>> save_anything_except_these_names("a")(lax.dot_general_p)
    True
    """
    return everything_saveable


def save_from_both_policies(policy_1: Policy, policy_2: Policy) -> Policy:
    """Save what either of two policies saves.

    Raises:
      ValueError: when asked, if one of them returns anything but a boolean.

    >>> save_from_both_policies(nothing_saveable, everything_saveable)(lax.dot_general_p)
    True
    """

    def policy(prim: Any, *avals: Any, **params: Any) -> bool:
        first, second = policy_1(prim, *avals, **params), policy_2(prim, *avals, **params)
        if not isinstance(first, bool) or not isinstance(second, bool):
            raise ValueError(
                f"save_from_both_policies: the policies returned {first} and {second}, but booleans are "
                "needed; write one policy that decides for both"
            )
        return first or second

    return policy


def offload_dot_with_no_batch_dims(offload_src: str, offload_dst: str) -> Policy:
    """As ``dots_with_no_batch_dims_saveable``, for products that may be kept in another memory.

    Compiled programs here have one memory, that of their device: what is to be offloaded is saved there.

    Args:
      offload_src, offload_dst: kinds of memory, ``"device"`` and ``"pinned_host"``.

    >>> offload_dot_with_no_batch_dims("device", "pinned_host")(lax.sin)
    Recompute
    """
    offloaded = Offloadable(offload_src, offload_dst)

    def policy(prim: Any, *avals: Any, **params: Any) -> Any:
        return offloaded if prim is dot_general_p and not _has_batch_dims(params) else Recompute

    return policy


def save_and_offload_only_these_names(
    *,
    names_which_can_be_saved: Any,
    names_which_can_be_offloaded: Any,
    offload_src: str,
    offload_dst: str,
) -> Policy:
    """Save the named values with some names, those with others in another memory, and nothing else.

    Compiled programs here have one memory, that of their device: what is to be offloaded is saved there.

    Raises:
      ValueError: if a name is among both.

    >>> policy = save_and_offload_only_these_names(
    ...     names_which_can_be_saved=["a"], names_which_can_be_offloaded=["b"],
    ...     offload_src="device", offload_dst="pinned_host")
    """
    saved, moved = set(names_which_can_be_saved), set(names_which_can_be_offloaded)
    if both := saved & moved:
        raise ValueError(
            f"save_and_offload_only_these_names: the names {sorted(both)} are given both to be saved and to be "
            "offloaded, but each can be in one place; leave them in one of the two"
        )
    offloaded = Offloadable(offload_src, offload_dst)

    def policy(prim: Any, *_: Any, **params: Any) -> Any:
        name = params.get("name") if prim is name_p else None
        return Saveable if name in saved else offloaded if name in moved else Recompute

    return policy


_POLICIES: dict[str, Callable[..., Any]] = {
    "everything_saveable": everything_saveable,
    "nothing_saveable": nothing_saveable,
    "dots_saveable": dots_saveable,
    "checkpoint_dots": dots_saveable,
    "dots_with_no_batch_dims_saveable": dots_with_no_batch_dims_saveable,
    "checkpoint_dots_with_no_batch_dims": dots_with_no_batch_dims_saveable,
    "offload_dot_with_no_batch_dims": offload_dot_with_no_batch_dims,
    "save_anything_except_these_names": save_anything_except_these_names,
    "save_any_names_but_these": save_any_names_but_these,
    "save_only_these_names": save_only_these_names,
    "save_from_both_policies": save_from_both_policies,
    "save_and_offload_only_these_names": save_and_offload_only_these_names,
}

checkpoint_policies = types.SimpleNamespace(**_POLICIES)
