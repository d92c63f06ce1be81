"""The instruction-set classes: vectors, register tile, peak, and what matrix products and convolutions reach of it.

`python -m bench.classes` measures every class that this processor runs, on one core, by the thread's own processor
time; code of a lower class is what a lesser processor would run.
"""

import sys
import time
from dataclasses import replace
from statistics import median

import numpy as np

from bench.kernels import Row, site_of
from engine.ir.ops import RELU, Conv, Dense
from engine.kernels.isa import ISAS, Isa
from engine.measure.peak import Peak
from engine.measure.text import figure, table
from engine.measure.work import flops
from engine.plan.machine import Machine, fits, this_machine
from engine.plan.program import plan
from engine.runtime.workspace import Workspace

ROUNDS = 9
SAME = ((1, 1), (1, 1))
ROWS = (
    (Row("dense 1024-1024, 32 images", Dense(RELU), ((1024,),), ((1024, 1024), (1024,)), 32), "dense_gemm"),
    (Row("1x1 28x28 256-256", Conv(), ((28, 28, 256),), ((1, 1, 256, 256), (256,))), "conv_pointwise"),
    (Row("3x3 28x28 128-128", Conv(pads=SAME), ((28, 28, 128),), ((3, 3, 128, 128), (128,))), "conv_direct"),
)
NAMES = {"x86-64-v4": "AVX-512", "x86-64-v3": "AVX2 + FMA", "x86-64-v2": "SSE4", "neon": "NEON"}


def percent(row: Row, algorithm: str, isa: Isa, peak: Peak) -> float:
    """Of the class's peak, which is measured right before each run; the median over the rounds."""
    here = this_machine()
    machine = Machine(isa, here.l1, here.l2, here.l3)
    graph = replace(site_of(row), machine=machine).graph
    program = plan(graph, machine, lambda found, site: next(a for a in found if a.name == algorithm))
    space = Workspace(program, row.images, 1)
    space.input[...] = np.random.default_rng(0).random(space.input.shape, np.float32)
    work = flops(program.tasks[0]) * row.images
    count = max(1, round(peak.one_core() * 0.005 / work))
    shares = []
    space.run(row.images)
    for _ in range(ROUNDS):
        best = peak.one_core()
        start = time.thread_time()
        for _ in range(count):
            space.run(row.images)
        shares.append(100 * count * work / (time.thread_time() - start) / best)
    return median(shares)


def cells(isa: Isa) -> list[str]:
    """A class as a row of the table."""
    form = [NAMES[isa.name], isa.name, str(isa.lanes), f"{isa.mr} × {isa.nv}"]
    if not fits(isa):
        return [*form, "-", *("-" for _ in ROWS)]
    peak = Peak(isa)
    rate = median(peak.one_core() for _ in range(ROUNDS)) / 1e9
    return [*form, figure(rate), *(figure(percent(row, algorithm, isa, peak)) for row, algorithm in ROWS)]


def main() -> int:
    """Command line."""
    heads = ["instructions", "class", "lanes", "tile", "GFLOP/s", *(f"% {row.title}" for row, _ in ROWS)]
    for line in table(heads, [cells(isa) for isa in ISAS], left=2):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
