"""How much arithmetic an operation is."""

from collections.abc import Sequence
from math import prod

from engine.ir.graph import Graph, Node
from engine.ir.ops import Conv, ConvTranspose, Dense, DepthwiseConv, LocalDense, MatMul, Op, Recurrent, Shape


def multiply_adds(op: Op, values: Sequence[Shape], weights: Sequence[Shape], result: Shape) -> int:
    """Multiply-adds for one example, as the operation defines them, whatever an algorithm saves.

    Only products count: 0 for whatever touches each element once. `values` and `weights` are the operands' shapes.
    """
    each = 0
    match op:
        case Conv() | Dense():
            each = prod(weights[0][:-1])
        case DepthwiseConv():
            each = prod(weights[0][:2])
        case LocalDense():
            each = weights[0][1]
        case MatMul():
            each = values[0][-1]
        case ConvTranspose():
            kh, kw, _, f = weights[0]
            return kh * kw * f * prod(values[0])
        case Recurrent():
            return prod(values[0][:-1]) * sum(map(prod, weights[:2]))
    return each * prod(result)


def node_multiply_adds(node: Node, graph: Graph) -> int:
    """Multiply-adds of a node for one example."""
    values = [graph.shapes[v] for v in node.values]
    return multiply_adds(node.op, values, [w.shape for w in node.weights], graph.shapes[node.output])
