"""The closed set of operations, by family. Shapes are those of one example: the batch axis is never part of them.

An image is `(..., h, w, c)`: axes before `h` count as further images. Every class says how its operands are
ordered, and `result` computes the shape of its one output from theirs or raises `GraphError`.
"""

from engine.ir.ops.arithmetic import Activate, Binary, Dense, ScaleShift, Softmax
from engine.ir.ops.base import (
    ACTIVATIONS,
    LINEAR,
    NO_PADS,
    RELU,
    Activation,
    Op,
    Pads,
    Pair,
    Shape,
    broadcast,
    expect,
    image_axes,
)
from engine.ir.ops.movement import Concat, Identity, Reshape, Transpose
from engine.ir.ops.windows import Conv, DepthwiseConv, GlobalPool, Pad, Pool, window_extent

__all__ = [
    "ACTIVATIONS", "LINEAR", "NO_PADS", "RELU", "Activate", "Activation", "Binary", "Concat", "Conv", "Dense",
    "DepthwiseConv", "GlobalPool", "Identity", "Op", "Pad", "Pads", "Pair", "Pool", "Reshape", "ScaleShift",
    "Shape", "Softmax", "Transpose", "broadcast", "expect", "image_axes", "window_extent",
]  # fmt: skip
