"""What went wrong in a cell, in one sentence on the user's own line: which name, why, and what to write
instead.
"""

from __future__ import annotations

import ast
import re
import types
from collections.abc import Callable, Mapping
from typing import Any

from jaxlab.magics.traceback import Place, frames

Types = Mapping[str, str]
"""What the names at the place of an error were: ``{"x": "f32[3]"}``, traced ones alone."""


class CellError(Exception):
    """A cell that cannot be transformed as its magic lines ask; ``layer`` is the magic line that is at fault,
    if one is.
    """

    def __init__(self, layer: Any, message: str) -> None:
        super().__init__(message)
        self.layer = layer


class ValueOfCellError(CellError):
    """A `CellError` about the value of the cell's last expression, which is what its traceback points at."""


ValueOfCellError.__name__ = "CellError"


def explain(
    error: BaseException,
    shell: Any,
    boundary: types.CodeType | None,
    describe: Callable[[Any], str | None],
) -> tuple[BaseException, list[Place]]:
    """The exception to raise for ``error`` and the user's places to show.

    ``describe`` gives the type of a traced value and None for anything else.  The exception keeps the class
    of the original, so that ``except`` and a search for its name find it; an error that needs no explaining
    is returned as is.
    """
    found = frames(error, shell, boundary)
    places = [place for place, _ in found]
    if not found:
        return error, places
    place, frame = found[-1]
    message = None
    for kind in type(error).__mro__:
        teller = _TELL.get(kind.__name__)
        if teller is not None:
            message = teller(error, place, _types(place, frame, describe))
        if message is not None:
            break
    if message is None:
        return error, places
    told = type(error).__new__(
        type(error), message
    )  # not __init__: jaxlab's own classes compose another text there
    told.args = (message,)
    told.__cause__ = error
    if hasattr(error, "made_at"):  # the equation that was being transposed, see `jaxlab.core.source.made_at`
        told.made_at = error.made_at  # type: ignore[attr-defined]
    return told, places


def _types(place: Place, frame: types.FrameType, describe: Callable[[Any], str | None]) -> Types:
    """The types of the arrays that the text at a place names: ``x``, ``self.w``, ``layers[0]``."""
    tree = _parse(place.segment)
    found: dict[str, str] = {}

    own = {
        argument.arg
        for node in (ast.walk(tree) if tree is not None else ())
        if isinstance(node, ast.Lambda)
        for argument in ast.walk(node.args)
        if isinstance(argument, ast.arg)
    }

    def resolve(node: ast.AST) -> Any:
        """The value of a name, attribute or item, looked up without running anything of the user's."""
        match node:
            case ast.Name(id=name) if name in own:  # an argument of a lambda, of which nothing is known here
                return None
            case ast.Name(id=name):
                return frame.f_locals.get(name, frame.f_globals.get(name))
            case ast.Attribute(value=base, attr=name):
                return getattr(resolve(base), "__dict__", {}).get(name)
            case ast.Subscript(value=base, slice=ast.Constant(value=key)):
                holder = resolve(base)
                if type(holder) is dict:
                    return holder.get(key)
                if (
                    type(holder) in (list, tuple)
                    and isinstance(key, int)
                    and -len(holder) <= key < len(holder)
                ):
                    return holder[key]
        return None

    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            text = describe(resolve(node))
            if text is not None:
                found[ast.unparse(node)] = text
    return found


def _parse(segment: str) -> ast.AST | None:
    for text in (segment, segment.rstrip(":") + ": pass", segment.removeprefix("el") + " pass"):
        try:
            return ast.parse(text)
        except SyntaxError:
            continue
    return None


def _told(types_: Types) -> str:
    return (
        " and ".join(f"{name} is {text}" for name, text in types_.items()) or "it depends on a traced value"
    )


