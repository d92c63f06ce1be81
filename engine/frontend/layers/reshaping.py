"""Layers that move or pad values without computing."""

from math import prod

from engine.errors import GraphError
from engine.frontend.call import Call
from engine.frontend.layers.geometry import channels_to_end, data_format, on_channels_last, require_rank
from engine.frontend.registry import layer
from engine.ir.ops import Pad, Reshape, Transpose


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


@layer("ZeroPadding2D")
def zero_padding2d(call: Call) -> int:
    """Zeros around an image."""
    top_bottom, left_right = call.config.borders("padding", 2, 1)
    require_rank(call, call.x, 3)
    return on_channels_last(call, call.x, lambda x: call.emit(Pad((top_bottom, left_right)), x))
