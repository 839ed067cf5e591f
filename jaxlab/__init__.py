"""jaxlab: JAX's programming model for the notebook, over XLA.

``%load_ext jaxlab`` makes cells into functions: ``%%jit``, ``%%grad`` and ``%%vmap`` trace, compile and show
them. The names here, and in `jaxlab.numpy`, `jaxlab.lax`, `jaxlab.random`, `jaxlab.nn` and
`jaxlab.tree_util`, are those of JAX, so that JAX code runs when its import line changes.

>>> import jaxlab
>>> jaxlab.grad(lambda x: x ** 2)(3.0)
Array(6., dtype=float32, weak_type=True)
"""

from __future__ import annotations

import importlib as _importlib
import os as _os
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

# jaxlib reads it when it is loaded. What it would log of a failed launch arrives as an exception anyway.
_os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from jaxlab import core as core
from jaxlab import dtypes as dtypes
from jaxlab import errors as errors
from jaxlab import lax as lax
from jaxlab import lazy as _lazy
from jaxlab import numpy as numpy
from jaxlab import tree as tree
from jaxlab import tree_util as tree_util
from jaxlab import typing as typing
from jaxlab.caching import clear_all as clear_caches
from jaxlab.config import array_garbage_collection_guard as array_garbage_collection_guard
from jaxlab.config import check_tracer_leaks as check_tracer_leaks
from jaxlab.config import checking_leaks as checking_leaks
from jaxlab.config import config as config
from jaxlab.config import debug_infs as debug_infs
from jaxlab.config import debug_key_reuse as debug_key_reuse
from jaxlab.config import debug_nans as debug_nans
from jaxlab.config import default_device as default_device
from jaxlab.config import default_matmul_precision as default_matmul_precision
from jaxlab.config import default_prng_impl as default_prng_impl
from jaxlab.config import disable_jit as disable_jit
from jaxlab.config import enable_checks as enable_checks
from jaxlab.config import enable_x64 as enable_x64
from jaxlab.config import explain_cache_misses as explain_cache_misses
from jaxlab.config import legacy_prng_key as legacy_prng_key
from jaxlab.config import log_compiles as log_compiles
from jaxlab.config import make_user_context as make_user_context
from jaxlab.config import no_execution as no_execution
from jaxlab.config import no_tracing as no_tracing
from jaxlab.config import numpy_dtype_promotion as numpy_dtype_promotion
from jaxlab.config import numpy_rank_promotion as numpy_rank_promotion
from jaxlab.config import softmax_custom_jvp as softmax_custom_jvp
from jaxlab.config import threefry_partitionable as threefry_partitionable
from jaxlab.config import transfer_guard as transfer_guard
from jaxlab.config import transfer_guard_device_to_device as transfer_guard_device_to_device
from jaxlab.config import transfer_guard_device_to_host as transfer_guard_device_to_host
from jaxlab.config import transfer_guard_host_to_device as transfer_guard_host_to_device
from jaxlab.core.aval import aval_of as typeof
from jaxlab.dtypes import float0 as float0
from jaxlab.interpreters.staging import eval_jaxpr as _eval_jaxpr
from jaxlab.runtime.array_type import Array as Array
from jaxlab.runtime.backend import Device as Device
from jaxlab.runtime.backend import default_backend as default_backend
from jaxlab.runtime.backend import device_count as device_count
from jaxlab.runtime.backend import devices as devices
from jaxlab.runtime.backend import local_device_count as local_device_count
from jaxlab.runtime.backend import local_devices as local_devices
from jaxlab.runtime.backend import process_count as process_count
from jaxlab.runtime.backend import process_index as process_index
from jaxlab.runtime.backend import process_indices as process_indices
from jaxlab.runtime.callbacks import effects_barrier as effects_barrier
from jaxlab.runtime.selftest import run_if_untested as _run_if_untested
from jaxlab.transforms.compile_time import ensure_compile_time_eval as ensure_compile_time_eval
from jaxlab.transforms.compile_time import eval_context as _eval_context
from jaxlab.transforms.jit import jit as jit
from jaxlab.transforms.shape_struct import ShapeDtypeStruct as ShapeDtypeStruct
from jaxlab.transforms.vmap import vmap as vmap
from jaxlab.version import __version__ as __version__
from jaxlab.version import __version_info__ as __version_info__

# Where JAX has them, too; they stand above the language.
vars(core).update(
    ensure_compile_time_eval=ensure_compile_time_eval, eval_context=_eval_context, eval_jaxpr=_eval_jaxpr
)

# On an untested version of jaxlib: a few lines that name what broke. Else a comparison of two numbers.
_run_if_untested()

