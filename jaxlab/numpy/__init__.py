"""`jaxlab.numpy`: NumPy's functions for arrays of ours, with JAX's names, signatures and promotion of dtypes."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from jaxlab import lazy as _lazy

# operators
from jaxlab.numpy import operators as _operators

# creation
from jaxlab.numpy.creation import array as array
from jaxlab.numpy.creation import asarray as asarray
from jaxlab.numpy.creation import astype as astype
from jaxlab.numpy.creation import copy as copy
from jaxlab.numpy.creation import empty as empty
from jaxlab.numpy.creation import empty_like as empty_like
from jaxlab.numpy.creation import from_dlpack as from_dlpack
from jaxlab.numpy.creation import frombuffer as frombuffer
from jaxlab.numpy.creation import fromfile as fromfile
from jaxlab.numpy.creation import fromiter as fromiter
from jaxlab.numpy.creation import fromstring as fromstring
from jaxlab.numpy.creation import full as full
from jaxlab.numpy.creation import full_like as full_like
from jaxlab.numpy.creation import ones as ones
from jaxlab.numpy.creation import ones_like as ones_like
from jaxlab.numpy.creation import zeros as zeros
from jaxlab.numpy.creation import zeros_like as zeros_like

# cumulative
from jaxlab.numpy.cumulative import cumprod as cumprod
from jaxlab.numpy.cumulative import cumsum as cumsum
from jaxlab.numpy.cumulative import cumulative_prod as cumulative_prod
from jaxlab.numpy.cumulative import cumulative_sum as cumulative_sum
from jaxlab.numpy.cumulative import nancumprod as nancumprod
from jaxlab.numpy.cumulative import nancumsum as nancumsum
from jaxlab.numpy.diagonals import diag as diag
from jaxlab.numpy.diagonals import diagflat as diagflat
from jaxlab.numpy.diagonals import eye as eye
from jaxlab.numpy.diagonals import identity as identity
from jaxlab.numpy.diagonals import tri as tri
from jaxlab.numpy.diagonals import tril as tril
from jaxlab.numpy.diagonals import triu as triu

# einsum
from jaxlab.numpy.einsum import einsum as einsum
from jaxlab.numpy.einsum import einsum_path as einsum_path

# grids
from jaxlab.numpy.grids import arange as arange
from jaxlab.numpy.grids import fromfunction as fromfunction
from jaxlab.numpy.grids import geomspace as geomspace
from jaxlab.numpy.grids import indices as indices
from jaxlab.numpy.grids import linspace as linspace
from jaxlab.numpy.grids import logspace as logspace
from jaxlab.numpy.grids import meshgrid as meshgrid

# linear_algebra
from jaxlab.numpy.linear_algebra import cross as cross
from jaxlab.numpy.linear_algebra import dot as dot
from jaxlab.numpy.linear_algebra import inner as inner
from jaxlab.numpy.linear_algebra import kron as kron
from jaxlab.numpy.linear_algebra import matmul as matmul
from jaxlab.numpy.linear_algebra import matvec as matvec
from jaxlab.numpy.linear_algebra import outer as outer
from jaxlab.numpy.linear_algebra import tensordot as tensordot
from jaxlab.numpy.linear_algebra import vdot as vdot
from jaxlab.numpy.linear_algebra import vecdot as vecdot
from jaxlab.numpy.linear_algebra import vecmat as vecmat

# manipulation
from jaxlab.numpy.manipulation import atleast_1d as atleast_1d
from jaxlab.numpy.manipulation import atleast_2d as atleast_2d
from jaxlab.numpy.manipulation import atleast_3d as atleast_3d
from jaxlab.numpy.manipulation import broadcast_arrays as broadcast_arrays
from jaxlab.numpy.manipulation import broadcast_shapes as broadcast_shapes
from jaxlab.numpy.manipulation import broadcast_to as broadcast_to
from jaxlab.numpy.manipulation import expand_dims as expand_dims
from jaxlab.numpy.manipulation import matrix_transpose as matrix_transpose
from jaxlab.numpy.manipulation import moveaxis as moveaxis
from jaxlab.numpy.manipulation import permute_dims as permute_dims
from jaxlab.numpy.manipulation import ravel as ravel
from jaxlab.numpy.manipulation import reshape as reshape
from jaxlab.numpy.manipulation import rollaxis as rollaxis
from jaxlab.numpy.manipulation import squeeze as squeeze
from jaxlab.numpy.manipulation import swapaxes as swapaxes
from jaxlab.numpy.manipulation import transpose as transpose
from jaxlab.numpy.moments import average as average
from jaxlab.numpy.moments import mean as mean
from jaxlab.numpy.moments import std as std
from jaxlab.numpy.moments import var as var

# placing
from jaxlab.numpy.placing import fill_diagonal as fill_diagonal
from jaxlab.numpy.placing import place as place
from jaxlab.numpy.placing import put as put
from jaxlab.numpy.placing import put_along_axis as put_along_axis

# rearranging
from jaxlab.numpy.rearranging import delete as delete
from jaxlab.numpy.rearranging import flip as flip
from jaxlab.numpy.rearranging import fliplr as fliplr
from jaxlab.numpy.rearranging import flipud as flipud
from jaxlab.numpy.rearranging import insert as insert
from jaxlab.numpy.rearranging import repeat as repeat
from jaxlab.numpy.rearranging import resize as resize
from jaxlab.numpy.rearranging import roll as roll
from jaxlab.numpy.rearranging import rot90 as rot90
from jaxlab.numpy.rearranging import tile as tile
from jaxlab.numpy.rearranging import trim_zeros as trim_zeros

# reductions
from jaxlab.numpy.reductions import all as all
from jaxlab.numpy.reductions import amax as amax
from jaxlab.numpy.reductions import amin as amin
from jaxlab.numpy.reductions import any as any
from jaxlab.numpy.reductions import argmax as argmax
from jaxlab.numpy.reductions import argmin as argmin
from jaxlab.numpy.reductions import count_nonzero as count_nonzero
from jaxlab.numpy.reductions import max as max
from jaxlab.numpy.reductions import min as min
from jaxlab.numpy.reductions import prod as prod
from jaxlab.numpy.reductions import ptp as ptp
from jaxlab.numpy.reductions import sum as sum

# scalar_types
from jaxlab.numpy.scalar_types import bfloat16 as bfloat16
from jaxlab.numpy.scalar_types import bool_ as bool
from jaxlab.numpy.scalar_types import bool_ as bool_
from jaxlab.numpy.scalar_types import can_cast as can_cast
from jaxlab.numpy.scalar_types import cdouble as cdouble
from jaxlab.numpy.scalar_types import character as character
from jaxlab.numpy.scalar_types import complex64 as complex64
from jaxlab.numpy.scalar_types import complex128 as complex128
from jaxlab.numpy.scalar_types import complex_ as complex_
from jaxlab.numpy.scalar_types import complexfloating as complexfloating
from jaxlab.numpy.scalar_types import csingle as csingle
from jaxlab.numpy.scalar_types import double as double
from jaxlab.numpy.scalar_types import dtype as dtype
from jaxlab.numpy.scalar_types import e as e
from jaxlab.numpy.scalar_types import euler_gamma as euler_gamma
from jaxlab.numpy.scalar_types import finfo as finfo
from jaxlab.numpy.scalar_types import flexible as flexible
from jaxlab.numpy.scalar_types import float4_e2m1fn as float4_e2m1fn
from jaxlab.numpy.scalar_types import float8_e3m4 as float8_e3m4
from jaxlab.numpy.scalar_types import float8_e4m3 as float8_e4m3
from jaxlab.numpy.scalar_types import float8_e4m3b11fnuz as float8_e4m3b11fnuz
from jaxlab.numpy.scalar_types import float8_e4m3fn as float8_e4m3fn
from jaxlab.numpy.scalar_types import float8_e4m3fnuz as float8_e4m3fnuz
from jaxlab.numpy.scalar_types import float8_e5m2 as float8_e5m2
from jaxlab.numpy.scalar_types import float8_e5m2fnuz as float8_e5m2fnuz
from jaxlab.numpy.scalar_types import float8_e8m0fnu as float8_e8m0fnu
from jaxlab.numpy.scalar_types import float16 as float16
from jaxlab.numpy.scalar_types import float32 as float32
from jaxlab.numpy.scalar_types import float64 as float64
from jaxlab.numpy.scalar_types import float_ as float_
from jaxlab.numpy.scalar_types import floating as floating
from jaxlab.numpy.scalar_types import generic as generic
from jaxlab.numpy.scalar_types import iinfo as iinfo
from jaxlab.numpy.scalar_types import inexact as inexact
from jaxlab.numpy.scalar_types import inf as inf
from jaxlab.numpy.scalar_types import int2 as int2
from jaxlab.numpy.scalar_types import int4 as int4
from jaxlab.numpy.scalar_types import int8 as int8
from jaxlab.numpy.scalar_types import int16 as int16
from jaxlab.numpy.scalar_types import int32 as int32
from jaxlab.numpy.scalar_types import int64 as int64
from jaxlab.numpy.scalar_types import int_ as int_
from jaxlab.numpy.scalar_types import integer as integer
from jaxlab.numpy.scalar_types import iscomplexobj as iscomplexobj
from jaxlab.numpy.scalar_types import isdtype as isdtype
from jaxlab.numpy.scalar_types import isrealobj as isrealobj
from jaxlab.numpy.scalar_types import isscalar as isscalar
from jaxlab.numpy.scalar_types import issubdtype as issubdtype
from jaxlab.numpy.scalar_types import nan as nan
from jaxlab.numpy.scalar_types import ndim as ndim
from jaxlab.numpy.scalar_types import newaxis as newaxis
from jaxlab.numpy.scalar_types import number as number
from jaxlab.numpy.scalar_types import object_ as object_
from jaxlab.numpy.scalar_types import pi as pi
from jaxlab.numpy.scalar_types import promote_types as promote_types
from jaxlab.numpy.scalar_types import result_type as result_type
from jaxlab.numpy.scalar_types import shape as shape
from jaxlab.numpy.scalar_types import signedinteger as signedinteger
from jaxlab.numpy.scalar_types import single as single
from jaxlab.numpy.scalar_types import size as size
from jaxlab.numpy.scalar_types import uint as uint
from jaxlab.numpy.scalar_types import uint2 as uint2
from jaxlab.numpy.scalar_types import uint4 as uint4
from jaxlab.numpy.scalar_types import uint8 as uint8
from jaxlab.numpy.scalar_types import uint16 as uint16
from jaxlab.numpy.scalar_types import uint32 as uint32
from jaxlab.numpy.scalar_types import uint64 as uint64
from jaxlab.numpy.scalar_types import unsignedinteger as unsignedinteger

# selection
from jaxlab.numpy.selection import argwhere as argwhere
from jaxlab.numpy.selection import flatnonzero as flatnonzero
from jaxlab.numpy.selection import nonzero as nonzero
from jaxlab.numpy.selection import select as select
from jaxlab.numpy.selection import where as where

# sorting
from jaxlab.numpy.sorting import argpartition as argpartition
from jaxlab.numpy.sorting import argsort as argsort
from jaxlab.numpy.sorting import lexsort as lexsort
from jaxlab.numpy.sorting import partition as partition
from jaxlab.numpy.sorting import sort as sort
from jaxlab.numpy.sorting import sort_complex as sort_complex

# taking
from jaxlab.numpy.taking import choose as choose
from jaxlab.numpy.taking import compress as compress
from jaxlab.numpy.taking import diagonal as diagonal
from jaxlab.numpy.taking import extract as extract
from jaxlab.numpy.taking import take as take
from jaxlab.numpy.taking import take_along_axis as take_along_axis
from jaxlab.numpy.taking import trace as trace

# ufuncs
from jaxlab.numpy.ufuncs import acos as acos
from jaxlab.numpy.ufuncs import acosh as acosh
from jaxlab.numpy.ufuncs import arccos as arccos
from jaxlab.numpy.ufuncs import arccosh as arccosh
from jaxlab.numpy.ufuncs import arcsin as arcsin
from jaxlab.numpy.ufuncs import arcsinh as arcsinh
from jaxlab.numpy.ufuncs import arctan as arctan
from jaxlab.numpy.ufuncs import arctanh as arctanh
from jaxlab.numpy.ufuncs import asin as asin
from jaxlab.numpy.ufuncs import asinh as asinh
from jaxlab.numpy.ufuncs import atan as atan
from jaxlab.numpy.ufuncs import atanh as atanh
from jaxlab.numpy.ufuncs import cbrt as cbrt
from jaxlab.numpy.ufuncs import cos as cos
from jaxlab.numpy.ufuncs import cosh as cosh
from jaxlab.numpy.ufuncs import deg2rad as deg2rad
from jaxlab.numpy.ufuncs import degrees as degrees
from jaxlab.numpy.ufuncs import exp as exp
from jaxlab.numpy.ufuncs import exp2 as exp2
from jaxlab.numpy.ufuncs import expm1 as expm1
from jaxlab.numpy.ufuncs import log as log
from jaxlab.numpy.ufuncs import log1p as log1p
from jaxlab.numpy.ufuncs import log2 as log2
from jaxlab.numpy.ufuncs import log10 as log10
from jaxlab.numpy.ufuncs import rad2deg as rad2deg
from jaxlab.numpy.ufuncs import radians as radians
from jaxlab.numpy.ufuncs import sin as sin
from jaxlab.numpy.ufuncs import sinh as sinh
from jaxlab.numpy.ufuncs import sqrt as sqrt
from jaxlab.numpy.ufuncs import tan as tan
from jaxlab.numpy.ufuncs import tanh as tanh

# ufuncs_arithmetic
from jaxlab.numpy.ufuncs_arithmetic import abs as abs
from jaxlab.numpy.ufuncs_arithmetic import absolute as absolute
from jaxlab.numpy.ufuncs_arithmetic import add as add
from jaxlab.numpy.ufuncs_arithmetic import arctan2 as arctan2
from jaxlab.numpy.ufuncs_arithmetic import atan2 as atan2
from jaxlab.numpy.ufuncs_arithmetic import divide as divide
from jaxlab.numpy.ufuncs_arithmetic import divmod as divmod
from jaxlab.numpy.ufuncs_arithmetic import fabs as fabs
from jaxlab.numpy.ufuncs_arithmetic import float_power as float_power
from jaxlab.numpy.ufuncs_arithmetic import floor_divide as floor_divide
from jaxlab.numpy.ufuncs_arithmetic import fmax as fmax
from jaxlab.numpy.ufuncs_arithmetic import fmin as fmin
from jaxlab.numpy.ufuncs_arithmetic import fmod as fmod
from jaxlab.numpy.ufuncs_arithmetic import gcd as gcd
from jaxlab.numpy.ufuncs_arithmetic import hypot as hypot
from jaxlab.numpy.ufuncs_arithmetic import lcm as lcm
from jaxlab.numpy.ufuncs_arithmetic import maximum as maximum
from jaxlab.numpy.ufuncs_arithmetic import minimum as minimum
from jaxlab.numpy.ufuncs_arithmetic import mod as mod
from jaxlab.numpy.ufuncs_arithmetic import multiply as multiply
from jaxlab.numpy.ufuncs_arithmetic import negative as negative
from jaxlab.numpy.ufuncs_arithmetic import positive as positive
from jaxlab.numpy.ufuncs_arithmetic import pow as pow
from jaxlab.numpy.ufuncs_arithmetic import power as power
from jaxlab.numpy.ufuncs_arithmetic import reciprocal as reciprocal
from jaxlab.numpy.ufuncs_arithmetic import remainder as remainder
from jaxlab.numpy.ufuncs_arithmetic import sign as sign
from jaxlab.numpy.ufuncs_arithmetic import square as square
from jaxlab.numpy.ufuncs_arithmetic import subtract as subtract
from jaxlab.numpy.ufuncs_arithmetic import true_divide as true_divide

# ufuncs_complex
from jaxlab.numpy.ufuncs_complex import angle as angle
from jaxlab.numpy.ufuncs_complex import conj as conj
from jaxlab.numpy.ufuncs_complex import conjugate as conjugate
from jaxlab.numpy.ufuncs_complex import imag as imag
from jaxlab.numpy.ufuncs_complex import iscomplex as iscomplex
from jaxlab.numpy.ufuncs_complex import isreal as isreal
from jaxlab.numpy.ufuncs_complex import real as real

# ufuncs_logic
from jaxlab.numpy.ufuncs_logic import allclose as allclose
from jaxlab.numpy.ufuncs_logic import array_equal as array_equal
from jaxlab.numpy.ufuncs_logic import array_equiv as array_equiv
from jaxlab.numpy.ufuncs_logic import bitwise_and as bitwise_and
from jaxlab.numpy.ufuncs_logic import bitwise_count as bitwise_count
from jaxlab.numpy.ufuncs_logic import bitwise_invert as bitwise_invert
from jaxlab.numpy.ufuncs_logic import bitwise_left_shift as bitwise_left_shift
from jaxlab.numpy.ufuncs_logic import bitwise_not as bitwise_not
from jaxlab.numpy.ufuncs_logic import bitwise_or as bitwise_or
from jaxlab.numpy.ufuncs_logic import bitwise_right_shift as bitwise_right_shift
from jaxlab.numpy.ufuncs_logic import bitwise_xor as bitwise_xor
from jaxlab.numpy.ufuncs_logic import equal as equal
from jaxlab.numpy.ufuncs_logic import greater as greater
from jaxlab.numpy.ufuncs_logic import greater_equal as greater_equal
from jaxlab.numpy.ufuncs_logic import invert as invert
from jaxlab.numpy.ufuncs_logic import isclose as isclose
from jaxlab.numpy.ufuncs_logic import isfinite as isfinite
from jaxlab.numpy.ufuncs_logic import isinf as isinf
from jaxlab.numpy.ufuncs_logic import isnan as isnan
from jaxlab.numpy.ufuncs_logic import isneginf as isneginf
from jaxlab.numpy.ufuncs_logic import isposinf as isposinf
from jaxlab.numpy.ufuncs_logic import left_shift as left_shift
from jaxlab.numpy.ufuncs_logic import less as less
from jaxlab.numpy.ufuncs_logic import less_equal as less_equal
from jaxlab.numpy.ufuncs_logic import logical_and as logical_and
from jaxlab.numpy.ufuncs_logic import logical_not as logical_not
from jaxlab.numpy.ufuncs_logic import logical_or as logical_or
from jaxlab.numpy.ufuncs_logic import logical_xor as logical_xor
from jaxlab.numpy.ufuncs_logic import not_equal as not_equal
from jaxlab.numpy.ufuncs_logic import right_shift as right_shift

# ufuncs_rounding
from jaxlab.numpy.ufuncs_rounding import around as around
from jaxlab.numpy.ufuncs_rounding import ceil as ceil
from jaxlab.numpy.ufuncs_rounding import clip as clip
from jaxlab.numpy.ufuncs_rounding import fix as fix
from jaxlab.numpy.ufuncs_rounding import floor as floor
from jaxlab.numpy.ufuncs_rounding import modf as modf
from jaxlab.numpy.ufuncs_rounding import rint as rint
from jaxlab.numpy.ufuncs_rounding import round as round
from jaxlab.numpy.ufuncs_rounding import trunc as trunc
from jaxlab.runtime.array_type import Array as ndarray

_operators.attach_all()

# What fewer programs use is loaded when it is first named: here for type checkers, below for Python. A module with
# a function of its own name (einsum) cannot be: it would take the place of the function.
if _TYPE_CHECKING:
    from jaxlab.numpy import linalg as linalg
    from jaxlab.numpy.differences import diff as diff
    from jaxlab.numpy.differences import ediff1d as ediff1d
    from jaxlab.numpy.differences import gradient as gradient
    from jaxlab.numpy.filtering import convolve as convolve
    from jaxlab.numpy.filtering import correlate as correlate
    from jaxlab.numpy.index_grids import diag_indices as diag_indices
    from jaxlab.numpy.index_grids import diag_indices_from as diag_indices_from
    from jaxlab.numpy.index_grids import ix_ as ix_
    from jaxlab.numpy.index_grids import ravel_multi_index as ravel_multi_index
    from jaxlab.numpy.index_grids import tril_indices as tril_indices
    from jaxlab.numpy.index_grids import tril_indices_from as tril_indices_from
    from jaxlab.numpy.index_grids import triu_indices as triu_indices
    from jaxlab.numpy.index_grids import triu_indices_from as triu_indices_from
    from jaxlab.numpy.index_grids import unravel_index as unravel_index
    from jaxlab.numpy.joining import append as append
    from jaxlab.numpy.joining import array_split as array_split
    from jaxlab.numpy.joining import block as block
    from jaxlab.numpy.joining import column_stack as column_stack
    from jaxlab.numpy.joining import concat as concat
    from jaxlab.numpy.joining import concatenate as concatenate
    from jaxlab.numpy.joining import dsplit as dsplit
    from jaxlab.numpy.joining import dstack as dstack
    from jaxlab.numpy.joining import hsplit as hsplit
    from jaxlab.numpy.joining import hstack as hstack
    from jaxlab.numpy.joining import split as split
    from jaxlab.numpy.joining import stack as stack
    from jaxlab.numpy.joining import unstack as unstack
    from jaxlab.numpy.joining import vsplit as vsplit
    from jaxlab.numpy.joining import vstack as vstack
    from jaxlab.numpy.mapping import apply_along_axis as apply_along_axis
    from jaxlab.numpy.mapping import apply_over_axes as apply_over_axes
    from jaxlab.numpy.mapping import piecewise as piecewise
    from jaxlab.numpy.mapping import vectorize as vectorize
    from jaxlab.numpy.nan_reductions import nanargmax as nanargmax
    from jaxlab.numpy.nan_reductions import nanargmin as nanargmin
    from jaxlab.numpy.nan_reductions import nanmax as nanmax
    from jaxlab.numpy.nan_reductions import nanmean as nanmean
    from jaxlab.numpy.nan_reductions import nanmin as nanmin
    from jaxlab.numpy.nan_reductions import nanprod as nanprod
    from jaxlab.numpy.nan_reductions import nanstd as nanstd
    from jaxlab.numpy.nan_reductions import nansum as nansum
    from jaxlab.numpy.nan_reductions import nanvar as nanvar
    from jaxlab.numpy.order_statistics import median as median
    from jaxlab.numpy.order_statistics import nanmedian as nanmedian
    from jaxlab.numpy.order_statistics import nanpercentile as nanpercentile
    from jaxlab.numpy.order_statistics import nanquantile as nanquantile
    from jaxlab.numpy.order_statistics import percentile as percentile
    from jaxlab.numpy.order_statistics import quantile as quantile
    from jaxlab.numpy.padding import pad as pad
    from jaxlab.numpy.polynomials import corrcoef as corrcoef
    from jaxlab.numpy.polynomials import cov as cov
    from jaxlab.numpy.polynomials import polyval as polyval
    from jaxlab.numpy.polynomials import vander as vander
    from jaxlab.numpy.searching import bincount as bincount
    from jaxlab.numpy.searching import digitize as digitize
    from jaxlab.numpy.searching import histogram as histogram
    from jaxlab.numpy.searching import histogram_bin_edges as histogram_bin_edges
    from jaxlab.numpy.searching import interp as interp
    from jaxlab.numpy.searching import searchsorted as searchsorted
    from jaxlab.numpy.sets import intersect1d as intersect1d
    from jaxlab.numpy.sets import isin as isin
    from jaxlab.numpy.sets import setdiff1d as setdiff1d
    from jaxlab.numpy.sets import setxor1d as setxor1d
    from jaxlab.numpy.sets import union1d as union1d
    from jaxlab.numpy.sets import unique as unique
    from jaxlab.numpy.sets import unique_all as unique_all
    from jaxlab.numpy.sets import unique_counts as unique_counts
    from jaxlab.numpy.sets import unique_inverse as unique_inverse
    from jaxlab.numpy.sets import unique_values as unique_values
    from jaxlab.numpy.ufuncs_floating import copysign as copysign
    from jaxlab.numpy.ufuncs_floating import frexp as frexp
    from jaxlab.numpy.ufuncs_floating import heaviside as heaviside
    from jaxlab.numpy.ufuncs_floating import ldexp as ldexp
    from jaxlab.numpy.ufuncs_floating import logaddexp as logaddexp
    from jaxlab.numpy.ufuncs_floating import logaddexp2 as logaddexp2
    from jaxlab.numpy.ufuncs_floating import nan_to_num as nan_to_num
    from jaxlab.numpy.ufuncs_floating import nextafter as nextafter
    from jaxlab.numpy.ufuncs_floating import signbit as signbit
    from jaxlab.numpy.ufuncs_floating import sinc as sinc
    from jaxlab.numpy.ufuncs_floating import spacing as spacing
else:
    __getattr__, __dir__ = _lazy.names(
        __name__,
        {
            "jaxlab.numpy.differences": "diff ediff1d gradient",
            "jaxlab.numpy.filtering": "convolve correlate",
            "jaxlab.numpy.index_grids": (
                "diag_indices diag_indices_from ix_ ravel_multi_index tril_indices tril_indices_from "
                "triu_indices triu_indices_from unravel_index"
            ),
            "jaxlab.numpy.joining": (
                "append array_split block column_stack concat concatenate dsplit dstack hsplit hstack "
                "split stack unstack vsplit vstack"
            ),
            "jaxlab.numpy.linalg": "=",
            "jaxlab.numpy.mapping": "apply_along_axis apply_over_axes piecewise vectorize",
            "jaxlab.numpy.nan_reductions": (
                "nanargmax nanargmin nanmax nanmean nanmin nanprod nanstd nansum nanvar"
            ),
            "jaxlab.numpy.order_statistics": "median nanmedian nanpercentile nanquantile percentile quantile",
            "jaxlab.numpy.padding": "pad",
            "jaxlab.numpy.polynomials": "corrcoef cov polyval vander",
            "jaxlab.numpy.searching": "bincount digitize histogram histogram_bin_edges interp searchsorted",
            "jaxlab.numpy.sets": (
                "intersect1d isin setdiff1d setxor1d union1d unique unique_all unique_counts "
                "unique_inverse unique_values"
            ),
            "jaxlab.numpy.ufuncs_floating": (
                "copysign frexp heaviside ldexp logaddexp logaddexp2 nan_to_num nextafter signbit sinc "
                "spacing"
            ),
        },
    )
