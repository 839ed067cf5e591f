"""Laws of effects: which calls happen, how often and in which order, whatever is done to the program."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jaxlab
import jaxlab.numpy as jnp
from jaxlab import checkpoint, grad, jit, jvp, lax, linearize, vjp, vmap
from jaxlab.experimental import io_callback
from jaxlab.interpreters import lowering
from jaxlab.runtime import compiler

X = jnp.float32(3.0)
V = jnp.arange(3.0)

calls: list[Any] = []


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


def note(x: Any, **options: Any) -> None:
    jaxlab.debug.callback(lambda v: calls.append(np.asarray(v).tolist()), x, **options)


def twice(x: Any) -> Any:
    """A program that notes its argument, and what it computes of it, in this order."""
    note(x, ordered=True)
    y = x * x
    note(y, ordered=True)
    return y + x


def scanned(x: Any) -> Any:
    return lax.scan(lambda c, _: (twice(c) / c, None), x, None, length=1)[0] * x


def looped(x: Any) -> Any:
    return lax.while_loop(lambda s: s[0] < 1, lambda s: (s[0] + 1, twice(s[1])), (0, x))[1]


def branched(x: Any) -> Any:
    return lax.cond(x > 0, twice, lambda x: x, x)


@jaxlab.custom_jvp
def ruled(x: Any) -> Any:
    return twice(x)


ruled.defjvp(lambda primals, ts: (ruled(*primals), ts[0] * 7))

WRAPPINGS: dict[str, Callable[[Any], Any]] = {
    "itself": twice,
    "jit": jit(twice),
    "jit of jit": jit(lambda x: jit(twice)(x)),
    "scan": scanned,
    "while": looped,
    "cond": branched,
    "custom_jvp": ruled,
    "jit of custom_jvp": jit(ruled),
}

FORWARD: dict[str, Callable[[Any, Any], Any]] = {
    "call": lambda f, x: f(x),
    "jit": lambda f, x: jit(f)(x),
    "jvp": lambda f, x: jvp(f, (x,), (x,)),
    "jit of jvp": lambda f, x: jit(lambda x: jvp(f, (x,), (x,)))(x),
    "jvp of jit": lambda f, x: jvp(jit(f), (x,), (x,)),
    "vmap": lambda f, x: vmap(f)(x[None]),
    "jit of vmap": lambda f, x: jit(vmap(f))(x[None]),
    "jacfwd": lambda f, x: jaxlab.jacfwd(f)(x),
    "lambda of jit in jit": lambda f, x: jit(lambda x: jit(f)(x) + 1)(x),
}

REVERSE: dict[str, Callable[[Any, Any], Any]] = {
    "grad": lambda f, x: grad(f)(x),
    "jit of grad": lambda f, x: jit(grad(f))(x),
    "grad of jit": lambda f, x: grad(jit(f))(x),
    "vjp": lambda f, x: vjp(f, x)[1](x),
    "linearize": lambda f, x: linearize(f, x)[1](x),
    "vmap of grad": lambda f, x: vmap(grad(f))(x[None]),
    "grad of grad": lambda f, x: grad(grad(f))(x),
    "value_and_grad": lambda f, x: jaxlab.value_and_grad(f)(x),
    "jacrev": lambda f, x: jaxlab.jacrev(f)(x),
    "hessian": lambda f, x: jaxlab.hessian(f)(x),
}


@pytest.mark.parametrize("transformation", FORWARD)
@pytest.mark.parametrize("program", WRAPPINGS)
def test_calls_happen_once_and_in_order(program: str, transformation: str) -> None:
    FORWARD[transformation](WRAPPINGS[program], X)
    assert calls == [3.0, 9.0]


@pytest.mark.parametrize("transformation", REVERSE)
@pytest.mark.parametrize("program", [name for name in WRAPPINGS if name != "while"])
def test_calls_happen_in_the_forward_pass(program: str, transformation: str) -> None:
    REVERSE[transformation](WRAPPINGS[program], X)
    assert calls == [3.0, 9.0]


@pytest.mark.parametrize("program", WRAPPINGS)
def test_calls_happen_at_every_run(program: str) -> None:
    compiled = jit(WRAPPINGS[program])
    for _ in range(3):
        compiled(X)
    assert calls == [3.0, 9.0] * 3


@pytest.mark.parametrize("program", [name for name in WRAPPINGS if name not in ("while", "cond")])
def test_each_slice_makes_its_calls(program: str) -> None:
    for f in (vmap(WRAPPINGS[program]), jit(vmap(WRAPPINGS[program])), vmap(jit(WRAPPINGS[program]))):
        calls.clear()
        f(V + 1)
        assert calls == [1.0, 2.0, 3.0, 1.0, 4.0, 9.0]


def test_a_step_that_shows_what_no_step_changes_shows_it_each_time() -> None:
    def f(w: Any) -> Any:
        return lax.scan(lambda c, _: (note(w), (c * w, None))[1], 1.0, None, length=3)[0]

    assert grad(f)(jnp.float32(2)) == 12.0
    assert calls == [2.0] * 3


def test_checkpoint_shows_again_what_it_computes_again() -> None:
    grad(checkpoint(twice))(X)
    assert calls == [3.0, 9.0, 3.0, 9.0]
    calls.clear()
    checkpoint(twice)(X)
    assert calls == [3.0, 9.0]


def test_io_happens_once_under_checkpoint() -> None:
    def f(x: Any) -> Any:
        io_callback(lambda: calls.append("io"), None)
        return jnp.sin(x) * x

    grad(checkpoint(f))(X)
    assert calls == ["io"]


def test_pure_calls_that_nobody_reads_are_not_made() -> None:
    def f(x: Any) -> Any:
        for make in (jaxlab.pure_callback, io_callback):
            make(lambda v, make=make: calls.append(make.__name__) or v, x, x)
        return x

    jit(f)(X)
    lax.scan(lambda c, x: (f(x), None), X, V)
    assert calls == ["io_callback"] * 4


def test_ordered_calls_of_all_kinds_keep_one_order() -> None:
    @jit
    def f(x: Any) -> Any:
        for i in range(3):
            note(10 * i, ordered=True)
            x = io_callback(lambda v, i=i: calls.append(10 * i + 1) or v, x, x, ordered=True)
            jaxlab.debug.callback(lambda i=i: calls.append(10 * i + 2), ordered=True)
        return x

    f(X)
    assert calls == [0, 1, 2, 10, 11, 12, 20, 21, 22]


def test_a_mapped_loop_with_an_ordered_condition() -> None:
    def f(n: Any) -> Any:
        return lax.while_loop(lambda c: (note(c, ordered=True), c < n)[1], lambda c: c + 1, 0)

    assert vmap(f)(jnp.arange(3)).tolist() == [0, 1, 2]
    assert calls[:6] == [0, 0, 0, 0, 1, 1]


def test_one_function_called_twice_is_one_in_the_module() -> None:
    inner = jit(twice)
    lowered = jit(lambda x: inner(inner(x))).lower(X)
    assert lowered.as_text().count("func.func private @twice") == 1
    assert "!stablehlo.token" in lowered.as_text()
    lowered.compile()(X)
    assert calls == [3.0, 9.0, 12.0, 144.0]


class Mine(Exception):
    """An error of the user's."""


