"""Every example in a docstring runs, and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from types import FunctionType, ModuleType

import numpy as np
import pytest

import jaxlab
import jaxlab.numpy

SKIPPED = ("jaxlab.magics", "jaxlab.widgets")  # their examples are cells, and are tested as such


NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?")


class Checker(doctest.OutputChecker):
    """Numbers may differ in the last digit, which is the compiler's and the processor's; nothing else may."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        if super().check_output(want, got, optionflags):
            return True
        skeletons = ["".join(NUMBER.sub("0", text).split()) for text in (want, got)]
        numbers = [np.array([float(n) for n in NUMBER.findall(text)]) for text in (want, got)]
        return skeletons[0] == skeletons[1] and np.allclose(*numbers, rtol=2e-5, atol=1e-6)


def modules() -> list[str]:
    """All modules of the package whose examples are Python."""
    found = [info.name for info in pkgutil.walk_packages(jaxlab.__path__, "jaxlab.")]
    return [name for name in ["jaxlab", *found] if not name.startswith(SKIPPED)]


def namespace(module: ModuleType) -> dict[str, object]:
    """What an example may use: the module's own names, and those that a reader of JAX code expects."""
    names: dict[str, object] = {"np": np, "jnp": jaxlab.numpy, "jaxlab": jaxlab, "lax": jaxlab.lax}
    names |= {name: getattr(jaxlab, name) for name in ("grad", "jit", "jvp", "vjp", "vmap", "make_jaxpr")}
    return names | vars(module)


@pytest.mark.parametrize("name", modules())
def test_examples(name: str) -> None:
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(Checker(), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    output: list[str] = []
    for test in finder.find(module, name, globs=namespace(module)):
        runner.run(test, out=output.append)
    for plain in compiled_functions(module):
        for test in finder.find(plain, f"{name}.{plain.__name__}", globs=namespace(module), module=False):
            runner.run(test, out=output.append)
    assert runner.failures == 0, "".join(output)


def compiled_functions(module: ModuleType) -> list[object]:
    """The plain functions behind jitted ones, which doctest does not see by itself."""
    plain = [getattr(value, "__wrapped__", None) for value in vars(module).values()]
    return [f for f in plain if isinstance(f, FunctionType) and f.__module__ == module.__name__]
