"""Derivatives that one gives oneself, under the names of ``jax.custom_derivatives``."""

from jaxlab.transforms.closure_convert import closure_convert as closure_convert
from jaxlab.transforms.custom_gradient import custom_gradient as custom_gradient
from jaxlab.transforms.custom_jvp import custom_jvp as custom_jvp
from jaxlab.transforms.custom_jvp_call import custom_jvp_call_p as custom_jvp_call_p
from jaxlab.transforms.custom_vjp import custom_vjp as custom_vjp
from jaxlab.transforms.custom_vjp import custom_vjp_primal_tree_values as custom_vjp_primal_tree_values
from jaxlab.transforms.custom_vjp_call import CustomVJPException as CustomVJPException
from jaxlab.transforms.custom_vjp_call import CustomVJPPrimal as CustomVJPPrimal
from jaxlab.transforms.custom_vjp_call import custom_vjp_call_p as custom_vjp_call_p
from jaxlab.transforms.linear_call import linear_call as linear_call
from jaxlab.transforms.symbolic_zeros import SymbolicZero as SymbolicZero
from jaxlab.transforms.symbolic_zeros import zero_from_primal as zero_from_primal

__all__ = [
    "CustomVJPException",
    "CustomVJPPrimal",
    "SymbolicZero",
    "closure_convert",
    "custom_gradient",
    "custom_jvp",
    "custom_jvp_call_p",
    "custom_vjp",
    "custom_vjp_call_p",
    "custom_vjp_primal_tree_values",
    "linear_call",
    "zero_from_primal",
]
