"""Named axes: what `vmap` maps over, which collectives ask for by name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jaxlab.config import config
from jaxlab.core.trace import current


@dataclass(frozen=True, slots=True)
class MappedAxis:
    """The axis that a batch rule is to map over.

    Attributes:
      size: how many slices there are.
      name: what collectives call it; None where it has no name.
      spmd_name: the mesh axis, or axes, over which its slices are spread.
    """

    size: int
    name: Any = None
    spmd_name: Any = None


@contextlib.contextmanager
def binding_axes(axes: Sequence[tuple[Any, int]]) -> Iterator[None]:
    """Context manager: collectives inside know these axes by name, with their sizes; inner ones hide outer."""
    outer = current.axes
    current.axes = (*outer, *axes)
    try:
        yield
    finally:
        current.axes = outer


def axis_size(name: Any, asked_by: str = "axis_size") -> int:
    """The size of a named axis, for an operation that an error is to speak of.

    Raises:
      NameError: if no transformation around the caller binds that name.
    """
    for known, size in reversed(current.axes):
        if known == name:
            return size
    bound = ", ".join(f"{known!r} (size {size})" for known, size in current.axes)
    raise NameError(
        f"{asked_by}: axis name {name!r} was given, but it is not bound here: "
        f"{f'the bound names are {bound}' if bound else 'no axis has a name'}; "
        f"give the axis its name where it is mapped, as in vmap(f, axis_name={name!r})"
    )


def trace_key() -> tuple[Any, ...]:
    """What a traced program depends on besides its function and its types: options, and named axes in scope."""
    return (config.trace_key(), current.axes)
