"""Evaluates one table of expressions with jaxlab here and with jax in a process of its own."""

from __future__ import annotations

import collections
import dataclasses
import functools
import json
import pathlib
import subprocess
import sys
import warnings
from typing import Any

import ml_dtypes
import numpy as np

Point = collections.namedtuple("Point", "x y")


class Value:
    """Stands for an array: a dtype, and whether it is weak."""

    def __init__(self, dtype: Any, weak_type: bool = False) -> None:
        self.dtype, self.weak_type, self.shape = np.dtype(getattr(ml_dtypes, dtype, dtype)), weak_type, ()
        self.aval = self


def answer(expression: str, names: dict[str, Any]) -> str:
    """The text of an expression's value, or the class of its error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return repr(eval(expression, names))
    except Exception as error:
        return f"raises {type(error).__name__}"


def shared_names() -> dict[str, Any]:
    modules = {"np": np, "ml_dtypes": ml_dtypes, "functools": functools, "dataclasses": dataclasses}
    return {**modules, **vars(collections), "Value": Value, "Point": Point}


def answers_here(expressions: list[str], names: dict[str, Any], x64: bool, promotion: str) -> list[str]:
    from jaxlab.config import enable_x64, numpy_dtype_promotion

    with enable_x64(x64), numpy_dtype_promotion(promotion):
        return [answer(e, {**shared_names(), **names}) for e in expressions]


def answers_of_jax(tables: list[tuple[list[str], bool, str]]) -> list[list[str]]:
    command = [
        sys.executable,
        "-c",
        f"import {__name__}; {__name__}.main()",
    ]  # so that classes have one name on both sides
    run = subprocess.run(
        command, input=json.dumps(tables), capture_output=True, text=True, cwd=pathlib.Path(__file__).parent
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def main() -> None:
    import jax
    import jax.tree_util
    from jax import dtypes
    from jax.numpy import promote_types

    names = {"dtypes": dtypes, "promote_types": promote_types, "tree": jax.tree, "tree_util": jax.tree_util}
    out = []
    for expressions, x64, promotion in json.load(sys.stdin):
        with jax.enable_x64(x64), jax.numpy_dtype_promotion(promotion):
            out.append([answer(e, {**shared_names(), **names}) for e in expressions])
    print(json.dumps(out))
