"""What there is to test: each example of each registered primitive, and what each rule's test needs to be
told."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any

import jaxlab
from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, aval_of, is_inexact
from jaxlab.core.primitive import Example, Primitive, registry, result_avals

from .named_axes import over_axes
from .on_references import on_values

FOLDERS = ("primitives", "control", "transforms", "random", "numpy", "nn", "export")

# A reference for these would repeat what they are: they run the jaxprs among their parameters, whose
# equations have
# references of their own, or they hand values on unchanged.
WITHOUT_REFERENCE = {
    "call_exported": "calls a module; tests/transforms/test_export.py compares it with the function",
    "jit": "calls a jaxpr",
    "shard_map": "calls a jaxpr on a mesh",
}

# No application of these can be written down by itself; the tests named exercise them.
WITHOUT_EXAMPLES = {
    "custom_lin": "only its transpose can be computed: the reverse mode of custom_vjp_call does it",
    "jit": "every program of tests/laws runs with and without it",
    "shard_map": "needs a mesh: tests/laws",
}


def import_everything() -> dict[str, Exception]:
    """Import all modules that register primitives; returns the errors of those that cannot be imported."""
    failed: dict[str, Exception] = {}

    def attempt(name: str) -> Any:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                failed[name] = error
        except Exception as error:
            failed[name] = error
        return None

    attempt("jaxlab.interpreters.evaluation")
    attempt("jaxlab.lax")
    for folder in FOLDERS:
        package = attempt(f"{jaxlab.__name__}.{folder}")
        for module in pkgutil.iter_modules(package.__path__) if hasattr(package, "__path__") else ():
            attempt(f"{jaxlab.__name__}.{folder}.{module.name}")
    return failed


@dataclass(frozen=True)
class Case:
    """One example of one primitive."""

    primitive: Primitive
    index: int
    example: Example

    @property
    def id(self) -> str:
        return f"{self.primitive.name}-{self.index}"

    @property
    def avals(self) -> list[ShapedArray]:
        return [aval_of(x) for x in self.example.args]

    @property
    def inexact(self) -> list[int]:
        """The positions of the arguments in which derivatives are tested: those that have tangents."""
        chosen = self.example.differentiate
        return [
            i
            for i, aval in enumerate(self.avals)
            if is_inexact(aval.dtype) and (i in chosen if isinstance(chosen, tuple) else chosen)
        ]

    @property
    def differentiated(self) -> bool:
        """Whether the derivative rules are tested on this example."""
        if not self.inexact:
            return False
        try:
            out = result_avals(self.primitive, self.avals, dict(self.example.params))
        except Exception:
            return True  # the test of abstract_eval tells why
        return any(is_inexact(aval.dtype) for aval in out)

    @property
    def has_reference(self) -> bool:
        return (
            self.primitive.name not in WITHOUT_REFERENCE
            or type(self.primitive).reference is not Primitive.reference
        )


import_errors = import_everything()
example_errors: dict[str, Exception] = {}


def _examples(primitive: Primitive) -> list[Example]:
    try:
        return list(primitive.examples())
    except Exception as error:
        example_errors[primitive.name] = error
        return []


primitives = [registry[name] for name in sorted(registry)]
cases = [
    Case(on_values(over_axes(p, example.axes)), i, example)
    for p in primitives
    for i, example in enumerate(_examples(p))
]


def is_key(dtype: Any) -> bool:
    """Whether a dtype is that of random keys."""
    return isinstance(dtype, dtypes.KeyType)
