"""With `jax` in the same process, in either import order, here and with the newest jaxlib that is there."""

import sys
from pathlib import Path

import pytest

NEWEST = Path(__file__).parents[2] / ".venv-newest/bin/python"
PYTHONS = [sys.executable]

OPERATORS = """
import numpy as np
from jaxlab import tree
from jaxlab.core.aval import ShapedArray
from jaxlab.runtime import backend
from jaxlab.runtime.array import attach, put
from tests.runtime.programs import add_module, compiled, dispatch
device = backend.client("cpu").local_devices()[0]
misses = []
add = dispatch(compiled(add_module(), device).executable, device, misses)
attach("__add__", add)
attach("twice", lambda self: self + self)
attach("four", property(lambda self: 4))
"""

CHECKS = """
import copy, pickle
import numpy as np, jax, jax.numpy as jnp
from jaxlab.config import config, enable_x64, disable_jit
from jaxlab.runtime.array import host_value
ours = put(np.arange(4, dtype=np.float32))
theirs = jnp.arange(4.0)

# Each side's attributes on its own arrays.
assert (ours + ours).tolist() == [0, 2, 4, 6] and (ours + ours).tolist() == [0, 2, 4, 6]
assert ours.twice().tolist() == [0, 2, 4, 6] and ours.four == 4
assert type(ours.aval) is ShapedArray and ours.aval.str_short() == "f32[4]"
assert repr(ours) == repr(theirs) == "Array([0., 1., 2., 3.], dtype=float32)", (repr(ours), repr(theirs))
assert (theirs * 2 + 1).sum() == 16 and theirs[1:3].shape == (2,) and theirs[0] == 0
assert theirs.at[0].set(5)[0] == 5 and (-theirs).tolist() == [0, -1, -2, -3]
assert jnp.stack([theirs, theirs]).T.shape == (4, 2) and len(list(theirs)) == 4
assert (theirs @ theirs) == 14 and 3.0 in theirs and round(theirs)[1] == 1
assert float(theirs[1]) == 1.0 and bool(theirs[1]) and int(theirs[2]) == 2 and f"{theirs[1]:.2f}" == "1.00"
assert theirs.astype(jnp.int32).dtype == jnp.int32 and theirs.reshape(2, 2).mean() == 1.5
for name in ("twice", "four"):
    assert not hasattr(theirs, name), name
assert not hasattr(ours, "_multi_slice")
import jaxlab, jaxlab.numpy as lnp
assert (ours * 2).sum() == 12 and ours[1:3].shape == (2,) and ours[0] == 0 and ours.mean() == 1.5
assert ours.at[0].set(5)[0] == 5 and (-ours).tolist() == [0, -1, -2, -3] and (ours @ ours) == 14
assert jaxlab.grad(lambda x: (lnp.sin(x) ** 2).sum())(ours).shape == (4,)
assert jaxlab.jit(lambda x: x[1:] - x[:-1])(ours).tolist() == [1, 1, 1]
assert not isinstance(theirs, jaxlab.Array) and isinstance(ours, jaxlab.Array)
for x in (ours, theirs):
    for y in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)):
        assert type(y.aval) is type(x.aval) and y.tolist() == x.tolist()
    try:
        hash(x)
    except TypeError as error:
        assert "unhashable" in str(error)
    else:
        raise AssertionError("hashable")
    assert np.asarray(x).tolist() == [0, 1, 2, 3] and np.from_dlpack(x).tolist() == [0, 1, 2, 3]
    assert x.is_ready() and x.block_until_ready() is x and x.devices()
    assert x.__array_priority__ == 100

# jax's transformations.
assert jax.grad(lambda x: (x ** 2).sum())(theirs).tolist() == [0, 2, 4, 6]
assert jax.jit(lambda x: jnp.sin(x) + x)(theirs).shape == (4,)
assert jax.lax.scan(lambda c, x: (c + x, c), 0.0, theirs)[0] == 6
assert jax.vmap(lambda x: x + 1)(theirs).tolist() == [1, 2, 3, 4]

# Mixed operands: loud, never wrong; numpy and dlpack go between.
for mixed in (lambda: theirs + ours, lambda: jax.jit(lambda x: x + 1)(ours), lambda: jnp.sin(ours)):
    try:
        mixed()
    except Exception as error:
        assert not isinstance(error, (SystemError, MemoryError)), error
    else:
        raise AssertionError("a mix of arrays was accepted")
assert put(theirs).tolist() == [0, 1, 2, 3] and type(put(theirs, ours.aval).aval) is ShapedArray
assert jnp.asarray(np.asarray(ours)).tolist() == [0, 1, 2, 3]
assert jnp.from_dlpack(ours).tolist() == [0, 1, 2, 3]
from jaxlab.runtime.array import from_dlpack
assert type(from_dlpack(theirs).aval) is ShapedArray

# One x64 switch, whoever turns it.
def both():
    return config.enable_x64, jax.config.jax_enable_x64
assert both() == (False, False)
with enable_x64(True):
    assert both() == (True, True)
    assert put(1.0).dtype == np.float64 and jnp.asarray(1.0).dtype == np.float64
    assert (jnp.arange(3.0) + 1).dtype == np.float64 and (ours + ours).tolist() == [0, 2, 4, 6]
assert both() == (False, False)
for _ in range(3):
    with jax.enable_x64(True):
        assert both() == (True, True)
        assert put(1.0).dtype == np.float64
        assert jax.jit(lambda x: x * 2)(jnp.arange(3.0)).dtype == np.float64
        with enable_x64(False):
            assert both() == (False, False) and jnp.asarray(1.0).dtype == np.float32
        assert both() == (True, True)
    assert both() == (False, False) and put(1.0).dtype == np.float32
    assert jax.jit(lambda x: x * 2)(jnp.arange(3.0)).dtype == np.float32
jax.config.update("jax_enable_x64", True)
assert both() == (True, True)
config.update("enable_x64", False)
assert both() == (False, False) and jnp.asarray(1.0).dtype == np.float32

# One switch for disable_jit, too.
with jax.disable_jit():
    assert config.disable_jit and add(ours, ours) == "in python"
with disable_jit():
    assert jax.config.jax_disable_jit and add(ours, ours) == "in python"
assert not config.disable_jit and add(ours, ours).tolist() == [0, 2, 4, 6]
with jax.debug_nans(True):
    assert add(ours, ours).tolist() == [0, 2, 4, 6]

# Deleted arrays of either side.
for x in (ours, theirs):
    x.delete()
    for use in (lambda x: x.is_ready(), lambda x: x.clone(), repr) if x is ours else (repr,):
        try:
            use(x)
        except RuntimeError as error:
            assert "deleted" in str(error)
        else:
            raise AssertionError("a deleted array was used")
print("fine")
"""


