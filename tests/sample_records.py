"""Made-up programs with records whose links are known: what the record, its view and its figures are tested
on.

`digits` is small and reads like the real thing: the gradient of a classifier's loss, with a helper in another
cell, operations that XLA fuses, copies and removes. `chain` is large. `hostile` has in every text what must
never act.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jaxlab.inspection.record import (
    Caching,
    Cost,
    Frame,
    Input,
    Item,
    Link,
    LinkKind,
    Links,
    Output,
    Problem,
    Record,
    Source,
    Stage,
    Timings,
    Transformation,
)

HELPER = """def predict(params, images):
    W1, b1, W2, b2 = params
    hidden = jnp.tanh(images @ W1 + b1)
    return hidden @ W2 + b2
"""
CELL = """# the mean cross-entropy of a batch
logits = predict((W1, b1, W2, b2), images)
log_probs = logits - jax.nn.logsumexp(logits, axis=1, keepdims=True)
picked = jnp.sum(log_probs * jax.nn.one_hot(labels, 10), axis=1)
loss = -jnp.mean(picked)
debug = jnp.max(jnp.abs(W1))

loss
"""
HOSTILE = (
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked=1'>",
    "\x1b[31mred\x1b[0m\x1b]8;;http://x\x07",
    "\u202egnp.\u2066txt\u2069",
    "</pre></details><style>*{display:none}</style>&lt;&amp;",
    "n" * 100_000,
)


@dataclass
class Builder:
    """Writes the texts of the stages operation by operation, keeping the links."""

    jaxpr: list[str] = field(default_factory=list)
    stablehlo: list[str] = field(default_factory=list)
    computations: list[str] = field(default_factory=list)
    entry: list[str] = field(default_factory=list)
    equations: list[Item] = field(default_factory=list)
    operations: list[Item] = field(default_factory=list)
    inner: list[Item] = field(default_factory=list)
    outer: list[Item] = field(default_factory=list)
    down: list[Link] = field(default_factory=list)
    last: list[tuple[int, str, int, LinkKind]] = field(default_factory=list)
    group: list[tuple[int, str, str]] = field(default_factory=list)

    def equation(
        self,
        frames: tuple[Frame, ...],
        name: str,
        type_: str,
        operands: Sequence[str],
        params: str = "",
        operations: Sequence[str] = (),
        fate: str = "fuse",
    ) -> str:
        """One equation, the operations that it becomes, and its fate in XLA: fuse, alone, copy or remove."""
        place = len(self.equations)
        var = variable(place)
        self.equations.append(Item(len(self.jaxpr) + 2, len(self.jaxpr) + 2, name, frames))
        self.jaxpr.append(f"    {var}:{type_} = {name}{params} {' '.join(operands)}")
        kind: LinkKind = "same" if len(operations or (name,)) == 1 else "expanded"
        for operation in operations or (name,):
            op = len(self.operations)
            tensor = f"tensor<{type_[4:-1].replace(',', 'x') + 'x' if type_[4:-1] else ''}{type_[:3]}>"
            line = len(self.stablehlo) + 3
            self.operations.append(Item(line, line, f"stablehlo.{operation}", frames))
            args = ", ".join(f"%{operand}" for operand in operands)
            self.stablehlo.append(f"    %{op} = stablehlo.{operation} {args} : {tensor}")
            self.down.append(Link(place, op, kind))
            if fate == "remove":
                self.last.append((op, "", -1, "removed"))
            elif fate == "alone":
                self.flush()
                self.instruction(
                    f"{operation}.{op}",
                    type_,
                    f"{operation.replace('_general', '')}({args})",
                    operation,
                    frames,
                )
                self.last.append((op, "outer", len(self.outer) - 1, "same"))
            else:
                self.group.append((op, type_, operation))
                if fate == "copy":
                    self.flush()
                    self.group.append((op, type_, operation))
        return var

    def instruction(self, name: str, type_: str, call: str, opcode: str, frames: tuple[Frame, ...]) -> None:
        """One line of the entry computation."""
        self.outer.append(Item(len(self.entry) + 1, len(self.entry) + 1, opcode, frames))
        self.entry.append(f'  %{name} = {type_}{{1,0}} {call}, metadata={{op_name="jit(cell)/{opcode}"}}')

    def flush(self) -> None:
        """Close the open fusion: a computation of its instructions, and the call of it."""
        if not self.group:
            return
        number = len(self.outer)
        name = "_".join(operation for _, _, operation in self.group[:3]) + f"_fusion.{number}"
        self.computations.append(f"%fused_computation.{number} (param_0: f32[], param_1: f32[]) -> f32[] {{")
        seen = {op for op, _, place, _ in self.last if place >= 0}
        for op, type_, operation in self.group:
            self.inner.append(
                Item(
                    len(self.computations) + 1,
                    len(self.computations) + 1,
                    operation,
                    self.operations[op].frames,
                )
            )
            root = "ROOT " if op == self.group[-1][0] else ""
            self.computations.append(
                f"  {root}%{operation}.{op} = {type_}{{1,0}} {operation}(%param_0, %param_1)"
            )
            kind: LinkKind = "duplicated" if op in seen else "fused"
            self.last.append((op, "inner", len(self.inner) - 1, kind))
            self.last.append((op, "outer", number, kind))
        self.computations += ["}", ""]
        call = f"fusion(%p.{number}), kind=kLoop, calls=%fused_computation.{number}"
        self.instruction(name, self.group[-1][1], call, "fusion", self.operations[self.group[-1][0]].frames)
        self.group.clear()

    def stages(self) -> tuple[tuple[Stage, ...], tuple[Links, ...]]:
        """The finished stages and their links."""
        self.flush()
        self.instruction("copy.0", "f32[]", "copy(%p.0)", "copy", ())
        head = [
            "HloModule jit_cell, is_scheduled=true",
            "",
            *self.computations,
            "ENTRY %main (p.0: f32[]) -> f32[] {",
        ]
        instructions = [item._replace(first=item.first + 2, last=item.last + 2) for item in self.inner]
        shift = len(head)
        instructions += [
            item._replace(first=item.first + shift, last=item.last + shift) for item in self.outer
        ]
        offset = {"inner": 0, "outer": len(self.inner), "": 0}
        pairs = [
            Link(op, place + offset[where] if place >= 0 else None, kind)
            for op, where, place, kind in self.last
        ]
        pairs.append(Link(None, len(instructions) - 1, "added"))
        stages = (
            Stage(
                "jaxpr",
                "jaxpr",
                "jaxpr",
                "\n".join(["{ lambda ; . let", *self.jaxpr, "  in (a,) }"]),
                tuple(self.equations),
            ),
            Stage(
                "stablehlo",
                "StableHLO",
                "mlir",
                "\n".join(
                    ["module @jit_cell {", "  func.func public @main() {", *self.stablehlo, "  }", "}"]
                ),
                tuple(self.operations),
            ),
            Stage("hlo", "Optimised HLO", "hlo", "\n".join([*head, *self.entry, "}"]), tuple(instructions)),
        )
        return stages, (
            Links("jaxpr", "stablehlo", tuple(self.down)),
            Links("stablehlo", "hlo", tuple(pairs)),
        )


def variable(place: int) -> str:
    """The name of the n-th variable of a jaxpr: a, b, …, z, ba, bb, …

    >>> variable(0), variable(26)
    ('a', 'ba')
    """
    letters = ""
    while True:
        letters = chr(ord("a") + place % 26) + letters
        place //= 26
        if not place:
            return letters


def digits() -> Record:
    """The gradient of a small classifier's loss, as a cell."""
    b = Builder()
    call = Frame(0, 2, 9, 2, 42, "<module>")
    helper = (Frame(1, 3, 22, 3, 33, "predict"), call), (Frame(1, 3, 13, 3, 39, "predict"), call)
    affine = (Frame(1, 4, 11, 4, 22, "predict"), call)
    normal, picked, loss, unused = ((Frame(0, line, function="<module>"),) for line in (3, 4, 5, 6))
    dims = "[dimension_numbers=(([1], [0]), ([], []))]"
    b.equation(helper[0], "dot_general", "f32[32,64]", ["images", "W1"], dims, fate="alone")
    b.equation(helper[0], "add", "f32[32,64]", ["a", "b1"], operations=("broadcast_in_dim", "add"))
    b.equation(helper[1], "tanh", "f32[32,64]", ["b"], fate="copy")
    b.equation(helper[1], "integer_pow", "f32[32,64]", ["c"], "[y=2]", operations=("multiply",))
    b.equation(affine, "dot_general", "f32[32,10]", ["c", "W2"], dims, fate="alone")
    b.equation(affine, "add", "f32[32,10]", ["e", "b2"], operations=("broadcast_in_dim", "add"))
    b.equation(normal, "reduce_max", "f32[32]", ["f"], "[axes=(1,)]", operations=("reduce",), fate="alone")
    b.equation(normal, "stop_gradient", "f32[32]", ["g"], fate="remove", operations=("optimization_barrier",))
    b.equation(normal, "sub", "f32[32,10]", ["f", "h"], operations=("broadcast_in_dim", "subtract"))
    b.equation(normal, "exp", "f32[32,10]", ["i"], operations=("exponential",))
    b.equation(normal, "reduce_sum", "f32[32]", ["j"], "[axes=(1,)]", operations=("reduce",), fate="alone")
    b.equation(normal, "log", "f32[32]", ["k"])
    b.equation(picked, "eq", "f32[32,10]", ["labels", "l"], operations=("compare",))
    b.equation(picked, "mul", "f32[32,10]", ["i", "m"], operations=("multiply",))
    b.equation(picked, "reduce_sum", "f32[32]", ["n"], "[axes=(1,)]", operations=("reduce",), fate="alone")
    b.equation(loss, "reduce_sum", "f32[]", ["o"], "[axes=(0,)]", operations=("reduce",), fate="alone")
    b.equation(loss, "div", "f32[]", ["p", "32.0:f32[]"], operations=("divide",))
    b.equation(loss, "neg", "f32[]", ["q"], operations=("negate",))
    b.equation(unused, "abs", "f32[64,64]", ["W1"], fate="remove")
    b.equation(unused, "reduce_max", "f32[]", ["s"], "[axes=(0, 1)]", operations=("reduce",), fate="remove")
    b.equation(helper[0], "transpose", "f32[64,32]", ["images"], "[permutation=(1, 0)]", fate="remove")
    b.equation(helper[0], "dot_general", "f32[64,64]", ["u", "d"], dims, fate="alone")
    stages, links = b.stages()
    return Record(
        name="cell",
        kind="cell",
        transformations=(Transformation("jit"), Transformation("grad", "W1 b1 W2 b2 --value")),
        device="cpu:0",
        cell=3,
        sources=(Source("Cell In[3]", CELL), Source("Cell In[2]", HELPER)),
        stages=stages,
        links=links,
        timings=Timings(3.1e-3, 1.24e-3, 41.2e-3, 12.3e-6),
        caching=Caching("compiled", "images f32[16,64] → f32[32,64]", 0, "In[3]"),
        cost=Cost(552_100, 2_400, 68_400, 34_816, 25_600, 17_200),
        inputs=(
            Input("W1", "f32[64,64]", "traced", "an array"),
            Input("b1", "f32[64]", "traced", "an array"),
            Input("W2", "f32[64,10]", "traced", "an array"),
            Input("b2", "f32[10]", "traced", "an array"),
            Input("images", "f32[32,64]", "traced", "an array"),
            Input("labels", "i32[32]", "traced", "an array"),
            Input("predict", "<function predict>", "static", "a function, read through its own globals"),
        ),
        outputs=(
            Output("grad_W1", "f32[64,64]"),
            Output("grad_b1", "f32[64]"),
            Output("loss", "f32[]"),
            Output("", "f32[]"),
        ),
        producer="jaxlab 0.1.0, jaxlib 0.10.2",
    )


