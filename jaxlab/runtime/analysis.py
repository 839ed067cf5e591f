"""What XLA says of a program: its HLO before optimisation, and an account of what it costs."""

from __future__ import annotations

import io
from typing import Any

from jaxlab.runtime.native import J


def xla_computation(module: Any) -> Any:
    """The computation that a StableHLO module (an ``ir.Module``) is for XLA."""
    buffer = io.BytesIO()
    module.operation.write_bytecode(buffer)
    return J.mlir.mlir_module_to_xla_computation(buffer.getvalue())


def unoptimized_hlo(module: Any) -> Any:
    """The HLO module that a StableHLO module (an ``ir.Module``) becomes before any optimisation."""
    return xla_computation(module).as_hlo_module()


def module_cost(client: Any, hlo_module: Any) -> dict[str, float]:
    """Flops, bytes accessed and transcendentals of an HLO module of any platform, by XLA's own estimate."""
    return dict(J.hlo_module_cost_analysis(client, hlo_module))
