"""Pools with a given number of windows, whose sizes differ where it does not divide the axis."""

from math import prod

from engine.frontend.call import Call
from engine.frontend.config import table
from engine.frontend.layers.geometry import as_image, dimensions, from_image, on_channels_last, require_rank
from engine.frontend.layers.pooling import Kind
from engine.frontend.registry import layer
from engine.ir.ops import RegionPool, Regions, Reshape


def _adaptive_pool(call: Call, kind: Kind) -> int:
    rank = dimensions(call)
    output = call.config.sizes("output_size", rank)

    def compute(x: int) -> int:
        *extents, _ = require_rank(call, x, rank + 1)
        rows, columns = (_windows(n, m) for n, m in zip((1, *extents)[-2:], (1, *output)[-2:], strict=True))
        y = from_image(call, rank, call.emit(RegionPool(kind, rows, columns), as_image(call, rank, x)))
        if rank < 3:
            return y
        depth, *rest, c = call.shape(y)
        y = call.emit(Reshape((depth, prod(rest), c)), y)
        every = tuple((i, i + 1) for i in table(prod(rest)))
        y = call.emit(RegionPool(kind, _windows(depth, output[0]), every), y)
        return call.emit(Reshape((output[0], *rest, c)), y)

    return on_channels_last(call, call.x, compute)


def _windows(size: int, count: int) -> Regions:
    """Window i covers ⌊i·size/count⌋ to ⌈(i + 1)·size/count⌉."""
    return tuple((i * size // count, -(-(i + 1) * size // count)) for i in table(count))


@layer("AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D")
def adaptive_max_pooling(call: Call) -> int:
    """The maximum of each of a given number of windows."""
    return _adaptive_pool(call, "max")


@layer("AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D")
def adaptive_average_pooling(call: Call) -> int:
    """The mean of each of a given number of windows."""
    return _adaptive_pool(call, "mean")
