"""Process start to first answer, and peak memory."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from bench import report
from bench.models import BuildError, Spec, inputs, model_file
from bench.peers import start
from bench.steady import first_answer, record, rotated, spread
from engine.measure.peers.table import RUNTIMES
from engine.measure.peers.worker import WorkerError


def startup(spec: Spec, threads: int, runners: list[str], rounds: int, folder: Path) -> report.Record:
    """Seconds from process start to the answer for one image, and peak MiB; fresh processes in turns.

    One round more than asked is run, the first is not counted: it brings files into the system's cache.
    """
    np.save(folder / "x.npy", inputs(spec, 1))
    figures: dict[str, Any] = {}
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    peaks: dict[str, list[float]] = {name: [] for name in runners}
    for turn in range(rounds + 1):
        for name in rotated([name for name in runners if name not in figures], turn):
            try:
                model = model_file(spec, RUNTIMES[name].format, 1)
                begin = time.perf_counter()
                with start(name) as worker:
                    first_answer(worker, model, 1, threads, folder)
                    seconds[name].append(time.perf_counter() - begin)
                    peaks[name].append(worker.ask("memory"))
            except (BuildError, WorkerError) as error:
                figures[name] = {"error": str(error)}
    for name in runners:
        if name not in figures:
            figures[name] = spread(seconds[name][1:]) | {"peak_mib": float(np.median(peaks[name][1:]))}
    return record(spec, 1, threads, runners, figures)
