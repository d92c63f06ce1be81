"""A scale and shift after a convolution, a dense layer or another scale goes into its weights.

So batch normalization costs nothing.

Computed in float64 and rounded once, when the weights are packed.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import LINEAR, Conv, ConvTranspose, Dense, DepthwiseConv, ScaleShift
from engine.passes.rewrite import rebuild

SMALL_SHIFT = 4.0
_PRODUCTS = (Conv, ConvTranspose, Dense, DepthwiseConv, ScaleShift)


def fold_scale_shift(graph: Graph) -> Graph:
    """Where the product is linear and nothing else reads it."""
    uses = graph.uses()
    latest = graph.producers()
    renamed: dict[int, int] = {}
    for node in graph.nodes:
        source = node.values[0] if node.values else -1
        source = renamed.get(source, source)
        product = latest.get(source)
        if isinstance(node.op, ScaleShift) and product and _takes(product) and uses[node.values[0]] == 1:
            if not _keeps_digits(product, node):
                continue
            latest[source] = _scaled(product, node)
            renamed[node.output] = source
            uses[source] = uses[node.output]
    nodes = (latest[node.output] for node in graph.nodes if node.output not in renamed)
    return rebuild(graph, nodes, renamed)


def _takes(node: Node) -> bool:
    return isinstance(node.op, _PRODUCTS) and node.op.activation == LINEAR


def _keeps_digits(product: Node, node: Node) -> bool:
    """(x − 1000) · 0.3 is not x · 0.3 − 300, whose difference has lost digits."""
    if not isinstance(product.op, ScaleShift):
        return True
    shift = product.weights[1].read() * node.weights[0].read() + node.weights[1].read()
    return bool((abs(shift) <= SMALL_SHIFT).all())


def _scaled(product: Node, node: Node) -> Node:
    w, scale, shift = product.weights[0], node.weights[0], node.weights[1]
    bias = product.weights[1] if len(product.weights) > 1 else None
    channels = w.shape[-2:] if isinstance(product.op, DepthwiseConv) else w.shape[-1:]

    def kernel() -> NDArray[Any]:
        scaled: NDArray[Any] = w.read().astype(np.float64)
        scaled *= scale.read().reshape(channels)
        return scaled

    def offset() -> NDArray[Any]:
        return shift.read() + (0.0 if bias is None else bias.read().astype(np.float64) * scale.read())

    folded = Weight(w.name, w.shape, kernel), Weight(shift.name, shift.shape, offset)
    assert isinstance(product.op, _PRODUCTS)
    assert isinstance(node.op, ScaleShift)
    op = replace(product.op, activation=node.op.activation)
    return replace(product, op=op, operands=(product.operands[0], *folded))
