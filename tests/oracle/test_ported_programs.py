"""Programs written for jax run here when their import lines change, and give what they give there."""

from __future__ import annotations

import ast
import pathlib
from importlib.metadata import version

import pytest
from jax_process import answer_here, answers_of_jax, difference

HERE = pathlib.Path(__file__).parent
SOURCES = {
    name: (HERE / f"{name}.py").read_text(encoding="utf-8") for name in ("ported_models", "ported_mechanics")
}
PROGRAMS = [
    (file, node.name)
    for file, source in SOURCES.items()
    for node in ast.parse(source).body
    if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
]

# Sums of many terms, which both libraries let the compiler order, differ in their last digits.
RTOL = dict.fromkeys(
    ("training_loop", "neural_ode", "recurrent_network", "monte_carlo", "gaussian_process"), 1e-4
)


def running(file: str, name: str) -> str:
    """An expression that loads the programs with the import lines of one library, and runs one."""
    other_imports = (
        "source.replace('import jax\\n', f'import {jax.__name__} as jax\\n')"
        ".replace('import jax.', f'import {jax.__name__}.').replace('from jax', f'from {jax.__name__}')"
    )
    return (
        f"(lambda source, names: (exec({other_imports}, names), names[{name!r}]())[1])"
        f"({SOURCES[file]!r}, {{'__name__': 'ported'}})"
    )


TABLE = tuple(running(*program) for program in PROGRAMS)


@pytest.mark.parametrize(("file", "name"), PROGRAMS)
def test_a_ported_program_gives_what_it_gave(file: str, name: str) -> None:
    if name == "references" and not version("jax").startswith("0.10."):
        pytest.skip("references are those of jax 0.10; here is another jax")
    expression = running(file, name)
    theirs = answers_of_jax(TABLE)[expression]
    assert theirs[0] != "raises", theirs  # a program that fails in both would be no test
    told = difference(answer_here(expression), theirs, RTOL.get(name, 1e-5), atol=1e-6)
    assert told is None, told
