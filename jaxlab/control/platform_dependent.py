"""``platform_dependent``: one of several functions, chosen by what the program is compiled for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.control.cond import branch_on
from jaxlab.control.cond_primitive import branch_for
from jaxlab.core.aval import ShapedArray
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.trace import Tracer
from jaxlab.runtime import backend

Platforms = tuple[tuple[str, ...] | None, ...]


def platform_dependent(
    *args: Any, default: Callable[..., Any] | None = None, **per_platform: Callable[..., Any]
) -> Any:
    """``per_platform[platform](*args)`` for the platform that the program is compiled for.

    All functions are traced where the program is recorded, and the choice is made when it is lowered: a
    program may be compiled for another machine than that on which it was traced, so that an ``if`` of Python
    on the default backend would be wrong.

    Args:
      args: pytrees of arrays, handed to the function.
      default: for platforms that are not named; without it the program cannot be compiled for them.
      per_platform: functions by platform: ``cpu``, ``cuda``, ``rocm``, ``tpu``. Their results have the same
        structure, shapes and dtypes.

    Raises:
      TypeError: if one of them is no function, or their results differ.
      ValueError: for the platform ``gpu``, which stands for two.
      NotImplementedError: when the program is lowered for a platform that has no function.

    >>> platform_dependent(1.0, cpu=jnp.sin, default=jnp.cos)
    Array(0.84147096, dtype=float32, weak_type=True)
    """
    if not per_platform and default is None:
        raise TypeError(
            "platform_dependent: no function was given, but at least one is needed; give default="
        )
    groups: list[tuple[list[str], Callable[..., Any]]] = []
    for platform, function in per_platform.items():
        _check(platform, function)
        if platform == "gpu":
            raise ValueError(
                "platform_dependent: 'gpu' was given, but it stands for two platforms; write 'cuda' or 'rocm'"
            )
        same = [names for names, known in groups if known == function]
        if same:
            same[0].append(platform)
        else:
            groups.append(([platform], function))
    functions = [function for _, function in groups]
    platforms: Platforms = tuple(tuple(names) for names, _ in groups)
    if default is not None:
        _check("default", default)
        functions.append(default)
        platforms = (*platforms, None)
    index = platform_index_p.bind(platforms=platforms)
    if not isinstance(index, Tracer):
        return functions[int(index)](*args)
    names = ["/".join(group) if group else "default" for group in platforms]
    return branch_on("platform_dependent", index, functions, args, names, branches_platforms=platforms)


def _check(name: str, function: Any) -> None:
    if not callable(function):
        raise TypeError(
            f"platform_dependent: {name} is a {type(function).__name__}, but a function is needed; write "
            "lambda *_: ... for a constant"
        )


class PlatformIndex(Primitive):
    """Which of some groups of platforms has that which the program is compiled for."""

    name = "platform_index"

    def abstract_eval(self, *, platforms: Platforms) -> ShapedArray:
        return ShapedArray((), np.dtype(np.int32))

    def lower(self, ctx: Any, *, platforms: Platforms) -> Any:
        return ctx.b.constant(branch_for(platforms, ctx.platform), np.dtype(np.int32))

    def reference(self, *, platforms: Platforms) -> Any:
        own = backend.default_backend()
        named = [own in (group or ()) for group in platforms]
        return np.int32(named.index(True) if any(named) else platforms.index(None))

    def examples(self) -> Iterable[Example]:
        own = backend.default_backend()
        choices: Sequence[Platforms] = ((("none",), (own, "other")), (("none",), None), (None, (own,)))
        for platforms in choices:
            yield Example((), {"platforms": platforms}, differentiate=False)


platform_index_p = PlatformIndex()
