"""Describes the public names of jaxlab, or of jax, as plain data: modules, signatures and what objects have.

It is run as a program of its own for jax (``python public_surface.py jax``), which prints the description as JSON;
for jaxlab it is called in the process of the tests.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pathlib
import subprocess
import sys
import types
import warnings
from typing import Any

# The modules whose names are compared, by their names below the package; "" is the package itself.
MODULES = [
    "",
    "ad_checkpoint",
    "api_util",
    "core",
    "custom_batching",
    "custom_derivatives",
    "debug",
    "dtypes",
    "errors",
    "experimental",
    "experimental.checkify",
    "experimental.jet",
    "export",
    "extend.core",
    "extend.core.primitives",
    "flatten_util",
    "interpreters.ad",
    "interpreters.batching",
    "interpreters.mlir",
    "interpreters.partial_eval",
    "interpreters.xla",
    "lax",
    "ref",
    "stages",
    "test_util",
    "tree",
    "tree_util",
    "typing",
]

# What a module of jax imports for itself, and does not hide from `dir`.
IMPORTS = {"interpreters.ad": {"annotations"}, "": {"annotations"}}

# Objects whose attributes are compared, as expressions over the names of a package.
OBJECTS = {
    "jit(f)": "jit(f)",
    "Traced": "jit(f).trace(1.0)",
    "Lowered": "jit(f).lower(1.0)",
    "Compiled": "jit(f).lower(1.0).compile()",
    "Exported": "export.export(jit(f))(1.0)",
    "ClosedJaxpr": "make_jaxpr(f)(1.0)",
    "Jaxpr": "make_jaxpr(f)(1.0).jaxpr",
    "JaxprEqn": "make_jaxpr(f)(1.0).eqns[0]",
    "Var": "make_jaxpr(f)(1.0).jaxpr.invars[0]",
    "Literal": "make_jaxpr(f)(1.0).jaxpr.eqns[0].invars[1]",
    "DebugInfo": "make_jaxpr(f)(1.0).jaxpr.debug_info",
    "Primitive": "lax.sin_p",
    "ShapedArray": "make_jaxpr(f)(1.0).in_avals[0]",
    "ShapeDtypeStruct": "ShapeDtypeStruct((), 'float32')",
    "Partial": "tree_util.Partial(f)",
    "PyTreeDef": "tree.structure([1, 2])",
    "SequenceKey": "tree_util.SequenceKey(0)",
    "DictKey": "tree_util.DictKey('a')",
    "GetAttrKey": "tree_util.GetAttrKey('a')",
    "FlattenedIndexKey": "tree_util.FlattenedIndexKey(0)",
    "Ref": "new_ref(1.0)",
    "Array": "numpy.ones(2)",
    "custom_jvp": "custom_jvp(f)",
    "custom_vjp": "custom_vjp(f)",
    "custom_vmap": "custom_batching.custom_vmap(f)",
    "VJP": "vjp(f, 1.0)[1]",
    "linearized": "linearize(f, 1.0)[1]",
    "checkpoint_policies": "checkpoint_policies",
    "jit tracer": "tracer_of(jit)",
    "grad tracer": "tracer_of(grad)",
    "vmap tracer": "tracer_of(vmap)",
    "checkify.Error": "checked()",
    "ad": "ad",
}

# Special methods that people call by their syntax.
SYNTAX = {
    "__call__",
    "__enter__",
    "__exit__",
    "__iter__",
    "__len__",
    "__getitem__",
    "__setitem__",
    "__contains__",
}


def is_public(name: str) -> bool:
    """Whether a name is for users: no underscore before it."""
    return not name.startswith("_")


def parameters(value: Any) -> list[list[str]] | None:
    """Name, kind and default of every parameter; None for what has no signature."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    return [[p.name, p.kind.name, default(p.default)] for p in signature.parameters.values()]


def default(value: Any) -> str:
    """The text of a default: of literals what is written, of anything else that it is an object."""
    if value is inspect.Parameter.empty:
        return ""
    if isinstance(value, frozenset | set) and not value:
        value = ()
    literal = value is None or isinstance(value, bool | int | float | str | tuple)
    return repr(value) if literal else "an object"


def entry(value: Any) -> dict[str, Any]:
    """What a name is, with the parameters of what can be called."""
    if isinstance(value, types.ModuleType):
        return {"kind": "module", "parameters": None}
    if isinstance(value, type):
        return {"kind": "class", "parameters": parameters(value)}
    return {"kind": "callable" if callable(value) else "value", "parameters": parameters(value)}


def attributes(value: Any) -> dict[str, Any]:
    """The public attributes of an object; those that raise are not there."""
    found = {}
    for name in dir(value):
        if is_public(name) or name in SYNTAX:
            try:
                found[name] = entry(getattr(value, name))
            except Exception:
                continue
    return found


def expressions(library: str) -> dict[str, Any]:
    """The names that `OBJECTS` is written with."""
    root = importlib.import_module(library)

    def f(x: Any) -> Any:
        return x * 2.0

    def tracer_of(transformation: Any) -> Any:
        seen = []

        def look(x: Any) -> Any:
            seen.append(attributes(x))
            return x

        transformation(look)(root.numpy.ones(2)[0] if transformation is not root.vmap else root.numpy.ones(2))
        return seen[0]

    def checked() -> Any:
        return importlib.import_module(f"{library}.experimental.checkify").checkify(f)(1.0)[0]

    names = {name: getattr(root, name) for name in dir(root) if is_public(name)}
    names["ad"] = root.ad
    return {**names, "f": f, "tracer_of": tracer_of, "checked": checked}


def describe(library: str) -> dict[str, Any]:
    """``{"modules": {module: {name: entry}}, "objects": {object: {attribute: entry}}}``."""
    modules: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for short in MODULES:
            try:
                module = importlib.import_module(f"{library}.{short}" if short else library)
            except ModuleNotFoundError:
                modules[short] = {}
                continue
            listed = [name for name in dir(module) if is_public(name) and name not in IMPORTS.get(short, ())]
            listed = ["jet"] if short == "experimental.jet" else listed  # jax hides nothing of its file
            modules[short] = {name: entry(getattr(module, name)) for name in listed}
        names = expressions(library)
        objects = {}
        for name, text in OBJECTS.items():
            try:
                value = eval(text, dict(names))
            except AttributeError:
                value = {}
            objects[name] = value if isinstance(value, dict) else attributes(value)
    return {"modules": modules, "objects": objects}


def of_jax() -> dict[str, Any]:
    """The description of jax, from a process of its own."""
    run = subprocess.run(
        [sys.executable, str(pathlib.Path(__file__).resolve()), "jax"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
    )
    return json.loads(run.stdout)


if __name__ == "__main__":
    sys.path.pop(0)
    print(json.dumps(describe(sys.argv[1])))
