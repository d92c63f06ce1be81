"""Zeros around an image become the padding of the convolution that reads it."""

from dataclasses import replace

from engine.ir.graph import Graph, Node
from engine.ir.ops import Conv, DepthwiseConv, Pad, Pads
from engine.passes.rewrite import rebuild


def fold_pad(graph: Graph) -> Graph:
    """Each convolution after a pad reads the pad's operand, with both paddings added."""
    made = graph.producers()
    return rebuild(graph, (_folded(node, made) for node in graph.nodes))


def _folded(node: Node, made: dict[int, Node]) -> Node:
    before = made.get(node.values[0]) if node.values else None
    if not isinstance(node.op, Conv | DepthwiseConv) or not before or not isinstance(before.op, Pad):
        return node
    op = replace(node.op, pads=_sum(node.op.pads, before.op.pads))
    return replace(node, op=op, operands=(before.values[0], *node.operands[1:]))


def _sum(a: Pads, b: Pads) -> Pads:
    (at, ab), (al, ar) = a
    (bt, bb), (bl, br) = b
    return ((at + bt, ab + bb), (al + bl, ar + br))
