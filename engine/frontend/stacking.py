"""Operations on many examples at once: what a layer emits for one step of a sequence, done for all steps together.

Every value has one more axis in front, which the layer does not see. Operations of which further axes in front count as
further examples stay as they are; those that name axes from the front, or shapes, are changed.
"""

from collections.abc import Sequence
from functools import singledispatch

from engine.errors import UnsupportedLayerError
from engine.frontend.call import Emitter
from engine.ir.graph import Operand, Weight
from engine.ir.ops import (
    Activate,
    Binary,
    Concat,
    Conv,
    ConvTranspose,
    Dense,
    DepthwiseConv,
    Embed,
    Gather,
    GlobalPool,
    Identity,
    LocalDense,
    MatMul,
    Normalize,
    NormPool,
    Op,
    Pad,
    Pool,
    Recurrent,
    Reduce,
    RegionPool,
    Resample,
    Reshape,
    ScaleShift,
    Select,
    Shape,
    Slice,
    Softmax,
    Transpose,
)


def emit_stacked(outer: Emitter, count: int, op: Op, operands: Sequence[Operand], result: Shape, layer: str) -> int:
    """Emit `op`, whose result for one example is `result`, for `count` examples stacked."""
    changed = _stacked(op, count)
    if isinstance(op, Binary | Select):
        operands = [_widened(outer, o, len(result) + 1, layer) for o in operands]
    output = outer.emit(changed, operands, layer)
    if outer.shapes[output] != (count, *result):
        raise UnsupportedLayerError(f"layer {layer!r}: it cannot be applied to each step of a sequence")
    return output


def _widened(outer: Emitter, operand: Operand, rank: int, layer: str) -> Operand:
    """A value with its steps in front of as many axes as the other operand has."""
    if isinstance(operand, Weight) or len(outer.shapes[operand]) == rank:
        return operand
    count, *shape = outer.shapes[operand]
    return outer.emit(Reshape((count, *(1,) * (rank - 1 - len(shape)), *shape)), [operand], layer)


@singledispatch
def _stacked(op: Op, count: int) -> Op:
    raise UnsupportedLayerError(f"{type(op).__name__} cannot be applied to each step of a sequence")


def _unchanged(op: Op, count: int) -> Op:
    return op


for _kind in (
    Activate, Binary, Concat, Conv, ConvTranspose, Dense, DepthwiseConv, Embed, Gather, GlobalPool, Identity,
    LocalDense, MatMul, Normalize, NormPool, Pad, Pool, Recurrent, Reduce, RegionPool, Resample, ScaleShift, Select,
    Softmax,
):  # fmt: skip
    _stacked.register(_kind, _unchanged)


@_stacked.register
def _(op: Reshape, count: int) -> Op:
    return Reshape((count, *op.shape))


@_stacked.register
def _(op: Transpose, count: int) -> Op:
    return Transpose((0, *(axis + 1 for axis in op.axes)))


@_stacked.register
def _(op: Slice, count: int) -> Op:
    return Slice((0, *op.begin), (count, *op.count), (1, *op.step))
