"""Where the cotangents of `VJP.with_refs` go: into references, into the result, or nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab import dtypes, lazy, tree
from jaxlab.core.aval import ShapedArray, aval_of, is_array_like
from jaxlab.core.refs import is_ref
from jaxlab.tree_util import register_pytree_node

# The module of references is loaded already where one is given.
mutable_arrays: Any = lazy.module("jaxlab.primitives.mutable_arrays")


class _Marker:
    """Something that is all in its class."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class GradValue(_Marker):
    """Asks for a cotangent as a part of the result."""

    __slots__ = ()


class DontWant(_Marker):
    """Asks for no cotangent."""

    __slots__ = ()


class GradRef(_Marker):
    """In a result: this cotangent was added to a reference. It is a tree without leaves."""

    __slots__ = ()


class DidntWant(_Marker):
    """In a result: this cotangent was not asked for. It is a tree without leaves."""

    __slots__ = ()


register_pytree_node(GradRef, lambda x: ((), None), lambda aux, children: GradRef())
register_pytree_node(DidntWant, lambda x: ((), None), lambda aux, children: DidntWant())


class WithRefs:
    """A pullback that adds cotangents to references."""

    __slots__ = ("f_vjp", "places")

    def __init__(self, f_vjp: Any, name: str, avals: Sequence[ShapedArray], refs: tuple[Any, ...]) -> None:
        places, structure = tree.flatten(refs)
        if structure != f_vjp.in_tree:
            raise ValueError(
                f"with_refs: places of structure {structure} were given, but the arguments of {name} have structure "
                f"{f_vjp.in_tree}; give a reference, GradValue() or DontWant() for each leaf of them"
            )
        for place, aval in zip(places, avals, strict=True):
            own, wanted = _type_of(place), aval.to_tangent_aval()
            if own is not None and (own.shape != wanted.shape or own.dtype != wanted.dtype):
                raise ValueError(
                    f"with_refs: a reference of type {own.str_short()} was given for an argument of type "
                    f"{aval.str_short()}, whose cotangent has type {wanted.str_short()}; make it of zeros of that type"
                )
        self.f_vjp = f_vjp
        self.places = places

    def __call__(self, out_ct: Any) -> Any:
        """Pull a cotangent back; the result is like the arguments, with a mark where there is no cotangent."""
        found, structure = tree.flatten(self.f_vjp(out_ct))
        results: list[Any] = []
        for place, ct in zip(self.places, found, strict=True):
            if isinstance(place, DontWant):
                results.append(DidntWant())
            elif _type_of(place) is None or aval_of(ct).dtype == dtypes.float0:
                results.append(ct)
            else:
                mutable_arrays.addupdate(place, ..., ct)
                results.append(GradRef())
        return tree.unflatten(structure, results)


def _type_of(place: Any) -> ShapedArray | None:
    """The type of a reference; None for what is none."""
    aval = aval_of(place) if is_array_like(place) else None
    return aval if aval is not None and is_ref(aval) else None
