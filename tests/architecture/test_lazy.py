"""What is loaded at its first use is told twice, to type checkers and to Python: both must say the same."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys

import pytest
from source_tree import is_type_checking, modules

# What the first array and its program need nothing of.
NOT_AT_IMPORT = {
    "hashlib",
    "jaxlab.control",
    "jaxlab.interpreters.lowering",
    "jaxlab.nn",
    "jaxlab.numpy.sets",
    "jaxlab.primitives.convolution",
    "jaxlab.random",
    "jaxlab.runtime.diskcache",
    "jaxlab.stablehlo.build",
    "jaxlab.transforms.custom_jvp",
    "jaxlab.transforms.grad",
    "jaxlab.transforms.stages",
    "jaxlib.mlir.ir",
    "tempfile",
}


def announced(tree: ast.Module) -> set[tuple[str, str, str]]:
    """Module, name and new name of each import below TYPE_CHECKING that an ``else`` makes lazy."""
    found = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.If)
            and is_type_checking(node.test)
            and "lazy" in ast.unparse(ast.Module(node.orelse, []))
        ):
            for statement in node.body:
                if isinstance(statement, ast.ImportFrom):
                    found |= {
                        (statement.module or "", alias.name, alias.asname or alias.name)
                        for alias in statement.names
                    }
    return found


def provided(tree: ast.Module) -> set[tuple[str, str, str]]:
    """The same of the calls of `lazy.names` and `lazy.module`."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        called, arguments = ast.unparse(node.value.func).lstrip("_"), node.value.args
        if called == "lazy.module":
            package, _, name = ast.literal_eval(arguments[0]).rpartition(".")
            found.add((package, name, ast.unparse(node.targets[0])))
        elif called == "lazy.names":
            for source, listed in ast.literal_eval(arguments[1]).items():
                for item in listed.split():
                    new, _, old = item.partition("=")
                    package, _, module = source.rpartition(".")
                    found.add((source, old or new, new) if new else (package, module, module))
    return found


LAZY = sorted(name for name, module in modules().items() if provided(module.tree))


@pytest.mark.parametrize("name", LAZY)
def test_type_checkers_and_python_are_told_the_same(name: str) -> None:
    tree = modules()[name].tree
    assert announced(tree) == provided(tree)


@pytest.mark.parametrize("name", LAZY)
def test_every_lazy_name_is_there(name: str) -> None:
    module = importlib.import_module(name)
    missing = [new for _, _, new in provided(modules()[name].tree) if not hasattr(module, new)]
    assert not missing
    assert {new for _, _, new in provided(modules()[name].tree)} <= set(dir(module))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'jaxlab.numpy' has no attribute 'sine'"):
        importlib.import_module("jaxlab.numpy").sine


def test_an_import_leaves_out_what_the_first_array_does_not_need() -> None:
    code = "import sys, jaxlab, jaxlab.numpy; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & NOT_AT_IMPORT


def test_a_first_result_loads_no_operation_classes() -> None:
    code = (
        "import sys, jaxlab.numpy as jnp; (jnp.ones((2, 2)) @ jnp.ones((2, 2))).sum(0); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not [name for name in done.stdout.split() if name.startswith("jaxlib.mlir.dialects")]
