"""The notation of Einstein sums, read once for operands of given shapes, and the order of pairwise contractions."""

from __future__ import annotations

import functools
import itertools
import math
import operator
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

LETTERS = string.ascii_letters


@dataclass(frozen=True, slots=True)
class Step:
    """One contraction: the operands that are taken from the list, and the names of its result's axes."""

    taken: tuple[int, ...]
    output: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How an Einstein sum is computed: names of the operands' axes, and contractions, whose results are appended."""

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]


def as_text(subscripts: Any, operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """The notation as a text, and the operands."""
    if isinstance(subscripts, str):
        return subscripts.replace(" ", ""), list(operands)
    given = [subscripts, *operands]
    arrays, lists = given[: len(given) // 2 * 2 : 2], given[1::2]
    output = given[-1] if len(given) % 2 else None
    numbers = sorted(
        {operator.index(n) for names in [*lists, output or ()] for n in names if n is not Ellipsis}
    )
    letters = dict(zip(numbers, LETTERS, strict=False))

    def written(names: Sequence[Any]) -> str:
        return "".join("..." if n is Ellipsis else letters[operator.index(n)] for n in names)

    text = ",".join(map(written, lists))
    return (text if output is None else f"{text}->{written(output)}"), arrays


def names_of(text: str, shapes: Sequence[tuple[int, ...]]) -> tuple[tuple[str, ...], str]:
    """A name for each axis of each operand and of the result; the axes of ellipses get names that are free."""
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    wrong = set(text.replace("...", "").replace("->", "").replace(",", "")) - set(LETTERS)
    if wrong:
        raise ValueError(
            f"einsum: {text!r} was given, but {min(wrong)!r} is no name of an axis; names are letters"
        )
    if len(terms) != len(shapes):
        raise ValueError(
            f"einsum: {text!r} names the axes of {len(terms)} operands, but {len(shapes)} were given"
        )
    free = [c for c in LETTERS if c not in text]
    most = 0
    for term, shape in zip(terms, shapes, strict=True):
        if "..." in term:
            most = max(most, len(shape) - len(term) + 3)
    dots = "".join(free[:most])
    inputs = []
    for position, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        hidden = len(shape) - len(term.replace("...", ""))
        if hidden < 0 or (hidden and "..." not in term):
            raise ValueError(
                f"einsum: operand {position} has shape {shape}, but {term!r} names "
                f"{len(term.replace('...', ''))} axes; "
                "give each axis a name, or write ..."
            )
        inputs.append(term.replace("...", dots[most - hidden :] if hidden else ""))
    if arrow:
        output = right.replace("...", dots)
    else:
        counts = Counter("".join(terms).replace(".", ""))
        output = dots + "".join(sorted(name for name, count in counts.items() if count == 1))
    unknown = [name for name in output if name not in "".join(inputs)]
    if unknown or len(set(output)) < len(output):
        name = unknown[0] if unknown else next(n for n in output if output.count(n) > 1)
        raise ValueError(
            f"einsum: {text!r} was given, but {name!r} in the result must be a name of the operands, and occur once"
        )
    _check_sizes(text, inputs, shapes)
    return tuple(inputs), output


def _check_sizes(text: str, inputs: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> None:
    sizes: dict[str, int] = {}
    for position, (names, shape) in enumerate(zip(inputs, shapes, strict=True)):
        for name, size in zip(names, shape, strict=True):
            known = sizes.get(name, 1)
            if size not in (1, known) and known != 1:
                raise ValueError(
                    f"einsum: in {text!r} the axis {name!r} has size {size} in operand {position}, but {known} before"
                )
            sizes[name] = max(known, size) if size else size


@functools.lru_cache(maxsize=1024)
def plan_of(text: str, shapes: tuple[tuple[int, ...], ...], optimize: Any) -> Plan:
    """The contractions of an Einstein sum of operands of given shapes."""
    inputs, output = names_of(text, shapes)
    path = path_of(inputs, output, shapes, optimize)
    names = list(inputs)
    steps = []
    for number, given in enumerate(path):
        taken = tuple(sorted(given, reverse=True))
        own = "".join([names.pop(i) for i in taken])
        if number == len(path) - 1:
            kept = output
        else:
            later = set(output).union(*names)
            kept = "".join(dict.fromkeys(name for name in own if name in later))
        steps.append(Step(taken, kept))
        names.append(kept)
    return Plan(inputs, tuple(steps))


def path_of(
    inputs: Sequence[str], output: str, shapes: Sequence[tuple[int, ...]], optimize: Any
) -> list[tuple[int, ...]]:
    """The operands that each step takes from the list, on which its result is put last.

    Raises:
      ValueError: if ``optimize`` is not known, or is a list whose steps do not fit.
    """
    count = len(inputs)
    if isinstance(optimize, tuple):
        return _checked(optimize, count)
    if count <= 2:
        return [tuple(range(count))]
    if optimize is False:
        return [(0, 1)] * (count - 1)
    if optimize not in (True, "auto", "optimal", "greedy", "eager", "opportunistic"):
        raise ValueError(
            f"einsum: optimize={optimize!r} is not known; write 'auto', 'optimal', 'greedy' or a list of steps"
        )
    sizes = {
        name: size
        for names, shape in zip(inputs, shapes, strict=True)
        for name, size in zip(names, shape, strict=True)
        if size != 1
    }
    search = _Search(sizes, frozenset(output))
    terms = [frozenset(names) for names in inputs]
    return (
        search.best(terms) if count <= 4 or (optimize == "optimal" and count <= 7) else search.greedy(terms)
    )


def _checked(steps: Iterable[tuple[int, ...]], count: int) -> list[tuple[int, ...]]:
    path = [tuple(sorted(map(operator.index, step))) for step in steps]
    left = count
    for step in path:
        if not 1 <= len(step) <= 2 or len(set(step)) < len(step) or step[0] < 0 or step[-1] >= left:
            raise ValueError(
                f"einsum: optimize has the step {step} where there are {left} operands, but each step takes "
                f"one or two of them"
            )
        left += 1 - len(step)
    if left != 1:
        raise ValueError(f"einsum: the steps of optimize leave {left} operands, but one is the result")
    return path


class _Search:
    """Looks for an order of contractions with few multiplications."""

    def __init__(self, sizes: dict[str, int], output: frozenset[str]) -> None:
        self.sizes = sizes
        self.output = output

    def elements(self, names: Iterable[str]) -> int:
        return math.prod([self.sizes.get(name, 1) for name in names])

    def contracted(
        self, a: frozenset[str], b: frozenset[str], rest: Sequence[frozenset[str]]
    ) -> frozenset[str]:
        """The names that are left of two terms: those that other terms or the result have, too."""
        return (a | b) & self.output.union(*rest)

    def cost(self, a: frozenset[str], b: frozenset[str], left: frozenset[str]) -> int:
        """Multiplications, and additions where there is something to sum."""
        return self.elements(a | b) * (2 if left != a | b else 1)

    def best(self, terms: Sequence[frozenset[str]]) -> list[tuple[int, ...]]:
        """The cheapest order; the first of several."""
        return self._best(list(terms))[1]

    def _best(self, terms: list[frozenset[str]]) -> tuple[int, list[tuple[int, ...]]]:
        if len(terms) == 1:
            return 0, []
        found: tuple[int, list[tuple[int, ...]]] | None = None
        for i, j in itertools.combinations(range(len(terms)), 2):
            rest = [term for k, term in enumerate(terms) if k not in (i, j)]
            left = self.contracted(terms[i], terms[j], rest)
            later, path = self._best([*rest, left])
            total = self.cost(terms[i], terms[j], left) + later
            if found is None or total < found[0]:
                found = total, [(i, j), *path]
        assert found is not None
        return found

    def greedy(self, terms: Sequence[frozenset[str]]) -> list[tuple[int, ...]]:
        """At each step the pair whose result saves most memory."""
        pending, path = list(terms), []
        while len(pending) > 1:
            choices = []
            for i, j in itertools.combinations(range(len(pending)), 2):
                a, b = pending[i], pending[j]
                rest = [term for k, term in enumerate(pending) if k not in (i, j)]
                left = self.contracted(a, b, rest)
                grown = self.elements(left) - self.elements(a) - self.elements(b)
                choices.append((not a & b, grown, i, j, left))
            _, _, i, j, left = min(choices, key=lambda choice: choice[:4])
            path.append((i, j))
            pending = [*[term for k, term in enumerate(pending) if k not in (i, j)], left]
        return path
