"""Which of the legal algorithms of each operation is the fastest on this machine, measured.

The whole model runs once with the first candidate of every operation, once with the second and so on, in turns, and
each step is timed inside those runs: weights and values are in the caches in which they are when the model predicts.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.frontend import Source, name_of
from engine.ir.graph import Graph
from engine.ir.ops import HostCall, Identity, Reshape, Shape
from engine.measure.loading import opened
from engine.measure.trace import Tracer, step_times
from engine.passes import optimise
from engine.plan.choose import Choice, choose, legal
from engine.plan.machine import Machine, this_machine
from engine.plan.program import Program, plan
from engine.plan.site import Algorithm, Site
from engine.plan.tuned import Choices, signature
from engine.runtime.session import Session
from engine.runtime.team import num_threads

WORTH = 0.97
"""Another algorithm than the plan's own is taken where its time is below this share: measurements differ by as much."""
BATCHES = (1, 32)
_LEAST_ROUNDS = 3

Times: TypeAlias = dict[tuple[str, str, int], list[float]]
"""Seconds an image, one for each run, by signature, algorithm and images."""


@dataclass(frozen=True)
class Row:
    """An operation that several algorithms may compute, wherever in the model it is.

    `seconds` has the time of each algorithm for an image of one layer, one for each batch size.
    """

    layers: tuple[str, ...]
    signature: str
    seconds: dict[str, tuple[float, ...]]
    planned: str
    chosen: str

    def score(self, algorithm: str) -> float:
        """The geometric mean over the batch sizes, which is what algorithms are compared by."""
        times = self.seconds[algorithm]
        return float(prod(times) ** (1 / len(times)))


@dataclass(frozen=True)
class Tuning:
    """What was found for a model."""

    model: str
    isa: str
    threads: int
    batches: tuple[int, ...]
    rows: tuple[Row, ...]

    @property
    def choices(self) -> Choices:
        """As `engine.runtime.tuning` keeps them."""
        return {row.signature: row.chosen for row in self.rows}

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return asdict(self)


def tune(
    source: Source,
    arch: Source | None = None,
    threads: int | None = None,
    shapes: Sequence[Shape] = (),
    seconds: float = 5.0,
    batches: Sequence[int] = BATCHES,
) -> Tuning:
    """Measure a model for about `seconds`, on one image and on many. Nothing is kept."""
    machine, workers = this_machine(), threads or num_threads()
    with opened(source, arch, shapes) as network:
        graph = optimise(network.graph)
        if any(isinstance(node.op, HostCall) for node in graph.nodes):
            raise EngineError(f"{name_of(source)}: a model with functions in Python cannot be tuned")
        contested = {site.node.output: site for site in _contested(graph, machine)}
        most = max((len(legal(site)) for site in contested.values()), default=0)
        programs = [plan(graph, machine, _always(turn)) for turn in range(most)]
    signatures = {output: signature(site) for output, site in contested.items()}
    sizes = tuple(sorted(set(batches)))
    times: Times = defaultdict(list)
    for batch in sizes:
        _measure(programs, signatures, batch, workers, seconds / len(sizes), times)
    rows = tuple(_rows(contested, signatures, times, sizes))
    return Tuning(name_of(source), machine.isa.name, workers, sizes, rows)


def _contested(graph: Graph, machine: Machine) -> Iterator[Site]:
    """The operations that more than one algorithm may compute."""
    for node in graph.nodes:
        site = Site(node, graph, machine)
        if not isinstance(node.op, Reshape | Identity) and len(legal(site)) > 1:
            yield site


def _always(turn: int) -> Choice:
    def chosen(candidates: Sequence[Algorithm], site: Site) -> Algorithm:
        return candidates[turn % len(candidates)]

    return chosen


def _measure(
    programs: Sequence[Program],
    signatures: dict[int, str],
    batch: int,
    threads: int,
    seconds: float,
    times: Times,
) -> None:
    """Add the times of each algorithm on `batch` images, run in the pieces in which a session would run them."""
    sizes = [1 if batch == 1 else min(batch, Session(program).capacity) for program in programs]
    tracers = [Tracer(program, size, threads) for program, size in zip(programs, sizes, strict=True)]
    for tracer, size in zip(tracers, sizes, strict=True):
        tracer.run(size)
    rounds, end = 0, time.perf_counter() + seconds
    while rounds < _LEAST_ROUNDS or time.perf_counter() < end:
        rounds += 1
        for program, tracer, size in zip(programs, tracers, sizes, strict=True):
            for key, found in _summed(program, signatures, step_times(tracer.run(size), len(program.steps))).items():
                times[*key, batch].append(found / size)


def _summed(program: Program, signatures: dict[int, str], steps: NDArray[np.float64]) -> dict[tuple[str, str], float]:
    """Seconds by signature and algorithm, over all steps of all operations that have it."""
    total: dict[tuple[str, str], float] = defaultdict(float)
    for task, found in zip(program.tasks, steps, strict=True):
        if task.output in signatures:
            total[signatures[task.output], task.algorithm] += float(found)
    return total


def _typical(found: list[float]) -> float:
    """The lower quartile: whatever disturbs a measurement makes it longer."""
    return float(np.percentile(found, 25))


def _rows(
    contested: dict[int, Site],
    signatures: dict[int, str],
    times: Times,
    batches: Sequence[int],
) -> Iterator[Row]:
    for mark in dict.fromkeys(signatures.values()):
        outputs = [output for output, found in signatures.items() if found == mark]
        site = contested[outputs[0]]
        candidates = legal(site)
        planned = choose(candidates, site).name
        seconds = {
            a.name: tuple(_typical(times[mark, a.name, batch]) / len(outputs) for batch in batches) for a in candidates
        }
        names = tuple(contested[output].node.layer for output in outputs)
        row = Row(names, mark, seconds, planned, planned)
        best = min(seconds, key=row.score)
        chosen = best if row.score(best) < WORTH * row.score(planned) else planned
        yield Row(names, mark, seconds, planned, chosen)