def _what(place: Place, limit: int = 60) -> str:
    text = " ".join(place.segment.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _statement(place: Place) -> str:
    """The keyword whose condition the place is: ``if``, ``while``, ``assert``, ``and`` or an empty string."""
    match = re.match(r"\s*(?:el)?(if|while|assert)\b", place.source)
    if match:
        return match.group(1)
    match = re.search(r"\b(if|and|or|not)\b", place.source)
    return match.group(1) if match else ""


def _boolean(error: BaseException, place: Place, types_: Types) -> str:
    what = _what(place)
    builtin = re.match(r"(sorted|max|min|any|all)\(", place.segment)
    if builtin:
        return (
            f"{what}: {_told(types_)}, traced, so Python cannot compare its elements; "
            f"write jnp.{builtin[1].replace('sorted', 'sort')}"
        )
    keyword = _statement(place)
    remedy = {
        "while": "lax.while_loop",
        "assert": "an assert in a cell of its own",
        "and": "jnp.logical_and or &",
        "or": "jnp.logical_or or |",
        "not": "jnp.logical_not or ~",
    }.get(keyword, "jnp.where(condition, a, b) or lax.cond")
    where = (
        f"{keyword} {what}" if keyword in ("if", "while", "assert") and not what.startswith(keyword) else what
    )
    return (
        f"{where}: {_told(types_)}, traced, so its truth is not known while the cell is traced; "
        f"write {remedy}{_or_static(types_)}"
    )


def _or_static(types_: Types) -> str:
    scalars = [name for name, text in types_.items() if text.endswith("[]")]
    return f", or make the value static with --static {scalars[0]}" if scalars else ""


def _integer(error: BaseException, place: Place, types_: Types) -> str:
    return (
        f"{_what(place)}: {_told(types_)}, traced, but a Python integer is needed here "
        f"(a shape, an index or a loop bound); compute it from static values{_or_static(types_)}"
    )


def _concrete(error: BaseException, place: Place, types_: Types) -> str:
    if re.search(r"^f?['\"]|\b(str\.format|format|print)\(|\.format\(", place.segment):
        return (
            f"{_what(place)}: {_told(types_)}, traced, so there is no number to print while the cell is traced; "
            'write jaxlab.debug.print("{}", value), which prints when the program runs'
        )
    match = re.search(r"\b(float|int|bool|complex)\(", place.segment) or re.search(
        r"\.(item|tolist)\(", place.segment
    )
    if match:
        return (
            f"{_what(place)}: {_told(types_)}, traced, and has no number yet, but {match.group(1)}() "
            "needs one; leave it an array here and convert it in the next cell"
        )
    return (
        f"{_what(place)}: {_told(types_)}, traced, so its value is not known while the cell is traced, "
        f"but it is needed here; compute it outside the cell{_or_static(types_)}"
    )


def _numpy(error: BaseException, place: Place, types_: Types) -> str:
    segment = place.segment
    call = re.search(r"\b(np|numpy)\.([\w.]+)", segment)
    if call:
        return (
            f"{_what(place)}: {_told(types_)}, traced, and NumPy needs its numbers; write jnp.{call.group(2)}"
        )
    if re.search(r"\b(float|int|bool|complex)\(|\.(item|tolist)\(", segment):
        return _concrete(error, place, types_)
    return (
        f"{_what(place)}: {_told(types_)}, traced, and a NumPy array needs its numbers; "
        "use the jaxlab function instead"
    )


def _mask(error: BaseException, place: Place, types_: Types) -> str:
    return (
        f"{_what(place)}: {_told(types_)}, traced, so how many elements the mask selects is not known "
        "while the cell is traced, but a shape must be; write jnp.where(mask, x, 0)"
    )


def _leaked(error: BaseException, place: Place, types_: Types) -> str:
    stored = [
        name for name in types_ if not name.isidentifier()
    ]  # on the side: in an attribute or a container
    name = next(iter([*stored, *types_]), _what(place))
    return (
        f"{_what(place)}: {name} holds a traced value of a trace that has ended; "
        "return the value from the traced function or assign it at the cell's top level, "
        "instead of storing it on the side"
    )


def _assignment(error: BaseException, place: Place, types_: Types) -> str | None:
    tree = _parse(place.source.strip())
    target = next((t for t in _targets(tree) if isinstance(t, ast.Subscript)), None)
    if target is None or not re.search(
        r"never change|immutable|item assignment|does not support", str(error)
    ):
        return None
    base, index = ast.unparse(target.value), ast.unparse(target.slice).removeprefix("(").removesuffix(")")
    statement = next(n for n in ast.walk(tree) if isinstance(n, ast.Assign | ast.AugAssign)) if tree else None
    method = "set"
    if isinstance(statement, ast.AugAssign):
        method = {ast.Add: "add", ast.Mult: "multiply", ast.Div: "divide", ast.Sub: "add"}.get(
            type(statement.op), "set"
        )
    value = ast.unparse(statement.value) if statement is not None else "…"
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Sub):
        value = f"-({value})"
    return (
        f"{place.source.strip()}: arrays in a traced cell are immutable; "
        f"write {base} = {base}.at[{index}].{method}({value})"
    )


def _targets(tree: ast.AST | None) -> list[ast.expr]:
    found: list[ast.expr] = []
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Assign):
            found += node.targets
        elif isinstance(node, ast.AugAssign):
            found.append(node.target)
    return found


def _type_error(error: BaseException, place: Place, types_: Types) -> str | None:
    return (
        _assignment(error, place, types_)
        or _unhashable(error, place, types_)
        or _mismatch(error, place, types_)
    )


def _unhashable(error: BaseException, place: Place, types_: Types) -> str | None:
    if not types_ or not re.search(r"unhashable type: '(\w*Tracer|Array)'", str(error)):
        return None
    return (
        f"{_what(place)}: {_told(types_)}, and arrays are no keys of a dict, a set or a cache; "
        "use an int or a string for a key"
    )


_OF_FUNCTIONS = re.compile(
    r"(cond|switch|scan|while_loop|fori_loop|map|associative_scan|vmap|grad|custom_\w+|checkpoint|\w+_callback): "
)


def _mismatch(error: BaseException, place: Place, types_: Types) -> str | None:
    """Two operands that do not fit: the names and their types lead, the operation's own words follow."""
    if _OF_FUNCTIONS.match(
        str(error)
    ):  # about what a function returned, which the names of this line do not tell
        return None
    if len(types_) < 1 or not re.search(r"shape|dtype|broadcast|dimension|rank|size", str(error)):
        return None
    first = str(error).strip().split("\n")[0].rstrip(".")
    return f"{_what(place)}: {_told(types_)}; {first}"


_TELL: dict[str, Callable[[BaseException, Place, Types], str | None]] = {
    "TracerBoolConversionError": _boolean,
    "TracerIntegerConversionError": _integer,
    "TracerArrayConversionError": _numpy,
    "NonConcreteBooleanIndexError": _mask,
    "ConcretizationTypeError": _concrete,
    "UnexpectedTracerError": _leaked,
    "TypeError": _type_error,
    "ValueError": _mismatch,
}
