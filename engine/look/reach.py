"""What each operation does to receptive fields."""

from collections.abc import Sequence
from functools import singledispatch

from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import (
    Activate,
    Binary,
    Concat,
    Conv,
    ConvTranspose,
    DepthwiseConv,
    Embed,
    Gather,
    GlobalPool,
    HostCall,
    Identity,
    NormPool,
    Op,
    Pad,
    Pads,
    Pair,
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
    Transpose,
)
from engine.look.fields import NOWHERE, Axis, Field, joined


def receptive_fields(graph: Graph, source: int = 0) -> dict[int, Field]:
    """The field of every value with respect to one input, given by its place; values that do not read it are absent."""
    start = graph.inputs[source]
    rank = len(graph.shapes[start])
    fields = {start: Field((0.0,) * rank, (0.0,) * rank, tuple(Axis({a: 1.0}) for a in range(rank)))}
    for node in graph.nodes:
        known = [fields.get(o) if not isinstance(o, Weight) else None for o in node.operands]
        if any(known):
            fields[node.output] = _result(node, known, graph)
    return fields


def _result(node: Node, known: Sequence[Field | None], graph: Graph) -> Field:
    shapes = [o.shape if isinstance(o, Weight) else graph.shapes[o] for o in node.operands]
    result = graph.shapes[node.output]
    fields = [f for f in known if f]
    if isinstance(node.op, Binary | Select | Concat):
        return joined(fields, len(result))
    if len(fields) == 1 and known[0]:
        return field_after(node.op, fields[0], shapes, result)
    return joined([f.everything(len(result)) for f in fields], len(result))


@singledispatch
def field_after(op: Op, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    """The field of a result from that of the first operand.

    By default every element depends on the whole last axis, or, where no axis keeps its place, on everything.
    """
    if len(result) != len(x.axes) or result[:-1] != shapes[0][:-1]:
        return x.everything(len(result))
    return _without_channels(x)


def _without_channels(x: Field) -> Field:
    return x.mixed(-1).along((*x.axes[:-1], NOWHERE))


@field_after.register(HostCall)
@field_after.register(Recurrent)
def _(op: Op, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    return x.everything(len(result))


@field_after.register(Activate)
@field_after.register(ScaleShift)
@field_after.register(Identity)
def _(op: Op, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    return x


@field_after.register
def _(op: Conv, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    return _without_channels(_windowed(x, shapes[1], op.strides, op.pads, op.dilation))


@field_after.register
def _(op: DepthwiseConv, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    return _windowed(x, shapes[1], op.strides, op.pads, op.dilation).stepped(-1, 1 / shapes[1][3])


@field_after.register(Pool)
@field_after.register(NormPool)
def _(op: Pool | NormPool, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    return _windowed(x, op.window, op.strides, op.pads)


def _windowed(x: Field, kernel: Sequence[int], strides: Pair, pads: Pads, dilation: Pair = (1, 1)) -> Field:
    for axis in (-3, -2):
        span, (before, _), stride = (kernel[axis + 3] - 1) * dilation[axis + 3], pads[axis + 3], strides[axis + 3]
        if span or before or stride > 1:
            x = x.mixed(axis, -before, span - before).stepped(axis, stride)
    return x


@field_after.register
def _(op: Pad, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    return _windowed(x, (1, 1), (1, 1), op.pads)


@field_after.register
def _(op: ConvTranspose, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    for axis in (-3, -2):
        stride, begin = op.strides[axis + 3], op.begin[axis + 3]
        span = (shapes[1][axis + 3] - 1) * op.dilation[axis + 3]
        x = x.mixed(axis, (begin - span) / stride, begin / stride).stepped(axis, 1 / stride)
    return _without_channels(x)


@field_after.register
def _(op: Resample, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    reads = [(start, start + shapes[1][1] - 1) for start in op.starts]
    return x.sampled(op.axis, reads, shapes[0][op.axis] / result[op.axis])


@field_after.register
def _(op: RegionPool, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    for axis, regions in ((-3, op.rows), (-2, op.columns)):
        reads = [(begin, end - 1) for begin, end in regions]
        x = x.sampled(axis, reads, shapes[0][axis] / len(regions))
    return x


@field_after.register
def _(op: GlobalPool, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    kept = (NOWHERE, NOWHERE, x.axes[-1]) if op.keepdims else (x.axes[-1],)
    return x.mixed(-3).mixed(-2).along((*x.axes[:-3], *kept))


@field_after.register
def _(op: Reduce, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    gone = {axis % len(x.axes) for axis in op.axes}
    for axis in gone:
        x = x.mixed(axis)
    axes = [NOWHERE if i in gone else axis for i, axis in enumerate(x.axes)]
    return x.along(axes if op.keepdims else [axis for i, axis in enumerate(axes) if i not in gone])


@field_after.register
def _(op: Transpose, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    return x.along(x.axes[a] for a in op.axes)


@field_after.register
def _(op: Slice, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    for axis, (begin, count, step) in enumerate(zip(op.begin, op.count, op.step, strict=True)):
        if (begin, count, step) != (0, shapes[0][axis], 1):
            first = begin if step >= 0 else begin + step * (count - 1)
            x = x.mixed(axis, first, first).stepped(axis, abs(step))
    return x


@field_after.register
def _(op: Gather, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    return x.sampled(op.axis, [(i, i) for i in op.indexes], 1)


@field_after.register
def _(op: Embed, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    return x.along((*x.axes, NOWHERE))


@field_after.register
def _(op: Reshape, x: Field, shapes: Sequence[Shape], result: Shape) -> Field:
    return x.regrouped(shapes[0], result)
