"""A transposed convolution becomes a convolution with an output channel for each place within a stride.

With x = u·s + p, the taps of one p form a kernel of ⌈span / s⌉ that reads x directly; the results for all p stand side
by side as channels, are moved to their places and cropped (sub-pixel convolution: Shi et al., Is the deconvolution
layer the same as a convolutional layer?, 2016). Where the stride is 1, it is a convolution with the kernel turned.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import LimitExceededError
from engine.ir.graph import Graph, Node, Operand, Weight
from engine.ir.ops import Conv, ConvTranspose, Op, Reshape, Slice, Transpose
from engine.ir.verify import result_shape
from engine.passes.rewrite import rebuild

MAX_GROWTH = 1 << 12
"""How many times larger than the layer's own a kernel may become."""


def expand_conv_transpose(graph: Graph) -> Graph:
    """Comes last: other passes see one operation with a bias and an activation."""
    nodes: list[Node] = []
    shapes = dict(graph.shapes)
    for node in graph.nodes:
        if not isinstance(node.op, ConvTranspose):
            nodes.append(node)
            continue
        last = node.operands[0]
        for op, weights in _steps(node, graph):
            output = max(shapes) + 1
            fresh = Node(op, (last, *weights), output, node.layer)
            shapes[output] = result_shape(fresh, Graph((), (), (), shapes))
            nodes.append(fresh)
            last = output
        nodes[-1] = replace(nodes[-1], output=node.output)
    return rebuild(Graph(graph.inputs, graph.outputs, graph.nodes, shapes), nodes)


def _steps(node: Node, graph: Graph) -> list[tuple[Op, tuple[Operand, ...]]]:
    op, w = node.op, node.weights[0]
    assert isinstance(op, ConvTranspose)
    *lead, h, wd, _ = graph.shapes[node.values[0]]
    kh, kw, c, f = w.shape
    (sh, sw), (dh, dw), (top, left), (oh, ow) = op.strides, op.dilation, op.begin, op.extent
    if op.strides == (1, 1):
        turned = Weight(w.name, w.shape, lambda: w.read()[::-1, ::-1])
        pads = [((k - 1) * d - b, e + b - n) for k, d, b, e, n in zip(
            (kh, kw), op.dilation, op.begin, op.extent, (h, wd), strict=True)]  # fmt: skip
        if min(*pads[0], *pads[1]) >= 0:
            conv = Conv((1, 1), (pads[0], pads[1]), op.dilation, activation=op.activation)
            return [(conv, (turned, *node.weights[1:]))]
    uh, uw = -(-((kh - 1) * dh + 1) // sh), -(-((kw - 1) * dw + 1) // sw)
    qh, qw = max(h, -(-(top + oh) // sh)), max(wd, -(-(left + ow) // sw))
    if uh * sh * uw * sw > MAX_GROWTH * kh * kw:
        raise LimitExceededError(f"layer {node.layer!r}: its kernel would become one of {uh * sh} × {uw * sw}")
    conv = Conv(pads=((uh - 1, qh - h), (uw - 1, qw - wd)), activation=op.activation)
    kernel = Weight(w.name, (uh, uw, c, sh * sw * f), _by_place(w, op, uh, uw))
    biases = tuple(Weight(b.name, (sh * sw * f,), _tiled(b, sh * sw)) for b in node.weights[1:])
    rank = len(lead)
    axes = (*range(rank), rank, rank + 2, rank + 1, rank + 3, rank + 4)
    return [
        (conv, (kernel, *biases)),
        (Reshape((*lead, qh, qw, sh, sw, f)), ()),
        (Transpose(axes), ()),
        (Reshape((*lead, qh * sh, qw * sw, f)), ()),
        (Slice((*(0,) * rank, top, left, 0), (*lead, oh, ow, f), (1,) * (rank + 3)), ()),
    ]


def _by_place(w: Weight, op: ConvTranspose, uh: int, uw: int) -> Callable[[], NDArray[Any]]:
    """(kh, kw, c, f) → (uh, uw, c, sh·sw·f), the last tap first."""
    kh, kw, c, f = w.shape
    (sh, sw), (dh, dw) = op.strides, op.dilation

    def read() -> NDArray[Any]:
        values = w.read()
        taps = np.zeros((uh * sh, uw * sw, c, f), values.dtype)
        taps[: (kh - 1) * dh + 1 : dh, : (kw - 1) * dw + 1 : dw] = values
        places = taps.reshape(uh, sh, uw, sw, c, f)[::-1, :, ::-1]
        return places.transpose(0, 2, 4, 1, 3, 5).reshape(uh, uw, c, sh * sw * f)

    return read


def _tiled(bias: Weight, times: int) -> Callable[[], NDArray[Any]]:
    return lambda: np.tile(bias.read(), times)
