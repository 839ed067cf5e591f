"""The language: abstract values, jaxprs, primitives and traces. No MLIR, client or operation lives here.

The names are those of ``jax.core``; what runs programs stands higher up, and is put here by the package.
"""

from __future__ import annotations

from typing import Any

from jaxlab.core.aval import ShapedArray as ShapedArray
from jaxlab.core.dimensions import max_dim as max_dim
from jaxlab.core.dimensions import min_dim as min_dim
from jaxlab.core.jaxpr import Atom as Atom
from jaxlab.core.trace import Trace as Trace
from jaxlab.core.trace import Tracer as Tracer

AbstractValue = ShapedArray
"""Every type is one of arrays, or of references to them, which derives from it."""

Value = Any
"""What a variable of a program stands for."""

ParamDict = dict[str, Any]
"""The parameters of an equation."""
