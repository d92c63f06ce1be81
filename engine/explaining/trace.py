"""What each stage of one picture's way computes: the engine's own numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from engine.explaining.stages import Reader, Stage, stages_of
from engine.frontend import Network
from engine.ir.graph import Graph, Weight
from engine.ir.ops import Conv, DepthwiseConv, NormPool, Pool, Shape
from engine.passes import optimise
from engine.runtime.session import new_session

Floats = NDArray[np.float32]

MOST_STAGES = 40
"""Stages that are shown; of a deeper network some are left out."""


@dataclass(frozen=True)
class Trace:
    """The stages that are shown, the values that they read and make, and the weights of those that have some.

    `values` has arrays without the batch axis. `left_out` counts stages that are not shown.
    """

    stages: Sequence[Stage]
    reader: Reader
    values: Mapping[int, Floats]
    left_out: int
    constants: dict[int, Floats] = field(default_factory=dict)

    def constant(self, weight: Weight) -> Floats:
        """The content of a weight, read once."""
        if id(weight) not in self.constants:
            self.constants[id(weight)] = weight.read().astype(np.float32)
        return self.constants[id(weight)]


def trace(network: Network, x: Floats, threads: int | None = None) -> Trace:
    """Run one prepared picture (without batch axis) through an open network, and read the weights of its stages."""
    every = stages_of(network)
    stages = chosen(every, network.graph)
    reader = Reader(network.graph)
    wanted = [v for stage in stages for v in (stage.x, reader.origin(stage.x), stage.y)]
    found = Trace(stages, reader, values_of(network.graph, wanted, [x], threads), len(every) - len(stages))
    for stage in stages:
        for weight in (*stage.weights, *(stage.scale.weights if stage.scale else ())):
            found.constant(weight)
    return found


def values_of(
    graph: Graph, wanted: Iterable[int], inputs: Sequence[Floats], threads: int | None = None
) -> dict[int, Floats]:
    """Values of a graph for one example, computed by the compiled kernels."""
    values = dict(zip(graph.inputs, inputs, strict=True))
    outputs = tuple(v for v in dict.fromkeys(wanted) if v not in values)
    if outputs:
        session = new_session(optimise(replace(graph, outputs=outputs)), threads)
        results = session.run([x[None] for x in inputs], 1)
        values |= {v: result[0] for v, result in zip(outputs, results, strict=True)}
    return values


def chosen(stages: Sequence[Stage], graph: Graph) -> list[Stage]:
    """Those that are shown: all, or the ones at which the size changes and the last, filled up evenly."""
    if len(stages) <= MOST_STAGES:
        return list(stages)
    keep = {0, len(stages) - 1} | {
        i for i, s in enumerate(stages) if _extents(graph.shapes[s.x]) != _extents(graph.shapes[s.y])
    }
    order = sorted(range(len(stages)), key=lambda i: (i not in keep, _spread(i)))
    return [stages[i] for i in sorted(order[:MOST_STAGES])]


def _extents(shape: Shape) -> Shape:
    return shape[:2] if len(shape) == 3 else ()


def _spread(i: int) -> float:
    """A number below 1 with the bits of i from the right to the left: the first of any run are far apart."""
    return int(f"{i:016b}"[::-1], 2) / 65536


@dataclass(frozen=True)
class Term:
    """One channel's part of a window: numbers of the window, of the kernel, and their products' sum."""

    channel: int
    patch: Floats
    kernel: Floats | None
    total: float


@dataclass(frozen=True)
class Window:
    """What makes one number: element (row, column, channel) of a stage's result.

    `patch` is None outside of the picture, where padding is. `total` is the sum of all terms, or the maximum or mean;
    then comes the bias, the scale and shift, the activation, and `value` is the element itself.
    """

    row: int
    column: int
    channel: int
    terms: tuple[Term, ...]
    total: float
    bias: float
    value: float


def window(found: Trace, stage: Stage, row: int, column: int, channel: int) -> Window:
    """The numbers behind one element of a convolution or pool, of a stage on one image (h, w, c)."""
    patch = _patch(found, stage, row, column)
    kernel, channels = _kernel(found, stage, channel, patch.shape[2])
    terms = []
    for i, c in enumerate(channels):
        numbers = patch[:, :, c]
        part = None if kernel is None else kernel[:, :, i]
        products = numbers if part is None else np.nan_to_num(numbers) * part
        terms.append(Term(c, numbers, part, float(np.sum(products, dtype=np.float64))))
    bias = float(found.constant(stage.bias)[channel]) if stage.bias is not None else 0.0
    value = float(found.values[stage.y][row, column, channel])
    if kernel is None:
        return Window(row, column, channel, tuple(terms), _pooled(stage, patch[:, :, channels[0]]), 0.0, value)
    return Window(row, column, channel, tuple(terms), sum(term.total for term in terms), bias, value)


def _patch(found: Trace, stage: Stage, row: int, column: int) -> Floats:
    """(kh, kw, c) of the input; NaN where padding is."""
    op, x = stage.op, found.values[stage.x]
    if not isinstance(op, Conv | DepthwiseConv | Pool | NormPool):
        return x
    size, dilation = (op.window, (1, 1)) if isinstance(op, Pool | NormPool) else (stage.weights[0].shape, op.dilation)
    rows, columns = (
        np.arange(size[i]) * dilation[i] + (row, column)[i] * op.strides[i] - op.pads[i][0] for i in (0, 1)
    )
    inside = ((rows >= 0) & (rows < x.shape[0]))[:, None] & ((columns >= 0) & (columns < x.shape[1]))
    patch: Floats = x[rows.clip(0, x.shape[0] - 1)[:, None], columns.clip(0, x.shape[1] - 1)]
    return np.where(inside[..., None], patch, np.float32(np.nan))


def _kernel(found: Trace, stage: Stage, channel: int, channels: int) -> tuple[Floats | None, range]:
    """The kernel (kh, kw, c) that a channel of the result is made with, and the channels that it reads."""
    if stage.kernel is None:
        return None, range(channel, channel + 1)
    kernel = found.constant(stage.kernel)
    if isinstance(stage.op, DepthwiseConv):
        source, copy = divmod(channel, kernel.shape[3])
        return kernel[:, :, source : source + 1, copy], range(source, source + 1)
    groups = stage.op.groups if isinstance(stage.op, Conv) else 1
    first = channel // (kernel.shape[3] // groups) * (channels // groups)
    return kernel[:, :, :, channel], range(first, first + channels // groups)


def _pooled(stage: Stage, patch: Floats) -> float:
    numbers = patch[~np.isnan(patch)].astype(np.float64)
    kind = getattr(stage.op, "kind", "max")
    if kind == "norm":
        power = float(getattr(stage.op, "p", 2.0))
        return float((np.abs(numbers) ** power).sum() ** (1 / power))
    if kind == "stochastic":
        positive = numbers.clip(0)
        return float((positive**2).sum() / positive.sum()) if positive.any() else 0.0
    return float(numbers.max() if kind == "max" else numbers.mean())
