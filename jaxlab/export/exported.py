"""An exported function: a program with the types it takes, for platforms that need not be here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, is_inexact
from jaxlab.export import calling
from jaxlab.export.serialization import pack, unpack
from jaxlab.stablehlo import artifact

CALLING_CONVENTION = 10


class DisabledSafetyCheck:
    """A check of `export` or of a later call that is to be left out.

    >>> DisabledSafetyCheck.platform()
    DisabledSafetyCheck.platform()
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def platform(cls) -> DisabledSafetyCheck:
        """Do not check that a call is for a platform that the function was exported for."""
        return cls("platform")

    @classmethod
    def custom_call(cls, target_name: str) -> DisabledSafetyCheck:
        """Allow calls of ``target_name``, a function of a runtime that may change between versions."""
        return cls(f"custom_call:{target_name}")

    def is_custom_call(self) -> str | None:
        """The name that `custom_call` was given, or None."""
        kind, _, name = self._text.partition(":")
        return name if kind == "custom_call" else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DisabledSafetyCheck) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        kind, _, name = self._text.partition(":")
        return f"DisabledSafetyCheck.{kind}({name!r})" if name else f"DisabledSafetyCheck.{kind}()"


class MakeVJP(Protocol):
    """What makes the exported reverse-mode derivative of an exported function."""

    def __call__(self, exported: Exported, /) -> Exported: ...


