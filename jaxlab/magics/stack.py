"""The stack of magics at the head of a cell, each line parsed into a layer of transformation."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser

_HEAD = re.compile(r"%%(\w+)(?:[ \t]+(.*))?$")
_NAME = re.compile(r"[^\W\d]\w*$")


class OptionParser(MagicArgumentParser):
    """argparse for a magic: one-line errors, no abbreviations, no ``-h`` that exits the kernel."""

    def __init__(self, name: str, about: str, *, cell: bool = True) -> None:
        self.magic = ("%%" if cell else "%") + name
        super().__init__(  # type: ignore[no-untyped-call]
            prog=self.magic, description=about, add_help=False, conflict_handler="error",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        self.allow_abbrev = False

    def error(self, message: str) -> NoReturn:
        """One line, as IPython shows it, and nothing else."""
        unknown = re.match(r"unrecognized arguments: (.*)", message)
        if unknown:
            known = ", ".join(sorted(self.options)) or "none"
            message = f"unknown option or argument {unknown.group(1)}; its options are: {known}"
        raise UsageError(f"{self.magic}: {message}")

    @property
    def options(self) -> list[str]:
        """The long names of its options."""
        return [s for action in self._actions for s in action.option_strings if s.startswith("--")]

    def action_of(self, option: str) -> argparse.Action | None:
        """The argparse action of an option string."""
        return self._option_string_actions.get(option)

    def parse(self, line: str) -> argparse.Namespace:
        """Parse an option line; raises UsageError."""
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            self.error(str(error).lower())
        return self.parse_intermixed_args(words)


@dataclass(frozen=True)
class Layer:
    """One magic line: the name of the transformation, the line as written and the parsed options."""

    name: str
    line: str
    options: argparse.Namespace

    @property
    def names(self) -> list[str]:
        """The names of the namespace that the options speak of."""
        return list(getattr(self.options, "names", None) or [])

    def __str__(self) -> str:
        return f"%%{self.name} {self.line}".strip()


def name(text: str) -> str:
    """An identifier, as an argparse type."""
    if not _NAME.match(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a name")
    return text


def mapped_name(text: str) -> tuple[str, int | None]:
    """``x`` or ``x:0`` or ``W:None``, as an argparse type."""
    base, _, axis = text.partition(":")
    return name(base), axis_number(axis) if axis else 0


def axis_number(text: str) -> int | None:
    """An axis: an integer, or None for "not mapped"."""
    if text == "None":
        return None
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"an axis is an integer or None, not {text!r}") from None


def tangent_pair(text: str) -> tuple[str, str]:
    """``x=dx``, as an argparse type."""
    primal, equals, tangent = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"write NAME=TANGENT, not {text!r}")
    return name(primal), name(tangent)


def positive(text: str) -> int:
    """A positive integer, as an argparse type."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a positive integer is needed, not {text!r}")
    return int(text)


def _jit() -> OptionParser:
    parser = OptionParser("jit", "Compile the cell with XLA and run it on the selected device.")
    parser.add_argument("--device", help="device to run on, such as cpu:0 (see %%device)")
    parser.add_argument(
        "--static",
        nargs="+",
        action="extend",
        type=name,
        default=[],
        metavar="NAME",
        help="names whose values are part of the program",
    )
    parser.add_argument(
        "--traced",
        nargs="+",
        action="extend",
        type=name,
        default=[],
        metavar="NAME",
        help="names whose values are arguments of the program although they are ints or bools",
    )
    parser.add_argument(
        "--donate",
        nargs="+",
        action="extend",
        type=name,
        default=[],
        metavar="NAME",
        help="names whose memory the program may reuse; their arrays are deleted",
    )
    return parser  # fmt: skip


def _derivative(kind: str, about: str) -> Callable[[], OptionParser]:
    def make() -> OptionParser:
        parser = OptionParser(kind, about)
        parser.add_argument("names", nargs="*", type=name, help="names to differentiate with respect to")
        if kind == "grad":
            parser.add_argument(
                "--value", action="store_true", help="keep the cell's own value and names as well"
            )
        parser.add_argument(
            "--of", type=name, metavar="NAME", help="what to differentiate, instead of the last expression"
        )
        return parser

    return make


def _vmap() -> OptionParser:
    parser = OptionParser("vmap", "Map the cell over an axis of the given names; the others are shared.")
    parser.add_argument(
        "names", nargs="*", type=mapped_name, metavar="NAME[:AXIS]", help="names and their axes (0)"
    )
    parser.add_argument("--out", type=axis_number, default=0, metavar="AXIS", help="axis of the results (0)")
    parser.add_argument("--size", type=positive, help="length of the mapped axis, where no name has one")
    parser.add_argument(
        "--axis-name", type=name, metavar="NAME", help="what lax.psum and its kin call the mapped axis"
    )
    return parser


