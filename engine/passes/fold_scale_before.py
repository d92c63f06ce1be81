"""A scale and shift of what a convolution or dense layer reads goes into its weights: rescaled images cost nothing.

A shift may only go where there is no padding, whose zeros it would change, and if it is small: (x − 1000) / 3 loses
digits as x / 3 − 333.3. Computed in float64 and rounded once.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import LINEAR, NO_PADS, Conv, Dense, DepthwiseConv, ScaleShift
from engine.passes.fold_scale_shift import SMALL_SHIFT
from engine.passes.rewrite import rebuild


def fold_scale_before(graph: Graph) -> Graph:
    """Where nothing else reads what is scaled."""
    made, uses = graph.producers(), graph.uses()

    def folded(node: Node) -> Node:
        before = made.get(node.values[0]) if node.values else None
        return _scaled(node, before) if before and uses[node.values[0]] == 1 and _takes(node, before) else node

    return rebuild(graph, map(folded, graph.nodes))


def _takes(node: Node, before: Node) -> bool:
    op = node.op
    if not isinstance(before.op, ScaleShift) or before.op.activation != LINEAR or not node.weights:
        return False
    if isinstance(op, Conv) and op.groups > 1:
        return False
    scale, shift = (w.read() for w in before.weights)
    if not (np.isfinite(scale).all() and (abs(shift) <= SMALL_SHIFT).all()):
        return False
    padded = isinstance(op, Conv | DepthwiseConv) and op.pads != NO_PADS
    return isinstance(op, Conv | DepthwiseConv | Dense) and not (padded and shift.any())


def _scaled(node: Node, before: Node) -> Node:
    w, (scale, shift) = node.weights[0], before.weights
    bias = node.weights[1] if len(node.weights) > 1 else None
    depthwise = isinstance(node.op, DepthwiseConv)
    outputs = w.shape[-2] * w.shape[-1] if depthwise else w.shape[-1]

    def kernel() -> NDArray[Any]:
        scaled: NDArray[Any] = w.read().astype(np.float64) * scale.read()[:, None]
        return scaled

    def offset() -> NDArray[Any]:
        added = w.read().astype(np.float64) * shift.read()[:, None]
        axes = tuple(range(added.ndim - (2 if depthwise else 1)))
        total: NDArray[Any] = added.sum(axes).reshape(outputs)
        return total if bias is None else total + bias.read()

    folded = Weight(w.name, w.shape, kernel), Weight(shift.name, (outputs,), offset)
    return replace(node, operands=(before.operands[0], *folded))
