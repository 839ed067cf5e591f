"""The rules of one kind as a mapping from primitives, for code that gives them one by one as JAX code does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from jaxlab.core.primitive import Primitive, registry

Rule = Callable[..., Any]


class RuleTable(MutableMapping[Primitive, Rule]):
    """A view of one method of all primitives. Nothing is stored here: an entry that is set becomes the method.

    Args:
      method: the name of the rule, such as ``"jvp"``.
      adapt: makes of a rule with JAX's arguments the method that is called here.
      present: makes of a primitive that has the method the rule with JAX's arguments.

    >>> table = RuleTable("jvp")
    >>> table[lax.sin_p]([0.0], [2.0])
    (Array(0., dtype=float32, weak_type=True), Array(2., dtype=float32, weak_type=True))
    """

    def __init__(
        self,
        method: str,
        adapt: Callable[[Rule], Rule] | None = None,
        present: Callable[[Primitive], Rule] | None = None,
    ) -> None:
        self._method = method
        self._adapt = adapt
        self._present = present

    def _written(self, primitive: Primitive) -> bool:
        own = self._method in vars(primitive)
        return own or getattr(type(primitive), self._method) is not getattr(Primitive, self._method)

    def __getitem__(self, primitive: Primitive) -> Rule:
        if not self._written(primitive):
            raise KeyError(primitive)
        method = getattr(primitive, self._method)
        given: Rule | None = getattr(method, "given", None)
        if given is not None:
            return given
        return method if self._present is None else self._present(primitive)

    def __setitem__(self, primitive: Primitive, rule: Rule) -> None:
        method = rule
        if self._adapt is not None:
            method = self._adapt(rule)
            method.given = rule  # type: ignore[attr-defined]
        setattr(primitive, self._method, method)

    def __delitem__(self, primitive: Primitive) -> None:
        if self._method not in vars(primitive):
            raise KeyError(primitive)
        delattr(primitive, self._method)

    def __iter__(self) -> Iterator[Primitive]:
        return (primitive for primitive in registry.values() if self._written(primitive))

    def __len__(self) -> int:
        return sum(1 for _ in self)
