"""Layers that scale and shift along an axis with numbers learnt or given."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.geometry import axis_to_end, example_axis
from engine.frontend.registry import layer
from engine.ir.graph import Weight
from engine.ir.ops import ScaleShift, Shape

Wide: TypeAlias = NDArray[np.float64]


def _scale_shift(call: Call, axis: int, size: Shape, compute: Callable[[], tuple[Wide, Wide]]) -> int:
    """x · scale + shift along an axis; `compute` reads both, each of `size` or one number."""
    scale = call.derive("scale", size, lambda: np.broadcast_to(compute()[0], size).copy())
    shift = call.derive("shift", size, lambda: np.broadcast_to(compute()[1], size).copy())
    return axis_to_end(call, call.x, axis, lambda x: call.emit(ScaleShift(), x, scale, shift))


def _wide(weight: Weight | None, otherwise: float) -> Wide:
    return np.array(otherwise) if weight is None else weight.read().astype(np.float64, copy=False)


def _one_axis(call: Call) -> int:
    axes = call.config.raw("axis", -1)
    if isinstance(axes, list) and len(axes) != 1:
        raise call.refuse(f"normalisation over the axes {axes} is not supported; over one axis it is")
    rank = call.rank(call.x)
    return example_axis(call.config.sizes("axis", 1, -1, low=-rank)[0], rank)


@layer(
    "BatchNormalization",
    ignored=("momentum", "renorm_clipping", "renorm_momentum", "virtual_batch_size", "adjustment", "synchronized"),
)
def batch_normalization(call: Call) -> int:
    """(x − mean) / sqrt(variance + epsilon) · gamma + beta with the moving statistics, along one axis."""
    config, axis = call.config, _one_axis(call)
    size, epsilon = (call.shape(call.x)[axis],), config.number("epsilon", 1e-3)
    gamma = call.weight("gamma", size) if config.flag("scale", True) else None
    beta = call.weight("beta", size) if config.flag("center", True) else None
    mean = call.weight("moving_mean", size, trainable=False)
    variance = call.weight("moving_variance", size, trainable=False)

    def compute() -> tuple[Wide, Wide]:
        with np.errstate(all="ignore"):
            scale = _wide(gamma, 1.0) / np.sqrt(_wide(variance, 1.0) + epsilon)
            return scale, _wide(beta, 0.0) - _wide(mean, 0.0) * scale

    return _scale_shift(call, axis, size, compute)


@layer("Rescaling")
def rescaling(call: Call) -> int:
    """x · scale + offset; each one number or one for each channel."""
    shape = call.shape(call.x)[-1:]
    scale = call.constant("scale", call.config.numbers("scale"), shape)
    offset = call.constant("offset", call.config.numbers("offset", 0.0), shape)
    return call.emit(ScaleShift(), call.x, scale, offset)


@layer("Normalization")
def normalization(call: Call) -> int:
    """(x − mean) / max(sqrt(variance), 1e-7), or its inverse; statistics learnt or given, along one axis or none."""
    config = call.config
    invert = config.flag("invert", False)
    axis = call.rank(call.x) - 1 if config.raw("axis", -1) in (None, []) else _one_axis(call)
    size = (call.shape(call.x)[axis],)
    mean, variance = _statistics(call, size if config.raw("axis", -1) not in (None, []) else ())

    def compute() -> tuple[Wide, Wide]:
        middle, deviation = _wide(mean, 0.0), np.maximum(np.sqrt(_wide(variance, 1.0)), 1e-7)
        return (deviation, middle) if invert else (1 / deviation, -middle / deviation)

    return _scale_shift(call, axis, size, compute)


def _statistics(call: Call, shape: Shape) -> tuple[Weight, Weight]:
    config = call.config
    if config.raw("mean", None) is None or config.raw("variance", None) is None:
        mean = call.weight("mean", shape, trainable=False)
        variance = call.weight("variance", shape, trainable=False)
        call.weight("count", (), trainable=False, integer=True)
        return mean, variance
    if not shape:
        raise GraphError("given statistics need an axis")
    return call.constant("mean", config.numbers("mean"), shape), call.constant(
        "variance", config.numbers("variance"), shape
    )
