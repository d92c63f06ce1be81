"""Pooling over windows and over everything, in one, two and three dimensions.

One dimension has height 1. In three, height and width are pooled first and then depth: maxima and means are separable,
and so is the number of cells that count.
"""

from math import prod
from typing import Literal

from engine.frontend.call import Call
from engine.frontend.layers.geometry import (
    as_image,
    channels_to_end,
    data_format,
    dimensions,
    from_image,
    on_channels_last,
    require_rank,
    window_pads,
)
from engine.frontend.registry import layer
from engine.ir.ops import Binary, GlobalPool, Pair, Pool, Reduce, Reshape

Kind = Literal["max", "mean"]


def _pool(call: Call, kind: Kind) -> int:
    config, rank = call.config, dimensions(call)
    window = config.sizes("pool_size", rank, 2)
    strides = config.sizes("strides", rank) if config.raw("strides", None) is not None else window
    padding = config.choice("padding", ("valid", "same"), "valid")

    def compute(x: int) -> int:
        extents = require_rank(call, x, rank + 1)[:-1]
        pads = window_pads(padding, extents, window, strides, (1,) * rank)
        return pool_axes(call, kind, x, window, strides, pads)

    return on_channels_last(call, call.x, compute)


def pool_axes(
    call: Call, kind: Kind, x: int, window: tuple[int, ...], strides: tuple[int, ...], pads: tuple[Pair, ...]
) -> int:
    """A pool over all axes of `x` but the last."""
    rank = len(window)
    height = (1, 1, (0, 0)) if rank == 1 else (window[-2], strides[-2], pads[-2])
    flat = Pool(kind, (height[0], window[-1]), (height[1], strides[-1]), (height[2], pads[-1]))
    y = from_image(call, rank, call.emit(flat, as_image(call, rank, x)))
    if rank < 3:
        return y
    depth, *rest, c = call.shape(y)
    y = call.emit(Reshape((depth, prod(rest), c)), y)
    y = call.emit(Pool(kind, (window[0], 1), (strides[0], 1), (pads[0], (0, 0))), y)
    return call.emit(Reshape((call.shape(y)[0], *rest, c)), y)


def _global_pool(call: Call, kind: Kind) -> int:
    keepdims, rank = call.config.flag("keepdims", False), dimensions(call)
    require_rank(call, call.x, rank + 1)
    first = data_format(call) == "channels_first"
    x = channels_to_end(call, call.x) if first else call.x
    *extents, c = call.shape(x)
    y = call.emit(GlobalPool(kind), call.emit(Reshape((1, prod(extents), c)), x) if rank != 2 else x)
    ones = (1,) * rank
    return call.emit(Reshape((c, *ones) if first else (*ones, c)), y) if keepdims else y


@layer("MaxPooling1D", "MaxPooling2D", "MaxPooling3D")
def max_pooling(call: Call) -> int:
    """The maximum of each window."""
    return _pool(call, "max")


@layer("AveragePooling1D", "AveragePooling2D", "AveragePooling3D")
def average_pooling(call: Call) -> int:
    """The mean of each window; padding does not count."""
    return _pool(call, "mean")


@layer("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D")
def global_max_pooling(call: Call) -> int:
    """The maximum over all axes but the channels."""
    return _global_pool(call, "max")


@layer("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D")
def global_average_pooling(call: Call) -> int:
    """The mean over all axes but the channels; of a sequence with a mask, the mean of the steps that count."""
    mask = call.mask(call.x) if dimensions(call) == 1 else None
    return _global_pool(call, "mean") if mask is None else _masked_mean(call, mask)


def _masked_mean(call: Call, mask: int) -> int:
    first, keepdims = data_format(call) == "channels_first", call.config.flag("keepdims", False)
    steps = call.shape(mask)[0]
    weights = call.emit(Reshape((1, steps) if first else (steps, 1)), mask)
    axes = (-1,) if first else (-2,)
    total = call.emit(Reduce("sum", axes, keepdims), call.emit(Binary("mul"), call.x, weights))
    return call.emit(Binary("div"), total, call.emit(Reduce("sum", axes, keepdims), weights))
