"""Receptive fields: the recurrence, and what really changes when a row of the input does."""

from collections.abc import Callable
from math import inf
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.frontend import open_model
from engine.ir import reference
from engine.ir.graph import Graph
from engine.ir.ops import (
    RELU,
    Activate,
    Binary,
    Concat,
    Conv,
    ConvTranspose,
    Dense,
    DepthwiseConv,
    GlobalPool,
    Pool,
    Recurrent,
    Reduce,
    Reshape,
    Transpose,
)
from engine.look.reach import receptive_fields
from tests.golden import models, name_of
from tests.graphs import Net

SAME = ((1, 1), (1, 1))
Build = Callable[[Net, int], int]


def reach(graph: Graph, value: int, axis: int = 0) -> int:
    """The largest number of rows of the input between the first and the last that any element depends on."""
    shape = graph.shapes[graph.inputs[0]]
    x = np.ones((shape[axis], *shape))
    for i in range(shape[axis]):
        np.moveaxis(x[i], axis, 0)[i] = np.nan
    others = [np.ones((shape[axis], *graph.shapes[v])) for v in graph.inputs[1:]]
    touched = np.isnan(reference.run(graph, [x, *others])[value]).reshape(shape[axis], -1)
    return max(span(column) for column in touched.T)


def span(touched: NDArray[np.bool_]) -> int:
    places = np.flatnonzero(touched)
    return int(places[-1] - places[0] + 1) if len(places) else 0


def conv(net: Net, x: int, k: int = 3, f: int = 2, **options: object) -> int:
    return net.add(Conv(**options), x, net.kernel(k, k, net.shapes[x][-1], f))  # type: ignore[arg-type]


def residual(net: Net, x: int) -> int:
    y = conv(net, conv(net, x, pads=SAME), pads=SAME)
    return conv(net, net.add(Activate(RELU), net.add(Binary("add"), conv(net, x, 1), y)))


def inception(net: Net, x: int) -> int:
    wide = conv(net, x, 5, pads=((2, 2), (2, 2)))
    return net.add(Pool("max", (2, 2), (2, 2)), net.add(Concat(-1), conv(net, x, 1), wide, conv(net, x, pads=SAME)))


def volume(net: Net, x: int) -> int:
    """A reshape joins two axes and another one separates them, as three-dimensional pools do."""
    joined = net.add(Reshape((1, 48 * 48, 2)), conv(net, x, pads=SAME))
    return conv(net, net.add(Reshape((48, 48, 2)), net.add(Activate(RELU), joined)))


BUILDS: dict[str, tuple[Build, float]] = {
    "two convolutions": (lambda net, x: conv(net, conv(net, x)), 5),
    "a stride": (lambda net, x: conv(net, conv(net, x, strides=(2, 2))), 7),
    "dilation": (lambda net, x: conv(net, x, dilation=(3, 3)), 7),
    "depthwise": (lambda net, x: net.add(DepthwiseConv(strides=(2, 2)), x, net.kernel(5, 5, 1, 2)), 5),
    "pools": (lambda net, x: conv(net, net.add(Pool("mean", (2, 2), (2, 2)), conv(net, x))), 8),
    "the longest of branches": (residual, 7),
    "joined branches": (inception, 6),
    "transposed": (lambda net, x: net.add(ConvTranspose((2, 2), (0, 0), (96, 96)), x, net.kernel(4, 4, 1, 2)), 2),
    "transposed and back": (
        lambda net, x: conv(net, net.add(ConvTranspose((2, 2), (0, 0), (96, 96)), x, net.kernel(2, 2, 1, 2)), 5), 3
    ),
    "a reshape there and back": (volume, 5),
    "channels first": (
        lambda net, x: net.add(Transpose((2, 0, 1)), conv(net, net.add(Transpose((0, 1, 2)), x))), 3
    ),
    "everything": (lambda net, x: net.add(GlobalPool("mean"), conv(net, x)), inf),
    "a dense layer for each pixel": (lambda net, x: net.add(Dense(), conv(net, x), net.kernel(2, 4)), 3),
    "a mean over columns": (lambda net, x: net.add(Reduce("mean", (-2,)), conv(net, x)), 3),
}  # fmt: skip


@pytest.mark.parametrize("name", BUILDS)
def test_the_field_is_what_changes_the_result(name: str) -> None:
    build, expected = BUILDS[name]
    net = Net()
    value = build(net, net.input(48, 48, 1))
    graph = net.graph(value)
    found = receptive_fields(graph)[value].sizes[0]
    assert found == expected
    assert reach(graph, value) == min(expected, 48)


def test_a_dense_layer_after_flattening_sees_everything() -> None:
    net = Net()
    flat = net.add(Reshape((9 * 9 * 2,)), conv(net, net.input(11, 11, 1)))
    dense = net.add(Dense(), flat, net.kernel(162, 3))
    fields = receptive_fields(net.graph(dense))
    assert fields[flat].sizes[:2] == (3, 3)
    assert fields[dense].sizes == (inf, inf, inf)


def test_a_recurrence_sees_every_step() -> None:
    net = Net()
    op = Recurrent("lstm", sequences=True)
    value = net.add(op, net.input(7, 3), net.kernel(3, 16), net.kernel(4, 16), net.kernel(16))
    assert receptive_fields(net.graph(value))[value].sizes == (inf, inf)


def test_values_that_do_not_read_the_input_have_no_field() -> None:
    net = Net()
    a, b = net.input(8, 8, 1), net.input(8, 8, 1)
    value, other = conv(net, a), conv(net, b)
    fields = receptive_fields(net.graph(net.add(Binary("add"), value, other)), source=1)
    assert value not in fields
    assert fields[other].sizes[0] == 3


WINDOWS = [m for m in models() if m.parent.name == "k3" and m.stem.startswith(("conv", "max_pool", "upsampl", "resiz"))]


@pytest.mark.parametrize("model", WINDOWS, ids=name_of)
def test_no_element_depends_on_more_than_its_field(model: Path) -> None:
    with open_model(model) as network:
        graph = network.graph
        fields = receptive_fields(graph)
        for axis in range(len(graph.shapes[graph.inputs[0]]) - 1):
            for value in graph.outputs:
                extent = graph.shapes[graph.inputs[0]][axis]
                assert reach(graph, value, axis) <= min(fields[value].sizes[axis], extent)
