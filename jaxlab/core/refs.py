"""References: the type of a place that holds an array, which programs read and write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.core.aval import ShapedArray


class AbstractRef(ShapedArray):
    """The type of a mutable array: that of the array in it, and what is to be known of the place.

    Args:
      inner_aval: the type of the array.
      memory_space: where it is kept; None for the device's own memory.
      kind: ``"no_grad_no_remat"`` for one that derivatives pass by; None for all others.

    >>> AbstractRef(ShapedArray((3,), np.dtype("float32")))
    Ref{float32[3]}
    """

    __slots__ = ("inner_aval", "kind", "memory_space")

    def __init__(self, inner_aval: ShapedArray, memory_space: Any = None, kind: str | None = None) -> None:
        self.inner_aval = inner_aval
        self.memory_space = memory_space
        self.kind = kind
        self.shape = inner_aval.shape
        self.dtype = inner_aval.dtype
        self._hash = None

    # Most operations on two arrays ask for it, so that a reference in place of its value is told here, at once.
    @property
    def weak_type(self) -> bool:  # type: ignore[override]
        raise ValueError(
            f"an operation on arrays was given a reference of type {self.str_short()}, but it takes values; "
            "read the reference first, with ref[...]"
        )

    def __eq__(self, other: object) -> bool:
        return self is other or (
            type(other) is AbstractRef
            and self.inner_aval == other.inner_aval
            and self.memory_space == other.memory_space
            and self.kind == other.kind
        )

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((AbstractRef, self.inner_aval, self.memory_space, self.kind))
        return self._hash

    def __repr__(self) -> str:
        aval = self.inner_aval
        return f"Ref{{{aval.dtype.name}[{','.join(map(str, aval.shape))}]}}"

    def __str__(self) -> str:
        return repr(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return AbstractRef, (self.inner_aval, self.memory_space, self.kind)

    def str_short(self) -> str:
        """The type as a jaxpr prints it: ``Ref{f32[3]}``."""
        return f"Ref{{{self.inner_aval.str_short()}}}"

    def around(self, inner_aval: ShapedArray) -> AbstractRef:
        """The type of a like place for another type of array."""
        return AbstractRef(inner_aval, self.memory_space, self.kind)

    def strip_weak_type(self) -> ShapedArray:
        """The same with the type of the array not weak."""
        return self.around(self.inner_aval.strip_weak_type())

    def to_tangent_aval(self) -> ShapedArray:
        """The type of the place for tangents."""
        return self.around(self.inner_aval.to_tangent_aval())


def is_ref(aval: ShapedArray) -> bool:
    """Whether a type is that of a reference."""
    return type(aval) is AbstractRef


def returned(aval: ShapedArray, name: str, path: str, origin: str) -> ValueError:
    """The error for a function that is traced and returns a reference."""
    return ValueError(
        f"{name or 'tracing'}: the result{path} is a mutable array reference of type {aval.str_short()}"
        f"{' ' + origin if origin else ''}, but references cannot be returned from a traced function; return "
        "its value, ref[...] or freeze(ref)"
    )


def check_references(
    name: str,
    args: Sequence[Any],
    avals: Sequence[ShapedArray],
    closed_over: Sequence[Any],
    paths: Callable[[], Sequence[str]],
) -> None:
    """Check that a function has each reference once: a write to one name would be one to the other.

    Args:
      closed_over: what the function closes over.
      paths: what to call the arguments.

    Raises:
      ValueError: if a reference is given twice, or closed over and given.
    """
    own = {id(x) for x in closed_over}
    seen: dict[int, int] = {}
    for i, (x, aval) in enumerate(zip(args, avals, strict=True)):
        if not is_ref(aval):
            continue
        if id(x) in seen:
            raise ValueError(
                f"{name}: the same reference of type {aval.str_short()} was given as {paths()[seen[id(x)]]} and as "
                f"{paths()[i]}, but only one argument can be a certain reference; pass it once"
            )
        if id(x) in own:
            raise ValueError(
                f"{name}: the reference of type {aval.str_short()} that is the argument {paths()[i]} is closed over "
                "too, but a function can have a certain reference only once; use the argument in it"
            )
        seen[id(x)] = i
