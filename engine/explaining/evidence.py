"""What an answer rested on: a map over the input.

Where the network ends in a mean over all positions and one dense layer, the map is the class activation map of Zhou
et al. (Learning Deep Features for Discriminative Localization, 2016): its mean, plus the bias, is the class's score
before softmax. For any other classifier, a patch that hides a part of the input is moved over it (Zeiler and Fergus,
Visualizing and Understanding Convolutional Networks, 2014): the map is how much the answer's odds fall.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.explaining.trace import Floats, values_of
from engine.frontend import Network
from engine.ir.graph import Graph, Node
from engine.ir.ops import NO_PADS, Activate, Conv, Dense, GlobalPool, Identity, Pool, Reshape, Softmax

Kind: TypeAlias = Literal["cam", "occlusion"]
Scores: TypeAlias = Callable[[Floats], NDArray[np.float64]]

_LEAST = 1e-30

PATCHES = 12
"""Places of the hiding patch along the longer side, about."""


@dataclass(frozen=True)
class Evidence:
    """A map (rows, columns) over the whole input; large is for the class, below zero against it."""

    kind: Kind
    map: Floats
    text: str


def evidence_for(
    network: Network, x: Floats, index: int, label: str, scores: Scores, threads: int | None = None
) -> Evidence:
    """The map for one class of a classifier, on a prepared picture (h, w, c) or (h, w)."""
    head = _averaged_head(network.graph)
    if head is not None:
        return _class_activation(network.graph, x, index, label, *head, threads)
    return occlusion(x, index, label, scores)


def _averaged_head(graph: Graph) -> tuple[int, Node | None] | None:
    """The maps (h, w, c) whose means become scores, and the layer that weighs them, if the means are not the scores.

    None where the network ends otherwise.
    """
    last = _behind(graph, graph.outputs[0], (Softmax, Activate, Identity, Reshape))
    dense = last if last and _weighs(last, graph) else None
    pool = _behind(graph, dense.values[0], (Identity, Reshape)) if dense else last
    if pool is None or not _averages(pool, graph) or len(graph.shapes[pool.values[0]]) != 3:
        return None
    return pool.values[0], dense


def _weighs(node: Node, graph: Graph) -> bool:
    """Whether a node is one product of a vector, also where that is a picture of one pixel."""
    shape = graph.shapes[node.values[0]]
    return shape[:-1] in ((), (1, 1)) and isinstance(node.op, Dense | Conv) and node.weights[0].shape[-2] == shape[-1]


def _averages(node: Node, graph: Graph) -> bool:
    """Whether a node is the mean over all of its image."""
    shape = graph.shapes[node.values[0]]
    if isinstance(node.op, Pool):
        return node.op.kind == "mean" and node.op.window == shape[-3:-1] and node.op.pads == NO_PADS
    return isinstance(node.op, GlobalPool) and node.op.kind == "mean"


def _behind(graph: Graph, value: int, skipped: tuple[type, ...]) -> Node | None:
    made = graph.producers()
    while (node := made.get(value)) and isinstance(node.op, skipped):
        value = node.values[0]
    return made.get(value)


def _class_activation(
    graph: Graph, x: Floats, index: int, label: str, maps: int, dense: Node | None, threads: int | None
) -> Evidence:
    values = values_of(graph, [maps], [x], threads)[maps].astype(np.float64)
    h, w, c = values.shape
    kernel = np.eye(c) if dense is None else dense.weights[0].read().astype(np.float64).reshape(c, -1)
    units = kernel.shape[1]
    weights = -kernel[:, 0] if units == 1 and index == 0 else kernel[:, min(index, units - 1)]
    how = "the map of the class itself" if dense is None else f"the channels weighed as {dense.layer} weighs them"
    text = (
        f"Class activation map of {label!r}: at each of {h} × {w} places, {how}. "
        f"Their mean{'' if dense is None else ', plus the bias,'} is the score before it becomes a probability."
    )
    return Evidence("cam", (values @ weights).astype(np.float32), text)


def occlusion(x: Floats, index: int, label: str, scores: Scores) -> Evidence:
    """How much the score of a class falls while a patch hides each part of the picture."""
    h, w = x.shape[:2]
    stride = max(1, round(max(h, w) / PATCHES))
    side = min(2 * stride + 1, h, w)
    places = [(r, c) for r in _starts(h, side, stride) for c in _starts(w, side, stride)]
    hidden = np.repeat(x[None], len(places) + 1, axis=0)
    grey = np.median(x, axis=(0, 1))
    for i, (r, c) in enumerate(places):
        hidden[i, r : r + side, c : c + side] = grey
    found, unit = _strength(scores(hidden), index)
    total, count = np.zeros((h, w)), np.zeros((h, w))
    for (r, c), score in zip(places, found, strict=False):
        total[r : r + side, c : c + side] += found[-1] - score
        count[r : r + side, c : c + side] += 1
    text = (
        f"Occlusion map: a patch of {side} × {side} cells in the picture's median colour hides {len(places)} places in "
        f"turn; each cell shows how much the {unit} of {label!r} falls, on average, while it is hidden."
    )
    return Evidence("occlusion", (total / count).astype(np.float32), text)


def _strength(scores: NDArray[np.float64], index: int) -> tuple[NDArray[np.float64], str]:
    """How strongly each row speaks for a class: the logarithm of its odds where rows are probabilities of classes."""
    if not np.allclose(scores.sum(axis=1), 1.0, atol=1e-3) or scores.min() < 0:
        return scores[:, index], "score"
    others = np.delete(scores, index, axis=1).sum(axis=1)
    return np.log(np.maximum(scores[:, index], _LEAST)) - np.log(np.maximum(others, _LEAST)), "logarithm of the odds"


def _starts(size: int, side: int, stride: int) -> list[int]:
    """Where the patch begins along an axis; the last place touches the end."""
    return sorted({*range(0, size - side + 1, stride), size - side})
