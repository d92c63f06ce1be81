"""Where a model's time and memory go on this machine."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ir.graph import Graph
from engine.ir.ops import Shape
from engine.measure.layers import covered
from engine.measure.loading import Loaded
from engine.measure.memory import peak_resident
from engine.measure.peak import Peak
from engine.measure.trace import Spans, Tracer, kernel_times, step_times
from engine.measure.work import flops, packed_bytes, value_bytes
from engine.plan.program import Program
from engine.runtime.session import Session

BASE_BYTES = 95_000_000
PACKED_SHARE = 1.1
_LEAST_RUNS = 5


@dataclass(frozen=True)
class Row:
    """One operation of the program. `seconds` are for the whole batch, `flops` as the operation defines them.

    `busy` is the share of the threads' time that they spend in kernels.
    """

    layers: tuple[str, ...]
    operation: str
    algorithm: str
    kernels: tuple[str, ...]
    result: Shape
    seconds: float
    share: float
    busy: float
    flops: float
    bytes: float
    percent_of_peak: float | None


@dataclass(frozen=True)
class Sizes:
    """Bytes. `raw` are the weights as the model counts them, `arena` and `scratch` those of the profiled batch."""

    raw: int
    packed: int
    arena: int
    scratch: int
    peak_resident: int

    @property
    def expected(self) -> float:
        """What the process should need at most: a base for the interpreter and libraries, weights, values."""
        return BASE_BYTES + PACKED_SHARE * self.packed + self.arena


@dataclass(frozen=True)
class Profile:
    """`call` and `steps` are medians for the batch; `between` is the time between steps, in which no kernel runs.

    `piece` is the number of images that go through the program at once.
    """

    model: str
    isa: str
    batch: int
    piece: int
    threads: int
    load: float
    first_call: float
    call: float
    steps: float
    between: float
    peak: float
    memory: Sizes
    rows: tuple[Row, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        memory = asdict(self.memory) | {"expected": self.memory.expected}
        return asdict(self) | {"memory": memory}


def measure(model: Loaded, batch: int, seconds: float) -> tuple[Profile, list[Spans]]:
    """Profile a model for about `seconds`; also the kernel calls of the run of median length, piece after piece."""
    session, program = model.session, model.session.program
    (first,) = _times(model.call, 0.0, 1)
    calls = _times(model.call, seconds / 3, _LEAST_RUNS)
    piece = 1 if batch == 1 else min(batch, session.capacity)
    resident, graph = peak_resident(), model.graph()
    memory = _sizes(graph, session, 1 if batch == 1 else session.capacity, resident)
    peak = Peak(program.machine.isa)
    peaks = [peak.cores(session.threads) for _ in range(2)]
    runs = _traced(program, batch, piece, session.threads, 2 * seconds / 3)
    peaks.append(peak.cores(session.threads))
    steps = np.array([_summed(run, len(program.steps), step_times) for run in runs])
    inside = np.median([_summed(run, len(program.steps), kernel_times) for run in runs], axis=0)
    times, totals = np.median(steps, axis=0), np.array([_whole(run) for run in runs])
    rows = _rows(graph, session, times, inside, batch, -(-batch // piece), max(peaks))
    profile = Profile(
        model.name, program.machine.isa.name, batch, piece, session.threads, model.seconds, first,
        float(np.median(calls)), float(times.sum()), float(np.median(totals - steps.sum(axis=1))), max(peaks),
        memory, rows,
    )  # fmt: skip
    return profile, runs[int(np.argsort(totals)[len(totals) // 2])]


def _times(call: Callable[[], object], seconds: float, least: int) -> list[float]:
    found: list[float] = []
    end = time.perf_counter() + seconds
    while len(found) < least or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return found


def _traced(program: Program, batch: int, piece: int, threads: int, seconds: float) -> list[list[Spans]]:
    """The kernel calls of several runs of the batch, each a list of its pieces."""
    sizes = [min(piece, batch - start) for start in range(0, batch, piece)]
    tracer = Tracer(program, piece, threads)
    tracer.run(piece)
    runs: list[list[Spans]] = []
    end = time.perf_counter() + seconds
    while len(runs) < _LEAST_RUNS or time.perf_counter() < end:
        runs.append([tracer.run(size) for size in sizes])
    return runs


def _summed(run: list[Spans], steps: int, measure: Callable[[Spans, int], NDArray[np.float64]]) -> NDArray[np.float64]:
    total: NDArray[np.float64] = np.zeros(steps)
    for spans in run:
        total += measure(spans, steps)
    return total


def _whole(run: list[Spans]) -> float:
    """Seconds from the first kernel call of each piece to the end of its last, summed."""
    return sum(float(spans["end"].max() - spans["start"].min()) for spans in run) * 1e-9


def _sizes(graph: Graph, session: Session, capacity: int, resident: int) -> Sizes:
    program = session.program
    return Sizes(
        raw=4 * sum(weight.size for weight in graph.weights()),
        packed=packed_bytes(program.steps),
        arena=program.arena * capacity,
        scratch=program.scratch * session.threads,
        peak_resident=resident,
    )


def _rows(
    graph: Graph,
    session: Session,
    times: NDArray[np.float64],
    inside: NDArray[np.float64],
    batch: int,
    pieces: int,
    peak: float,
) -> tuple[Row, ...]:
    program = session.program
    layers = covered(graph, (task.output for task in program.tasks))
    total = float(times.sum()) or 1.0
    rows: list[Row] = []
    places = range(len(program.steps))
    for task, group in groupby(places, key=program.tasks.__getitem__):
        numbers = list(group)
        steps = [program.steps[i] for i in numbers]
        seconds = float(times[numbers].sum())
        work = flops(task) * batch
        rows.append(
            Row(
                layers=layers[task.output] or (steps[0].layer,),
                operation=type(task.op).__name__,
                algorithm=task.algorithm,
                kernels=tuple(step.kernel for step in steps),
                result=task.result,
                seconds=seconds,
                share=seconds / total,
                busy=float(inside[numbers].sum()) / (seconds * session.threads) if seconds else 0.0,
                flops=work,
                bytes=float(value_bytes(task) * batch + packed_bytes(steps) * pieces),
                percent_of_peak=100 * work / seconds / peak if work and seconds else None,
            )
        )
    return tuple(rows)
