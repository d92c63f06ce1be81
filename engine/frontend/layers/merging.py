"""Layers that join several values."""

from functools import reduce
from typing import Literal

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.geometry import example_axis
from engine.frontend.registry import layer
from engine.ir.ops import Binary, Concat, Reshape, ScaleShift, Select


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
    """The product of all inputs; in Keras 3, of those whose step counts."""
    masks = _masks(call)
    if masks is None:
        return _fold(call, "mul")
    one = call.scalar(1.0)
    pairs = zip(call.inputs, masks, strict=True)
    values = [x if mask is None else call.emit(Select(), mask, x, one) for x, mask in pairs]
    known = [mask for mask in masks if mask is not None]
    counts = [reduce(lambda a, b: call.emit(Binary("max"), a, b), known)] if len(known) == len(masks) else []
    return reduce(lambda a, b: call.emit(Binary("mul"), a, b), [*values, *counts])


@layer("Average")
def average(call: Call) -> int:
    """The mean of all inputs."""
    total = _fold(call, "add")
    shape = call.shape(total)[-1:]
    scale = call.constant("scale", [1 / len(call.inputs)], shape)
    return call.emit(ScaleShift(), total, scale, call.constant("shift", [0.0], shape))


def _masks(call: Call) -> list[int | None] | None:
    """The masks of the inputs, as wide as these, or nothing where they do not matter: in Keras 2, or without any."""
    found = [call.mask(x) for x in call.inputs]
    if call.dialect.major <= 2 or all(mask is None for mask in found):
        return None
    return [mask if mask is None else call.emit(Reshape((*call.shape(mask), 1)), mask) for mask in found]


def _extreme(call: Call, kind: Literal["max", "min"]) -> int:
    masks = _masks(call)
    if masks is None:
        return _fold(call, kind)
    total, counts = call.inputs[0], masks[0]
    for x, mask in zip(call.inputs[1:], masks[1:], strict=True):
        other = x if mask is None else call.emit(Select(), mask, x, total)
        total = total if counts is None else call.emit(Select(), counts, total, other)
        counts = None if counts is None or mask is None else call.emit(Binary("max"), counts, mask)
        total = call.emit(Binary(kind), total, other)
    return total


@layer("Maximum")
def maximum(call: Call) -> int:
    """The largest of all inputs; in Keras 3, of those whose step counts."""
    return _extreme(call, "max")


@layer("Minimum")
def minimum(call: Call) -> int:
    """The smallest of all inputs; in Keras 3, of those whose step counts."""
    return _extreme(call, "min")


@layer("Concatenate")
def concatenate(call: Call) -> int:
    """The inputs joined along an axis."""
    rank = call.rank(call.inputs[0]) if call.inputs else 0
    axis = example_axis(call.config.integer("axis", -1, low=-rank), rank)
    return call.emit(Concat(axis - rank), *call.inputs)
