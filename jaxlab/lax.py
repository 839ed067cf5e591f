"""The operations themselves: one function a primitive, strict about dtypes and shapes.

Names and signatures are JAX's. `jaxlab.numpy` is built of these; it promotes dtypes and broadcasts shapes
first.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from jaxlab import lazy as _lazy
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
    from jaxlab.control.fori_loop import fori_loop as fori_loop
    from jaxlab.control.linear_solve import custom_linear_solve as custom_linear_solve
    from jaxlab.control.linear_solve import linear_solve_p as linear_solve_p
    from jaxlab.control.map import map as map
    from jaxlab.control.platform_dependent import platform_dependent as platform_dependent
    from jaxlab.control.platform_dependent import platform_index_p as platform_index_p
    from jaxlab.control.reduce import reduce as reduce
    from jaxlab.control.reduce_window import reduce_window as reduce_window
    from jaxlab.control.scan import scan as scan
    from jaxlab.control.scan_primitive import scan_p as scan_p
    from jaxlab.control.while_loop import while_loop as while_loop
    from jaxlab.control.while_primitive import while_p as while_p
    from jaxlab.extend.core.primitives import abs_p as abs_p
    from jaxlab.extend.core.primitives import acos_p as acos_p
    from jaxlab.extend.core.primitives import acosh_p as acosh_p
    from jaxlab.extend.core.primitives import add_p as add_p
    from jaxlab.extend.core.primitives import and_p as and_p
    from jaxlab.extend.core.primitives import argmax_p as argmax_p
    from jaxlab.extend.core.primitives import argmin_p as argmin_p
    from jaxlab.extend.core.primitives import asin_p as asin_p
    from jaxlab.extend.core.primitives import asinh_p as asinh_p
    from jaxlab.extend.core.primitives import atan2_p as atan2_p
    from jaxlab.extend.core.primitives import atan_p as atan_p
    from jaxlab.extend.core.primitives import atanh_p as atanh_p
    from jaxlab.extend.core.primitives import bitcast_convert_type_p as bitcast_convert_type_p
    from jaxlab.extend.core.primitives import cbrt_p as cbrt_p
    from jaxlab.extend.core.primitives import ceil_p as ceil_p
    from jaxlab.extend.core.primitives import clamp_p as clamp_p
    from jaxlab.extend.core.primitives import clz_p as clz_p
    from jaxlab.extend.core.primitives import complex_p as complex_p
    from jaxlab.extend.core.primitives import conj_p as conj_p
    from jaxlab.extend.core.primitives import convert_element_type_p as convert_element_type_p
    from jaxlab.extend.core.primitives import copy_p as copy_p
    from jaxlab.extend.core.primitives import cos_p as cos_p
    from jaxlab.extend.core.primitives import cosh_p as cosh_p
    from jaxlab.extend.core.primitives import cumlogsumexp_p as cumlogsumexp_p
    from jaxlab.extend.core.primitives import cummax_p as cummax_p
    from jaxlab.extend.core.primitives import cummin_p as cummin_p
    from jaxlab.extend.core.primitives import cumprod_p as cumprod_p
    from jaxlab.extend.core.primitives import cumsum_p as cumsum_p
    from jaxlab.extend.core.primitives import device_put_p as device_put_p
    from jaxlab.extend.core.primitives import digamma_p as digamma_p
    from jaxlab.extend.core.primitives import div_p as div_p
    from jaxlab.extend.core.primitives import eq_p as eq_p
    from jaxlab.extend.core.primitives import erf_inv_p as erf_inv_p
    from jaxlab.extend.core.primitives import erf_p as erf_p
    from jaxlab.extend.core.primitives import erfc_p as erfc_p
    from jaxlab.extend.core.primitives import exp2_p as exp2_p
    from jaxlab.extend.core.primitives import exp_p as exp_p
    from jaxlab.extend.core.primitives import expm1_p as expm1_p
    from jaxlab.extend.core.primitives import floor_p as floor_p
    from jaxlab.extend.core.primitives import ge_p as ge_p
    from jaxlab.extend.core.primitives import gt_p as gt_p
    from jaxlab.extend.core.primitives import imag_p as imag_p
    from jaxlab.extend.core.primitives import integer_pow_p as integer_pow_p
    from jaxlab.extend.core.primitives import is_finite_p as is_finite_p
    from jaxlab.extend.core.primitives import le_p as le_p
    from jaxlab.extend.core.primitives import lgamma_p as lgamma_p
    from jaxlab.extend.core.primitives import log1p_p as log1p_p
    from jaxlab.extend.core.primitives import log_p as log_p
    from jaxlab.extend.core.primitives import logistic_p as logistic_p
    from jaxlab.extend.core.primitives import lt_p as lt_p
    from jaxlab.extend.core.primitives import max_p as max_p
    from jaxlab.extend.core.primitives import min_p as min_p
    from jaxlab.extend.core.primitives import mul_p as mul_p
    from jaxlab.extend.core.primitives import ne_p as ne_p
    from jaxlab.extend.core.primitives import neg_p as neg_p
    from jaxlab.extend.core.primitives import nextafter_p as nextafter_p
    from jaxlab.extend.core.primitives import not_p as not_p
    from jaxlab.extend.core.primitives import or_p as or_p
    from jaxlab.extend.core.primitives import polygamma_p as polygamma_p
    from jaxlab.extend.core.primitives import population_count_p as population_count_p
    from jaxlab.extend.core.primitives import pow_p as pow_p
    from jaxlab.extend.core.primitives import real_p as real_p
    from jaxlab.extend.core.primitives import reduce_and_p as reduce_and_p
    from jaxlab.extend.core.primitives import reduce_max_p as reduce_max_p
    from jaxlab.extend.core.primitives import reduce_min_p as reduce_min_p
    from jaxlab.extend.core.primitives import reduce_or_p as reduce_or_p
    from jaxlab.extend.core.primitives import reduce_p as reduce_p
    from jaxlab.extend.core.primitives import reduce_precision_p as reduce_precision_p
    from jaxlab.extend.core.primitives import reduce_prod_p as reduce_prod_p
    from jaxlab.extend.core.primitives import reduce_window_max_p as reduce_window_max_p
    from jaxlab.extend.core.primitives import reduce_window_min_p as reduce_window_min_p
    from jaxlab.extend.core.primitives import reduce_window_p as reduce_window_p
    from jaxlab.extend.core.primitives import reduce_window_sum_p as reduce_window_sum_p
    from jaxlab.extend.core.primitives import reduce_xor_p as reduce_xor_p
    from jaxlab.extend.core.primitives import rem_p as rem_p
    from jaxlab.extend.core.primitives import round_p as round_p
    from jaxlab.extend.core.primitives import rsqrt_p as rsqrt_p
    from jaxlab.extend.core.primitives import select_and_gather_add_p as select_and_gather_add_p
    from jaxlab.extend.core.primitives import select_and_scatter_add_p as select_and_scatter_add_p
    from jaxlab.extend.core.primitives import select_n_p as select_n_p
    from jaxlab.extend.core.primitives import shift_left_p as shift_left_p
    from jaxlab.extend.core.primitives import shift_right_arithmetic_p as shift_right_arithmetic_p
    from jaxlab.extend.core.primitives import shift_right_logical_p as shift_right_logical_p
    from jaxlab.extend.core.primitives import sign_p as sign_p
    from jaxlab.extend.core.primitives import sin_p as sin_p
    from jaxlab.extend.core.primitives import sinh_p as sinh_p
    from jaxlab.extend.core.primitives import sqrt_p as sqrt_p
    from jaxlab.extend.core.primitives import square_p as square_p
    from jaxlab.extend.core.primitives import stack_p as stack_p
    from jaxlab.extend.core.primitives import stop_gradient_p as stop_gradient_p
    from jaxlab.extend.core.primitives import sub_p as sub_p
    from jaxlab.extend.core.primitives import tan_p as tan_p
    from jaxlab.extend.core.primitives import tanh_p as tanh_p
    from jaxlab.extend.core.primitives import unstack_p as unstack_p
    from jaxlab.extend.core.primitives import xor_p as xor_p
    from jaxlab.extend.core.primitives import zeta_p as zeta_p
    from jaxlab.primitives.collective_exchange import all_to_all as all_to_all
    from jaxlab.primitives.collective_exchange import all_to_all_p as all_to_all_p
    from jaxlab.primitives.collective_exchange import pswapaxes as pswapaxes
    from jaxlab.primitives.collective_gather import all_gather as all_gather
    from jaxlab.primitives.collective_gather import all_gather_p as all_gather_p
    from jaxlab.primitives.collective_gather import psum_scatter as psum_scatter
    from jaxlab.primitives.collective_permutations import pbroadcast as pbroadcast
    from jaxlab.primitives.collective_permutations import ppermute as ppermute
    from jaxlab.primitives.collective_permutations import ppermute_p as ppermute_p
    from jaxlab.primitives.collective_permutations import pshuffle as pshuffle
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
            "jaxlab.control.fori_loop": "fori_loop",
            "jaxlab.control.linear_solve": "custom_linear_solve linear_solve_p",
            "jaxlab.control.map": "map",
            "jaxlab.control.platform_dependent": "platform_dependent platform_index_p",
            "jaxlab.control.reduce": "reduce",
            "jaxlab.control.reduce_window": "reduce_window",
            "jaxlab.control.scan": "scan",
            "jaxlab.control.scan_primitive": "scan_p",
            "jaxlab.control.while_loop": "while_loop",
            "jaxlab.control.while_primitive": "while_p",
            "jaxlab.extend.core.primitives": (
                "reduce_p reduce_window_p argmax_p argmin_p add_p complex_p conj_p div_p imag_p "
                "integer_pow_p mul_p neg_p real_p square_p sub_p clamp_p eq_p ge_p gt_p is_finite_p le_p "
                "lt_p ne_p select_n_p bitcast_convert_type_p convert_element_type_p copy_p "
                "reduce_precision_p stop_gradient_p cumlogsumexp_p cummax_p cummin_p cumprod_p cumsum_p "
                "device_put_p cbrt_p exp2_p exp_p expm1_p log1p_p log_p logistic_p pow_p rsqrt_p sqrt_p "
                "and_p clz_p not_p or_p population_count_p shift_left_p shift_right_arithmetic_p "
                "shift_right_logical_p xor_p reduce_and_p reduce_max_p reduce_min_p reduce_or_p "
                "reduce_prod_p reduce_xor_p abs_p ceil_p floor_p max_p min_p nextafter_p rem_p round_p "
                "sign_p digamma_p erf_inv_p erf_p erfc_p lgamma_p polygamma_p zeta_p stack_p unstack_p "
                "acos_p acosh_p asin_p asinh_p atan2_p atan_p atanh_p cos_p cosh_p sin_p sinh_p tan_p "
                "tanh_p reduce_window_max_p reduce_window_min_p select_and_gather_add_p "
                "select_and_scatter_add_p reduce_window_sum_p"
            ),
            "jaxlab.primitives.collective_exchange": "all_to_all all_to_all_p pswapaxes",
            "jaxlab.primitives.collective_gather": "all_gather all_gather_p psum_scatter",
            "jaxlab.primitives.collective_permutations": "pbroadcast ppermute ppermute_p pshuffle",
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
