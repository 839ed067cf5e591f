"""The names of `jax.extend.core`: jaxprs as data, for interpreters."""

from __future__ import annotations

from jaxlab.core.effects import Effect as Effect
from jaxlab.core.jaxpr import ClosedJaxpr as ClosedJaxpr
from jaxlab.core.jaxpr import DebugInfo as DebugInfo
from jaxlab.core.jaxpr import Jaxpr as Jaxpr
from jaxlab.core.jaxpr import JaxprEqn as JaxprEqn
from jaxlab.core.jaxpr import Literal as Literal
from jaxlab.core.jaxpr import Var as Var
from jaxlab.core.jaxpr import subjaxprs as subjaxprs
from jaxlab.core.primitive import Primitive as Primitive
from jaxlab.core.typecheck import check_jaxpr as check_jaxpr
from jaxlab.errors import JaxprTypeError as JaxprTypeError
from jaxlab.extend import primitives as primitives
from jaxlab.extend.programs import jaxpr_as_fun as jaxpr_as_fun
