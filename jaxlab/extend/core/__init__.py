"""The names of `jax.extend.core`: jaxprs as data, for interpreters, and what is being traced."""

from __future__ import annotations

from jaxlab.core.effects import NO_EFFECTS as no_effects
from jaxlab.core.effects import Effect as Effect
from jaxlab.core.effects import Effects as Effects
from jaxlab.core.jaxpr import ClosedJaxpr as ClosedJaxpr
from jaxlab.core.jaxpr import DebugInfo as DebugInfo
from jaxlab.core.jaxpr import Jaxpr as Jaxpr
from jaxlab.core.jaxpr import JaxprEqn as JaxprEqn
from jaxlab.core.jaxpr import Literal as Literal
from jaxlab.core.jaxpr import Var as Var
from jaxlab.core.jaxpr import subjaxprs as jaxprs_in_params
from jaxlab.core.primitive import Primitive as Primitive
from jaxlab.core.typecheck import check_jaxpr as check_jaxpr
from jaxlab.errors import InconclusiveDimensionOperation as InconclusiveDimensionOperation
from jaxlab.errors import JaxprTypeError as JaxprTypeError
from jaxlab.extend.core import primitives as primitives
from jaxlab.extend.core.state import concrete_or_error as concrete_or_error
from jaxlab.extend.core.state import find_top_trace as find_top_trace
from jaxlab.extend.core.state import get_opaque_trace_state as get_opaque_trace_state
from jaxlab.extend.core.state import mapped_aval as mapped_aval
from jaxlab.extend.core.state import new_jaxpr_eqn as new_jaxpr_eqn
from jaxlab.extend.core.state import nonempty_axis_env as nonempty_axis_env_DO_NOT_USE
from jaxlab.extend.core.state import primal_dtype_to_tangent_dtype as primal_dtype_to_tangent_dtype
from jaxlab.extend.core.state import set_current_trace as set_current_trace
from jaxlab.extend.core.state import subjaxprs as subjaxprs
from jaxlab.extend.core.state import take_current_trace as take_current_trace
from jaxlab.extend.core.state import unmapped_aval as unmapped_aval
from jaxlab.extend.core.state import unsafe_am_i_under_a_jit as unsafe_am_i_under_a_jit_DO_NOT_USE
from jaxlab.extend.core.state import unsafe_am_i_under_a_vmap as unsafe_am_i_under_a_vmap_DO_NOT_USE
from jaxlab.extend.core.state import unsafe_get_axis_names as unsafe_get_axis_names_DO_NOT_USE
from jaxlab.extend.core.state import valid_jaxtype as valid_jaxtype
from jaxlab.extend.programs import jaxpr_as_fun as jaxpr_as_fun
