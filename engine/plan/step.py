"""A step of a program: one kernel, its parameters, and how its work divides into tiles."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.ir.ops import LINEAR, Activation


@dataclass(frozen=True, slots=True)
class Value:
    """The address of a value in the arena."""

    number: int


@dataclass(frozen=True, slots=True)
class Kernel:
    """The address of another kernel."""

    name: str


Field: TypeAlias = "int | Value | Kernel | NDArray[Any]"


@dataclass(frozen=True, eq=False)
class Step:
    """`kernel` over ⌈n·units / block⌉ · inner tiles for n images.

    `fields` are the parameters by name, without `n`; an array stands for its address. `work` is an estimate in
    nanoseconds an image on one core, `scratch` the bytes that each thread needs.
    """

    kernel: str
    fields: Mapping[str, Field]
    layer: str
    units: int = 1
    block: int = 1
    inner: int = 1
    work: float = 0.0
    scratch: int = 0

    def kernels(self) -> set[str]:
        """The kernels that this step calls."""
        return {self.kernel} | {f.name for f in self.fields.values() if isinstance(f, Kernel)}


def float_bits(x: float) -> int:
    """The bits of a float32; what overflows is infinite."""
    return int.from_bytes(struct.pack("<f", np.float32(x)), "little")


def clamp_of(activation: Activation) -> tuple[float, float] | None:
    """(low, high) where an activation is linear or a clamp of the result, as ReLU is."""
    if activation == LINEAR:
        return (-np.inf, np.inf)
    if activation.kind == "relu" and activation.a == 0.0 and activation.b == 0.0:
        return (0.0, activation.c)
    return None


def activation_fields(activation: Activation) -> dict[str, Field]:
    """Fields low, high, act and act_params of a kernel that ends in an activation."""
    clamp = clamp_of(activation)
    low, high = clamp or (-np.inf, np.inf)
    fields: dict[str, Field] = {"low": float_bits(low), "high": float_bits(high)}
    return fields | call_fields(LINEAR if clamp else activation)


def call_fields(activation: Activation) -> dict[str, Field]:
    """Fields act and act_params, for a kernel that has no clamp of its own."""
    if activation == LINEAR:
        return {"act": 0, "act_params": 0}
    params = np.array([float_bits(v) for v in (activation.a, activation.b, activation.c)], np.int64)
    return {"act": Kernel(f"activate/{activation.kind}"), "act_params": params}
