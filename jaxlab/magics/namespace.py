"""The notebook's namespace, lent to a trace and put back whatever happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def lent(namespace: dict[str, Any], values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Put ``values`` into the namespace for the time of the block; yields a copy of how it was before.

    >>> space = {"x": 1}
    >>> with lent(space, {"x": 2}):
    ...     space["y"] = space["x"]
    >>> space
    {'x': 1}
    """
    before = dict(namespace)
    try:
        namespace.update(values)
        yield before
    finally:
        _restore(namespace, before)


def _restore(namespace: dict[str, Any], before: dict[str, Any]) -> None:
    """Undo every change, and finish even if the user presses interrupt once more meanwhile."""
    interrupt: KeyboardInterrupt | None = None
    while True:
        try:
            namespace.update(before)
            for name in [name for name in namespace if name not in before]:
                namespace.pop(name, None)
            break
        except KeyboardInterrupt as error:
            interrupt = error
    if interrupt is not None:
        raise interrupt


def commit(
    namespace: dict[str, Any],
    outputs: Mapping[str, Any],
    mutated: Iterable[str] = (),
    deleted: Iterable[str] = (),
) -> None:
    """Bind what a cell left.  Containers in ``mutated`` are changed in place, as the cell's own text would
    have.
    """
    new = dict(outputs)
    for name in mutated:
        if name in namespace:
            new[name] = write_back(namespace[name], new[name])
    namespace.update(new)  # one call of C: an interrupt cannot leave half of it
    for name in deleted:
        namespace.pop(name, None)


def write_back(old: Any, new: Any) -> Any:
    """Give the list or dict ``old`` the content of ``new`` and return it; ``new`` itself for other types.

    >>> history = [1]
    >>> write_back(history, [1, 2]) is history, history
    (True, [1, 2])
    """
    if type(old) is not type(new):
        return new
    if isinstance(old, list):
        old[:] = [write_back(a, b) for a, b in zip(old, new, strict=False)] + new[len(old) :]
        return old
    if isinstance(old, dict):
        content = {key: write_back(old[key], value) if key in old else value for key, value in new.items()}
        old.clear()
        old.update(content)
        return old
    return new
