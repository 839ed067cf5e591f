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


class Owner:
    """Something that can be held weakly, equal to others of its number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Owner) and self.number == other.number

    def __hash__(self) -> int:
        return hash(self.number)


def test_values_go_with_their_owner() -> None:
    cache = caching.OwnedCache("test.owned", maxsize=10)
    one, again, other = Owner(1), Owner(1), Owner(2)
    cache.put(one, "a", "A")
    cache.put(again, "b", "B")  # the same owner
    cache.put(other, "a", "C")
    assert [cache.get(again, "a"), cache.get(one, "b"), cache.get(other, "a")] == ["A", "B", "C"]
    assert cache.keys(one) == ["a", "b"] and cache.keys(Owner(3)) == []
    assert (cache.hits, cache.misses, len(cache)) == (3, 0, 3)
    del one  # the one by whom the values are held
    assert len(cache) == 1 and cache.get(again, "a") is None
    cache.discard(other)
    assert len(cache) == 0
    cache.put(other, "a", "D")
    cache.clear()
    assert len(cache) == 0 and cache.stats() == caching.CacheStats("test.owned", 0, 0, 0, 10)


def test_owned_values_that_are_not_used_go_first() -> None:
    cache = caching.OwnedCache("test.owned.full", maxsize=2)
    owners = [Owner(i) for i in range(3)]
    cache.put(owners[0], "a", 0)
    cache.put(owners[1], "a", 1)
    cache.get(owners[0], "a")
    cache.put(owners[2], "a", 2)
    assert [cache.get(owner, "a") for owner in owners] == [0, None, 2]
    cache.put(owners[0], "a", 3)  # takes no more room
    assert len(cache) == 2
    cache.put(8, "a", "of what allows no weak reference")
    assert len(cache) == 2 and cache.get(8, "a")


def test_scattered_values_are_counted() -> None:
    cache = caching.ScatteredCache("test.scattered")
    memory: dict[object, object] = {}
    value = Owner(1)
    assert cache.get(memory, "a") is None
    assert cache.put(memory, "a", value) is cache.get(memory, "a") is value
    assert cache.stats() == caching.CacheStats("test.scattered", 1, 1, 1)
    cache.clear()
    assert cache.get(memory, "a") is None
