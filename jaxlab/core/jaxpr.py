"""Jaxprs: typed, functional, first-order programs whose equations remember where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, final

from jaxlab.core.aval import ShapedArray
from jaxlab.core.effects import HOLD, Effect, Effects, relocated
from jaxlab.core.refs import is_ref

if TYPE_CHECKING:
    from jaxlab.core.primitive import Primitive


@final
class Var:
    """A typed name, distinct from every other by identity."""

    __slots__ = ("aval",)

    def __init__(self, aval: ShapedArray) -> None:
        self.aval = aval

    def __repr__(self) -> str:
        return f"Var(id={id(self)}):{self.aval.str_short()}"


@final
class Literal:
    """A scalar constant written in place of a name."""

    __slots__ = ("aval", "val")

    def __init__(self, val: Any, aval: ShapedArray) -> None:
        self.val = val
        self.aval = aval

    def __repr__(self) -> str:
        return f"Literal({self.val}:{self.aval.str_short()})"


Atom = Var | Literal


class SourceInfo(NamedTuple):
    """Where an equation was traced: the stack of Python at that time, and the named scope."""

    traceback: Any
    name_stack: str


class JaxprEqn:
    """``outvars = primitive[params] invars``, with the traceback and the named scope it was traced in."""

    __slots__ = ("invars", "outvars", "params", "primitive", "scope", "traceback")

    def __init__(
        self,
        invars: list[Atom],
        outvars: list[Var],
        primitive: Primitive,
        params: dict[str, Any],
        traceback: Any = None,
        scope: str = "",
    ) -> None:
        self.invars = invars
        self.outvars = outvars
        self.primitive = primitive
        self.params = params
        self.traceback = traceback
        self.scope = scope

    @property
    def effects(self) -> Effects:
        """What it does besides giving its results."""
        return self.primitive.effects(self.params)

    @property
    def source_info(self) -> SourceInfo:
        """Where it was traced."""
        return SourceInfo(self.traceback, self.scope)

    def replace(self, **changes: Any) -> JaxprEqn:
        """A copy with some fields replaced."""
        return JaxprEqn(**{name: changes.get(name, getattr(self, name)) for name in JaxprEqn.__slots__})


@dataclass(frozen=True, slots=True)
class DebugInfo:
    """What a jaxpr was traced from: the function's name, and what to call its arguments and results."""

    name: str = ""
    arg_names: tuple[str, ...] = ()
    result_paths: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)

    @property
    def func_name(self) -> str:
        """The function's name, under JAX's name for it."""
        return self.name


class Jaxpr:
    """``lambda constvars; invars. let eqns in outvars``."""

    __slots__ = ("__weakref__", "_effects", "constvars", "debug", "eqns", "invars", "outvars")

    def __init__(
        self,
        constvars: Sequence[Var],
        invars: Sequence[Var],
        outvars: Sequence[Atom],
        eqns: Sequence[JaxprEqn],
        debug: DebugInfo | None = None,
    ) -> None:
        self.constvars = list(constvars)
        self.invars = list(invars)
        self.outvars = list(outvars)
        self.eqns = list(eqns)
        self.debug = debug or DebugInfo()
        self._effects: Effects | None = None

    @property
    def effects(self) -> Effects:
        """What the equations do besides giving their results; what they do to references made here is not seen."""
        if self._effects is None:
            first = -len(self.constvars)
            inputs = (*self.constvars, *self.invars)
            effects: set[Effect] = {HOLD.of(i) for i, v in enumerate(inputs, first) if is_ref(v.aval)}
            active = [(eqn, own) for eqn in self.eqns if (own := eqn.primitive.effects(eqn.params))]
            if active:
                place = {v: i for i, v in enumerate(inputs, first)}
                for eqn, own in active:
                    effects |= relocated(own, [place.get(v) for v in eqn.invars].__getitem__)  # type: ignore[arg-type]
            self._effects = frozenset(effects)
        return self._effects

    @property
    def debug_info(self) -> DebugInfo:
        """What it was traced from."""
        return self.debug

    @property
    def in_avals(self) -> list[ShapedArray]:
        """The types of the inputs."""
        return [v.aval for v in self.invars]

    @property
    def out_avals(self) -> list[ShapedArray]:
        """The types of the outputs."""
        return [v.aval for v in self.outvars]

    def replace(self, **changes: Any) -> Jaxpr:
        """A copy with some fields replaced."""
        names = ("constvars", "invars", "outvars", "eqns", "debug")
        return Jaxpr(**{name: changes.get(name, getattr(self, name)) for name in names})


