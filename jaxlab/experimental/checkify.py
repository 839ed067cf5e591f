"""Errors of compiled functions, under the names of ``jax.experimental.checkify``."""

from jaxlab.interpreters.check_errors import BatchedError as BatchedError
from jaxlab.interpreters.check_errors import DivisionByZeroError as DivisionByZeroError
from jaxlab.interpreters.check_errors import ErrorCategory as ErrorCategory
from jaxlab.interpreters.check_errors import FailedCheckError as FailedCheckError
from jaxlab.interpreters.check_errors import JaxRuntimeError as JaxRuntimeError
from jaxlab.interpreters.check_errors import NaNError as NaNError
from jaxlab.interpreters.check_errors import OOBError as OOBError
from jaxlab.interpreters.error_values import Error as Error
from jaxlab.interpreters.error_values import init_error as init_error
from jaxlab.transforms.checkify import all_checks as all_checks
from jaxlab.transforms.checkify import automatic_checks as automatic_checks
from jaxlab.transforms.checkify import check as check
from jaxlab.transforms.checkify import check_error as check_error
from jaxlab.transforms.checkify import checkify as checkify
from jaxlab.transforms.checkify import debug_check as debug_check
from jaxlab.transforms.checkify import div_checks as div_checks
from jaxlab.transforms.checkify import float_checks as float_checks
from jaxlab.transforms.checkify import index_checks as index_checks
from jaxlab.transforms.checkify import nan_checks as nan_checks
from jaxlab.transforms.checkify import user_checks as user_checks
