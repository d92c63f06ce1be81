"""Each kernel on shapes of real networks, one thread: `pytest bench/kernels.py` prints GFLOP/s and percent of peak.

Every round times the machine's multiply-add peak right before the kernel, and times are the thread's own processor
time, so that a shared machine's moods cancel out.
`ENGINE_ISA=x86-64-v3 pytest bench/kernels.py` does the same for AVX2.
"""

import time
from collections.abc import Callable
from functools import cache
from math import prod
from statistics import median
from typing import NamedTuple

import numpy as np
import pytest

from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import RELU, Activate, Activation, Conv, Dense, DepthwiseConv, GlobalPool, Op, Pool, Shape, Softmax
from engine.ir.verify import result_shape
from engine.kernels.peak import CHAINS
from engine.plan.choose import legal
from engine.plan.machine import this_machine
from engine.plan.program import plan
from engine.plan.site import Site, aligned_array
from engine.runtime import native
from engine.runtime.workspace import Workspace

ROUNDS = 15
BURST_SECONDS = 0.01
SAME = ((1, 1), (1, 1))


class Row(NamedTuple):
    """One shape: the operation, its input, its weights, and how many images at once."""

    title: str
    op: Op
    x: Shape
    weights: tuple[Shape, ...] = ()
    images: int = 1

    def flops(self) -> float:
        """Multiplications and additions, as usually counted; 0 where the work is moving numbers."""
        if not self.weights:
            return 0.0
        inner = prod(self.weights[0][:2] if isinstance(self.op, DepthwiseConv) else self.weights[0][:-1])
        return 2.0 * inner * prod(self.op.result(self.x, *self.weights)) * self.images


ROWS = [
    Row("seed conv1 28x28 1-32 3x3", Conv(pads=SAME, activation=RELU), (28, 28, 1), ((3, 3, 1, 32), (32,))),
    Row("seed conv2 28x28 32-64 3x3", Conv(pads=SAME, activation=RELU), (28, 28, 32), ((3, 3, 32, 64), (64,))),
    Row("seed conv3 14x14 64-128 3x3", Conv(pads=SAME, activation=RELU), (14, 14, 64), ((3, 3, 64, 128), (128,))),
    Row("vgg 56x56 128-256 3x3", Conv(pads=SAME, activation=RELU), (56, 56, 128), ((3, 3, 128, 256), (256,))),
    Row("vgg 14x14 512-512 3x3", Conv(pads=SAME, activation=RELU), (14, 14, 512), ((3, 3, 512, 512), (512,))),
    Row("resnet 7x7 stride 2 224x224 3-64", Conv((2, 2), ((3, 3), (3, 3))), (224, 224, 3), ((7, 7, 3, 64), (64,))),
    Row("resnet 28x28 512-128 1x1", Conv(), (28, 28, 512), ((1, 1, 512, 128), (128,))),
    Row("resnet 14x14 256-1024 1x1", Conv(), (14, 14, 256), ((1, 1, 256, 1024), (1024,))),
    Row("resnet 7x7 512-512 3x3", Conv(pads=SAME), (7, 7, 512), ((3, 3, 512, 512), (512,))),
    Row("mobilenet 112x112 32 depthwise 3x3", DepthwiseConv(pads=SAME), (112, 112, 32), ((3, 3, 32, 1), (32,))),
    Row("mobilenet 14x14 576 depthwise 3x3", DepthwiseConv(pads=SAME), (14, 14, 576), ((3, 3, 576, 1), (576,))),
    Row("seed fc1 6272-128", Dense(RELU), (6272,), ((6272, 128), (128,))),
    Row("seed fc1 6272-128, 32 images", Dense(RELU), (6272,), ((6272, 128), (128,)), 32),
    Row("dense 1024-1024, 32 images", Dense(RELU), (1024,), ((1024, 1024), (1024,)), 32),
    Row("max pool 28x28x64 2x2", Pool("max", (2, 2), (2, 2)), (28, 28, 64)),
    Row("mean pool 56x56x64 3x3", Pool("mean", (3, 3), (2, 2), SAME), (56, 56, 64)),
    Row("global mean 7x7x2048", GlobalPool("mean"), (7, 7, 2048)),
    Row("softmax 1000", Softmax(), (1000,), (), 32),
    Row("swish 56x56x64", Activate(Activation("swish")), (56, 56, 64)),
    Row("tanh 56x56x64", Activate(Activation("tanh")), (56, 56, 64)),
]


def _site(row: Row) -> Site:
    random = np.random.default_rng(1)
    arrays = [(random.standard_normal(shape) * 0.1).astype(np.float32) for shape in row.weights]
    weights = [Weight(f"w{i}", a.shape, lambda a=a: a) for i, a in enumerate(arrays)]
    node = Node(row.op, (0, *weights), 1, "layer")
    graph = Graph((0,), (1,), (node,), {0: row.x, 1: ()})
    graph = Graph((0,), (1,), (node,), {0: row.x, 1: result_shape(node, graph)})
    return Site(node, graph, this_machine())


def cases() -> list[tuple[Row, str]]:
    """Each row with each algorithm that may compute it."""
    return [(row, a.name) for row in ROWS for a in legal(_site(row))]


@pytest.mark.benchmark(timer=time.thread_time)
@pytest.mark.parametrize(("row", "algorithm"), cases(), ids=lambda v: v.title if isinstance(v, Row) else v)
def test_kernel(benchmark: Callable, row: Row, algorithm: str) -> None:
    graph = _site(row).graph
    program = plan(graph, this_machine(), lambda found, site: next(a for a in found if a.name == algorithm))
    space = Workspace(program, row.images, 1)
    space.inputs[0][:] = np.random.default_rng(0).standard_normal(space.inputs[0].shape, np.float32)
    count = _calls_in_a_burst(lambda: space.run(row.images))

    def burst() -> None:
        for _ in range(count):
            space.run(row.images)

    peaks: list[float] = []
    benchmark.pedantic(burst, setup=lambda: peaks.append(measure_peak()), rounds=ROUNDS, iterations=1)
    seconds = benchmark.stats.stats.median / count
    moved = (prod(row.x) + prod(graph.shapes[graph.outputs[0]])) * row.images + sum(map(prod, row.weights))
    benchmark.extra_info |= {
        "microseconds": seconds * 1e6,
        "gflops": row.flops() / seconds / 1e9,
        "percent_of_peak": 100 * row.flops() / seconds / median(peaks),
        "gigabytes_per_second": moved * 4 / seconds / 1e9,
        "peak_gflops": median(peaks) / 1e9,
        "isa": this_machine().isa.name,
    }


def measure_peak() -> float:
    """Multiply-adds a second on one core right now, counted as two each."""
    kernel, out, passes = _peak()
    start = time.thread_time()
    kernel(passes, out.ctypes.data)
    lanes = this_machine().isa.lanes
    return 2.0 * CHAINS * lanes * passes / (time.thread_time() - start)


@cache
def _peak() -> tuple[Callable[[int, int], int], np.ndarray, int]:
    isa = this_machine().isa
    kernel, out = native.function("peak", isa, 2), aligned_array((CHAINS * isa.lanes,))
    passes = _calls_in_a_burst(lambda: kernel(1000, out.ctypes.data)) * 1000
    return kernel, out, passes


def _calls_in_a_burst(call: Callable[[], object]) -> int:
    call()
    start, count = time.thread_time(), 0
    while time.thread_time() - start < BURST_SECONDS:
        call()
        count += 1
    return max(1, count)
