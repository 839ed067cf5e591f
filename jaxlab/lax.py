"""The operations themselves: one function a primitive, strict about dtypes and shapes.

Names and signatures are JAX's. `jaxlab.numpy` is built of these; it promotes dtypes and broadcasts shapes
first.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from jaxlab import lazy as _lazy
from jaxlab.control.fori_loop import fori_loop as fori_loop
from jaxlab.control.map import map as map
from jaxlab.control.scan import scan as scan
from jaxlab.control.scan_primitive import scan_p as scan_p
from jaxlab.control.while_loop import while_loop as while_loop
from jaxlab.control.while_primitive import while_p as while_p
from jaxlab.primitives.arg_extremes import argmax as argmax
from jaxlab.primitives.arg_extremes import argmin as argmin
from jaxlab.primitives.arithmetic import add as add
from jaxlab.primitives.arithmetic import complex as complex
from jaxlab.primitives.arithmetic import conj as conj
from jaxlab.primitives.arithmetic import div as div
from jaxlab.primitives.arithmetic import imag as imag
from jaxlab.primitives.arithmetic import integer_pow as integer_pow
from jaxlab.primitives.arithmetic import mul as mul
from jaxlab.primitives.arithmetic import neg as neg
from jaxlab.primitives.arithmetic import real as real
from jaxlab.primitives.arithmetic import reciprocal as reciprocal
from jaxlab.primitives.arithmetic import square as square
from jaxlab.primitives.arithmetic import sub as sub
from jaxlab.primitives.broadcasting import broadcast as broadcast
from jaxlab.primitives.broadcasting import broadcast_in_dim as broadcast_in_dim
from jaxlab.primitives.broadcasting import broadcast_in_dim_p as broadcast_in_dim_p
from jaxlab.primitives.broadcasting import broadcast_shapes as broadcast_shapes
from jaxlab.primitives.broadcasting import broadcast_to_rank as broadcast_to_rank
from jaxlab.primitives.broadcasting import expand_dims as expand_dims
from jaxlab.primitives.broadcasting import reduce_sum as reduce_sum
from jaxlab.primitives.broadcasting import reduce_sum_p as reduce_sum_p
from jaxlab.primitives.broadcasting import squeeze as squeeze
from jaxlab.primitives.broadcasting import squeeze_p as squeeze_p
from jaxlab.primitives.comparison import clamp as clamp
from jaxlab.primitives.comparison import eq as eq
from jaxlab.primitives.comparison import ge as ge
from jaxlab.primitives.comparison import gt as gt
from jaxlab.primitives.comparison import is_finite as is_finite
from jaxlab.primitives.comparison import le as le
from jaxlab.primitives.comparison import lt as lt
from jaxlab.primitives.comparison import ne as ne
from jaxlab.primitives.comparison import select as select
from jaxlab.primitives.comparison import select_n as select_n
from jaxlab.primitives.concatenation import concatenate as concatenate
from jaxlab.primitives.concatenation import concatenate_p as concatenate_p
from jaxlab.primitives.concatenation import rev as rev
from jaxlab.primitives.concatenation import rev_p as rev_p
from jaxlab.primitives.concatenation import split as split
from jaxlab.primitives.concatenation import split_p as split_p
from jaxlab.primitives.contraction import batch_matmul as batch_matmul
from jaxlab.primitives.contraction import dot as dot
from jaxlab.primitives.contraction import dot_general as dot_general
from jaxlab.primitives.contraction import dot_general_p as dot_general_p
from jaxlab.primitives.conversion import bitcast_convert_type as bitcast_convert_type
from jaxlab.primitives.conversion import convert_element_type as convert_element_type
from jaxlab.primitives.conversion import copy as copy
from jaxlab.primitives.conversion import reduce_precision as reduce_precision
from jaxlab.primitives.conversion import stop_gradient as stop_gradient
from jaxlab.primitives.creation import broadcasted_iota as broadcasted_iota
from jaxlab.primitives.creation import empty as empty
from jaxlab.primitives.creation import empty_p as empty_p
from jaxlab.primitives.creation import full as full
from jaxlab.primitives.creation import full_like as full_like
from jaxlab.primitives.creation import iota as iota
from jaxlab.primitives.creation import iota_p as iota_p
from jaxlab.primitives.creation import optimization_barrier as optimization_barrier
from jaxlab.primitives.creation import optimization_barrier_p as optimization_barrier_p
from jaxlab.primitives.dimension_numbers import GatherDimensionNumbers as GatherDimensionNumbers
from jaxlab.primitives.dimension_numbers import GatherScatterMode as GatherScatterMode
from jaxlab.primitives.dimension_numbers import ScatterDimensionNumbers as ScatterDimensionNumbers
from jaxlab.primitives.dynamic_slicing import dynamic_index_in_dim as _dynamic_index_in_dim
from jaxlab.primitives.dynamic_slicing import dynamic_slice as dynamic_slice
from jaxlab.primitives.dynamic_slicing import dynamic_slice_in_dim as dynamic_slice_in_dim
from jaxlab.primitives.dynamic_slicing import dynamic_slice_p as dynamic_slice_p
from jaxlab.primitives.dynamic_slicing import dynamic_update_index_in_dim as _dynamic_update_index_in_dim
from jaxlab.primitives.dynamic_slicing import dynamic_update_slice as dynamic_update_slice
from jaxlab.primitives.dynamic_slicing import dynamic_update_slice_in_dim as dynamic_update_slice_in_dim
from jaxlab.primitives.dynamic_slicing import dynamic_update_slice_p as dynamic_update_slice_p
from jaxlab.primitives.exponential import AccuracyMode as AccuracyMode
from jaxlab.primitives.exponential import Tolerance as Tolerance
from jaxlab.primitives.exponential import cbrt as cbrt
from jaxlab.primitives.exponential import exp as exp
from jaxlab.primitives.exponential import exp2 as exp2
from jaxlab.primitives.exponential import expm1 as expm1
from jaxlab.primitives.exponential import log as log
from jaxlab.primitives.exponential import log1p as log1p
from jaxlab.primitives.exponential import logistic as logistic
from jaxlab.primitives.exponential import pow as pow
from jaxlab.primitives.exponential import rsqrt as rsqrt
from jaxlab.primitives.exponential import sqrt as sqrt
from jaxlab.primitives.indexing import gather as gather
from jaxlab.primitives.indexing import gather_p as gather_p
from jaxlab.primitives.indexing import scatter_add as scatter_add
from jaxlab.primitives.indexing import scatter_add_p as scatter_add_p
from jaxlab.primitives.indexing import scatter_sub as scatter_sub
from jaxlab.primitives.indexing import scatter_sub_p as scatter_sub_p
from jaxlab.primitives.logic import bitwise_and as bitwise_and
from jaxlab.primitives.logic import bitwise_not as bitwise_not
from jaxlab.primitives.logic import bitwise_or as bitwise_or
from jaxlab.primitives.logic import bitwise_xor as bitwise_xor
from jaxlab.primitives.logic import clz as clz
from jaxlab.primitives.logic import population_count as population_count
from jaxlab.primitives.logic import shift_left as shift_left
from jaxlab.primitives.logic import shift_right_arithmetic as shift_right_arithmetic
from jaxlab.primitives.logic import shift_right_logical as shift_right_logical
from jaxlab.primitives.precision import Precision as Precision
from jaxlab.primitives.reduction import reduce_and as reduce_and
from jaxlab.primitives.reduction import reduce_max as reduce_max
from jaxlab.primitives.reduction import reduce_min as reduce_min
from jaxlab.primitives.reduction import reduce_or as reduce_or
from jaxlab.primitives.reduction import reduce_prod as reduce_prod
from jaxlab.primitives.reduction import reduce_xor as reduce_xor
from jaxlab.primitives.reshaping import collapse as collapse
from jaxlab.primitives.reshaping import reshape as reshape
from jaxlab.primitives.reshaping import reshape_p as reshape_p
from jaxlab.primitives.reshaping import transpose as transpose
from jaxlab.primitives.reshaping import transpose_p as transpose_p
from jaxlab.primitives.rounding import RoundingMethod as RoundingMethod
from jaxlab.primitives.rounding import abs as abs
from jaxlab.primitives.rounding import ceil as ceil
from jaxlab.primitives.rounding import floor as floor
from jaxlab.primitives.rounding import max as max
from jaxlab.primitives.rounding import min as min
from jaxlab.primitives.rounding import nextafter as nextafter
from jaxlab.primitives.rounding import rem as rem
from jaxlab.primitives.rounding import round as round
from jaxlab.primitives.rounding import sign as sign
from jaxlab.primitives.scatter import scatter as scatter
from jaxlab.primitives.scatter import scatter_max as scatter_max
from jaxlab.primitives.scatter import scatter_max_p as scatter_max_p
from jaxlab.primitives.scatter import scatter_min as scatter_min
from jaxlab.primitives.scatter import scatter_min_p as scatter_min_p
from jaxlab.primitives.scatter import scatter_mul as scatter_mul
from jaxlab.primitives.scatter import scatter_mul_p as scatter_mul_p
from jaxlab.primitives.scatter import scatter_p as scatter_p
from jaxlab.primitives.slicing import index_in_dim as index_in_dim
from jaxlab.primitives.slicing import pad as pad
from jaxlab.primitives.slicing import pad_p as pad_p
from jaxlab.primitives.slicing import slice as slice
from jaxlab.primitives.slicing import slice_in_dim as slice_in_dim
from jaxlab.primitives.slicing import slice_p as slice_p
from jaxlab.primitives.stacking import stack as stack
from jaxlab.primitives.stacking import tile as tile
from jaxlab.primitives.stacking import tile_p as tile_p
from jaxlab.primitives.stacking import unstack as unstack
from jaxlab.primitives.transcendental import acos as acos
from jaxlab.primitives.transcendental import acosh as acosh
from jaxlab.primitives.transcendental import asin as asin
from jaxlab.primitives.transcendental import asinh as asinh
from jaxlab.primitives.transcendental import atan as atan
from jaxlab.primitives.transcendental import atan2 as atan2
from jaxlab.primitives.transcendental import atanh as atanh
from jaxlab.primitives.transcendental import cos as cos
from jaxlab.primitives.transcendental import cosh as cosh
from jaxlab.primitives.transcendental import sin as sin
from jaxlab.primitives.transcendental import sinh as sinh
from jaxlab.primitives.transcendental import tan as tan
from jaxlab.primitives.transcendental import tanh as tanh
from jaxlab.transforms.jit import jit

# Programs of their own, as in JAX: an equation of a jaxpr shows them as one call.
_STATIC = ("axis", "keepdims", "allow_negative_indices")
dynamic_index_in_dim = jit(_dynamic_index_in_dim, static_argnames=_STATIC)
dynamic_update_index_in_dim = jit(
    _dynamic_update_index_in_dim, static_argnames=("axis", "allow_negative_indices")
)

# What fewer programs use is loaded when it is first named: here for type checkers, below for Python.
if _TYPE_CHECKING:
    from jaxlab.control.associative_scan import associative_scan as associative_scan
    from jaxlab.control.cond import cond as cond
    from jaxlab.control.cond import switch as switch
    from jaxlab.control.cond_primitive import cond_p as cond_p
    from jaxlab.control.linear_solve import custom_linear_solve as custom_linear_solve
    from jaxlab.control.linear_solve import linear_solve_p as linear_solve_p
    from jaxlab.control.platform_dependent import platform_dependent as platform_dependent
    from jaxlab.control.platform_dependent import platform_index_p as platform_index_p
    from jaxlab.control.reduce import reduce as reduce
    from jaxlab.control.reduce_window import reduce_window as reduce_window
    from jaxlab.primitives.collective_exchange import all_to_all as all_to_all
    from jaxlab.primitives.collective_exchange import all_to_all_p as all_to_all_p
    from jaxlab.primitives.collective_exchange import pbroadcast as pbroadcast
    from jaxlab.primitives.collective_exchange import ppermute as ppermute
    from jaxlab.primitives.collective_exchange import ppermute_p as ppermute_p
    from jaxlab.primitives.collective_exchange import pshuffle as pshuffle
    from jaxlab.primitives.collective_exchange import pswapaxes as pswapaxes
    from jaxlab.primitives.collective_gather import all_gather as all_gather
    from jaxlab.primitives.collective_gather import all_gather_p as all_gather_p
    from jaxlab.primitives.collective_gather import psum_scatter as psum_scatter
    from jaxlab.primitives.collective_reductions import pmax as pmax
    from jaxlab.primitives.collective_reductions import pmax_p as pmax_p
    from jaxlab.primitives.collective_reductions import pmean as pmean
    from jaxlab.primitives.collective_reductions import pmin as pmin
    from jaxlab.primitives.collective_reductions import pmin_p as pmin_p
    from jaxlab.primitives.collective_reductions import psum as psum
    from jaxlab.primitives.collective_reductions import psum_p as psum_p
    from jaxlab.primitives.collectives import axis_index as axis_index
    from jaxlab.primitives.collectives import axis_index_p as axis_index_p
    from jaxlab.primitives.collectives import axis_size as axis_size
    from jaxlab.primitives.collectives import pcast as pcast
    from jaxlab.primitives.convolution import conv_general_dilated as conv_general_dilated
    from jaxlab.primitives.convolution import conv_general_dilated_p as conv_general_dilated_p
    from jaxlab.primitives.convolution_forms import conv as conv
    from jaxlab.primitives.convolution_forms import (
        conv_general_dilated_patches as conv_general_dilated_patches,
    )
    from jaxlab.primitives.convolution_forms import conv_transpose as conv_transpose
    from jaxlab.primitives.convolution_forms import conv_with_general_padding as conv_with_general_padding
    from jaxlab.primitives.convolution_shapes import ConvDimensionNumbers as ConvDimensionNumbers
    from jaxlab.primitives.convolution_shapes import conv_dimension_numbers as conv_dimension_numbers
    from jaxlab.primitives.convolution_shapes import conv_general_permutations as conv_general_permutations
    from jaxlab.primitives.convolution_shapes import padtype_to_pads as padtype_to_pads
    from jaxlab.primitives.cumulative import cumlogsumexp as cumlogsumexp
    from jaxlab.primitives.cumulative import cummax as cummax
    from jaxlab.primitives.cumulative import cummin as cummin
    from jaxlab.primitives.cumulative import cumprod as cumprod
    from jaxlab.primitives.cumulative import cumsum as cumsum
    from jaxlab.primitives.sorting import sort as sort
    from jaxlab.primitives.sorting import sort_key_val as sort_key_val
    from jaxlab.primitives.sorting import sort_p as sort_p
    from jaxlab.primitives.sorting import top_k as top_k
    from jaxlab.primitives.sorting import top_k_p as top_k_p
    from jaxlab.primitives.special import digamma as digamma
    from jaxlab.primitives.special import erf as erf
    from jaxlab.primitives.special import erf_inv as erf_inv
    from jaxlab.primitives.special import erfc as erfc
    from jaxlab.primitives.special import lgamma as lgamma
    from jaxlab.primitives.special import polygamma as polygamma
    from jaxlab.primitives.special import zeta as zeta
    from jaxlab.transforms.custom_root import custom_root as custom_root
else:
    __getattr__, __dir__ = _lazy.names(
        __name__,
        {
            "jaxlab.control.associative_scan": "associative_scan",
            "jaxlab.control.cond": "cond switch",
            "jaxlab.control.cond_primitive": "cond_p",
            "jaxlab.control.linear_solve": "custom_linear_solve linear_solve_p",
            "jaxlab.control.platform_dependent": "platform_dependent platform_index_p",
            "jaxlab.control.reduce": "reduce",
            "jaxlab.control.reduce_window": "reduce_window",
            "jaxlab.primitives.collective_exchange": (
                "all_to_all all_to_all_p pbroadcast ppermute ppermute_p pshuffle pswapaxes"
            ),
            "jaxlab.primitives.collective_gather": "all_gather all_gather_p psum_scatter",
            "jaxlab.primitives.collective_reductions": "pmax pmax_p pmean pmin pmin_p psum psum_p",
            "jaxlab.primitives.collectives": "axis_index axis_index_p axis_size pcast",
            "jaxlab.primitives.convolution": "conv_general_dilated conv_general_dilated_p",
            "jaxlab.primitives.convolution_forms": (
                "conv conv_general_dilated_patches conv_transpose conv_with_general_padding"
            ),
            "jaxlab.primitives.convolution_shapes": (
                "ConvDimensionNumbers conv_dimension_numbers conv_general_permutations padtype_to_pads"
            ),
            "jaxlab.primitives.cumulative": "cumlogsumexp cummax cummin cumprod cumsum",
            "jaxlab.primitives.sorting": "sort sort_key_val sort_p top_k top_k_p",
            "jaxlab.primitives.special": "digamma erf erf_inv erfc lgamma polygamma zeta",
            "jaxlab.transforms.custom_root": "custom_root",
        },
    )
