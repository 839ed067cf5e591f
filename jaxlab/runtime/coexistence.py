"""Attributes of arrays, beside those of an imported `jax`.

Both libraries put their attributes on the one C++ class of jaxlib. As long as `jax` is not in the process,
ours are set directly, so that a C++ function stays a C++ function. From the moment it is, in whichever order
the two were imported, each name holds a dispatcher, which looks at the type of the array's aval: ours means
our attribute, any other means what `jax` (or jaxlib) put there.
"""

from __future__ import annotations

import functools
import importlib.machinery
import sys
import threading
from collections.abc import Callable, Sequence
from types import GetSetDescriptorType, MethodDescriptorType, ModuleType, WrapperDescriptorType
from typing import Any, cast

from jaxlab.config import UNSET, _set_local, config
from jaxlab.core.aval import ShapedArray
from jaxlab.runtime.native import J, switches

_MISSING: Any = object()
_class = J.ArrayImpl

_SLOTS = (WrapperDescriptorType, MethodDescriptorType, GetSetDescriptorType)


def _is_native(value: Any) -> bool:
    """Whether an attribute of the class is jaxlib's own, whoever was imported first."""
    maker = value.fget if isinstance(value, property) else value
    return type(maker).__module__ == "nanobind" or isinstance(maker, _SLOTS)


_native: dict[str, Any] = {name: value for name, value in vars(_class).items() if _is_native(value)}
_ours: dict[str, Any] = {}
_theirs: dict[str, Any] = {}
_installed: dict[str, Any] = {}
_shared = False


def native(name: str) -> Any:
    """The attribute of jaxlib's class as it was before anything was attached: the way past our own guards."""
    return _native[name]


def attach(name: str, value: Any) -> None:
    """Give every array an attribute: a function becomes a method, a property a property, a C++ function is
    one already.

    Arrays of an imported `jax` keep their own. To take the place of a dunder that Python sets to None
    (``__hash__``), attach None.
    """
    _ours[name] = value
    if _shared:
        _install(name)
    else:
        setattr(_class, name, value)


class _Either:
    """An attribute that is ours on our arrays and another's on all others."""

    def __init__(self, name: str, ours: Any, theirs: Any) -> None:
        self.name, self.ours, self.theirs = name, ours, theirs

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            chosen = self.theirs if self.ours is _MISSING else self.ours
            return chosen.__get__(None, owner) if hasattr(chosen, "__get__") else chosen
        chosen = self.ours if type(instance.aval) is ShapedArray else self.theirs
        if chosen is _MISSING:
            raise AttributeError(f"{type(instance).__name__!r} object has no attribute {self.name!r}")
        return chosen.__get__(instance, owner) if hasattr(chosen, "__get__") else chosen

    def __set__(self, instance: Any, value: Any) -> None:
        chosen = self.ours if type(instance.aval) is ShapedArray else self.theirs
        if not hasattr(chosen, "__set__"):
            raise AttributeError(f"attribute {self.name!r} of an array cannot be set")
        chosen.__set__(instance, value)


def _unhashable(self: Any) -> int:
    raise TypeError(f"unhashable type: {type(self).__name__!r}")


def _method(ours: Any, theirs: Any) -> Callable[..., Any]:
    """A dispatcher that is a plain function: the cheapest thing a C slot can call."""

    def either(self: Any, *args: Any, **kwargs: Any) -> Any:
        return (ours if type(self.aval) is ShapedArray else theirs)(self, *args, **kwargs)

    return either


def _binary(ours: Any, theirs: Any) -> Callable[[Any, Any], Any]:
    def either(self: Any, other: Any) -> Any:
        return (ours if type(self.aval) is ShapedArray else theirs)(self, other)

    return either


_BINARY = frozenset(
    f"__{side}{name}__"
    for name in [
        "add",
        "sub",
        "mul",
        "truediv",
        "floordiv",
        "mod",
        "matmul",
        "and",
        "or",
        "xor",
        "lshift",
        "rshift",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "getitem",
    ]
    for side in ("", "r")
)