@dataclass(frozen=True, eq=False, repr=False)
class Exported:
    """A function as modules that can be kept, moved and called without its Python code; `export` makes it.

    Attributes:
      fun_name: the function's name.
      in_tree, out_tree: the structures of ``(args, kwargs)`` and of the result.
      in_avals, out_avals: the types of their leaves.
      platforms: what it was exported for: ``("cpu", "tpu")``.
      modules: a portable StableHLO artifact for each platform.
      module_kept_var_idx: the leaves of the arguments that the modules take; the others are not used.
      disabled_safety_checks: what `export` was told not to check.
      nr_devices: on how many devices it runs, which is 1.
      in_shardings_hlo, out_shardings_hlo: None for each leaf, since it runs on one device.
      ordered_effects, unordered_effects: empty, since functions with effects cannot be exported.
      uses_global_constants: whether the modules take more than the arguments, which they do not.
      calling_convention_version: how the modules take their arguments: those kept, in order.
    """

    fun_name: str
    in_tree: Any
    in_avals: tuple[ShapedArray, ...]
    out_tree: Any
    out_avals: tuple[ShapedArray, ...]
    platforms: tuple[str, ...]
    modules: tuple[bytes, ...] = field(repr=False)
    module_kept_var_idx: tuple[int, ...]
    disabled_safety_checks: tuple[DisabledSafetyCheck, ...] = ()
    _get_vjp: MakeVJP | None = None
    nr_devices: int = 1
    ordered_effects: tuple[Any, ...] = ()
    unordered_effects: tuple[Any, ...] = ()
    uses_global_constants: bool = False
    calling_convention_version: int = CALLING_CONVENTION
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def in_shardings_hlo(self) -> tuple[None, ...]:
        """None for each leaf of the arguments."""
        return (None,) * len(self.in_avals)

    @property
    def out_shardings_hlo(self) -> tuple[None, ...]:
        """None for each leaf of the result."""
        return (None,) * len(self.out_avals)

    def in_shardings_jax(self, mesh: Any) -> tuple[None, ...]:
        """`in_shardings_hlo` as shardings over a mesh."""
        return self.in_shardings_hlo

    def out_shardings_jax(self, mesh: Any) -> tuple[None, ...]:
        """`out_shardings_hlo` as shardings over a mesh."""
        return self.out_shardings_hlo

    @property
    def mlir_module_serialized(self) -> bytes:
        """The module of the first platform."""
        return self.modules[0]

    def module_for(self, platform: str) -> bytes:
        """The module of a platform.

        Raises:
          ValueError: if it was not exported for that platform.
        """
        if platform in self.platforms:
            return self.modules[self.platforms.index(platform)]
        if DisabledSafetyCheck.platform() in self.disabled_safety_checks:
            return self.modules[0]
        raise ValueError(
            f"{self.fun_name}: it was exported for {', '.join(self.platforms)}, but is used on {platform}; export it "
            f"with platforms={(*self.platforms, platform)}"
        )

    def mlir_module(self, serialized: bool = True, *, platform: str | None = None) -> Any:
        """The module of a platform, the first by default, as text; as a module of MLIR if not ``serialized``.

        >>> text = jaxlab.export.export(jit(jnp.sin))(1.0).mlir_module()
        >>> "stablehlo.sine" in text
        True
        """
        module = self.modules[0] if platform is None else self.module_for(platform)
        return artifact.text(module) if serialized else artifact.deserialize(module)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Apply it, here or in another function that is traced.

        It can be differentiated in reverse mode if its derivative was exported with it (`has_vjp`); `vmap` runs
        it for one slice after the other.

        Raises:
          ValueError: if the arguments have another structure, shape or dtype than it was exported for.
        """
        leaves, in_tree = tree.flatten((args, kwargs))
        calling.check_arguments(
            self.fun_name, (self.in_tree, self.in_avals), (in_tree, leaves), (args, kwargs)
        )
        out = calling.flat_call(self)(*leaves)
        return tree.unflatten(self.out_tree, out)

    def has_vjp(self) -> bool:
        """Whether the reverse-mode derivative is known."""
        return self._get_vjp is not None

    def vjp(self) -> Exported:
        """The reverse-mode derivative, exported.

        It takes the leaves of the arguments and the cotangents of the floating-point leaves of the result, and
        returns a tuple of the cotangents of the floating-point leaves of the arguments.

        Raises:
          ValueError: if it was not kept when the function was serialised.
        """
        if self._get_vjp is None:
            raise ValueError(
                f"{self.fun_name}: its derivative was asked for, but was not kept; serialise it with vjp_order=1 or "
                "more"
            )
        known: Exported | None = self.memo.get("vjp")
        if known is None:
            known = self.memo["vjp"] = self._get_vjp(self)
        return known

    def serialize(self, vjp_order: int = 0) -> bytearray:
        """The function as bytes for `deserialize`, with derivatives up to the given order.

        Raises:
          ValueError: if a node of the arguments or results is of a type that is not registered for this.
        """
        fields = {
            "fun_name": self.fun_name,
            "in_tree": self.in_tree,
            "in_avals": self.in_avals,
            "out_tree": self.out_tree,
            "out_avals": self.out_avals,
            "platforms": list(self.platforms),
            "kept": list(self.module_kept_var_idx),
            "disabled_checks": [check._text for check in self.disabled_safety_checks],
            "calling_convention": self.calling_convention_version,
        }
        differentiable = vjp_order > 0 and any(is_inexact(aval.dtype) for aval in self.out_avals)
        vjp = bytes(self.vjp().serialize(vjp_order - 1)) if differentiable else None
        return bytearray(pack(fields, self.modules, vjp))

    def __repr__(self) -> str:
        types = ", ".join(aval.str_short() for aval in self.in_avals)
        results = ", ".join(aval.str_short() for aval in self.out_avals)
        return f"Exported({self.fun_name}({types}) -> ({results}) for {', '.join(self.platforms)})"

    def __str__(self) -> str:
        return f"Exported(fun_name={self.fun_name}, ...)"


def deserialize(blob: bytes | bytearray) -> Exported:
    """The exported function that `Exported.serialize` wrote.

    Raises:
      ValueError: if the bytes are something else, of another version, or damaged.
      TypeError: if no bytes are given.

    >>> blob = jaxlab.export.export(jit(jnp.sin))(1.0).serialize()
    >>> deserialize(blob).call(0.0)
    Array(0., dtype=float32, weak_type=True)
    """
    if not isinstance(blob, bytes | bytearray | memoryview):
        raise TypeError(
            f"deserialize: a value of type {type(blob).__name__} was given, but bytes are needed; read the file in "
            "mode 'rb'"
        )
    fields, modules, vjp = unpack(bytes(blob))
    get_vjp: Callable[[Exported], Exported] | None = None
    if vjp is not None:
        kept = vjp

        def get_vjp(exported: Exported, /) -> Exported:
            return deserialize(kept)

    return Exported(
        fields["fun_name"],
        fields["in_tree"],
        fields["in_avals"],
        fields["out_tree"],
        fields["out_avals"],
        tuple(fields["platforms"]),
        tuple(modules),
        tuple(fields["kept"]),
        tuple(DisabledSafetyCheck(text) for text in fields["disabled_checks"]),
        get_vjp,
        calling_convention_version=fields["calling_convention"],
    )


def names(checks: Sequence[DisabledSafetyCheck]) -> set[str]:
    """The custom calls that are allowed by these."""
    return {name for check in checks if (name := check.is_custom_call()) is not None}
