"""Random numbers from explicit keys: the same key gives the same numbers, bit for bit those of JAX.

>>> from jaxlab import random
>>> key = random.key(0)
>>> random.uniform(key, (2,)).shape
(2,)
"""

from jaxlab.random.continuous import (
    cauchy,
    exponential,
    gumbel,
    laplace,
    logistic,
    normal,
    truncated_normal,
    uniform,
)
from jaxlab.random.discrete import bernoulli, categorical, choice, permutation, rademacher, randint
from jaxlab.random.keys import PRNGKey, bits, clone, fold_in, key, key_data, key_impl, split, wrap_key_data

__all__ = [
    "PRNGKey",
    "bernoulli",
    "bits",
    "categorical",
    "cauchy",
    "choice",
    "clone",
    "exponential",
    "fold_in",
    "gumbel",
    "key",
    "key_data",
    "key_impl",
    "laplace",
    "logistic",
    "normal",
    "permutation",
    "rademacher",
    "randint",
    "split",
    "truncated_normal",
    "uniform",
    "wrap_key_data",
]
