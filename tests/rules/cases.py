"""What there is to test: each example of each registered primitive, and what each rule's test needs to be
told."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from typing import Any

import jaxlab
from jaxlab.core.primitive import Primitive, registry
from jaxlab.extend.checks.cases import Case, cases_of

from .on_references import on_values

FOLDERS = ("primitives", "control", "transforms", "random", "numpy", "nn", "export")

# A reference for these would repeat what they are: they run the jaxprs among their parameters, whose
# equations have
# references of their own, or they hand values on unchanged.
WITHOUT_REFERENCE = {
    "call_exported": "calls a module; tests/transforms/test_export.py compares it with the function",
    "shard_map": "calls a jaxpr on a mesh",
}

# No application of these can be written down by itself; the tests named exercise them.
WITHOUT_EXAMPLES = {
    "custom_lin": "only its transpose can be computed: the reverse mode of custom_vjp_call does it",
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


import_errors = import_everything()
example_errors: dict[str, Exception] = {}


def _cases(primitive: Primitive) -> list[Case]:
    try:
        return [replace(case, primitive=on_values(case.primitive)) for case in cases_of(primitive)]
    except Exception as error:
        example_errors[primitive.name] = error
        return []


primitives = [registry[name] for name in sorted(registry)]
cases = [case for p in primitives for case in _cases(p)]
