"""Writing StableHLO operations by name, with cached types and attributes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxlib.mlir import ir

from jaxlab.core.aval import ShapedArray
from jaxlab.elements import float0
from jaxlab.stablehlo.context import SMALL_INTEGERS, MLIRContext, element_type, mlir_context

_ALL_AXES = tuple(range(64))
# Scalars of these types are equal only where their bits are, or zero.
_EXACT = (int, float, np.float32, np.int32)
_create = ir.Operation.create


class Builder:
    """Appends operations at an insertion point.

    The location of what is built is ``self.location``; lowering sets it for each equation. Scalar constants,
    and their broadcasts, are written once a block and used again.
    """

    __slots__ = ("_scalars", "_shared", "ip", "locate", "location")

    def __init__(self, shared: MLIRContext, ip: Any) -> None:
        self._shared = shared
        self.locate = shared.locate
        self.ip = ip
        self.location: Any = shared.unknown
        self._scalars: dict[Any, Any] = {}

    def type(self, aval: ShapedArray) -> Any:
        """The tensor type of an aval."""
        return self.tensor(aval.shape, aval.dtype)

    def tensor(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """``tensor<shape x dtype>``; typed keys are tensors of their words."""
        types = self._shared.types
        known = types.get((shape, dtype))
        if known is None:
            if not isinstance(dtype, np.dtype):
                full = shape + dtype.key_shape
                known = ir.RankedTensorType.get(
                    full, self.element(np.dtype(np.uint32)), loc=self._shared.unknown
                )
            else:
                known = ir.RankedTensorType.get(shape, self.element(dtype), loc=self._shared.unknown)
            types[shape, dtype] = known
        return known

    def shape_of(self, value: Any) -> tuple[int, ...]:
        """The shape of a value that was built."""
        return tuple(value.type.shape)

    def element(self, dtype: Any) -> Any:
        """The element type of a dtype."""
        types = self._shared.types
        known = types.get(dtype)
        if known is None:
            with self._shared.context:
                known = types[dtype] = element_type(dtype)
        return known

    @property
    def token(self) -> Any:
        """The type of tokens, which keep operations in an order."""
        types = self._shared.types
        known = types.get("token")
        if known is None:
            known = types["token"] = ir.Type.parse("!stablehlo.token", context=self._shared.context)
        return known

    def i64s(self, values: Sequence[int]) -> Any:
        """``array<i64: ...>``."""
        key = tuple(values)
        attributes = self._shared.attributes
        known = attributes.get(key)
        if known is None:
            known = attributes[key] = ir.DenseI64ArrayAttr.get(key, context=self._shared.context)
        return known

    def i64s_named(self, name: str, values: tuple[int, ...]) -> dict[str, Any]:
        """The attributes of an operation that has one alone, ``array<i64: ...>``."""
        attributes = self._shared.attributes
        known = attributes.get((name, values))
        if known is None:
            known = attributes[name, values] = {name: self.i64s(values)}
        return known

    def i64(self, value: int) -> Any:
        """An ``i64`` attribute."""
        return self.parse(f"{value} : i64")

    def i32(self, value: int) -> Any:
        """An ``i32`` attribute."""
        return self.parse(f"{value} : i32")

    def flag(self, value: bool) -> Any:
        """A boolean attribute."""
        return self.parse("true" if value else "false")

    def string(self, value: str) -> Any:
        """A string attribute."""
        return ir.StringAttr.get(value, context=self._shared.context)

    def parse(self, text: str) -> Any:
        """Any attribute from its text, parsed once a context: ``#stablehlo<comparison_direction LT>``."""
        attributes = self._shared.attributes
        known = attributes.get(text)
        if known is None:
            known = attributes[text] = ir.Attribute.parse(text, context=self._shared.context)
        return known

    def op(
        self,
        name: str,
        results: Sequence[Any],
        operands: Sequence[Any],
        attributes: dict[str, Any] | None = None,
        regions: int = 0,
    ) -> Any:
        """Append an operation and return it."""
        return _create(name, results, operands, attributes, regions=regions, loc=self.location, ip=self.ip)

    def value(self, name: str, result: Any, *operands: Any, **attributes: Any) -> Any:
        """Append an operation with one result and return that."""
        return _create(name, [result], operands, attributes or None, loc=self.location, ip=self.ip).result

    def plain(
        self, name: str, result: Any, operands: Sequence[Any], attributes: dict[str, Any] | None = None
    ) -> Any:
        """`value` with operands and attributes as they are, for the operations of which programs have most."""
        return _create(name, [result], operands, attributes, loc=self.location, ip=self.ip).result

    def attributes(self, key: Any, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The attributes of operations with one set of parameters, ``key``, made once a context."""
        known = self._shared.attributes.get(key)
        if known is None:
            known = self._shared.attributes[key] = make()
        return known

    def constant(self, x: Any, dtype: Any = None) -> Any:
        """A constant from a NumPy array, NumPy scalar or Python scalar of known dtype."""
        scalars = self._scalars
        quick = (type(x), x, dtype) if type(x) in _EXACT and x else None  # 0.0 equals -0.0
        if quick is not None:
            known = scalars.get(quick)
            if known is not None:
                return known
        array = np.zeros(np.shape(x), np.bool_) if dtype == float0 else np.asarray(x, dtype)
        if array.shape:
            return self._constant(self.dense(array))
        key = (array.dtype, array.tobytes())
        known = scalars.get(key)
        if known is None:
            known = scalars[key] = self._constant(self.dense(array))
        if quick is not None:
            scalars[quick] = known
        return known

    def _constant(self, attribute: Any) -> Any:
        return _create(
            "stablehlo.constant", [attribute.type], [], {"value": attribute}, loc=self.location, ip=self.ip
        ).result

    def dense(self, array: np.ndarray) -> Any:
        """The elements attribute of an array; splats are stored once."""
        scalar = array.shape == ()
        key = (array.dtype, array.tobytes()) if scalar else None
        known = self._shared.attributes.get(key) if key is not None else None
        if known is not None:
            return known
        kind = self.tensor(array.shape, array.dtype)
        elements: Any = array if scalar else np.ascontiguousarray(array)
        element = self.element(array.dtype)
        if (
            array.dtype == np.bool_
        ):  # whether MLIR packs them has changed: its bindings know if they see booleans
            element = None
        elif array.dtype.kind == "V":  # one of ml_dtypes, which MLIR takes as bytes
            elements = np.ascontiguousarray(array).view(np.uint8)
        with self._shared.unknown:
            known = ir.DenseElementsAttr.get(elements, type=element, shape=array.shape)
        assert known.type == kind
        if key is not None:
            self._shared.attributes[key] = known
        return known

    def full(self, value: Any, aval: ShapedArray) -> Any:
        """A tensor of one repeated value."""
        scalar = self.constant(value, aval.dtype)
        return self.broadcast(scalar, aval.shape, aval.dtype, ()) if aval.shape else scalar

    def broadcast(self, x: Any, shape: tuple[int, ...], dtype: Any, dims: Sequence[int]) -> Any:
        """``stablehlo.broadcast_in_dim``."""
        if dims:
            return self._broadcast(x, shape, dtype, dims)
        known = self._scalars.get((x, shape))
        if known is None:
            known = self._scalars[x, shape] = self._broadcast(x, shape, dtype, dims)
        return known

    def _broadcast(self, x: Any, shape: tuple[int, ...], dtype: Any, dims: Sequence[int]) -> Any:
        attributes = self.i64s_named("broadcast_dimensions", tuple(dims))
        return self.plain("stablehlo.broadcast_in_dim", self.tensor(shape, dtype), (x,), attributes)

    def spread(self, x: Any, aval: ShapedArray, shape: tuple[int, ...]) -> Any:
        """An operand of rank 0, or of the rank of ``shape`` with sizes 1, in the shape of the result."""
        if aval.shape:
            return self._broadcast(x, shape, aval.dtype, _ALL_AXES[: len(shape)])
        return self.broadcast(x, shape, aval.dtype, ())

    def reduce(
        self, op: str, x: Any, start: Any, shape: tuple[int, ...], dtype: Any, axes: tuple[int, ...]
    ) -> Any:
        """``stablehlo.reduce`` of an operand of this shape over ``axes`` by the binary operation ``op``.

        It is copied from a template, a quarter of the cost of writing its region again.
        """
        shared = self._shared
        key = (op, shape, dtype, axes)
        template = shared.templates.get(key)
        if template is None:
            template = shared.templates[key] = self._reduce_template(op, shape, dtype, axes)
        copy = template.clone(self.ip)
        operands = copy.operands
        operands[0] = x
        operands[1] = start
        copy.location = self.location
        return copy.result

    def _reduce_template(self, op: str, shape: tuple[int, ...], dtype: Any, axes: tuple[int, ...]) -> Any:
        shared = self._shared
        scalar, operand = self.tensor((), dtype), self.tensor(shape, dtype)
        result = self.tensor(tuple([size for i, size in enumerate(shape) if i not in axes]), dtype)
        function = Builder(shared, ir.InsertionPoint(shared.shelf.body)).op(
            "func.func",
            [],
            [],
            {
                "sym_name": self.string(f"template{len(shared.templates)}"),
                "function_type": ir.TypeAttr.get(
                    ir.FunctionType.get([operand, scalar], [], context=shared.context), context=shared.context
                ),
            },
            regions=1,
        )
        b = Builder(shared, ir.InsertionPoint(shared.shelf.body))
        body, (x, start) = b.block(function.regions[0], [operand, scalar])
        reduce = body.op("stablehlo.reduce", [result], [x, start], {"dimensions": self.i64s(axes)}, regions=1)
        step, (left, right) = body.block(reduce.regions[0], [scalar, scalar])
        step.end([step.value(op, scalar, left, right)])
        return reduce

    def compare(
        self, x: Any, y: Any, direction: str, dtype: Any, shape: tuple[int, ...], total: bool = False
    ) -> Any:
        """``stablehlo.compare`` with the comparison type that the dtype asks for."""
        attributes = self.attributes(
            ("compare", direction, dtype, total), lambda: self._comparison(direction, dtype, total)
        )
        return self.plain("stablehlo.compare", self.tensor(shape, np.dtype(np.bool_)), (x, y), attributes)

    def _comparison(self, direction: str, dtype: Any, total: bool) -> dict[str, Any]:
        if (
            dtype.kind == "b"
            or dtype.kind == "u"
            or (dtype in SMALL_INTEGERS and not SMALL_INTEGERS[dtype][1])
        ):
            kind = "UNSIGNED"
        elif dtype.kind == "i" or dtype in SMALL_INTEGERS:
            kind = "SIGNED"
        else:
            kind = "TOTALORDER" if total else "FLOAT"
        return {
            "comparison_direction": self.parse(f"#stablehlo<comparison_direction {direction}>"),
            "compare_type": self.parse(f"#stablehlo<comparison_type {kind}>"),
        }

    def block(self, region: Any, argument_types: Sequence[Any]) -> tuple[Builder, list[Any]]:
        """A builder at the end of a new block in ``region``, and the block's arguments."""
        block = region.blocks.append(*argument_types, arg_locs=[self.location] * len(argument_types))
        inner = Builder(self._shared, ir.InsertionPoint(block))
        inner.location = self.location
        return inner, list(block.arguments)

    def end(self, results: Sequence[Any], terminator: str = "stablehlo.return") -> None:
        """Finish a block."""
        self.op(terminator, [], results)


class Module:
    """A module under construction."""

    __slots__ = ("_names", "builder", "module", "shared")

    def __init__(self, name: str) -> None:
        self.shared = mlir_context()
        with self.shared.unknown:
            self.module = ir.Module.create()
            self.module.operation.attributes["sym_name"] = ir.StringAttr.get(name)
        self.builder = Builder(self.shared, ir.InsertionPoint(self.module.body))
        self._names: dict[str, int] = {}

    def symbol(self, name: str) -> str:
        """A symbol that no function of the module has yet: ``name``, or that with a number."""
        count = self._names.get(name, 0)
        self._names[name] = count + 1
        return name if count == 0 else f"{name}_{count - 1}"

    def function(
        self,
        name: str,
        inputs: Sequence[Any],
        results: Sequence[Any],
        *,
        public: bool = False,
        argument_names: Sequence[str] = (),
        argument_attributes: Sequence[dict[str, Any]] | None = None,
    ) -> tuple[str, Builder, list[Any]]:
        """Start a function; returns its unique symbol, a builder in its body, and its arguments."""
        symbol = self.symbol(name)
        b = self.builder
        context = self.shared.context
        attributes = {
            "sym_name": b.string(symbol),
            "function_type": ir.TypeAttr.get(
                ir.FunctionType.get(inputs, results, context=context), context=context
            ),
            "sym_visibility": b.string("public" if public else "private"),
        }
        if argument_attributes is not None:
            attributes["arg_attrs"] = ir.ArrayAttr.get(
                [ir.DictAttr.get(a, context=context) for a in argument_attributes], context=context
            )
        function = b.op("func.func", [], [], attributes, regions=1)
        locations = [
            ir.Location.name(argument_names[i], childLoc=self.shared.unknown, context=context)
            if i < len(argument_names) and argument_names[i]
            else self.shared.unknown
            for i in range(len(inputs))
        ]
        block = function.regions[0].blocks.append(*inputs, arg_locs=locations)
        return symbol, Builder(self.shared, ir.InsertionPoint(block)), list(block.arguments)
