"""Caches: bounded, counted, cleared, and gone with what they belong to."""

from __future__ import annotations

import gc

import pytest

from jaxlab import caching


def stats_of(name: str) -> list[tuple[int, int, int]]:
    return [(s.size, s.hits, s.misses) for s in caching.stats() if s.name == name]


def test_the_least_recently_used_goes_first() -> None:
    cache = caching.Cache("test.bounded", maxsize=2, weak=True)
    for key in "ab":
        cache.put(key, key.upper())
    assert cache.get("a") == "A"
    cache.put("c", "C")
    assert cache.keys() == ["a", "c"] and cache.get("b") is None
    assert stats_of("test.bounded") == [(2, 1, 1)]
    cache.discard("a")
    assert dict(cache.items()) == {"c": "C"} and "a" not in cache


def test_cached_functions_are_counted_and_cleared() -> None:
    @caching.cached("test.function", maxsize=4)
    def square(x: int) -> int:
        return x * x

    assert [square(2), square(2), square(3)] == [4, 4, 9]
    assert stats_of("test.function") == [(2, 1, 2)]
    done = []
    caching.on_clear(lambda: done.append(True))
    caching.clear_all()
    assert stats_of("test.function") == [(0, 0, 0)] and done


def test_weak_keys_die_with_their_objects() -> None:
    class Thing:
        __hash__ = None

    cache, thing = caching.weak_keyed("test.weak"), Thing()
    cache.put(thing, 1)
    assert cache.get(thing) == 1 and cache.get(Thing()) is None
    del thing
    gc.collect()
    assert len(cache) == 0
    with pytest.raises(TypeError):
        cache.put(1, 2)


def test_weak_caches_leave_the_registry() -> None:
    cache = caching.Cache("test.gone", weak=True)
    assert len(stats_of("test.gone")) == 1
    del cache
    gc.collect()
    assert stats_of("test.gone") == []