def fail(x: Any) -> Any:
    raise Mine(float(x)) from KeyError("cause")


@pytest.mark.parametrize("make", [jaxlab.pure_callback, io_callback])
@pytest.mark.parametrize("wrap", [lambda f: f, jit, lambda f: jit(lambda x: lax.map(f, x[None]))])
def test_the_exception_itself_is_raised_by_the_call(make: Any, wrap: Any) -> None:
    f = wrap(lambda x: make(fail, x, x))
    for _ in range(2):
        with pytest.raises(Mine) as caught:
            f(X)
        assert caught.value.args == (3.0,)
        assert isinstance(caught.value.__cause__, KeyError)
        assert caught.traceback[-1].name == "fail"


def test_the_exception_says_which_line_made_the_call() -> None:
    with pytest.raises(Mine) as caught:
        jit(lambda x: jaxlab.pure_callback(fail, x, x))(X)
    (said,) = caught.value.__notes__
    assert said.startswith("pure_callback of fail, called at ") and "test_callbacks.py:" in said


def test_an_exception_in_a_thread_of_the_users() -> None:
    raised: list[BaseException] = []

    def work() -> None:
        try:
            jit(lambda x: jaxlab.pure_callback(fail, x, x))(X)
        except Mine as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(raised) == 1


def test_an_error_of_one_program_is_not_that_of_the_next() -> None:
    with pytest.raises(Mine):
        jit(lambda x: jaxlab.pure_callback(fail, x, x))(X)
    assert jit(lambda x: jaxlab.pure_callback(np.sin, x, x))(X) == np.sin(np.float32(3))


