"""Layers that join several values."""

from functools import reduce
from typing import Literal

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.geometry import example_axis
from engine.frontend.registry import layer
from engine.ir.ops import Binary, Concat, Reshape, ScaleShift


def _fold(call: Call, kind: Literal["add", "sub", "mul", "max", "min"]) -> int:
    if len(call.inputs) < 2:
        raise GraphError(f"expected two inputs or more, found {len(call.inputs)}")
    rank = max(call.rank(x) for x in call.inputs)
    return reduce(lambda a, b: call.emit(Binary(kind), a, b), (_widened(call, x, rank) for x in call.inputs))


def _widened(call: Call, x: int, rank: int) -> int:
    """The value with axes of one in front, up to `rank` axes."""
    missing = rank - call.rank(x)
    return x if missing == 0 else call.emit(Reshape((*(1,) * missing, *call.shape(x))), x)


@layer("Add")
def add(call: Call) -> int:
    """The sum of all inputs."""
    return _fold(call, "add")


@layer("Subtract")
def subtract(call: Call) -> int:
    """The first input less the second."""
    if len(call.inputs) != 2:
        raise GraphError(f"expected two inputs, found {len(call.inputs)}")
    return _fold(call, "sub")


@layer("Multiply")
def multiply(call: Call) -> int:
    """The product of all inputs."""
    return _fold(call, "mul")


@layer("Average")
def average(call: Call) -> int:
    """The mean of all inputs."""
    total = _fold(call, "add")
    shape = call.shape(total)[-1:]
    scale = call.constant("scale", [1 / len(call.inputs)], shape)
    return call.emit(ScaleShift(), total, scale, call.constant("shift", [0.0], shape))


@layer("Maximum")
def maximum(call: Call) -> int:
    """The largest of all inputs."""
    return _fold(call, "max")


@layer("Minimum")
def minimum(call: Call) -> int:
    """The smallest of all inputs."""
    return _fold(call, "min")


@layer("Concatenate")
def concatenate(call: Call) -> int:
    """The inputs joined along an axis."""
    rank = call.rank(call.inputs[0]) if call.inputs else 0
    axis = example_axis(call.config.integer("axis", -1, low=-rank), rank)
    return call.emit(Concat(axis - rank), *call.inputs)
