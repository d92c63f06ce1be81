"""What an operation costs: multiply-adds for one example."""

from collections.abc import Sequence
from functools import singledispatch
from math import prod

from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import (
    Conv,
    ConvTranspose,
    Dense,
    DepthwiseConv,
    LocalDense,
    MatMul,
    Op,
    Recurrent,
    Resample,
    Shape,
)


def multiply_adds(node: Node, graph: Graph) -> int:
    """Of convolutions, matrix products and recurrences; whatever touches each element once counts as nothing."""
    shapes = [o.shape if isinstance(o, Weight) else graph.shapes[o] for o in node.operands]
    return _count(node.op, shapes, graph.shapes[node.output])


@singledispatch
def _count(op: Op, shapes: Sequence[Shape], result: Shape) -> int:
    return 0


@_count.register(Conv)
@_count.register(Dense)
@_count.register(LocalDense)
def _(op: Op, shapes: Sequence[Shape], result: Shape) -> int:
    return prod(result) * prod(shapes[1][-4:-1]) if isinstance(op, Conv) else prod(result) * shapes[1][-2]


@_count.register
def _(op: DepthwiseConv, shapes: Sequence[Shape], result: Shape) -> int:
    return prod(result) * prod(shapes[1][:2])


@_count.register
def _(op: ConvTranspose, shapes: Sequence[Shape], result: Shape) -> int:
    kh, kw, _, f = shapes[1]
    return prod(shapes[0]) * kh * kw * f


@_count.register
def _(op: MatMul, shapes: Sequence[Shape], result: Shape) -> int:
    return prod(result) * shapes[0][-1]


@_count.register
def _(op: Resample, shapes: Sequence[Shape], result: Shape) -> int:
    return prod(result) * shapes[1][1]


@_count.register
def _(op: Recurrent, shapes: Sequence[Shape], result: Shape) -> int:
    first, second = shapes[op.kernel_place], shapes[op.kernel_place + 1]
    return prod(shapes[0][:-1]) * (prod(first) + prod(second))
