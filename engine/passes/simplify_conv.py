"""Convolutions that another operation computes faster.

One input channel to a group is a depthwise convolution. A 1×1 kernel with strides reads some pixels only: they are
taken out first, and what is left is a matrix product.
"""

from dataclasses import replace
from typing import Any

from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import NO_PADS, Conv, DepthwiseConv, Slice
from engine.passes.rewrite import rebuild


def simplify_conv(graph: Graph) -> Graph:
    """Comes after what adds padding, bias and activation to convolutions."""
    nodes: list[Node] = []
    shapes = dict(graph.shapes)
    for node in graph.nodes:
        if _skips_pixels(node):
            op: Any = node.op
            taken = _taken(node, graph)
            output = max(shapes) + 1
            shapes[output] = taken.count
            nodes.append(Node(taken, node.operands[:1], output, node.layer))
            nodes.append(replace(node, op=replace(op, strides=(1, 1)), operands=(output, *node.operands[1:])))
        else:
            nodes.append(_depthwise(node, graph))
    return rebuild(Graph(graph.inputs, graph.outputs, graph.nodes, shapes), nodes)


def _depthwise(node: Node, graph: Graph) -> Node:
    op = node.op
    if not isinstance(op, Conv) or op.groups == 1 or op.groups != graph.shapes[node.values[0]][-1]:
        return node
    w = node.weights[0]
    kh, kw, _, f = w.shape
    shape = (kh, kw, op.groups, f // op.groups)
    split = Weight(w.name, shape, lambda: w.read().reshape(shape))
    same = DepthwiseConv(op.strides, op.pads, op.dilation, op.activation)
    return replace(node, op=same, operands=(node.operands[0], split, *node.operands[2:]))


def _skips_pixels(node: Node) -> bool:
    op = node.op
    if not isinstance(op, Conv) or op.groups > 1 or op.strides == (1, 1) or op.pads != NO_PADS:
        return False
    return node.weights[0].shape[:2] == (1, 1)


def _taken(node: Node, graph: Graph) -> Slice:
    op: Any = node.op
    *lead, _, _, c = graph.shapes[node.values[0]]
    count = (*lead, *graph.shapes[node.output][-3:-1], c)
    return Slice((0,) * len(count), count, (*(1,) * len(lead), *op.strides, 1))