class ClosedJaxpr:
    """A jaxpr and the values of its constvars. Hashed by identity: it can be a parameter and a cache key."""

    __slots__ = ("__weakref__", "consts", "jaxpr", "memo")

    def __init__(self, jaxpr: Jaxpr, consts: Sequence[Any] = ()) -> None:
        if len(jaxpr.constvars) != len(consts):
            raise ValueError(
                f"ClosedJaxpr: {len(consts)} constants were given for {len(jaxpr.constvars)} constvars"
            )
        self.jaxpr = jaxpr
        self.consts = list(consts)
        self.memo: dict[Any, Any] = {}  # jaxpr-to-jaxpr forms already computed, keyed by transformation

    @property
    def in_avals(self) -> list[ShapedArray]:
        """The types of the inputs."""
        return [v.aval for v in self.jaxpr.invars]

    @property
    def out_avals(self) -> list[ShapedArray]:
        """The types of the outputs."""
        return [v.aval for v in self.jaxpr.outvars]

    @property
    def effects(self) -> Effects:
        """What running it does besides giving its results."""
        return self.jaxpr.effects

    @property
    def eqns(self) -> list[JaxprEqn]:
        """The equations, in order."""
        return self.jaxpr.eqns

    @property
    def literals(self) -> list[Any]:
        """The constants, under JAX's other name for them."""
        return self.consts

    @property
    def constvars(self) -> list[Var]:
        """The variables that the constants are bound to."""
        return self.jaxpr.constvars

    @property
    def invars(self) -> list[Var]:
        """The inputs."""
        return self.jaxpr.invars

    @property
    def outvars(self) -> list[Atom]:
        """The results."""
        return self.jaxpr.outvars

    @property
    def debug_info(self) -> DebugInfo:
        """What it was traced from."""
        return self.jaxpr.debug

    def replace(self, *, jaxpr: Jaxpr | None = None, consts: Sequence[Any] | None = None) -> ClosedJaxpr:
        """A copy with another jaxpr, or other constants."""
        return ClosedJaxpr(self.jaxpr if jaxpr is None else jaxpr, self.consts if consts is None else consts)


def subjaxprs(params: dict[str, Any]) -> Iterator[Jaxpr]:
    """The jaxprs among an equation's parameters, also those in tuples."""
    for value in params.values():
        for item in value if type(value) in (tuple, list) else (value,):
            if type(item) is ClosedJaxpr:
                yield item.jaxpr
            elif type(item) is Jaxpr:
                yield item


def variables_read(jaxpr: Jaxpr) -> set[Var]:
    """The variables that the equations or the results of ``jaxpr`` use, not counting inner jaxprs."""
    used = {v for v in jaxpr.outvars if type(v) is Var}
    for eqn in jaxpr.eqns:
        used.update(v for v in eqn.invars if type(v) is Var)
    return used


def inputs_read(jaxpr: Jaxpr) -> set[Var]:
    """The inputs that the equations or the results of ``jaxpr`` use; stops as soon as all are found."""
    missing = set(jaxpr.invars).difference(v for v in jaxpr.outvars if type(v) is Var)
    for eqn in jaxpr.eqns:
        if not missing:
            break
        missing.difference_update(v for v in eqn.invars if type(v) is Var)
    return set(jaxpr.invars) - missing


class PrunedEqn(JaxprEqn):
    """What is left of an equation without what nobody reads; ``of`` is the one that was written."""

    __slots__ = ("of",)

    def __init__(self, of: JaxprEqn, invars: list[Atom], outvars: list[Var], params: dict[str, Any]) -> None:
        super().__init__(invars, outvars, of.primitive, params, of.traceback, of.scope)
        self.of: JaxprEqn = of.of if type(of) is PrunedEqn else of


def dce(jaxpr: Jaxpr, used_outputs: Sequence[bool]) -> tuple[Jaxpr, list[bool]]:
    """``jaxpr`` without unused outputs and what only they needed, and which inputs it uses.

    Equations that hold programs lose those of their results and arguments that nobody needs. The inputs are
    kept, so that callers decide whether to drop them.
    """
    outvars = [v for v, used in zip(jaxpr.outvars, used_outputs, strict=True) if used]
    eqns, live = needed_equations(jaxpr, outvars)
    return jaxpr.replace(outvars=outvars, eqns=eqns), [v in live for v in jaxpr.invars]


def needed_equations(jaxpr: Jaxpr, outvars: Sequence[Atom]) -> tuple[list[JaxprEqn], set[Any]]:
    """The equations that these results need, without what they do not need of them, and all that those read."""
    live: set[Any] = set(outvars)
    eqns = []
    # Most programs go through here before they are lowered: the loops are those of sets, in C.
    for eqn in reversed(jaxpr.eqns):
        primitive = eqn.primitive
        if not live.isdisjoint(eqn.outvars) or primitive.effects(eqn.params):
            if primitive.holds_programs:
                eqn = primitive.prune(eqn, [v in live for v in eqn.outvars])
            eqns.append(eqn)
            live.update(eqn.invars)  # literals, too: nothing is looked up that is one
    eqns.reverse()
    return eqns, live