@pytest.fixture(params=["this", "newest"])
def python(request):
    if request.param == "this":
        pytest.importorskip("jax")
        return sys.executable
    if not NEWEST.exists():
        pytest.skip("no environment with the newest jaxlib is here")
    return str(NEWEST)


@pytest.mark.parametrize("order", ["jaxlab first", "jax first", "jax between"])
def test_either_order(run_python, python, order):
    if order == "jaxlab first":
        code = OPERATORS + "import jax\n" + CHECKS
    elif order == "jax first":
        code = "import jax, jax.numpy\n" + OPERATORS + CHECKS
    else:  # some of our attributes are attached when jax is there already
        code = "from jaxlab.runtime import array\nimport jax\n" + OPERATORS + CHECKS
    assert run_python(code, python=python).stdout == "fine\n"


def test_x64_turned_on_before_the_other_is_imported(run_python):
    pytest.importorskip("jax")
    check = (
        "assert config.enable_x64 and jax.config.jax_enable_x64\nassert jax.numpy.ones(2).dtype == 'float64'"
    )
    ours_first = "from jaxlab.config import config\nfrom jaxlab.runtime import array\n"
    run_python(ours_first + "config.update('enable_x64', True)\nimport jax\n" + check)
    run_python(ours_first + "import jax\n" + check, JAX_ENABLE_X64="1")
    run_python("import jax\njax.config.update('jax_enable_x64', True)\n" + ours_first + check)
    run_python("import jax\n" + ours_first + check, JAXLAB_ENABLE_X64="1")


def test_an_import_of_jax_that_fails_leaves_ours_intact(run_python, tmp_path):
    (tmp_path / "jax").mkdir()
    (tmp_path / "jax" / "__init__.py").write_text(
        "from jaxlib import _jax\n"
        "_jax.ArrayImpl.shape = property(lambda self: 'theirs')\n"
        "_jax.ArrayImpl.other = 1\n"
        "raise RuntimeError('no')\n"
    )
    run_python(f"""
import sys
import numpy as np
from jaxlab.runtime.array import put
sys.path.insert(0, {str(tmp_path)!r})
x = put(np.ones(4, np.float32))
for _ in range(2):
    try:
        import jax
    except RuntimeError:
        pass
    assert x.shape == (4,) and not hasattr(x, "other") and repr(x) == "Array([1., 1., 1., 1.], dtype=float32)"
""")


def test_nothing_here_imports_jax_or_scipy(run_python):
    loaded = run_python(
        "import sys\nfrom jaxlab.runtime import array, compiler, execution, selftest\nselftest.run()\n"
        "print([n for n in ('jax', 'scipy', 'jaxlib.mlir.dialects', 'jaxlib.lapack') if n in sys.modules])"
    ).stdout
    assert loaded == "[]\n"


def test_looking_for_jax_does_not_disturb_it(run_python):
    pytest.importorskip("jax")
    run_python("""
from jaxlab.runtime import array
import importlib.util, sys
spec = importlib.util.find_spec("jax")
assert spec.origin.endswith("__init__.py") and spec.loader.get_filename("jax") == spec.origin
assert "jax" not in sys.modules
import jax
assert jax.__spec__.loader.__class__.__name__ == "SourceFileLoader"
assert not any("coexistence" in type(finder).__module__ for finder in sys.meta_path)
""")
