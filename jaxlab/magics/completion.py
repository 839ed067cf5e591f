"""Completion in magic lines: the options of the magic, the names of the namespace, the devices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from jaxlab.magics import device
from jaxlab.magics.lines import LINE_PARSERS
from jaxlab.magics.stack import PARSERS

_matcher: Any = context_matcher(identifier="jaxlab.magics")
_LINE = re.compile(r"^(%%?)(\w+)[ \t](.*)$")


def matcher(shell: Any) -> Callable[[CompletionContext], Any]:
    """A matcher for ``shell.Completer.custom_matchers``."""

    def complete(context: CompletionContext) -> Any:
        line = context.full_text.splitlines()[context.cursor_line][: context.cursor_position]
        found = candidates(line, shell.user_ns)
        completions = [SimpleCompletion(text=text, type="param") for text in found]
        return {"completions": completions, "suppress": bool(completions), "matched_fragment": fragment(line)}

    return _matcher(complete)


def fragment(line: str) -> str:
    """The word before the cursor, with its dashes."""
    return line.rpartition(" ")[2].rpartition("\t")[2].rpartition("=")[2]


def candidates(line: str, namespace: dict[str, Any]) -> list[str]:
    """What may stand where a magic line is cut off.

    >>> candidates("%%jit --de", {})
    ['--device']
    """
    match = _LINE.match(line)
    if match is None:
        return []
    sigil, magic, rest = match.groups()
    parser = (PARSERS if sigil == "%%" else LINE_PARSERS).get(magic)
    if parser is None:
        return []
    word = fragment(line)
    if word.startswith("-"):
        return _starting(word, parser.options)
    words = rest.split()
    previous = words[-1] if words and not word else words[-2] if len(words) > 1 else ""
    if previous == "--device" or magic == "device":
        return _starting(word, map(device.name_of, device.all_devices()))
    if sigil == "%":
        return []  # an expression follows: IPython's own completion knows more
    return _starting(
        word, (n for n, value in namespace.items() if not n.startswith("_") and not _is_machinery(value))
    )


def _starting(word: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(word))


def _is_machinery(value: Any) -> bool:
    return callable(value) or type(value).__name__ == "module"
