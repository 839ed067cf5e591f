"""Jaxprs as text, in the notation of JAX.

Programs that occur twice, or have more than ten equations, are written once, before the rest. A ``jit``
equation's program otherwise uses the names that its arguments and results have outside.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab.core.jaxpr import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var, variables_read
from jaxlab.core.layout import WIDTH, Break, Concat, Doc, Group, Mark, Nest, Text, join, render
from jaxlab.core.primitive import Primitive

LONG = 10


def letters(number: int) -> str:
    """The name of the n-th variable: a, b, ..., z, ba, bb, ..."""
    name = ""
    while True:
        number, digit = divmod(number, 26)
        name = string.ascii_lowercase[digit] + name
        if not number:
            return name


class Names:
    """What variables are called, in the order of first sight, and what programs written beforehand are."""

    def __init__(self) -> None:
        self.of: dict[Var, str] = {}
        self.count = 0
        self.shared: dict[int, str] = {}
        self.taken: set[str] = set()

    def __call__(self, var: Var) -> str:
        name = self.of.get(var)
        if name is None:
            name = letters(self.count)
            self.count += 1
            while name in self.taken:
                name = letters(self.count)
                self.count += 1
            self.of[var] = name
        return name


def jaxpr_to_text(
    closed: ClosedJaxpr | Jaxpr, *, width: int = WIDTH, lines: list[tuple[JaxprEqn, int, int]] | None = None
) -> str:
    """A jaxpr as text.

    Args:
      width: where lines are broken.
      lines: gets, for each equation written, the equation and its first and last line, counted from 1.
    """
    jaxpr = closed.jaxpr if type(closed) is ClosedJaxpr else closed
    assert type(jaxpr) is Jaxpr
    names = Names()
    printer = Printer(names)
    shared = _shared_programs(jaxpr)
    for program, name in shared:
        names.shared[id(program)] = name
        names.taken.add(name)
    docs: list[Doc] = []
    for program, name in shared:
        docs += [Text(f"let {name} = "), printer.jaxpr(program.jaxpr), Text(" in"), Break()]
    docs.append(printer.jaxpr(jaxpr, outermost=True))
    if lines is None:
        return render(Concat(docs), width)
    marks: list[tuple[Any, int]] = []
    text = render(Concat(docs), width, marks)
    open_: dict[int, int] = {}
    for eqn, line in marks:
        first = open_.pop(id(eqn), None)
        if first is None:
            open_[id(eqn)] = len(lines)
            lines.append((eqn, line, line))
        else:
            lines[first] = (eqn, lines[first][1], line)
    return text


def _shared_programs(jaxpr: Jaxpr) -> list[tuple[ClosedJaxpr, str]]:
    """Programs to write once, in the order in which they are met, with the names to write for them."""
    counts: dict[int, int] = {}
    found: dict[int, tuple[ClosedJaxpr, str]] = {}
    level = {id(jaxpr): (jaxpr, 1)}
    while level:  # level by level: a program is written before those that it calls
        below: dict[int, tuple[Jaxpr, int]] = {}

        def met(program: Jaxpr, times: int) -> None:
            below[id(program)] = (program, below.get(id(program), (program, 0))[1] + times)

        for eqn, times in [(eqn, times) for program, times in level.values() for eqn in program.eqns]:
            for value in eqn.params.values():
                if type(value) is ClosedJaxpr:
                    counts[id(value)] = counts.get(id(value), 0) + times
                    name = str(eqn.params["name"]) if eqn.primitive.name == "jit" else "jaxpr"
                    found.setdefault(id(value), (value, name))
                    met(value.jaxpr, times)
                elif type(value) is tuple:
                    for item in value:
                        if type(item) is ClosedJaxpr:
                            met(item.jaxpr, times)
        level = below
    taken: set[str] = set()
    result = []
    for key, (program, name) in found.items():
        if counts[key] > 1 or len(program.jaxpr.eqns) > LONG:
            base = name.strip("<>")
            name, i = base, 0
            while name in taken:
                i += 1
                name = f"{base}{i}"
            taken.add(name)
            result.append((program, name))
    return result


class Printer:
    """Documents for jaxprs, equations and parameters, under one set of names."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def jaxpr(self, jaxpr: Jaxpr, *, outermost: bool = False) -> Doc:
        """``{ lambda consts; args. let equations in (results) }``; outermost, unused results are ``_``."""
        used = variables_read(jaxpr) if outermost else None
        constvars, invars = self.binders(jaxpr.constvars), self.binders(jaxpr.invars)
        eqns = join([Break("; ")], [self.equation(eqn, used) for eqn in jaxpr.eqns])
        outs = [Text(self.atom(v)) for v in jaxpr.outvars]
        results = Concat(
            [
                Text("("),
                Nest(2, Group(join([Text(","), Group(Break())], outs))),
                Text(",)" if len(outs) == 1 else ")"),
            ]
        )
        body = [
            Text("{ lambda "),
            constvars,
            Text("; "),
            invars,
            Text(". let"),
            Nest(2, Concat([Break(), eqns])),
            Break(),
            Text("in "),
            results,
        ]
        return Group(Concat([Nest(2, Concat(body)), Text(" }")]))

    def binders(self, variables: Sequence[Var], used: set[Any] | None = None) -> Doc:
        """``a:f32[3] b:i32[]``; results that nobody uses are called ``_``."""
        docs: list[Doc] = [Text(f"{self.result_name(v, used)}:{v.aval.str_short()}") for v in variables]
        return Nest(2, Group(join([Group(Break())], docs)))

    def atom(self, v: Any) -> str:
        """A variable's name, or a literal with its type."""
        if type(v) is Literal:
            return f"{literal_text(v.val, v.aval.dtype)}:{v.aval.str_short()}"
        return self.names(v)

    def equation(self, eqn: JaxprEqn, used: set[Any] | None) -> Doc:
        """``a:f32[3] = name[params] b c``."""
        self.share_names(eqn, used)
        left = self.binders(eqn.outvars, used)
        own = self.notation(eqn, used)
        if own is not None:
            return Concat([Mark(eqn), Text(own), Mark(eqn)])
        params = eqn.primitive.printed(eqn.params)
        docs: list[Doc] = [left, Text(f" = {eqn.primitive.name}"), self.params(params), Text(" ")]
        docs.append(Nest(2, Group(join([Group(Break())], [Text(self.atom(v)) for v in eqn.invars]))))
        if not eqn.outvars:
            docs[1] = Text(eqn.primitive.name)
        return Concat([Mark(eqn), *docs, Mark(eqn)])

    def notation(self, eqn: JaxprEqn, used: set[Any] | None) -> str | None:
        """The text of an equation whose primitive has a notation of its own, once its results have names."""
        if type(eqn.primitive).notation is Primitive.notation:
            return None
        results = [f"{self.result_name(v, used)}:{v.aval.str_short()}" for v in eqn.outvars]
        return eqn.primitive.notation(eqn, results, [self.atom(v) for v in eqn.invars])

    def result_name(self, v: Var, used: set[Any] | None) -> str:
        """A variable's name where it is bound; results that nobody uses are called ``_``."""
        return self.names(v) if used is None or v in used or v in self.names.of else "_"

    def share_names(self, eqn: JaxprEqn, used: set[Any] | None) -> None:
        """Let the program of a ``jit`` equation use the names of its arguments and results."""
        if eqn.primitive.name != "jit" or id(eqn.params["jaxpr"]) in self.names.shared:
            return
        inner = eqn.params["jaxpr"].jaxpr
        of = self.names.of
        lent: set[Var] = set()
        for mine, outer in zip(inner.invars, eqn.invars, strict=True):
            if type(outer) is Var and mine not in of and outer not in lent:
                of[mine] = self.names(outer)
                lent.add(outer)
        for mine, result in zip(inner.outvars, eqn.outvars, strict=True):
            if type(mine) is Var and mine not in of and mine not in inner.constvars:
                of[mine] = "_" if used is not None and result not in used else self.names(result)

    def params(self, params: dict[str, Any]) -> Doc:
        """``[name=value ...]``, or nothing."""
        if not params:
            return Text("")
        pairs: list[Doc] = [Concat([Text(f"{name}="), self.value(value)]) for name, value in params.items()]
        inside = Concat([Break(""), join([Break()], pairs)])
        return Group(Concat([Text("["), Nest(2, inside), Break(""), Text("]")]))

    def value(self, value: Any) -> Doc:
        """A parameter's value; programs are written out, or named if they were written before."""
        if type(value) is ClosedJaxpr:
            name = self.names.shared.get(id(value))
            return Text(name) if name is not None else self.jaxpr(value.jaxpr)
        if type(value) is Jaxpr:
            return self.jaxpr(value)
        if type(value) is tuple and value and all(type(x) in (ClosedJaxpr, Jaxpr) for x in value):
            inside = Concat([Break(""), join([Break()], [self.value(x) for x in value])])
            return Group(Concat([Text("("), Nest(2, inside), Break(""), Text(")")]))
        if isinstance(value, np.dtype):
            return Text(value.name)
        return Text(str(value))


def literal_text(value: Any, dtype: Any) -> str:
    """A scalar as Python writes it: a Python number as it is, any other value as its dtype holds it."""
    if isinstance(value, bool | int | float | complex) and not isinstance(value, np.generic):
        return str(value)
    if isinstance(dtype, np.dtype):
        return str(np.asarray(value, dtype).item())
    return str(value)


def _text(self: ClosedJaxpr | Jaxpr) -> str:
    """The program as text."""
    return jaxpr_to_text(self)


for _kind in (ClosedJaxpr, Jaxpr):
    for _method in ("__repr__", "__str__", "pretty_print"):
        setattr(_kind, _method, _text)
