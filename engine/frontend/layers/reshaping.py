"""Layers that move, repeat, frame or crop values without computing."""

from math import prod

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.geometry import (
    channels_to_end,
    crop,
    data_format,
    dimensions,
    on_channels_last,
    pad_depth,
    repeat,
    require_rank,
)
from engine.frontend.registry import layer
from engine.ir.ops import Pad, Pair, Reshape, Transpose


@layer("Flatten")
def flatten(call: Call) -> int:
    """One axis, in channels-last order whatever the data format."""
    x = call.x
    if data_format(call) == "channels_first" and call.rank(x) > 1:
        x = channels_to_end(call, x)
    return call.emit(Reshape((prod(call.shape(x)),)), x)


@layer("Reshape")
def reshape(call: Call) -> int:
    """Another shape; one −1 stands for what is left."""
    wanted, size = call.config.integers("target_shape", low=-1), prod(call.shape(call.x))
    known = prod(d for d in wanted if d != -1)
    if wanted.count(-1) == 1 and known > 0:
        wanted = tuple(size // known if d == -1 else d for d in wanted)
    if prod(wanted) != size or min(wanted, default=1) < 1:
        raise GraphError(f"cannot reshape {call.shape(call.x)} to {call.config.raw('target_shape')}")
    return call.emit(Reshape(wanted), call.x)


@layer("Permute")
def permute(call: Call) -> int:
    """Axes in another order, counted from one."""
    return call.emit(Transpose(tuple(d - 1 for d in call.config.integers("dims", low=1))), call.x)


@layer("RepeatVector")
def repeat_vector(call: Call) -> int:
    """A vector several times, as the steps of a sequence."""
    (size,) = require_rank(call, call.x, 1)
    return repeat(call, call.emit(Reshape((1, size)), call.x), (call.config.integer("n"),))


def _borders(call: Call, key: str, default: int) -> tuple[Pair, ...]:
    """(before, after) for each axis; along one axis a single pair is written without its list."""
    rank = dimensions(call)
    value = call.config.raw(key, default)
    if rank == 1 and isinstance(value, list | tuple) and len(value) == 2:
        before, after = call.config.sizes(key, 2, low=0)
        return ((before, after),)
    return call.config.borders(key, rank, default)


@layer("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def zero_padding(call: Call) -> int:
    """Zeros around a sequence, an image or a volume."""
    borders, rank = _borders(call, "padding", 1), dimensions(call)
    require_rank(call, call.x, rank + 1)

    def compute(x: int) -> int:
        if rank != 2:
            x = pad_depth(call, x, borders[0])
        return x if rank == 1 else call.emit(Pad((borders[-2], borders[-1])), x)

    return on_channels_last(call, call.x, compute)


@layer("Cropping1D", "Cropping2D", "Cropping3D")
def cropping(call: Call) -> int:
    """A sequence, an image or a volume without its borders."""
    borders = _borders(call, "cropping", 0 if dimensions(call) == 2 else 1)
    require_rank(call, call.x, dimensions(call) + 1)
    return on_channels_last(call, call.x, lambda x: crop(call, x, borders))
