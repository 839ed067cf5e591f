"""Dtypes against jax: every pair of dtypes, weak and strong, in every mode."""

from __future__ import annotations

import itertools
import pickle
import threading
import warnings

import numpy as np
import pytest
from side_by_side import answers_here, answers_of_jax

from jaxlab import caching, dtypes
from jaxlab.config import config, enable_x64, numpy_dtype_promotion

NAMES = [
    "bool", "int2", "int4", "int8", "int16", "int32", "int64", "uint2", "uint4", "uint8", "uint16", "uint32",
    "uint64", "bfloat16", "float16", "float32", "float64", "complex64", "complex128", "float8_e3m4",
    "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2",
    "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn",
]  # fmt: skip
WEAK = ["int8", "int32", "uint8", "float16", "float32", "bfloat16", "complex64", "int64", "float64"]
SCALARS = [
    "True",
    "1",
    "1.0",
    "1j",
    "int",
    "float",
    "complex",
    "bool",
    "np.float32(1)",
    "np.int64(1)",
    "np.bool_(1)",
]

STRONG_VALUES = [f"Value({n!r})" for n in NAMES]
WEAK_VALUES = [f"Value({n!r}, True)" for n in WEAK]
PAIRS = [
    *itertools.product(STRONG_VALUES, STRONG_VALUES),
    *itertools.product([*WEAK_VALUES, *SCALARS], [*STRONG_VALUES, *WEAK_VALUES, *SCALARS]),
]
TRIPLES = itertools.product(
    ["1", "Value('uint8')", "Value('float16')", "1.0"], WEAK_VALUES, ["Value('int8')", "'bfloat16'", "1j"]
)
PROMOTION = [
    f"dtypes.result_type({', '.join(args)}, return_weak_type_flag=True)" for args in [*PAIRS, *TRIPLES]
]

OTHER = [
    *(f"promote_types({a}, {b})" for a in ["int", "float", "'int8'", "'float64'"] for b in ["bool",
      "float", "'uint64'", "'bfloat16'"]),
    *(f"dtypes.canonicalize_dtype({x})" for x in ["'float64'", "float", "int", "complex", "bool", "None",
      "np.uint64", "'foo'"]),
    *(
        f"dtypes.issubdtype({a}, {b})"
        for a in ["'float32'", "ml_dtypes.bfloat16", "np.dtype(ml_dtypes.int4)", "int", "float", "bool",
          "dtypes.float0", "np.integer",
                  "dtypes.prng_key", "ml_dtypes.float8_e5m2", "np.dtype(ml_dtypes.uint2)", "'foo'", "None"]
        for b in ["np.floating", "np.inexact", "np.signedinteger", "np.unsignedinteger", "np.number",
          "np.generic", "float", "'float32'",
                  "dtypes.extended", "ml_dtypes.bfloat16", "np.bool_", "'floating'"]
    ),
    *(f"dtypes.scalar_type_of({x})" for x in ["1", "True", "np.dtype(ml_dtypes.bfloat16)", "np.int8(1)",
      "1j", "'foo'", "object()", "dtypes.float0"]),
    *(f"dtypes.itemsize_bits(np.dtype({x}))" for x in ["ml_dtypes.int4", "ml_dtypes.float4_e2m1fn", "bool",
      "'complex64'", "ml_dtypes.bfloat16"]),
    *(f"dtypes.finfo({x}).max" for x in ["ml_dtypes.bfloat16", "'float32'", "ml_dtypes.float8_e4m3fn",
      "'int8'"]),
    *(f"dtypes.iinfo({x}).max" for x in ["ml_dtypes.int4", "'uint8'", "float", "bool"]),
    *(f"dtypes.result_type({x})" for x in ["", "None", "1", "'foo'", "object()", "()", "np.array('a')",
      "np.datetime64(1, 's')", "[1]"]),
]  # fmt: skip

TABLES = {
    "x64 off": (PROMOTION + OTHER, False, "standard"),
    "x64 on": (PROMOTION + OTHER, True, "standard"),
    "strict": (PROMOTION, False, "strict"),
}


@pytest.fixture(scope="module")
def jax_says() -> dict[str, list[str]]:
    return dict(zip(TABLES, answers_of_jax(list(TABLES.values()))))


