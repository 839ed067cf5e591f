"""The stages of a function on its way to the device, under the names of ``jax.stages``.

``jit(f).trace(*args)`` is a `Traced`, its ``lower()`` a `Lowered`, and that one's ``compile()`` a `Compiled`.
"""

from __future__ import annotations

from jaxlab.transforms.stages import ArgInfo as ArgInfo
from jaxlab.transforms.stages import Compiled as Compiled
from jaxlab.transforms.stages import CompilerOptions as CompilerOptions
from jaxlab.transforms.stages import Lowered as Lowered
from jaxlab.transforms.stages import Traced as Traced
from jaxlab.transforms.stages import Wrapped as Wrapped
