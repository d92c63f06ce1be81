"""Each kernel on shapes of real networks, one thread: `pytest bench/kernels.py` prints GFLOP/s and percent of peak.

`-k "vgg16 and winograd"` picks rows by net, layer and algorithm. Every round times the machine's multiply-add peak
right before the kernel, and times are the thread's own processor time, so that a shared machine's moods cancel out.
`ENGINE_ISA=x86-64-v3 pytest bench/kernels.py` does the same for AVX2.
"""

import time
from collections.abc import Callable
from functools import cache
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pytest

from bench.nets import stored
from engine.ir.graph import Graph, Node, Weight
from engine.ir.ops import RELU, Activate, Activation, Dense, Op, Pool, Shape, Softmax
from engine.ir.verify import result_shape
from engine.measure.peak import Peak
from engine.measure.work import flops, packed_bytes, value_bytes
from engine.plan.choose import legal
from engine.plan.machine import this_machine
from engine.plan.program import plan
from engine.plan.site import Site
from engine.runtime.workspace import Workspace

ROUNDS = 7
BURST_SECONDS = 0.01


class Row(NamedTuple):
    """One shape: the operation, its operands, and how many images at once."""

    title: str
    op: Op
    values: tuple[Shape, ...]
    weights: tuple[Shape, ...] = ()
    images: int = 1


ROWS = [
    *(Row(f"{net} {site.layer}", site.op, site.values, site.weights) for net, site in stored()),
    Row("dense 6272-128, 32 images", Dense(RELU), ((6272,),), ((6272, 128), (128,)), 32),
    Row("dense 1024-1024, 32 images", Dense(RELU), ((1024,),), ((1024, 1024), (1024,)), 32),
    Row("mean pool 56x56x64 3x3", Pool("mean", (3, 3), (2, 2), ((1, 1), (1, 1))), ((56, 56, 64),)),
    Row("softmax 1000, 32 images", Softmax(), ((1000,),), (), 32),
    *(
        Row(f"{kind} 56x56x64", Activate(Activation(kind)), ((56, 56, 64),))
        for kind in ("sigmoid", "swish", "tanh", "gelu")
    ),
]


def site_of(row: Row) -> Site:
    """The row as a graph of one node; its weights are drawn when they are read."""
    inputs = tuple(range(len(row.values)))
    node = Node(row.op, (*inputs, *map(_weight, row.weights)), len(inputs), "layer")
    shapes: dict[int, Shape] = {**dict(enumerate(row.values)), node.output: ()}
    shapes[node.output] = result_shape(node, Graph(inputs, (node.output,), (node,), dict(shapes)))
    return Site(node, Graph(inputs, (node.output,), (node,), shapes), this_machine())


def _weight(shape: Shape) -> Weight:
    """Numbers drawn when they are read."""
    return Weight("w", shape, lambda: np.random.default_rng(1).standard_normal(shape, np.float32) * np.float32(0.1))


def cases() -> list[tuple[Row, str]]:
    """Each row with each algorithm that may compute it."""
    return [(row, a.name) for row in ROWS for a in legal(site_of(row))]


@pytest.mark.benchmark(timer=time.thread_time)
@pytest.mark.parametrize(("row", "algorithm"), cases(), ids=lambda v: v.title if isinstance(v, Row) else v)
def test_kernel(benchmark: Any, row: Row, algorithm: str) -> None:
    program = plan(
        site_of(row).graph, this_machine(), lambda found, site: next(a for a in found if a.name == algorithm)
    )
    space = Workspace(program, row.images, 1)
    for view in space.inputs:
        view[:] = np.random.default_rng(0).standard_normal(view.shape, np.float32)
    count = _calls_in_a_burst(lambda: space.run(row.images))

    def burst() -> None:
        for _ in range(count):
            space.run(row.images)

    peaks: list[float] = []
    benchmark.pedantic(burst, setup=lambda: peaks.append(_peak().one_core()), rounds=ROUNDS, iterations=1)
    seconds = benchmark.stats.stats.median / count
    work = flops(program.tasks[0]) * row.images
    moved = value_bytes(program.tasks[0]) * row.images + packed_bytes(program.steps)
    benchmark.extra_info |= {
        "microseconds": seconds * 1e6,
        "gflops": work / seconds / 1e9,
        "percent_of_peak": 100 * work / seconds / median(peaks),
        "gigabytes_per_second": moved / seconds / 1e9,
        "peak_gflops": median(peaks) / 1e9,
        "isa": this_machine().isa.name,
    }


@cache
def _peak() -> Peak:
    return Peak(this_machine().isa)


def _calls_in_a_burst(call: Callable[[], object]) -> int:
    call()
    start, count = time.thread_time(), 0
    while time.thread_time() - start < BURST_SECONDS:
        call()
        count += 1
    return max(1, count)
