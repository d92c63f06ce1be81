"""A model on this engine beside other runtimes, each in a process of its own, measured in turns."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.ir.ops import Shape
from engine.measure.loading import opened
from engine.measure.numbers import scattered
from engine.measure.peers.finding import MissingError, converted, find_python
from engine.measure.peers.table import ENGINE, RUNTIMES
from engine.measure.peers.worker import Worker, WorkerError


@dataclass(frozen=True)
class Result:
    """One runtime. Seconds; `load` begins before the runtime is imported, `first_call` is the one after it.

    `difference` is the largest between its outputs and this engine's, `error` why there are no figures.
    """

    runtime: str
    version: str = ""
    load: float | None = None
    first_call: float | None = None
    calls: tuple[float, ...] = field(default=(), repr=False)
    peak_mib: float | None = None
    difference: float | None = None
    error: str = ""

    def percentile(self, share: float) -> float | None:
        """Seconds that so many percent of the calls did not exceed."""
        return float(np.percentile(self.calls, share)) if self.calls else None


@dataclass(frozen=True)
class Comparison:
    """All runtimes on one model."""

    model: str
    batch: int
    threads: int
    results: tuple[Result, ...]

    def images_per_second(self, result: Result) -> float | None:
        """Over all steady calls."""
        return self.batch * len(result.calls) / sum(result.calls) if result.calls else None

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, with percentiles in place of single calls."""
        rows = []
        for result in self.results:
            plain = asdict(result) | {"calls": len(result.calls), "images_per_second": self.images_per_second(result)}
            rows.append(plain | {f"p{share}": result.percentile(share) for share in (50, 90, 99)})
        return asdict(self) | {"results": rows}


@dataclass(frozen=True)
class Setting:
    """How to compare: images in a call, threads, rounds, seconds of calls a runtime and round.

    `pythons` are interpreters by runtime, `files` the model in other formats by format; what is not given is looked
    for or made.
    """

    batch: int = 1
    threads: int = 1
    rounds: int = 5
    seconds: float = 0.3
    pythons: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


def compare(
    path: Path, arch: str | None, peers: Sequence[str], setting: Setting, shapes: Sequence[Shape] = ()
) -> Comparison:
    """Measure the engine and the peers. A peer that is missing, fails or cannot read the model has an error instead.

    Raises `EngineError` where the engine itself cannot run the model.
    """
    if os.name != "posix":
        raise EngineError("runtimes are compared in processes that are stopped in between: not possible on this system")
    shape = _input_shape(path, arch, shapes)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        np.save(folder / "x.npy", scattered((setting.batch, *shape)))
        runners = [_Runner(name, path, arch, setting, folder, stack) for name in (ENGINE, *peers)]
        if runners[0].error:
            raise EngineError(runners[0].error)
        for turn in range(setting.rounds):
            for runner in runners[turn % len(runners) :] + runners[: turn % len(runners)]:
                runner.measure(setting.seconds)
        answer = runners[0].answer
        results = tuple(runner.result(answer) for runner in runners)
    return Comparison(str(path), setting.batch, setting.threads, results)


def _input_shape(path: Path, arch: str | None, shapes: Sequence[Shape]) -> Shape:
    with opened(path, arch, shapes) as network:
        if len(network.graph.inputs) != 1 or len(network.graph.outputs) != 1:
            counts = f"{len(network.graph.inputs)} and {len(network.graph.outputs)}"
            raise EngineError(f"{path}: expected a model of one input and one output to compare, found {counts}")
        return network.graph.shapes[network.graph.inputs[0]]


class _Runner:
    """One runtime's process, which has loaded the model and computed the batch once, or the reason why not."""

    def __init__(
        self, name: str, path: Path, arch: str | None, setting: Setting, folder: Path, stack: ExitStack
    ) -> None:
        self.name, self.error, self.version = name, "", ""
        self.answer: NDArray[np.float32] | None = None
        self.load = self.first_call = self.peak = None
        self.calls: list[float] = []
        try:
            model = _file(name, path, setting, folder)
            self._worker = stack.enter_context(Worker(name, find_python(name, setting.pythons)))
            options = {"arch": arch} if name == ENGINE and arch else {}
            self.load = self._worker.ask(
                "load", model=str(model), batch=setting.batch, threads=setting.threads, **options
            )
            self.version = self._worker.ask("version", package=RUNTIMES[name].package)
            answer = folder / f"{name}.npy"
            self.first_call = self._worker.ask("run", input=str(folder / "x.npy"), output=str(answer))
            self.answer = np.load(answer)
        except (MissingError, WorkerError) as error:
            self.error = str(error)

    def measure(self, seconds: float) -> None:
        """Add the times of some calls."""
        if not self.error:
            try:
                self.calls += self._worker.ask("calls", seconds=seconds)
                self.peak = self._worker.ask("memory")
            except WorkerError as error:
                self.error = str(error)

    def result(self, reference: NDArray[np.float32] | None) -> Result:
        """What was found."""
        if self.error or self.answer is None or reference is None:
            return Result(self.name, self.version, error=self.error)
        if self.answer.shape != reference.shape:
            return Result(self.name, self.version, error=f"answers {self.answer.shape}, not {reference.shape}")
        difference = float(np.abs(self.answer - reference).max(initial=0.0))
        calls = tuple(self.calls)
        return Result(self.name, self.version, self.load, self.first_call, calls, self.peak, difference)


def _file(name: str, path: Path, setting: Setting, folder: Path) -> Path:
    format = RUNTIMES[name].format
    if format == "h5":
        return path
    find_python(name, setting.pythons)
    if format in setting.files:
        return setting.files[format]
    return converted(path, format, setting.batch, folder, setting.pythons)
