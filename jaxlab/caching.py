"""Every cache of jaxlab is made here, so that all of them can be counted, shown and cleared.

>>> squares = Cache("squares", maxsize=2)
>>> squares.put(3, 9)
9
>>> squares.get(3), squares.get(4)
(9, None)
>>> [(s.size, s.hits, s.misses) for s in stats() if s.name == "squares"]
[(1, 1, 1)]
"""

from __future__ import annotations

import dataclasses
import functools
import threading
import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import Any, ParamSpec, Protocol, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


@dataclasses.dataclass(frozen=True, slots=True)
class CacheStats:
    """How a cache stands: entries held, and lookups that found one or did not since it was cleared."""

    name: str
    size: int
    hits: int
    misses: int
    maxsize: int | None = None


class Clearable(Protocol):
    """What the registry asks of a cache."""

    def stats(self) -> CacheStats:
        """How full it is, and how often it helped."""

    def clear(self) -> None:
        """Forget everything."""


class CachedFunction(Protocol[P, R]):
    """A function with a memory; `cache_clear` and `cache_info` are those of `functools.lru_cache`."""

    __wrapped__: Callable[..., Any]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    def cache_clear(self) -> None:
        """Forget everything."""

    def cache_info(self) -> Any:
        """Hits, misses, the largest and the current size."""


_registered: list[Clearable | weakref.ref[Clearable]] = []
_on_clear: list[Callable[[], None]] = []


