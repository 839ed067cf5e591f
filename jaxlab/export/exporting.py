"""``export``: from a jitted function to one that needs no Python code any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.core.aval import is_inexact
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.export.calling import call_exported_p
from jaxlab.export.exported import DisabledSafetyCheck, Exported, names
from jaxlab.interpreters import lowering
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.primitives.arithmetic import add
from jaxlab.primitives.transcendental import sin
from jaxlab.runtime.backend import default_device
from jaxlab.stablehlo import artifact
from jaxlab.transforms.jit import jit
from jaxlab.transforms.shape_struct import ShapeDtypeStruct
from jaxlab.transforms.stages import Wrapped
from jaxlab.transforms.vjp import vjp

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")

# Functions of the runtime whose meaning stays the same in later versions.
_STABLE_PREFIXES = ("lapack_", "stablehlo.", "mhlo.topk", "chlo.")


def default_export_platform() -> str:
    """The platform that functions are exported for if none is named: that of the default device.

    >>> default_export_platform() in PLATFORMS
    True
    """
    return str(default_device().platform)


def export(
    fun_jit: Wrapped,
    *,
    platforms: Sequence[str] | None = None,
    disabled_checks: Sequence[DisabledSafetyCheck] = (),
) -> Callable[..., Exported]:
    """A function that exports ``fun_jit`` for the types of its arguments: traced, lowered, ready to be kept.

    Args:
      fun_jit: what `jit` returned. Arrays that it closes over become a part of the module.
      platforms: what to lower it for, of "cpu", "cuda", "rocm" and "tpu"; they need not be here. Each gets a
        module of its own. By default `default_export_platform`.
      disabled_checks: checks to leave out.

    Returns:
      ``exporter(*args, **kwargs)``, which returns an `Exported`; arrays and `ShapeDtypeStruct` will do.

    Raises:
      ValueError: if ``fun_jit`` was not returned by `jit`, a platform is unknown, or the function calls what
        may change between versions of the runtime.
      NotImplementedError: if the function calls back into Python.

    >>> exported = export(jit(lambda x: 2 * x))(ShapeDtypeStruct((3,), "float32"))
    >>> exported
    Exported(<lambda>(f32[3]) -> (f32[3]) for cpu)
    >>> exported.call(np.arange(3.0, dtype="float32"))
    Array([0., 2., 4.], dtype=float32)
    """
    if not isinstance(fun_jit, Wrapped):
        raise ValueError(
            f"export: {fun_jit!r} was given, but a function that jit returned is needed; write export(jit(f))"
        )
    if isinstance(platforms, str):
        raise ValueError(
            f"export: platforms={platforms!r} was given, but a sequence of names is needed; write ({platforms!r},)"
        )
    targets = (default_export_platform(),) if platforms is None else tuple(p.lower() for p in platforms)
    unknown = [p for p in targets if p not in PLATFORMS]
    if unknown or not targets:
        raise ValueError(
            f"export: platforms={platforms!r} was given, but {', '.join(PLATFORMS)} are known; name some of these"
        )
    checks = tuple(disabled_checks)

    def exporter(*args: Any, **kwargs: Any) -> Exported:
        traced = fun_jit.trace(*args, **kwargs)
        return _export(traced.jaxpr, traced.fun_name, (traced.in_tree, traced.out_tree), targets, checks)

    return exporter


def _export(
    closed: ClosedJaxpr,
    name: str,
    trees: tuple[Any, Any],
    platforms: tuple[str, ...],
    checks: tuple[DisabledSafetyCheck, ...],
) -> Exported:
    modules = []
    kept: tuple[bool, ...] = ()
    for platform in platforms:
        lowered = lowering.lower_program(closed, name=name, platform=platform)
        if lowered.callbacks or closed.effects:
            raise NotImplementedError(
                f"export: {name} calls functions of Python, but an exported function has none; leave out callbacks and "
                "debug.print"
            )
        _check_custom_calls(name, lowered.module, checks)
        modules.append(artifact.serialize(lowered.module))
        kept = lowered.kept

    def get_vjp(exported: Exported, /) -> Exported:
        return _export_vjp(closed, exported)

    return Exported(
        name,
        trees[0],
        tuple(closed.in_avals),
        trees[1],
        tuple(closed.out_avals),
        platforms,
        tuple(modules),
        tuple(i for i, keep in enumerate(kept) if keep),
        checks,
        get_vjp,
    )


def _check_custom_calls(name: str, module: Any, checks: Sequence[DisabledSafetyCheck]) -> None:
    allowed = names(checks)
    unstable = [
        target
        for target in artifact.custom_call_targets(module)
        if target not in allowed and not target.startswith(_STABLE_PREFIXES)
    ]
    if unstable:
        raise ValueError(
            f"export: {name} calls {', '.join(unstable)} of the runtime, which may change between versions; pass "
            f"disabled_checks=[DisabledSafetyCheck.custom_call({unstable[0]!r})] if it is to be read by the same one"
        )


def _export_vjp(closed: ClosedJaxpr, exported: Exported) -> Exported:
    """The derivative of an exported function, for the same platforms; see `Exported.vjp`."""
    moving = [i for i, aval in enumerate(exported.in_avals) if is_inexact(aval.dtype)]
    answered = [i for i, aval in enumerate(exported.out_avals) if is_inexact(aval.dtype)]
    count = len(exported.in_avals)

    def pulled(*values: Any) -> list[Any]:
        primals, cts = list(values[:count]), list(values[count:])

        def of_moving(*leaves: Any) -> list[Any]:
            for i, x in zip(moving, leaves, strict=True):
                primals[i] = x
            out = eval_closed(closed, *primals)
            return [out[i] for i in answered]

        return list(vjp(of_moving, *[primals[i] for i in moving])[1](cts))

    cotangents = [exported.out_avals[i] for i in answered]
    derived = stage_closed(pulled, [*exported.in_avals, *cotangents])
    in_tree = tree.structure((tuple(range(count + len(cotangents))), {}))
    out_tree = tree.structure(tuple(range(len(moving))))
    name = f"{exported.fun_name}_vjp"
    return _export(derived, name, (in_tree, out_tree), exported.platforms, exported.disabled_safety_checks)


def _sample() -> Exported:
    def wave(x: Any, y: Any) -> Any:
        return add(sin(x), x), y

    return export(jit(wave))(ShapeDtypeStruct((3,), np.float32), ShapeDtypeStruct((2,), np.int32))


call_exported_p.samples.append(_sample)