def _install(name: str) -> None:
    # The base class of jaxlib is `jax`'s abstract array, so what it has is theirs as well.
    inherited = next((vars(base)[name] for base in _class.__mro__[1:] if name in vars(base)), _MISSING)
    ours = _ours.get(name, _native.get(name, vars(object).get(name, _MISSING)))
    theirs = _theirs.get(name, _native.get(name, inherited))
    if ours is theirs or (isinstance(ours, int | str) and ours == theirs):
        setattr(_class, name, ours)
        return
    if name == "__hash__":
        ours, theirs = (_unhashable if value is None else value for value in (ours, theirs))
    plain = all(callable(value) and hasattr(value, "__get__") for value in (ours, theirs))
    either: Any
    if plain:
        either = (_binary if name in _BINARY else _method)(ours, theirs)
        functools.update_wrapper(either, ours, updated=())
    else:
        either = _Either(name, ours, theirs)
    _installed[name] = either
    setattr(_class, name, either)


_PYTHON_OWN = frozenset(
    ["__new__", "__init__", "__del__", "__dict__", "__weakref__", "__doc__", "__module__", "__annotations__"]
)


def _share() -> None:
    """Take what is on the class now and is not ours as the other's, and put dispatchers in its place."""
    global _shared
    _shared = True
    for name, value in list(vars(_class).items()):
        if name in _PYTHON_OWN or value is _installed.get(name, _MISSING):
            continue
        if value is _ours.get(name, _MISSING):  # not touched by the other, who sees what jaxlib itself has
            if value is None or isinstance(value, int | str):  # or set to the same by both
                _theirs[name] = value
        elif name in _ours or value is not _native.get(name, _MISSING):
            _theirs[name] = value
    for name in {**_ours, **_theirs}:
        _install(name)


def _adopt_switches() -> None:
    """From now on jaxlib reads `jax`'s own state objects; our options follow them, and they ours."""
    states = sys.modules.get("jax._src.config")
    for name in ("enable_x64", "disable_jit"):
        state = getattr(states, name, None)
        if not isinstance(state, J.config.Config):
            continue  # an unknown version of jax: each keeps its own switch
        ours = config.read(name)
        setattr(switches, name, state)
        _follow(name, state)
        if ours and not state.get_global():
            state.set_global(True)
        config.update(name, state.get_global())
        own = config.__dict__.get(name, UNSET)
        if own is not UNSET:
            state.set_local(own)


def _follow(name: str, state: Any) -> None:
    """Bring what is set through `jax` into our options."""
    tell_global, tell_local = state._update_global_hook, state._update_thread_local_hook

    def on_global(value: Any) -> None:
        if tell_global:
            tell_global(value)
        if config.read(name) != value:
            config.update(name, value)

    def on_local(value: Any) -> None:
        if tell_local:
            tell_local(value)
        own = state.get_local()
        _set_local(name, UNSET if own is J.config.unset else own)

    state._update_global_hook, state._update_thread_local_hook = on_global, on_local


class _Silence(threading.local):
    wanted = False


_silence = _Silence()


def without_jax(call: Callable[..., Any], *args: Any) -> Any:
    """``call(*args)``, for the functions of jaxlib that would import `jax` if it is installed.

    They do without it where it is not. To the user it would be a pause of a second, at the first array read.
    """
    _silence.wanted = True
    try:
        return call(*args)
    finally:
        _silence.wanted = False


class _Loader:
    """Loads a module through its own loader, then shares the class with it.

    Not derived from `importlib.abc.Loader`, which adds nothing and costs 3 ms of every import.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self.inner.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self.inner  # what introspection expects to find
        try:
            self.inner.exec_module(module)
        except BaseException:
            # Half of it may be on the class already, and its state objects in the hooks.
            _share()
            switches.install()
            raise
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not _finder]
        _share()
        _adopt_switches()


class _Finder:
    """Sees the import of the top-level module `jax` coming."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "jax":
            return None
        if _silence.wanted:
            raise ModuleNotFoundError("jax is not imported on jaxlib's own account", name=name)
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None and spec.loader is not None:
                    spec.loader = cast(Any, _Loader(spec.loader))
                if spec is not None:
                    return spec
        return None


_finder = _Finder()


def _start() -> None:
    if "jax" in sys.modules:
        _share()
        _adopt_switches()
    else:
        sys.meta_path.insert(0, _finder)


_start()
