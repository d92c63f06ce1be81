"""The closed set of operations, by family. Shapes are those of one example: the batch axis is never part of them.

An image is `(..., h, w, c)`: axes before `h` count as further images. Every class says how its operands are
ordered, and `result` computes the shape of its one output from theirs or raises `GraphError`.
"""

from engine.ir.ops.arithmetic import BINARY_KINDS, Activate, Binary, BinaryKind, Dense, ScaleShift, Softmax
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
from engine.ir.ops.host import HostCall, HostFunction
from engine.ir.ops.local import LocalDense
from engine.ir.ops.movement import Concat, Identity, Reshape, Transpose
from engine.ir.ops.products import MatMul
from engine.ir.ops.reduction import Normalize, Reduce
from engine.ir.ops.resampling import ConvTranspose, RegionPool, Regions, Resample
from engine.ir.ops.selection import Gather, Select, Slice
from engine.ir.ops.sequence import RECURRENT_KINDS, Embed, Recurrent, RecurrentKind
from engine.ir.ops.windows import Conv, DepthwiseConv, GlobalPool, NormPool, Pad, Pool, window_extent

__all__ = [
    "ACTIVATIONS", "BINARY_KINDS", "LINEAR", "NO_PADS", "RECURRENT_KINDS", "RELU", "Activate", "Activation", "Binary",
    "BinaryKind", "Concat", "Conv", "ConvTranspose", "Dense", "DepthwiseConv", "Embed", "Gather", "GlobalPool",
    "HostCall", "HostFunction", "Identity", "LocalDense", "MatMul", "NormPool", "Normalize", "Op", "Pad", "Pads",
    "Pair", "Pool", "Recurrent", "RecurrentKind", "Reduce", "RegionPool", "Regions", "Resample", "Reshape",
    "ScaleShift", "Select", "Shape", "Slice", "Softmax", "Transpose", "broadcast", "expect", "image_axes",
    "window_extent",
]  # fmt: skip
