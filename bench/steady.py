"""Milliseconds an image of each runtime at work, measured in turns after each has agreed with TensorFlow."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import report
from bench.models import BuildError, Spec, inputs, model_file
from bench.peers import start
from engine.measure.peers.agreement import disagreement
from engine.measure.peers.table import REFERENCE, RUNTIMES
from engine.measure.peers.worker import Worker, WorkerError

LEAST_ROUNDS = 3


@dataclass(frozen=True)
class Patience:
    """How long to measure: rounds, seconds of timed calls a runtime and round, seconds after which a row ends.

    A row has at least LEAST_ROUNDS rounds, however long they take, unless fewer are asked for.
    """

    rounds: int
    seconds: float
    row: float


class Workers:
    """The processes of one model on so many threads; one that has died is started afresh."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._workers: dict[str, Worker] = {}

    def get(self, name: str) -> tuple[Worker, bool]:
        """The process of a runtime, and whether it has just been started. Raises WorkerError."""
        worker = self._workers.get(name)
        if worker is not None and worker.alive:
            return worker, False
        worker = self._workers[name] = self._stack.enter_context(start(name))
        return worker, True


def steady(
    spec: Spec, threads: int, batches: Sequence[int], runners: list[str], patience: Patience, folder: Path
) -> Iterator[report.Record]:
    """A record for each batch size, smallest first. A runtime keeps its process from one to the next."""
    with contextlib.ExitStack() as stack:
        workers = Workers(stack)
        for batch in sorted(batches):
            np.save(folder / "x.npy", inputs(spec, batch))
            ready, figures = _ready(spec, batch, threads, runners, workers, folder)
            times = _timed(ready, batch, patience)
            figures |= {name: figures.get(name, {}) | found for name, found in times.items()}
            yield record(spec, batch, threads, runners, figures)


def _ready(
    spec: Spec, batch: int, threads: int, runners: list[str], workers: Workers, folder: Path
) -> tuple[dict[str, Worker], dict[str, Any]]:
    """The processes that have loaded the model and agree with TensorFlow; peak memory, or why another is missing."""
    ready: dict[str, Worker] = {}
    figures: dict[str, Any] = {}
    reference: NDArray[np.float32] | None = None
    for name in dict.fromkeys([REFERENCE, *runners]):
        try:
            model = model_file(spec, RUNTIMES[name].format, batch)
            if name != REFERENCE and reference is None:
                raise WorkerError("not measured: TensorFlow has no answer to compare with")
            worker, fresh = workers.get(name)
            answer = first_answer(worker, model, batch, threads, folder)
            reference = answer if reference is None else reference
            if wrong := disagreement(answer, reference, spec.output):
                raise WorkerError(f"disagrees with TensorFlow: {wrong}")
            ready[name] = worker
            figures[name] = {"peak_mib": worker.ask("memory")} if fresh else {}
        except (BuildError, WorkerError) as error:
            figures[name] = {"error": str(error)}
    return {name: ready[name] for name in runners if name in ready}, figures


def _timed(workers: dict[str, Worker], batch: int, patience: Patience) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    bursts: dict[str, list[float]] = {name: [] for name in workers}
    end = time.perf_counter() + patience.row
    for turn in range(patience.rounds):
        if turn >= LEAST_ROUNDS and time.perf_counter() > end:
            break
        for name in rotated(list(bursts), turn):
            try:
                times = workers[name].ask("time", seconds=patience.seconds)
                bursts[name].append(1000 * float(np.median(times)) / batch)
            except WorkerError as error:
                figures[name] = {"error": str(error)}
                del bursts[name]
    return figures | {name: spread(samples) for name, samples in bursts.items()}


def first_answer(worker: Worker, model: Path, batch: int, threads: int, folder: Path) -> NDArray[np.float32]:
    """Load the model and run the batch in `folder/x.npy`. Raises WorkerError."""
    worker.ask("load", model=str(model), batch=batch, threads=threads)
    worker.ask("run", input=str(folder / "x.npy"), output=str(folder / "y.npy"))
    answer: NDArray[np.float32] = np.load(folder / "y.npy")
    return answer


def spread(samples: list[float]) -> dict[str, Any]:
    """Median, quartiles and the samples themselves."""
    q1, median, q3 = np.percentile(samples, (25, 50, 75)).tolist()
    return {"median": median, "q1": q1, "q3": q3, "samples": samples}


def rotated(names: list[str], turn: int) -> list[str]:
    """The names in their order, beginning one later each turn."""
    turn %= max(1, len(names))
    return names[turn:] + names[:turn]


def record(spec: Spec, batch: int, threads: int, runners: list[str], figures: dict[str, Any]) -> report.Record:
    """A row of the results."""
    shown = {name: figures[name] for name in runners}
    return {"model": spec.name, "batch": batch, "threads": threads, "runners": shown, **report.ratios(shown)}
