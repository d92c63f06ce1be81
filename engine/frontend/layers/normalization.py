"""Layers that scale and shift along an axis with numbers learnt or given."""

from collections.abc import Callable, Sequence
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.geometry import example_axes, over_axes
from engine.frontend.registry import layer
from engine.ir.graph import Weight
from engine.ir.ops import Activate, Activation, Binary, Reduce, ScaleShift, Shape

Wide: TypeAlias = NDArray[np.float64]


def _scale_shift(
    call: Call, axes: Sequence[int], compute: Callable[[], tuple[Wide, Wide]], x: int | None = None, name: str = ""
) -> int:
    """x · scale + shift along axes; `compute` gives both, in the shape of these axes or as one number.

    x is the call's, or another value of its shape; `name` tells constants of several such steps apart.
    """
    shape = tuple(call.shape(call.x)[axis] for axis in axes)

    def joined(values: Wide) -> Wide:
        return (values.reshape(shape) if values.size > 1 else np.broadcast_to(values, shape)).reshape(-1)

    scale = call.derive(f"{name}scale", (prod(shape),), lambda: joined(compute()[0]))
    shift = call.derive(f"{name}shift", (prod(shape),), lambda: joined(compute()[1]))
    return over_axes(call, call.x if x is None else x, axes, lambda x: call.emit(ScaleShift(), x, scale, shift))


def _wide(weight: Weight | None, otherwise: float) -> Wide:
    return np.array(otherwise) if weight is None else weight.read().astype(np.float64, copy=False)


@layer(
    "BatchNormalization",
    ignored=("momentum", "renorm_clipping", "renorm_momentum", "virtual_batch_size", "adjustment", "synchronized"),
)
def batch_normalization(call: Call) -> int:
    """(x − mean) / sqrt(variance + epsilon) · gamma + beta with the moving statistics, along one axis."""
    config, axes = call.config, example_axes(call, "axis", -1, call.rank(call.x))
    if config.integer("mode", 0, low=0, high=2) == 1:
        return _each_example(call)
    shape, epsilon = call.shape(call.x), config.number("epsilon", 1e-3)
    size = tuple(shape[axis] for axis in axes)
    if len(axes) > 1:
        size = (1, *(d if i in axes else 1 for i, d in enumerate(shape)))
    gamma = call.weight("gamma", size) if config.flag("scale", True) else None
    beta = call.weight("beta", size) if config.flag("center", True) else None
    mean = call.weight("moving_mean", size, trainable=False)
    variance = call.weight("moving_variance", size, trainable=False)

    def compute() -> tuple[Wide, Wide]:
        with np.errstate(all="ignore"):
            scale = _wide(gamma, 1.0) / np.sqrt(_wide(variance, 1.0) + epsilon)
            return scale, _wide(beta, 0.0) - _wide(mean, 0.0) * scale

    return _scale_shift(call, axes, compute)


def _each_example(call: Call) -> int:
    """Keras 1, mode 1: (x − mean) / (sqrt(variance + epsilon) + epsilon) · gamma + beta of the last axis itself."""
    size = (call.shape(call.x)[-1],)
    gamma, beta = call.weight("gamma", size), call.weight("beta", size)
    for name in ("moving_mean", "moving_variance"):
        call.weight(name, size, trainable=False)
    epsilon = call.scalar(call.config.number("epsilon", 1e-3))
    centred = call.emit(Binary("sub"), call.x, call.emit(Reduce("mean", (-1,), keepdims=True), call.x))
    squares = call.emit(Activate(Activation("square")), centred)
    variance = call.emit(Reduce("mean", (-1,), keepdims=True), squares)
    root = call.emit(Activate(Activation("sqrt")), call.emit(Binary("add"), variance, epsilon))
    y = call.emit(Binary("div"), centred, call.emit(Binary("add"), root, epsilon))
    return call.emit(ScaleShift(), y, gamma, beta)


@layer("Rescaling")
def rescaling(call: Call) -> int:
    """x · scale + offset; each one number or one for each channel."""
    shape = call.shape(call.x)[-1:]
    for key in ("scale", "offset"):
        given = call.config.raw(key, 0.0)
        if isinstance(given, list) and any(isinstance(value, list) for value in given):
            raise call.refuse(f"{key!r} with more than one axis is not supported")
    scale = call.constant("scale", call.config.numbers("scale"), shape)
    offset = call.constant("offset", call.config.numbers("offset", 0.0), shape)
    return call.emit(ScaleShift(), call.x, scale, offset)


@layer("Normalization")
def normalization(call: Call) -> int:
    """(x − mean) / max(sqrt(variance), 1e-7), or its inverse, with statistics learnt or given, along any axes."""
    invert = call.config.flag("invert", False)
    all_alike = call.config.raw("axis", -1) in (None, [])
    rank = call.rank(call.x)
    if rank == 0:
        raise GraphError("expected an axis beside the batch")
    axes = [rank - 1] if all_alike else example_axes(call, "axis", -1, rank)
    shape = () if all_alike else tuple(call.shape(call.x)[axis] for axis in axes)
    statistics = _statistics(call, shape)

    def deviation() -> Wide:
        with np.errstate(all="ignore"):
            spread: Wide = np.maximum(np.sqrt(statistics()[1]), 1e-7)
            return spread

    if invert:
        return _scale_shift(call, axes, lambda: (deviation(), statistics()[0]))
    centred = _scale_shift(call, axes, lambda: (np.ones(()), -statistics()[0]), name="centre_")
    return _scale_shift(call, axes, lambda: (1 / deviation(), np.zeros(())), centred)


def _statistics(call: Call, shape: Shape) -> Callable[[], tuple[Wide, Wide]]:
    given = [call.config.raw(key, None) for key in ("mean", "variance")]
    if None in given:
        mean, variance = (call.weight(name, shape, trainable=False) for name in ("mean", "variance"))
        call.weight("count", (), trainable=False, integer=True)
        return lambda: (_wide(mean, 0.0), _wide(variance, 1.0))
    values = [np.array(call.config.numbers(key)) for key in ("mean", "variance")]
    for value in values:
        if value.size not in (1, prod(shape)):
            raise GraphError(f"{value.size} given statistics do not fit {shape}")
    sizes = [shape if value.size > 1 else () for value in values]
    return lambda: (values[0].reshape(sizes[0]), values[1].reshape(sizes[1]))
