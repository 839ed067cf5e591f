"""The operations themselves: one function a primitive, strict about dtypes and shapes, with JAX's names and signatures.

`jaxlab.numpy` is built of these; it promotes dtypes and broadcasts shapes first.
"""

# arithmetic
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

# rounding
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

# exponential
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

# transcendental
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

# special
from jaxlab.primitives.special import digamma as digamma
from jaxlab.primitives.special import erf as erf
from jaxlab.primitives.special import erf_inv as erf_inv
from jaxlab.primitives.special import erfc as erfc
from jaxlab.primitives.special import lgamma as lgamma
from jaxlab.primitives.special import polygamma as polygamma
from jaxlab.primitives.special import zeta as zeta

# comparison
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

# logic
from jaxlab.primitives.logic import bitwise_and as bitwise_and
from jaxlab.primitives.logic import bitwise_not as bitwise_not
from jaxlab.primitives.logic import bitwise_or as bitwise_or
from jaxlab.primitives.logic import bitwise_xor as bitwise_xor
from jaxlab.primitives.logic import clz as clz
from jaxlab.primitives.logic import population_count as population_count
from jaxlab.primitives.logic import shift_left as shift_left
from jaxlab.primitives.logic import shift_right_arithmetic as shift_right_arithmetic
from jaxlab.primitives.logic import shift_right_logical as shift_right_logical

# conversion
from jaxlab.primitives.conversion import bitcast_convert_type as bitcast_convert_type
from jaxlab.primitives.conversion import convert_element_type as convert_element_type
from jaxlab.primitives.conversion import copy as copy
from jaxlab.primitives.conversion import reduce_precision as reduce_precision
from jaxlab.primitives.conversion import stop_gradient as stop_gradient

# contraction
from jaxlab.primitives.contraction import batch_matmul as batch_matmul
from jaxlab.primitives.contraction import dot as dot
from jaxlab.primitives.contraction import dot_general as dot_general
from jaxlab.primitives.contraction import dot_general_p as dot_general_p
from jaxlab.primitives.precision import Precision as Precision
