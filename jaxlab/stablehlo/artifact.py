"""Modules as portable artifacts: bytes that older and newer versions of the compiler read, too."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from jaxlib.mlir import ir
from jaxlib.mlir._mlir_libs import _mlir, _stablehlo

from jaxlab.runtime.native import J
from jaxlab.stablehlo.build import Module
from jaxlab.stablehlo.context import mlir_context

# Where an operation names a function of its module.
_CALLS = ("callee", "decomposition", "called_computations")


def serialize(module: Any) -> bytes:
    """The module, without its locations, in a version of StableHLO that readers of the last weeks know.

    Raises:
      ValueError: if it holds operations that have no portable form.
    """
    requirement = _stablehlo.StablehloCompatibilityRequirement.WEEK_4
    version = _stablehlo.get_version_from_compatibility_requirement(requirement)
    with module.context:
        stripped = module.operation.clone()
    _strip_locations(stripped)
    buffer = io.BytesIO()
    stripped.write_bytecode(buffer)
    try:
        return bytes(J.mlir.serialize_portable_artifact(buffer.getvalue(), version))
    except Exception as error:
        raise ValueError(
            f"export: the module has no portable form: {str(error).splitlines()[0]}; leave out the operation named"
        ) from error


def _strip_locations(operation: Any) -> None:
    # Locations name files of this machine, and equations of the program that is exported.
    with operation.context:
        _mlir.passmanager.PassManager.parse("builtin.module(strip-debuginfo)").run(operation)


def deserialize(artifact: bytes, shared: Any = None) -> Any:
    """The ``ir.Module`` of an artifact, in a context of `mlir_context`.

    Raises:
      ValueError: if the bytes are no artifact.
    """
    context = (shared or mlir_context()).context
    try:
        return _stablehlo.deserialize_portable_artifact(context, artifact)
    except Exception as error:
        raise ValueError(
            f"export: the module cannot be read: {str(error).splitlines()[0]}; it may be of a later version"
        ) from error


def text(artifact: bytes) -> str:
    """The module of an artifact as text."""
    return str(deserialize(artifact))


def custom_call_targets(module: Any) -> list[str]:
    """The names of what the module calls outside of StableHLO, sorted."""
    return sorted(
        {
            ir.StringAttr(op.attributes["call_target_name"]).value
            for op in _operations(module.operation)
            if op.name == "stablehlo.custom_call"
        }
    )


def _operations(operation: Any) -> Iterator[Any]:
    for region in operation.regions:
        for block in region.blocks:
            for inner in block.operations:
                yield inner.operation
                yield from _operations(inner.operation)


def merge(into: Module, artifact: bytes, name: str) -> str:
    """Copy the functions of an artifact into a module, under names that are free there.

    Returns:
      the symbol of its ``main``, from now on a private function.
    """
    shared = into.shared
    module = deserialize(artifact, shared)
    functions = [op.operation for op in module.body.operations]
    symbols = {
        (old := ir.StringAttr(op.attributes["sym_name"]).value): into.symbol(
            name if old == "main" else f"{name}_{old}"
        )
        for op in functions
    }
    with shared.context:
        for op in functions:
            op.attributes["sym_name"] = ir.StringAttr.get(
                symbols[ir.StringAttr(op.attributes["sym_name"]).value]
            )
            op.attributes["sym_visibility"] = ir.StringAttr.get("private")
            for inner in _operations(op):
                for attribute in _CALLS:
                    if attribute in inner.attributes:
                        inner.attributes[attribute] = _renamed(inner.attributes[attribute], symbols)
            op.clone(ip=into.builder.ip)
    return symbols["main"]


def _renamed(attribute: Any, symbols: dict[str, str]) -> Any:
    if isinstance(attribute, ir.ArrayAttr):
        return ir.ArrayAttr.get([_renamed(each, symbols) for each in attribute])
    return ir.FlatSymbolRefAttr.get(symbols[attribute.value])