def _jvp() -> OptionParser:
    parser = OptionParser("jvp", "Run the cell and its derivative along a tangent.")
    parser.add_argument(
        "names", nargs="*", type=tangent_pair, metavar="NAME=TANGENT", help="names and their tangents"
    )
    parser.add_argument(
        "--of", type=name, metavar="NAME", help="what to differentiate, instead of the last expression"
    )
    return parser


def _checkpoint() -> OptionParser:
    parser = OptionParser(
        "checkpoint", "Compute the cell again on the way back of a gradient instead of keeping what it needs."
    )
    parser.add_argument(
        "--policy",
        choices=(
            "everything_saveable",
            "nothing_saveable",
            "dots_saveable",
            "dots_with_no_batch_dims_saveable",
        ),
        help="what to keep nevertheless, by its name in jaxlab.checkpoint_policies",
    )
    return parser


def _plain(kind: str, about: str) -> Callable[[], OptionParser]:
    return lambda: OptionParser(kind, about)


def _bench() -> OptionParser:
    parser = OptionParser(
        "bench", "Time the cell: compiled, op by op, and with NumPy where the cell allows it."
    )
    parser.add_argument(
        "--repeat", type=positive, default=7, help="measurements, of which the median is shown (7)"
    )
    return parser


PARSERS: dict[str, OptionParser] = {
    "jit": _jit(),
    "grad": _derivative("grad", "The gradient of the cell's last expression, bound to grad_NAME.")(),
    "value_and_grad": _derivative("value_and_grad", "Run the cell and take its gradient as well.")(),
    "vmap": _vmap(),
    "jvp": _jvp(),
    "vjp": _derivative(
        "vjp", "Run the cell, and bind the function that pulls cotangents back to vjp_NAME."
    )(),
    "linearize": _derivative(
        "linearize", "Run the cell, and bind the function that pushes tangents forward to linearize_NAME."
    )(),
    "jacfwd": _derivative(
        "jacfwd", "The Jacobian of the last expression, column by column, bound to jacfwd_NAME."
    )(),
    "jacrev": _derivative(
        "jacrev", "The Jacobian of the last expression, row by row, bound to jacrev_NAME."
    )(),
    "hessian": _derivative("hessian", "The Hessian of the last expression, bound to hessian_NAME.")(),
    "checkpoint": _checkpoint(),
    "jaxpr": _plain("jaxpr", "Trace the cell and show its jaxpr; run nothing.")(),
    "stages": _plain("stages", "Trace, lower and compile the cell and show every stage; run nothing.")(),
    "bench": _bench(),
}
TERMINAL = ("jaxpr", "stages", "bench")
"""Magics that say what to do with the cell instead of transforming it; they come first."""


def parse_stack(first: str, line: str, cell: str) -> tuple[list[Layer], str, list[str]]:
    """The layers of a cell, outermost first, its text without magic lines, and those lines.

    ``first`` and ``line`` are the magic that IPython took off the cell.  Raises UsageError.
    """
    heads, rest = [(first, line)], cell.split("\n")
    while rest and (match := _HEAD.match(rest[0].rstrip())):
        heads.append((match.group(1), match.group(2) or ""))
        rest.pop(0)
    layers = [_layer(*head) for head in heads]
    for layer in layers[1:]:
        if layer.name in TERMINAL:
            raise UsageError(
                f"%%{layer.name}: it says what to do with the whole cell; put it on the first line"
            )
    return layers, "\n".join(rest), [str(layer) for layer in layers]


def _layer(kind: str, line: str) -> Layer:
    parser = PARSERS.get(kind)
    if parser is None:
        known = " ".join(f"%%{k}" for k in PARSERS)
        raise UsageError(f"%%{kind}: not a transformation that stacks; these do: {known}")
    return Layer(kind, line.strip(), parser.parse(line))


def spoken_names(layers: list[Layer]) -> list[str]:
    """Names that the magic lines read from the namespace besides the cell: the tangents of ``%%jvp``."""
    return [pair[1] for layer in layers if layer.name == "jvp" for pair in layer.options.names]


def choices(layers: list[Layer]) -> dict[str, Any]:
    """``--static`` and ``--traced`` of all layers, by name."""
    found: dict[str, Any] = {}
    for layer in layers:
        for kind in ("static", "traced"):
            for chosen in getattr(layer.options, kind, []):
                if found.setdefault(chosen, kind) != kind:
                    raise UsageError(f"%%{layer.name}: {chosen} cannot be both static and traced")
    return found
