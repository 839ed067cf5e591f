"""The options of the line magics, and how a line is taken apart into options and an expression."""

from __future__ import annotations

import re

from jaxlab.magics.stack import OptionParser, axis_number, positive

__all__ = ["LINE_PARSERS", "split_line"]


def _expression(name: str, about: str) -> OptionParser:
    parser = OptionParser(name, about, cell=False)
    parser.add_argument("expression", nargs="*", help="a Python expression, usually a call")
    return parser


def _jit() -> OptionParser:
    parser = _expression("jit", "Compile an expression and run it: %%jit loss(params, batch).")
    parser.add_argument("--device", help="device to run on, such as cpu:0")
    return parser


def _hlo() -> OptionParser:
    parser = _expression("hlo", "Compile an expression and show its optimised HLO: %%hlo f(x).")
    parser.add_argument("--stable", action="store_true", help="show the StableHLO before optimisation")
    return parser


def _derivative(name: str, about: str) -> OptionParser:
    parser = _expression(name, f"{about}: %%{name} f(x, y).")
    parser.add_argument("--argnum", type=axis_number, default=0, help="number of the argument (0)")
    return parser


def _device() -> OptionParser:
    parser = OptionParser("device", "Show the devices, or select one: %%device gpu:0.", cell=False)
    parser.add_argument("name", nargs="?", help="the device to select")
    return parser


def _caches() -> OptionParser:
    parser = OptionParser("caches", "Show what is compiled, why, and how often it was reused.", cell=False)
    parser.add_argument("--clear", action="store_true", help="forget all of it")
    parser.add_argument("--all", action="store_true", help="show jaxlab's internal caches as well")
    parser.add_argument("--last", type=positive, default=20, help="how many programs to list (20)")
    return parser


def _lab() -> OptionParser:
    parser = OptionParser(
        "lab", "Show the options of the session, or set one: %%lab enable_x64 on.", cell=False
    )
    parser.add_argument("name", nargs="?", help="the option")
    parser.add_argument("value", nargs="?", help="its new value")
    return parser


LINE_PARSERS: dict[str, OptionParser] = {
    "jit": _jit(),
    "jaxpr": _expression("jaxpr", "Trace an expression and show its jaxpr: %%jaxpr f(x)."),
    "hlo": _hlo(),
    "cost": _expression("cost", "What an expression costs by the compiler's account: %%cost f(x)."),
    "grad": _derivative("grad", "The gradient of a call with respect to an argument"),
    "value_and_grad": _derivative("value_and_grad", "The value of a call and its gradient by an argument"),
    "jacfwd": _derivative("jacfwd", "The Jacobian of a call by an argument, column by column"),
    "jacrev": _derivative("jacrev", "The Jacobian of a call by an argument, row by row"),
    "hessian": _derivative("hessian", "The Hessian of a call by an argument"),
    "vjp": _derivative("vjp", "The value of a call, and its pullback to an argument"),
    "linearize": _derivative("linearize", "The value of a call, and its pushforward from an argument"),
    "device": _device(),
    "caches": _caches(),
    "lab": _lab(),
}


def split_line(name: str, line: str) -> tuple[dict[str, object], str]:
    """The options at the head of a line, and the expression after them.

    >>> split_line("jit", "--device cpu:0 f(x - 1)")
    ({'device': 'cpu:0'}, 'f(x - 1)')
    """
    parser, words, rest = LINE_PARSERS[name], list[str](), line.strip()
    while match := re.match(r"(--\w[\w-]*)\s*", rest):
        words.append(match.group(1))
        rest = rest[match.end() :]
        action = parser.action_of(match.group(1))
        if action is not None and action.nargs != 0:
            value = re.match(r"(\S*)\s*", rest)
            words.append(value.group(1) if value else "")
            rest = rest[value.end() :] if value else ""
    options = vars(parser.parse(" ".join(words)))
    options.pop("expression", None)
    if not rest:
        parser.error(f"an expression is needed, such as %{name} f(x)")
    return options, rest