# What a first array does not need is loaded when it is first named: here for type checkers, below for Python.
if _TYPE_CHECKING:
    from jaxlab import ad as ad
    from jaxlab import ad_checkpoint as ad_checkpoint
    from jaxlab import api_util as api_util
    from jaxlab import custom_batching as custom_batching
    from jaxlab import custom_derivatives as custom_derivatives
    from jaxlab import debug as debug
    from jaxlab import experimental as experimental
    from jaxlab import export as export
    from jaxlab import extend as extend
    from jaxlab import flatten_util as flatten_util
    from jaxlab import interpreters as interpreters
    from jaxlab import monitoring as monitoring
    from jaxlab import nn as nn
    from jaxlab import random as random
    from jaxlab import ref as ref
    from jaxlab import stages as stages
    from jaxlab import test_util as test_util
    from jaxlab import typing as typing
    from jaxlab.control.callback import pure_callback as pure_callback
    from jaxlab.ref import Ref as Ref
    from jaxlab.ref import empty_ref as empty_ref
    from jaxlab.ref import free_ref as free_ref
    from jaxlab.ref import freeze as freeze
    from jaxlab.ref import new_ref as new_ref
    from jaxlab.runtime.environment import print_environment_info as print_environment_info
    from jaxlab.transforms.checkpoint_policies import checkpoint_policies as checkpoint_policies
    from jaxlab.transforms.closure_convert import closure_convert as closure_convert
    from jaxlab.transforms.custom_gradient import custom_gradient as custom_gradient
    from jaxlab.transforms.custom_jvp import custom_jvp as custom_jvp
    from jaxlab.transforms.custom_vjp import custom_vjp as custom_vjp
    from jaxlab.transforms.fwd_and_bwd import fwd_and_bwd as fwd_and_bwd
    from jaxlab.transforms.grad import grad as grad
    from jaxlab.transforms.grad import value_and_grad as value_and_grad
    from jaxlab.transforms.jacobian import hessian as hessian
    from jaxlab.transforms.jacobian import jacfwd as jacfwd
    from jaxlab.transforms.jacobian import jacobian as jacobian
    from jaxlab.transforms.jacobian import jacrev as jacrev
    from jaxlab.transforms.jvp import jvp as jvp
    from jaxlab.transforms.linear_transpose import linear_transpose as linear_transpose
    from jaxlab.transforms.linearize import linearize as linearize
    from jaxlab.transforms.make_jaxpr import eval_shape as eval_shape
    from jaxlab.transforms.make_jaxpr import make_jaxpr as make_jaxpr
    from jaxlab.transforms.named_scope import named_call as named_call
    from jaxlab.transforms.named_scope import named_scope as named_scope
    from jaxlab.transforms.placement import block_until_ready as block_until_ready
    from jaxlab.transforms.placement import copy_to_host_async as copy_to_host_async
    from jaxlab.transforms.placement import device_get as device_get
    from jaxlab.transforms.placement import device_put as device_put
    from jaxlab.transforms.placement import live_arrays as live_arrays
    from jaxlab.transforms.remat import checkpoint as checkpoint
    from jaxlab.transforms.remat import remat as remat
    from jaxlab.transforms.vjp import vjp as vjp
else:
    __getattr__, __dir__ = _lazy.names(
        __name__,
        {
            "jaxlab.ad": "=",
            "jaxlab.ad_checkpoint": "=",
            "jaxlab.control.callback": "pure_callback",
            "jaxlab.api_util": "=",
            "jaxlab.custom_batching": "=",
            "jaxlab.custom_derivatives": "=",
            "jaxlab.debug": "=",
            "jaxlab.experimental": "=",
            "jaxlab.extend": "=",
            "jaxlab.flatten_util": "=",
            "jaxlab.interpreters": "=",
            "jaxlab.monitoring": "=",
            "jaxlab.export": "=",
            "jaxlab.nn": "=",
            "jaxlab.random": "=",
            "jaxlab.ref": "= Ref empty_ref free_ref freeze new_ref",
            "jaxlab.stages": "=",
            "jaxlab.test_util": "=",
            "jaxlab.typing": "=",
            "jaxlab.runtime.environment": "print_environment_info",
            "jaxlab.transforms.checkpoint_policies": "checkpoint_policies",
            "jaxlab.transforms.closure_convert": "closure_convert",
            "jaxlab.transforms.custom_gradient": "custom_gradient",
            "jaxlab.transforms.custom_jvp": "custom_jvp",
            "jaxlab.transforms.custom_vjp": "custom_vjp",
            "jaxlab.transforms.fwd_and_bwd": "fwd_and_bwd",
            "jaxlab.transforms.grad": "grad value_and_grad",
            "jaxlab.transforms.jacobian": "hessian jacfwd jacobian jacrev",
            "jaxlab.transforms.jvp": "jvp",
            "jaxlab.transforms.linear_transpose": "linear_transpose",
            "jaxlab.transforms.linearize": "linearize",
            "jaxlab.transforms.make_jaxpr": "eval_shape make_jaxpr",
            "jaxlab.transforms.named_scope": "named_call named_scope",
            "jaxlab.transforms.placement": "block_until_ready copy_to_host_async device_get device_put live_arrays",
            "jaxlab.transforms.remat": "checkpoint remat",
            "jaxlab.transforms.vjp": "vjp",
        },
    )


def load_ipython_extension(shell: _Any) -> None:
    """``%load_ext jaxlab``: register the magics."""
    _importlib.import_module("jaxlab.magics.extension").load_ipython_extension(shell)


def unload_ipython_extension(shell: _Any) -> None:
    """``%unload_ext jaxlab``: take the magics away again."""
    _importlib.import_module("jaxlab.magics.extension").unload_ipython_extension(shell)