class Cache:
    """A dict with counters and, if `maxsize` is given, with the least recently used entries dropped beyond
    it.

    Values must not be None, which is what `get` answers for a miss. Safe to use from several threads. The
    registry holds caches weakly when `weak` (one cache per object that dies), else for good.
    """

    __slots__ = ("__weakref__", "_entries", "_lock", "hits", "maxsize", "misses", "name")

    def __init__(self, name: str, maxsize: int | None = None, *, weak: bool = False) -> None:
        self.name, self.maxsize = name, maxsize
        self.hits = self.misses = 0
        self._entries: dict[Hashable, Any] = {}
        self._lock = threading.Lock()
        _registered.append(weakref.ref(self) if weak else self)

    def get(self, key: Hashable) -> Any | None:
        """The value under `key`, or None."""
        value = self._entries.get(key)
        if value is None:
            self.misses += 1
            return None
        self.hits += 1
        if self.maxsize is not None:
            with self._lock:
                if self._entries.pop(key, None) is not None:
                    self._entries[key] = value  # dicts keep insertion order: the first entry is the oldest
        return value

    def put(self, key: Hashable, value: Any) -> Any:
        """Keep `value` under `key`, and return it."""
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = value
            if self.maxsize is not None and len(self._entries) > self.maxsize:
                del self._entries[next(iter(self._entries))]
        return value

    def keys(self) -> list[Hashable]:
        """The keys held, oldest first: what a miss is compared with when its reason is asked for."""
        return list(self._entries)

    def items(self) -> Iterator[tuple[Hashable, Any]]:
        """The entries held, oldest first."""
        return iter(list(self._entries.items()))

    def discard(self, key: Hashable) -> None:
        """Forget one entry, if it is there."""
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget everything, and count from zero."""
        with self._lock:
            self._entries.clear()
            self.hits = self.misses = 0

    def stats(self) -> CacheStats:
        """How the cache stands."""
        return CacheStats(self.name, len(self._entries), self.hits, self.misses, self.maxsize)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def __repr__(self) -> str:
        return f"Cache({self.name!r}, {len(self)} entries, {self.hits} hits, {self.misses} misses)"


class _Memory:
    """Shows an lru_cache to the registry."""

    __slots__ = ("function", "name")

    def __init__(self, name: str, function: Any) -> None:
        self.name, self.function = name, function

    def stats(self) -> CacheStats:
        info = self.function.cache_info()
        return CacheStats(self.name, info.currsize, info.hits, info.misses, info.maxsize)

    def clear(self) -> None:
        self.function.cache_clear()


def cached(name: str, maxsize: int | None = None) -> Callable[[Callable[P, R]], CachedFunction[P, R]]:
    """Decorator: remember a function's results by its (hashable) arguments; it is `functools.lru_cache`,
    registered.

    >>> @cached("doc.double", maxsize=8)
    ... def double(x):
    ...     return 2 * x
    >>> double(2), double(2), double.cache_info().hits
    (4, 4, 1)
    """

    def decorate(function: Callable[P, R]) -> CachedFunction[P, R]:
        remembered = functools.lru_cache(maxsize)(function)
        _registered.append(_Memory(name, remembered))
        return cast("CachedFunction[P, R]", remembered)

    return decorate


class WeakKeyed:
    """Values kept while the object they belong to lives; keys, compared by identity, need not be hashable."""

    __slots__ = ("_entries", "hits", "misses", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.hits = self.misses = 0
        self._entries: dict[int, tuple[weakref.ref[Any], Any]] = {}
        _registered.append(self)

    def get(self, key: Any) -> Any | None:
        """The value that belongs to the object `key`, or None."""
        entry = self._entries.get(id(key))
        if entry is None or entry[0]() is not key:
            self.misses += 1
            return None
        self.hits += 1
        return entry[1]

    def put(self, key: Any, value: Any) -> Any:
        """Keep `value` while `key` lives, and return it; `value` must not refer to `key`. TypeError if `key`
        allows no weak references."""
        entries, place = self._entries, id(key)

        def forget(dead: weakref.ref[Any]) -> None:
            entry = entries.get(place)
            if entry is not None and entry[0] is dead:  # a new object may have the old one's id by now
                del entries[place]

        entries[place] = (weakref.ref(key, forget), value)
        return value

    def clear(self) -> None:
        """Forget everything, and count from zero."""
        self._entries.clear()
        self.hits = self.misses = 0

    def stats(self) -> CacheStats:
        """How the cache stands."""
        return CacheStats(self.name, len(self._entries), self.hits, self.misses)

    def __len__(self) -> int:
        return len(self._entries)


def weak_keyed(name: str) -> WeakKeyed:
    """A registered cache whose entries die with the objects they belong to."""
    return WeakKeyed(name)


class OwnedCache:
    """Values under an owner and a key; they go when the owner dies, or when they are the least recently used.

    Owners are compared with ``==`` and held weakly, so a cache of traced functions keeps no function alive,
    nor what it closes over. A value that refers to its owner keeps it alive as any reference does, until
    `maxsize` newer ones push it out. An owner that allows no weak references is held for as long.
    """

    __slots__ = ("_entries", "_lock", "_owners", "hits", "maxsize", "misses", "name")

    def __init__(self, name: str, maxsize: int) -> None:
        self.name, self.maxsize = name, maxsize
        self.hits = self.misses = 0
        self._entries: dict[tuple[Any, Hashable], Any] = {}
        self._owners: dict[Any, tuple[Any, dict[Hashable, None]]] = {}
        self._lock = threading.RLock()  # a collection of garbage may end an owner while it is held
        _registered.append(self)

    def get(self, owner: Any, key: Hashable) -> Any | None:
        """The value of an owner under a key, or None."""
        value = self._entries.get((_weakly(owner), key))
        if value is None:
            self.misses += 1
            return None
        self.hits += 1
        if 2 * len(self._entries) < self.maxsize:  # nothing will be dropped soon: 0.5 us
            return value
        with self._lock:
            known = self._owners.get(_weakly(owner))
            if known is not None and self._entries.pop((known[0], key), None) is not None:
                self._entries[known[0], key] = value  # the first entry of a dict is the oldest
        return value

    def put(self, owner: Any, key: Hashable, value: Any) -> Any:
        """Keep ``value`` while ``owner`` lives, and return it."""
        with self._lock:
            known = self._owners.get(_weakly(owner))
            if known is None:
                # Dead references are equal only if they are one object, so there is one for all the entries.
                holder = _weakly(owner, self._forget)
                known = self._owners[holder] = (holder, {})
            holder, keys = known
            if key not in keys and len(self._entries) >= self.maxsize:
                self._drop(*next(iter(self._entries)))
                self._owners[holder] = known
            keys[key] = None
            self._entries[holder, key] = value
        return value

    def keys(self, owner: Any) -> list[Hashable]:
        """The keys of an owner, oldest first: what a miss is compared with when its reason is asked for."""
        known = self._owners.get(_weakly(owner))
        return [] if known is None else list(known[1])

    def discard(self, owner: Any) -> None:
        """Forget all values of one owner."""
        self._forget(_weakly(owner))

    def _forget(self, holder: Any) -> None:
        with self._lock:
            known = self._owners.pop(holder, None)
            if known is not None:
                for key in known[1]:
                    self._entries.pop((known[0], key), None)

    def _drop(self, holder: Any, key: Hashable) -> None:
        self._entries.pop((holder, key), None)
        known = self._owners.get(holder)
        if known is not None:
            known[1].pop(key, None)
            if not known[1]:
                del self._owners[holder]

    def clear(self) -> None:
        """Forget everything, and count from zero."""
        with self._lock:
            self._entries.clear()
            self._owners.clear()
            self.hits = self.misses = 0

    def stats(self) -> CacheStats:
        """How the cache stands."""
        return CacheStats(self.name, len(self._entries), self.hits, self.misses, self.maxsize)

    def __len__(self) -> int:
        return len(self._entries)


class ScatteredCache:
    """Values kept in memories that belong to other objects, and go with those; they are counted here."""

    __slots__ = ("_alive", "_epoch", "hits", "misses", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.hits = self.misses = 0
        self._epoch = object()
        self._alive: weakref.WeakSet[Any] = weakref.WeakSet()
        _registered.append(self)

    def get(self, memory: dict[Any, Any], key: Hashable) -> Any | None:
        """The value under a key in a memory, or None."""
        value = memory.get((self._epoch, key))
        if value is None:
            self.misses += 1
        else:
            self.hits += 1
        return value

    def put(self, memory: dict[Any, Any], key: Hashable, value: Any) -> Any:
        """Keep ``value``, which must allow weak references, in a memory, and return it."""
        memory[self._epoch, key] = value
        self._alive.add(value)
        return value

    def clear(self) -> None:
        """Let nothing kept be found again, and count from zero."""
        self._epoch = object()
        self._alive.clear()
        self.hits = self.misses = 0

    def stats(self) -> CacheStats:
        """How many values are alive, and how often one was found."""
        return CacheStats(self.name, len(self._alive), self.hits, self.misses)


def _weakly(owner: Any, at_death: Callable[[Any], None] | None = None) -> Any:
    """A weak reference, equal to every other one of an equal owner; the owner itself if it allows none."""
    try:
        return weakref.ref(owner, at_death) if at_death is not None else weakref.ref(owner)
    except TypeError:
        return owner


def register(cache: Clearable) -> Clearable:
    """Register a cache that is kept elsewhere (jaxlib's C++ ones): anything with `stats()` and `clear()`."""
    _registered.append(cache)
    return cache


def on_clear(action: Callable[[], None]) -> None:
    """Call `action` after every `clear_all`, for what is derived from caches."""
    _on_clear.append(action)


def _live() -> list[Clearable]:
    alive: list[Clearable] = []
    for entry in list(_registered):
        cache = entry() if isinstance(entry, weakref.ref) else entry
        if cache is None:
            _registered.remove(entry)
        else:
            alive.append(cache)
    return alive


def stats() -> list[CacheStats]:
    """How every cache stands, in the order they were made."""
    return [cache.stats() for cache in _live()]


def clear_all() -> None:
    """Clear every cache: the next call of everything is a first call."""
    for cache in _live():
        cache.clear()
    for action in _on_clear:
        action()
