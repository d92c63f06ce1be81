"""The contract: one image's bits do not depend on its batch, its place there, the threads, or other calls."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import engine
from engine.ir import reference
from engine.ir.graph import Graph
from engine.ir.ops import (
    RELU,
    Activate,
    Activation,
    Binary,
    Concat,
    Conv,
    Dense,
    DepthwiseConv,
    GlobalPool,
    Pool,
    Reshape,
    ScaleShift,
    Softmax,
)
from engine.passes import optimise
from engine.plan.choose import legal
from engine.plan.machine import this_machine
from engine.plan.program import plan
from engine.plan.site import Site
from engine.runtime import team, workspace
from engine.runtime.workspace import Workspace
from tests.graphs import Net
from tests.random_graphs import random_graph
from tests.running import run_graph

MACHINE = this_machine()
WEIGHTS = Path(__file__).parents[2] / "weights"
SAME = ((1, 1), (1, 1))


@pytest.fixture(autouse=True)
def _every_run_wakes_the_team(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(workspace, "_WORTH_WAKING", 0.0)
    yield
    team._dismiss()


def convolutions(net: Net) -> int:
    x = net.add(Conv(pads=SAME, activation=RELU), net.input(13, 11, 3), net.kernel(3, 3, 3, 20), net.weight(20))
    x = net.add(Conv(strides=(2, 2), activation=Activation("swish")), x, net.kernel(3, 3, 20, 33), net.weight(33))
    return net.add(Pool("max", (2, 2), (2, 2)), x)


def square_convolutions(net: Net) -> int:
    x = net.add(Conv(pads=SAME, activation=RELU), net.input(24, 24, 16), net.kernel(3, 3, 16, 64), net.weight(64))
    return net.add(Conv(pads=SAME), x, net.kernel(3, 3, 64, 64), net.weight(64))


def pointwise(net: Net) -> int:
    x = net.add(Conv(activation=RELU), net.input(9, 10, 40), net.kernel(1, 1, 40, 70), net.weight(70))
    return net.add(Conv(), x, net.kernel(1, 1, 70, 35))


def depthwise(net: Net) -> int:
    x = net.input(14, 15, 17)
    y = net.add(DepthwiseConv(pads=SAME, activation=RELU), x, net.kernel(3, 3, 17, 1), net.weight(17))
    y = net.add(Binary("add"), x, y)
    return net.add(DepthwiseConv(strides=(2, 1)), y, net.kernel(3, 3, 17, 2), net.weight(34))


def grouped(net: Net) -> int:
    return net.add(Conv(pads=SAME, groups=4), net.input(12, 12, 16), net.kernel(3, 3, 4, 24), net.weight(24))


def dense(net: Net) -> int:
    x = net.add(Dense(Activation("tanh")), net.input(700), net.kernel(700, 130), net.weight(130))
    return net.add(Softmax(), net.add(Dense(), x, net.kernel(130, 300)))


def dense_rows(net: Net) -> int:
    x = net.add(Dense(RELU), net.input(19, 50), net.kernel(50, 90), net.weight(90))
    return net.add(Softmax(), net.add(ScaleShift(), x, net.weight(90), net.weight(90)))


def elementwise(net: Net) -> int:
    x = net.input(20, 21, 5)
    y = net.add(Concat(-1), net.add(Activate(Activation("gelu")), x), x)
    return net.add(Reshape((2, 5)), net.add(GlobalPool("mean"), y))


NETS = (convolutions, square_convolutions, pointwise, depthwise, grouped, dense, dense_rows, elementwise)


def close(found: NDArray[np.float32], exact: NDArray[np.float64]) -> bool:
    return bool(np.all(np.abs(found - exact) <= 1e-4 * max(1.0, np.abs(exact).max())))


def algorithms(graph: Graph) -> list[str]:
    """The names of all algorithms that may compute a node of the graph which leaves a choice, or one empty name."""
    sites = [Site(node, graph, MACHINE) for node in graph.nodes if not isinstance(node.op, Reshape)]
    choices = [legal(site) for site in sites]
    return sorted({a.name for candidates in choices if len(candidates) > 1 for a in candidates}) or [""]


@pytest.mark.parametrize("build", NETS, ids=lambda build: build.__name__)
def test_same_bits_on_any_threads_and_in_any_batch(build: Callable[[Net], int]) -> None:
    net = Net()
    graph = net.graph(build(net))
    x = net.batch(9)
    exact = reference.run(graph, x)[graph.outputs[0]]
    for name in algorithms(graph):
        (expected,) = run_graph(graph, x, MACHINE.isa, algorithm=name)
        assert close(expected, exact), name
        for i in range(9):
            (alone,) = run_graph(graph, [a[i : i + 1] for a in x], MACHINE.isa, algorithm=name)
            np.testing.assert_array_equal(alone[0], expected[i], name)
        program = plan(graph, MACHINE, lambda c, _, name=name: next((a for a in c if a.name == name), c[0]))  # type: ignore[misc]
        for threads in (1, 2, 3, 4):
            space = Workspace(program, 9, threads)
            for n in range(1, 10):
                check(space, x, expected, n, 0)
                check(space, x, expected, n, 9 - n)


def check(space: Workspace, x: list[NDArray[np.float32]], expected: NDArray[np.float32], n: int, first: int) -> None:
    """Images first … first + n − 1 have the expected bits."""
    space._arena[...], space._scratch[...] = np.nan, np.nan
    for view, a in zip(space.inputs, x, strict=True):
        view[:n] = a[first : first + n]
    space.run(n)
    np.testing.assert_array_equal(space.output[:n], expected[first : first + n], f"{space.threads} threads, {n} images")


def bits(graph: Graph, x: list[NDArray[np.float32]], threads: int) -> list[NDArray[np.float32]]:
    return run_graph(graph, x, MACHINE.isa, threads=threads)


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_have_the_twins_answers_and_the_same_bits(seed: int) -> None:
    before, net = random_graph(seed, 16)
    graph = optimise(before)
    x = net.batch(5)
    exact = reference.run(before, x)
    together = bits(graph, x, 1)
    for y, v in zip(together, before.outputs, strict=True):
        assert close(y, exact[v])
    for y, z in zip(together, bits(graph, x, 3), strict=True):
        np.testing.assert_array_equal(y, z)
    for i in (0, 4):
        for y, z in zip(together, bits(graph, [a[i : i + 1] for a in x], 1), strict=True):
            np.testing.assert_array_equal(y[i], z[0])


@pytest.mark.slow
def test_many_random_graphs_have_the_twins_answers() -> None:
    for seed in range(100, 500):
        before, net = random_graph(seed, 3 + seed % 25)
        x = net.batch(3)
        exact = reference.run(before, x)
        for graph in (before, optimise(before)):
            for y, v in zip(bits(graph, x, 1 + seed % 3), before.outputs, strict=True):
                assert close(y, exact[v]), f"seed {seed}, value {v}"


@pytest.mark.parametrize("name", ["mnist.h5", "mnist_dense.h5"])
def test_same_bits_through_the_public_interface(name: str) -> None:
    x = np.random.default_rng(5).random((40, 28, 28, 1), np.float32)
    alone = engine.load_model(WEIGHTS / name, threads=1)
    expected = np.concatenate([alone(x[i : i + 1]) for i in range(40)])
    for threads in (1, 2, 3, 4):
        model = engine.load_model(WEIGHTS / name, threads=threads)
        np.testing.assert_array_equal(model(x), expected)
        for n in range(1, 10):
            np.testing.assert_array_equal(model.predict(x[n : 2 * n]), expected[n : 2 * n])
            np.testing.assert_array_equal(model.predict(x, batch_size=n), expected)
    order = np.random.default_rng(6).permutation(40)
    np.testing.assert_array_equal(alone.predict(x[order]), expected[order])
