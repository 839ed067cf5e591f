"""Exporting: functions that are kept, moved and called without their Python code, under the names of ``jax.export``.

>>> import jaxlab.export
>>> exported = jaxlab.export.export(jit(lambda x: 2 * x))(1.0)
>>> blob = exported.serialize(vjp_order=1)
>>> grad(jaxlab.export.deserialize(blob).call)(3.0)
Array(2., dtype=float32, weak_type=True)

What JAX calls symbolic shapes is not here: the dimensions of this language are integers.
"""

from __future__ import annotations

from jaxlab.export.exported import CALLING_CONVENTION as maximum_supported_calling_convention_version
from jaxlab.export.exported import CALLING_CONVENTION as minimum_supported_calling_convention_version
from jaxlab.export.exported import DisabledSafetyCheck as DisabledSafetyCheck
from jaxlab.export.exported import Exported as Exported
from jaxlab.export.exported import deserialize as deserialize
from jaxlab.export.exporting import default_export_platform as default_export_platform
from jaxlab.export.exporting import export as export
from jaxlab.export.structures import register_namedtuple_serialization as register_namedtuple_serialization
from jaxlab.export.structures import (
    register_pytree_node_serialization as register_pytree_node_serialization,
)

__all__ = [
    "DisabledSafetyCheck",
    "Exported",
    "default_export_platform",
    "deserialize",
    "export",
    "maximum_supported_calling_convention_version",
    "minimum_supported_calling_convention_version",
    "register_namedtuple_serialization",
    "register_pytree_node_serialization",
]