def chain(equations: int = 10_000) -> Record:
    """A straight line of that many elementwise equations from 200 source lines."""
    b = Builder()
    frames = [
        (Frame(0, 2 + line, 4, 2 + line, 20, "chain"), Frame(0, 203, 0, 203, 8, "<module>"))
        for line in range(200)
    ]
    names = ("sin", "add", "mul", "tanh", "exp")
    for place in range(equations):
        fate = "alone" if place % 10 == 9 else "remove" if place % 97 == 0 else "fuse"
        operands = [variable(max(place - 1, 0)), variable(max(place - 7, 0))]
        b.equation(frames[place * 200 // equations], names[place % 5], "f32[128,256]", operands, fate=fate)
    stages, links = b.stages()
    text = "\n".join(
        ["def chain(x):", *(f"    x = step{line}(x)" for line in range(200)), "    return x", "chain(x)"]
    )
    return Record(
        "chain",
        "function",
        (Transformation("jit"),),
        "cpu:0",
        7,
        sources=(Source("Cell In[7]", text),),
        stages=stages,
        links=links,
        timings=Timings(0.34, 0.12, 6.6, 3.2e-3),
        caching=Caching("compiled", "", 0, "In[7]"),
        cost=Cost(flops=3.3e8, bytes_accessed=2.6e9, peak_bytes=3 * 2**20),
        inputs=(Input("x", "f32[128,256]"),),
        outputs=(Output("", "f32[128,256]"),),
    )


def failed() -> Record:
    """A trace that stopped at an error: the stages up to it, and why the others are missing."""
    whole = digits()
    jaxpr = whole.stages[0]
    missing = "not reached: tracing stopped at an error"
    return Record(
        "cell",
        "cell",
        whole.transformations,
        "cpu:0",
        3,
        sources=whole.sources,
        stages=(
            Stage(jaxpr.id, jaxpr.title, jaxpr.language, jaxpr.text, jaxpr.items[:12]),
            Stage("stablehlo", "StableHLO", "mlir", note=missing),
            Stage("hlo", "Optimised HLO", "hlo", note=missing),
        ),
        timings=Timings(trace=2.2e-3),
        problems=(
            Problem(
                "error",
                "picked[picked < 0]: the shape depends on a traced value; use jnp.where",
                (Frame(0, 4, 0, 4, 9),),
            ),
            Problem("warning", "debug is never used", (Frame(0, 6),)),
        ),
        inputs=whole.inputs,
    )


def hostile() -> Record:
    """A record with markup, terminal codes, direction marks and 100 kB names in every text."""
    joined = "\n".join(HOSTILE)
    frames = (Frame(0, 1, function=HOSTILE[0]),)
    return Record(
        name=HOSTILE[0],
        kind="function",
        transformations=tuple(Transformation(text, text) for text in HOSTILE),
        device=HOSTILE[0],
        file=joined,
        sources=tuple(Source(text, joined) for text in HOSTILE),
        stages=tuple(
            Stage(
                stage,
                HOSTILE[place],
                stage,
                joined,
                tuple(Item(n + 1, n + 1, text, frames) for n, text in enumerate(HOSTILE)),
                "",
            )
            for place, stage in enumerate(("jaxpr", "mlir", "hlo"))
        ),
        links=(
            Links("jaxpr", "mlir", (Link(0, 0), Link(1, 1))),
            Links("mlir", "hlo", (Link(0, 2, "fused"),)),
        ),
        caching=Caching("compiled", joined, 0, HOSTILE[1]),
        inputs=tuple(Input(text, text, "static", text) for text in HOSTILE),
        outputs=tuple(Output(text, text) for text in HOSTILE),
        problems=tuple(Problem("error", text, frames) for text in HOSTILE),
        producer=HOSTILE[0],
    )