@pytest.mark.parametrize("mode", TABLES)
def test_same_as_jax(mode: str, jax_says: dict[str, list[str]]) -> None:
    expressions, x64, promotion = TABLES[mode]
    names = {"dtypes": dtypes, "promote_types": dtypes.promote_types}
    ours = answers_here(expressions, names, x64, promotion)
    wrong = [(e, a, b) for e, a, b in zip(expressions, ours, jax_says[mode]) if a != b]
    assert not wrong, f"{len(wrong)} of {len(expressions)}: {wrong[:10]}"


@pytest.mark.parametrize(
    "dtype, name",
    [
        ("float32", "f32"), (dtypes.bfloat16, "bf16"), (dtypes.int4, "i4"), ("uint8", "u8"), ("bool", "bool"),
        ("complex64", "c64"),
        (dtypes.float8_e4m3fn, "f8_e4m3fn"), (dtypes.float4_e2m1fn, "f4_e2m1fn"), (dtypes.float0, "float0"),
        (dtypes.KeyType("threefry2x32"), "key<fry>"), (dtypes.KeyType("rbg"), "key<rbg>"),
        (dtypes.KeyType("unsafe_rbg"), "key<urbg>"),
    ],
)  # fmt: skip
def test_short_name(dtype: object, name: str) -> None:
    assert dtypes.short_name(dtypes.as_dtype(dtype)) == name


def test_key_types_are_values() -> None:
    key = dtypes.KeyType("threefry2x32")
    assert (
        key == dtypes.KeyType("threefry2x32") != dtypes.KeyType("rbg")
        and pickle.loads(pickle.dumps(key)) == key
    )
    assert (key.itemsize, str(key), key.type, {key: 1}[key]) == (8, "key<fry>", dtypes.prng_key, 1)
    assert dtypes.issubdtype(key, dtypes.prng_key) and dtypes.issubdtype(key, dtypes.extended)
    assert not dtypes.issubdtype(key, np.number) and key != np.dtype("float32")
    assert dtypes.canonicalize(key) is key
    with pytest.raises(ValueError, match="algorithm is one of threefry2x32"):
        dtypes.KeyType("dice")


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda: dtypes.check_fits(2**31, dtypes.int32),
         OverflowError, "Python integer 2147483648 too large to convert to int32"),
        (lambda: dtypes.check_fits(-1, dtypes.uint8),
         OverflowError, "Python integer -1 too large to convert to uint8"),
        (lambda: dtypes.promote_types("int8", dtypes.int4),
         dtypes.TypePromotionError, r"int4 and int8 .* \.astype|astype"),
        (lambda: dtypes.promote_types(dtypes.float0, "int8"),
         ValueError, "only booleans and numbers"),
        (lambda: dtypes.result_type(dtypes.KeyType("rbg"), 1),
         ValueError, "key<rbg>"),
        (lambda: dtypes.canonicalize_requested(str, "zeros"),
         TypeError, "zeros: dtype str"),
    ],
)  # fmt: skip
def test_errors(call, error, text) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_narrowed_request_warns() -> None:
    with pytest.warns(UserWarning, match="Explicitly requested dtype float64 is not available") as caught:
        assert dtypes.canonicalize_requested("float64", "zeros", stacklevel=1) == np.float32
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dtypes.canonicalize_requested(float, "zeros") == np.float32
        with enable_x64(True):
            assert dtypes.canonicalize_requested("float64", "zeros") == np.float64


def test_modes_belong_to_their_thread() -> None:
    inside, seen = threading.Barrier(2), []

    def other() -> None:
        with enable_x64(True), numpy_dtype_promotion("strict"):
            seen.append(dtypes.canonicalize("float64"))
            inside.wait()
            inside.wait()
            seen.append(dtypes.python_scalar_dtype(int))

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
    here = dtypes.canonicalize("float64"), dtypes.promote_pair(dtypes.int8, False, dtypes.float32, False)
    inside.wait()
    thread.join()
    assert here == (dtypes.float32, (dtypes.float32, False)) and seen == [dtypes.float64, dtypes.int64]


def test_global_modes_and_cleared_tables() -> None:
    try:
        config.update("jax_enable_x64", True)
        assert dtypes.canonicalize(float) == np.float64 and dtypes.python_scalar_dtype(int) == np.int64
        with enable_x64(False):
            assert dtypes.canonicalize(float) == np.float32
        assert dtypes.canonicalize(float) == np.float64
    finally:
        config.update("jax_enable_x64", False)
    assert dtypes.canonicalize(float) == np.float32
    caching.clear_all()
    assert dtypes.promote_pair(dtypes.int8, False, dtypes.float32, True) == (dtypes.float32, True)
