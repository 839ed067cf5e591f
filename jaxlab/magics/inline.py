"""Line magics within a transformed cell: ``y = %jit f(x)`` there is a part of the cell's program.

IPython has made calls of its shell of them, with the expression as a text; here they become calls of jaxlab's
functions again, so that the cell reads the names in the expression, and its errors point at them.
"""

from __future__ import annotations

import ast
from typing import Any

from IPython.core.error import UsageError

from jaxlab.magics.lines import split_line

_DERIVATIVES = ("grad", "value_and_grad", "jacfwd", "jacrev", "hessian")


class _Inline(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr="run_line_magic"),
                args=[ast.Constant(value=str(name)), ast.Constant(value=str(line))],
            ) if name == "jit" or name in _DERIVATIVES:
                return _placed(_called(name, line), node)
        return self.generic_visit(node)


def inline_line_magics(tree: ast.Module) -> ast.Module:
    """The cell with its ``%jit`` and ``%grad`` lines (and the kin of that) as plain calls.

    Raises UsageError where such a line is not what its magic takes.
    """
    whole: ast.Module = _Inline().visit(tree)
    return whole


def _called(name: str, line: str) -> ast.expr:
    options, text = split_line(name, line)
    try:
        expression = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise UsageError(f"%{name}: {error.msg}: {text}") from None
    function = f"__import__('jaxlab').{name}"
    if name == "jit":
        if options["device"]:
            raise UsageError(
                "%jit --device: in a transformed cell the whole cell runs on one device; leave it out"
            )
        return _filled(f"{function}(lambda: _)()", _=expression)
    if not isinstance(expression, ast.Call):
        raise UsageError(f"%{name}: a call is needed, such as %{name} f(x, y)")
    derivative = _filled(f"{function}(_, argnums={options['argnum']})", _=expression.func)
    return ast.Call(derivative, expression.args, expression.keywords)


def _filled(text: str, **parts: ast.expr) -> ast.expr:
    """An expression with some of its names replaced."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            return parts.get(node.id, node)

    filled: ast.Expression = Fill().visit(ast.parse(text, mode="eval"))
    return filled.body


def _placed(new: ast.expr, old: ast.Call) -> ast.expr:
    """``new``, all of it at the place of the call that it replaces."""
    place: dict[str, Any] = {name: getattr(old, name) for name in old._attributes}
    for node in ast.walk(new):
        for name, value in place.items():
            if name in node._attributes:
                setattr(node, name, value)
    return new
