"""The text of a cell without its magic lines, parsed and compiled under the notebook's name for the cell."""

from __future__ import annotations
import __future__

import ast
import linecache
import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from IPython.core.displayhook import DisplayHook

from jaxlab.core.source import cell_names
from jaxlab.magics.inline import inline_line_magics

_semicolon_at_end_of_expression: Any = DisplayHook.semicolon_at_end_of_expression
_FUTURE = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NEUTRAL = (ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Source:
    """A parsed cell.

    ``offset`` is the number of magic lines above the text, so that line numbers are those of the notebook's
    cell. ``last`` is the code of the last expression, or None.  ``silent`` is True after a trailing ``;``.
    """

    text: str
    offset: int
    filename: str
    label: str
    number: int
    tree: ast.Module
    code: types.CodeType
    last: types.CodeType | None
    last_text: str
    silent: bool
    flags: int

    @property
    def definitions(self) -> list[str]:
        """The functions of a cell that only defines functions (and imports); empty for any other cell."""
        body = [s for s in self.tree.body if not _is_docstring(s)]
        if not all(isinstance(s, (*_DEFINITIONS, *_NEUTRAL)) for s in body):
            return []
        return [s.name for s in body if isinstance(s, ast.FunctionDef)]

    @property
    def whole(self) -> types.CodeType:
        """The code of the whole cell as one module."""
        code: types.CodeType = compile(self.tree, self.filename, "exec", self.flags, dont_inherit=True)
        return code


class CellSyntaxError(Exception):
    """A cell that Python cannot parse, or that a transformed cell cannot be.

    Not a SyntaxError, because IPython shows those with every frame between the notebook and the parser.
    """

    def __init__(self, message: str, line: int, column: int, filename: str, text: str) -> None:
        super().__init__(message)
        self.line, self.column, self.filename, self.text = line, column, filename, text


CellSyntaxError.__name__ = "SyntaxError"


def parse(shell: Any, text: str, heads: Sequence[str]) -> Source:
    """Parse the text of a cell under the lines ``heads``, which are its magic lines.

    Raises `CellSyntaxError` with the line and column of the notebook's cell.
    """
    name_cells_of(shell)
    offset, flags = len(heads), shell.compile.flags & _FUTURE
    blank = text[: len(text) - len(text.lstrip())].count("\n")
    transformed = "\n" * (offset + blank) + shell.transform_cell(text)  # which drops leading empty lines
    number = running_cell(shell)[0]
    filename = shell.compile.cache(transformed, number, raw_code=transformed)
    cell_names[filename] = f"Cell In[{number}]"
    lines = [*heads, *transformed.split("\n")[offset:]]
    linecache.cache[filename] = (len(transformed), None, [f"{line}\n" for line in lines], filename)
    try:
        tree = inline_line_magics(ast.parse(transformed, filename))
        _refuse_await(tree)
        tree = shell.transform_ast(tree)
        body, last = list(tree.body), None
        if body and isinstance(statement := body[-1], ast.Expr):
            body.pop()
            last = ast.Expression(statement.value)
        code = compile(ast.Module(body, []), filename, "exec", flags, dont_inherit=True)
        last_code = compile(last, filename, "eval", flags, dont_inherit=True) if last is not None else None
    except SyntaxError as error:
        line = error.lineno or offset + 1
        shown = lines[line - 1] if line <= len(lines) else ""
        raise CellSyntaxError(error.msg, line, (error.offset or 1) - 1, filename, shown) from None
    return Source(
        text=text.rstrip(),
        offset=offset,
        filename=filename,
        label=f"Cell In[{number}]",
        number=number,
        tree=tree,
        code=code,
        last=last_code,
        last_text=ast.unparse(last) if last is not None else "",
        flags=flags,
        silent=_semicolon_at_end_of_expression(text),
    )


def name_cells_of(shell: Any) -> None:
    """Call each cell of a shell by its number in what is said of places in it."""
    cell_names.update(
        {file: f"Cell In[{n}]" for file, n in getattr(shell.compile, "_filename_map", {}).items()}
    )


def running_cell(shell: Any) -> tuple[int, int]:
    """The number of the notebook's cell that is being run, and the line in it that is.

    Read from the stack, because ``execution_count`` is raised before the cell in some versions of IPython and
    after it in others.
    """
    cells = getattr(shell.compile, "_filename_map", {})
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals is shell.user_ns and frame.f_code.co_filename in cells:
            return cells[frame.f_code.co_filename], frame.f_lineno
        frame = frame.f_back
    return shell.execution_count, 1


def _refuse_await(tree: ast.Module) -> None:
    """A compiled cell cannot wait; say so instead of letting the compiler say "outside function"."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            raise SyntaxError(
                "top-level await: a transformed cell runs as one program and cannot wait; "
                "await in a cell of its own",
                (None, node.lineno, node.col_offset + 1, None),
            )
        if not isinstance(node, (*_DEFINITIONS, ast.Lambda)):
            todo += ast.iter_child_nodes(node)


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
