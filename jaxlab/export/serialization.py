"""An exported function as bytes, and back: a format of our own, with nothing in it that is run when it is read.

    8 bytes      ``JLEXPORT``
    2 bytes      the version of the format, little-endian
    32 bytes     SHA-256 of everything that follows
    4 bytes      the length of the header, little-endian
    header       JSON: names, types, structures, and the lengths of the parts
    parts        the modules (portable StableHLO artifacts), then the exported reverse-mode derivative, if
                 there is one, which is bytes of the same kind

Modules that are the same for several platforms are written once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray
from jaxlab.export.structures import from_data, to_data

MAGIC = b"JLEXPORT"
VERSION = 1

_FIXED = len(MAGIC) + 2 + 32


def pack(fields: dict[str, Any], modules: Sequence[bytes], vjp: bytes | None) -> bytes:
    """The bytes of an exported function."""
    distinct = list(dict.fromkeys(modules))
    parts = [*distinct, *([] if vjp is None else [vjp])]
    header = {
        **fields,
        "in_tree": to_data(fields["in_tree"]),
        "out_tree": to_data(fields["out_tree"]),
        "in_avals": [_aval_data(aval) for aval in fields["in_avals"]],
        "out_avals": [_aval_data(aval) for aval in fields["out_avals"]],
        "modules": [distinct.index(module) for module in modules],
        "lengths": [len(part) for part in parts],
        "has_vjp": vjp is not None,
    }
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    body = len(text).to_bytes(4, "little") + text + b"".join(parts)
    return MAGIC + VERSION.to_bytes(2, "little") + hashlib.sha256(body).digest() + body


def unpack(data: bytes) -> tuple[dict[str, Any], list[bytes], bytes | None]:
    """What `pack` was given.

    Raises:
      ValueError: if the bytes are not of this kind or this version, or were damaged.
    """
    if len(data) < _FIXED or data[: len(MAGIC)] != MAGIC:
        raise ValueError(
            f"deserialize: {len(data)} bytes were given that do not begin with {MAGIC.decode()}, but an exported "
            "function is needed; pass what Exported.serialize returned"
        )
    version = int.from_bytes(data[len(MAGIC) : len(MAGIC) + 2], "little")
    if version != VERSION:
        raise ValueError(
            f"deserialize: format {version} was given, but this version of jaxlab reads format {VERSION}; export the "
            "function again"
        )
    checksum, body = data[len(MAGIC) + 2 : _FIXED], data[_FIXED:]
    if hashlib.sha256(body).digest() != checksum:
        raise ValueError(
            "deserialize: the bytes given are damaged, since they do not have the checksum that was written with "
            "them; export the function again"
        )
    try:
        return _parts(body)
    except (KeyError, IndexError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(
            "deserialize: the bytes given have the right checksum, but not the fields of an exported function; export "
            "the function again"
        ) from error


def _parts(body: bytes) -> tuple[dict[str, Any], list[bytes], bytes | None]:
    start = 4 + int.from_bytes(body[:4], "little")
    header = json.loads(body[4:start])
    parts = []
    for length in header["lengths"]:
        parts.append(body[start : start + length])
        start += length
    vjp = parts.pop() if header["has_vjp"] else None
    fields = {
        **header,
        "in_tree": from_data(header["in_tree"]),
        "out_tree": from_data(header["out_tree"]),
        "in_avals": tuple(_aval(each) for each in header["in_avals"]),
        "out_avals": tuple(_aval(each) for each in header["out_avals"]),
    }
    return fields, [parts[i] for i in header["modules"]], vjp


def _aval_data(aval: ShapedArray) -> list[Any]:
    dtype = aval.dtype
    name = f"key<{dtype.impl}>" if isinstance(dtype, dtypes.KeyType) else dtype.name
    return [list(aval.shape), "float0" if dtype == dtypes.float0 else name, aval.weak_type]


def _aval(data: list[Any]) -> ShapedArray:
    shape, name, weak_type = data
    dtype: Any
    if name.startswith("key<"):
        dtype = dtypes.KeyType(name[4:-1])
    else:
        dtype = dtypes.float0 if name == "float0" else dtypes.as_dtype(name)
    return ShapedArray(tuple(shape), dtype, weak_type)