def test_a_callback_may_use_arrays_and_compile() -> None:
    inner = jit(lambda x: jnp.sin(x) + 1)
    out = jit(lambda x: jaxlab.pure_callback(lambda v: inner(v).at[0].set(v[1]), x, x))(V)
    assert out.tolist() == pytest.approx([1.0, 1 + np.sin(1), 1 + np.sin(2)])


def test_what_a_callback_keeps_stays_as_it_was() -> None:
    f = jit(lambda x: jaxlab.debug.callback(calls.append, x))
    for i in range(3):
        f(V + i)
    assert [x.tolist() for x in calls] == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]


def test_keys_are_keys_in_a_callback() -> None:
    key = jaxlab.random.key(3)
    jit(lambda k: jaxlab.debug.callback(calls.append, k))(key)
    (seen,) = calls
    assert jaxlab.random.uniform(seen) == jaxlab.random.uniform(key)


def test_a_program_is_traced_and_compiled_once_and_never_stored() -> None:
    phases: list[str] = []
    remove = compiler.on_phase(lambda name, phase, event: phases.append(phase) if event == "start" else None)
    try:
        f = jit(lambda x: jaxlab.pure_callback(np.sin, x, x))
        for _ in range(3):
            f(X)
    finally:
        remove()
    assert phases.count("compile") == 1 and "load" not in phases


def test_printed_lines(capsys: pytest.CaptureFixture[str]) -> None:
    @jit
    def f(x: Any) -> None:
        jaxlab.debug.print("{x} {y[0]:.2f} {} {}", x[0], "text", x=x, y=[x[1]], ordered=True)
        jaxlab.debug.print("plain", ordered=True)
        jaxlab.debug.print(ordered=True)("{!r}", x[2])
        jaxlab.debug.print("bare", x[1], skip_format_check=True, ordered=True)

    with np.printoptions(precision=1):
        f(V / 3)
    f(V / 3)
    lines = ["[0.  0.3 0.7] 0.33 0.0 text", "plain", "Array(0.7, dtype=float32)", "bare 0.33333334"]
    assert capsys.readouterr().out.splitlines() == lines * 2


def test_a_log_record_names_the_line(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("jaxlab.debug")
    with caplog.at_level(logging.INFO, logger="jaxlab.debug"):
        jit(lambda x: jaxlab.debug.log("x is {x}", x=x))(X)
    (record,) = caplog.records
    assert record.getMessage() == "x is 3.0" and record.name == logger.name
    assert record.pathname.endswith("test_callbacks.py") and record.lineno > 1


def test_the_barrier_waits_for_other_threads() -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(x: Any) -> Any:
        started.set()
        go_on.wait(10)
        calls.append("done")
        return x

    program = jit(lambda x: io_callback(slow, x, x))
    thread = threading.Thread(target=lambda: program(X))
    thread.start()
    assert started.wait(10)
    threading.Timer(0.1, go_on.set).start()
    jaxlab.effects_barrier()
    thread.join()
    assert calls == ["done"]


def text_for(platform: str, f: Callable[[Any], Any]) -> str:
    closed = jaxlab.make_jaxpr(f)(V)
    return str(lowering.lower_program(closed, name="f", platform=platform).module)


def test_gpus_call_python_by_a_call_of_their_own() -> None:
    text = text_for("cuda", lambda x: (note(x, ordered=True), jaxlab.pure_callback(np.sin, x, x))[1])
    first, second = [line for line in text.splitlines() if "custom_call" in line]
    assert "@xla_ffi_python_gpu_callback(%0, %arg0)" in first and "has_side_effect = true" in first
    assert "!stablehlo.token" in first and "index = 0 : ui64" in first
    assert "@xla_ffi_python_gpu_callback(%arg0)" in second and "has_side_effect" not in second


def test_tpus_cannot_call_python() -> None:
    with pytest.raises(
        NotImplementedError, match=r"^pure_callback of sin: a program for tpu was given, but only"
    ):
        text_for("tpu", lambda x: jaxlab.pure_callback(np.sin, x, x))


def test_each_device_may_make_its_own_call() -> None:
    f = jit(lambda x: note(x, partitioned=True))
    assert "@xla_ffi_partitioned_python_cpu_callback" in f.lower(V).as_text()
    f(V)
    assert calls == [[0.0, 1.0, 2.0]]


def test_a_program_compiled_ahead_raises_the_exception_too() -> None:
    compiled = jit(lambda x: jaxlab.pure_callback(fail, x, x)).lower(X).compile()
    for _ in range(2):
        with pytest.raises(Mine):
            compiled(X)
