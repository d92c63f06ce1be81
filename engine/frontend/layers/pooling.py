"""Two-dimensional pooling."""

from typing import Literal

from engine.frontend.call import Call
from engine.frontend.layers.geometry import channels_to_end, data_format, on_channels_last, require_rank, window_pads
from engine.frontend.registry import layer
from engine.ir.ops import GlobalPool, Pool

Kind = Literal["max", "mean"]


def _pool(call: Call, kind: Kind) -> int:
    config = call.config
    height, width = config.sizes("pool_size", 2, 2)
    across = config.raw("strides", None) is not None
    down, right = config.sizes("strides", 2) if across else (height, width)
    padding = config.choice("padding", ("valid", "same"), "valid")

    def compute(x: int) -> int:
        pads = window_pads(padding, require_rank(call, x, 3), (height, width), (down, right), (1, 1))
        return call.emit(Pool(kind, (height, width), (down, right), pads), x)

    return on_channels_last(call, call.x, compute)


def _global_pool(call: Call, kind: Kind) -> int:
    keepdims = call.config.flag("keepdims", False)
    require_rank(call, call.x, 3)
    if keepdims:
        return on_channels_last(call, call.x, lambda x: call.emit(GlobalPool(kind, True), x))
    x = channels_to_end(call, call.x) if data_format(call) == "channels_first" else call.x
    return call.emit(GlobalPool(kind), x)


@layer("MaxPooling2D")
def max_pooling2d(call: Call) -> int:
    """The maximum of each window."""
    return _pool(call, "max")


@layer("AveragePooling2D")
def average_pooling2d(call: Call) -> int:
    """The mean of each window; padding does not count."""
    return _pool(call, "mean")


@layer("GlobalMaxPooling2D")
def global_max_pooling2d(call: Call) -> int:
    """The maximum over height and width."""
    return _global_pool(call, "max")


@layer("GlobalAveragePooling2D")
def global_average_pooling2d(call: Call) -> int:
    """The mean over height and width."""
    return _global_pool(call, "mean")
