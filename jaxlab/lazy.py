"""Modules that are loaded at their first use: the one way in which an import is put off.

Starting a notebook should not wait for what the first array does not need. The importing file says for type
checkers (and for the tests of the floors) what it imports, and takes a `LazyModule` when it runs:

    if TYPE_CHECKING:
        from jaxlab.interpreters import lowering
    else:
        lowering = lazy.module("jaxlab.interpreters.lowering")

A package whose names are loaded when they are first asked for takes its ``__getattr__`` from `names`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


class LazyModule:
    """Stands for a module that is imported when one of its names is read or set; reading costs 0.3 us."""

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "__name__", name)

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(importlib.import_module(self.__name__), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(importlib.import_module(self.__name__), name)

    def __dir__(self) -> list[str]:
        return dir(importlib.import_module(self.__name__))

    def __repr__(self) -> str:
        return f"<{self.__name__}, {'' if self.__name__ in sys.modules else 'not yet '}loaded>"


def module(name: str) -> Any:
    """The module of this name: itself if it is loaded already, else what will load it.

    >>> module("colorsys").rgb_to_hsv(1, 0, 0)
    (0.0, 1.0, 1)
    """
    return sys.modules.get(name) or LazyModule(name)


def names(package: str, sources: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package some of whose names are loaded when they are first read.

    Args:
      package: the name of the package, ``__name__`` there.
      sources: for each module the names to take from it, separated by spaces; a name under which another is
        to be known is written ``new=old``, and a lone ``=`` stands for the module itself, under the last part
        of its name.

    From then on such a name is an ordinary global of the package.
    """
    places: dict[str, tuple[str, str]] = {}
    for source, listed in sources.items():
        for item in listed.split():
            new, _, old = item.partition("=")
            places[new or source.rpartition(".")[2]] = (source, old or new)

    def load(name: str) -> Any:
        place = places.get(name)
        if place is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        source, attribute = place
        loaded = importlib.import_module(source)
        value = getattr(loaded, attribute) if attribute else loaded
        setattr(sys.modules[package], name, value)
        return value

    def listing() -> list[str]:
        return sorted({*vars(sys.modules[package]), *places})

    return load, listing
