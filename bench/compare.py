"""This engine side by side with TensorFlow, Keras `predict`, ONNX Runtime, OpenVINO and LiteRT.

`python -m bench.compare --suite seed --batch 1 32 --threads 1 2` prints milliseconds an image, the median over the
rounds, after each runtime has agreed with TensorFlow. `--startup` measures process start to first answer and peak
memory instead. The method is in bench/README.md.
"""

import argparse
import contextlib
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import machine, report
from bench.agreement import disagreement
from bench.models import MODELS, SUITES, BuildError, Spec, in_suites, inputs, model_file
from bench.peers import PEERS, RUNNERS
from bench.process import Worker, WorkerError

REFERENCE = "tensorflow"


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


def steady(
    spec: Spec, batch: int, threads: int, runners: list[str], rounds: int, seconds: float, folder: Path
) -> report.Record:
    """Milliseconds an image of each runner that agrees with TensorFlow, measured in turns; the others' reasons."""
    np.save(folder / "x.npy", inputs(spec, batch))
    figures: dict[str, Any] = {}
    bursts: dict[str, list[float]] = {}
    workers: dict[str, Worker] = {}
    reference = None
    with contextlib.ExitStack() as stack:
        for name in dict.fromkeys([REFERENCE, *runners]):
            try:
                model = model_file(spec, RUNNERS[name].format, batch)
                if name != REFERENCE and reference is None:
                    raise WorkerError("not measured: TensorFlow has no answer to compare with")
                workers[name] = stack.enter_context(Worker(name))
                answer = first_answer(workers[name], model, batch, threads, folder)
                reference = answer if reference is None else reference
                if wrong := disagreement(answer, reference, spec.output):
                    raise WorkerError(f"disagrees with TensorFlow: {wrong}")
                bursts[name] = []
            except (BuildError, WorkerError) as error:
                figures[name] = {"error": str(error)}
        for turn in range(rounds):
            for name in rotated([name for name in runners if name in bursts], turn):
                try:
                    times = workers[name].ask("time", seconds=seconds)
                    bursts[name].append(1000 * float(np.median(times)) / batch)
                except WorkerError as error:
                    figures[name] = {"error": str(error)}
                    del bursts[name]
    figures |= {name: spread(samples) for name, samples in bursts.items() if samples}
    return _record(spec, batch, threads, runners, figures)


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
                model = model_file(spec, RUNNERS[name].format, 1)
                start = time.perf_counter()
                with Worker(name) as worker:
                    first_answer(worker, model, 1, threads, folder)
                    seconds[name].append(time.perf_counter() - start)
                    peaks[name].append(worker.ask("memory"))
            except (BuildError, WorkerError) as error:
                figures[name] = {"error": str(error)}
    for name in runners:
        if name not in figures:
            figures[name] = spread(seconds[name][1:]) | {"peak_mib": float(np.median(peaks[name][1:]))}
    return _record(spec, 1, threads, runners, figures)


def _record(spec: Spec, batch: int, threads: int, runners: list[str], figures: dict[str, Any]) -> report.Record:
    shown = {name: figures[name] for name in runners}
    return {"model": spec.name, "batch": batch, "threads": threads, "runners": shown, **report.ratios(shown)}


def positive(text: str) -> int:
    """A command-line number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def unit(options: argparse.Namespace) -> str:
    """What the figures are."""
    return "seconds to first answer" if options.startup else "ms an image"


def measure(options: argparse.Namespace, runners: list[str], folder: Path) -> Iterator[report.Record]:
    """Every row that was asked for."""
    named = [spec for spec in MODELS if spec.name in options.models]
    for spec in named or in_suites(options.suite):
        for batch in [1] if options.startup else options.batch:
            for threads in options.threads:
                if options.startup:
                    yield startup(spec, threads, runners, options.rounds, folder)
                else:
                    yield steady(spec, batch, threads, runners, options.rounds, options.seconds, folder)


def keep(options: argparse.Namespace, about: dict[str, Any], records: list[report.Record]) -> None:
    """Write the rows so far to the file of `--json`, if there is one."""
    if options.json:
        kept = {
            "machine": about,
            "unit": unit(options),
            "rounds": options.rounds,
            "seconds": options.seconds,
            "geometric_mean": report.mean_ratio(records),
            "rows": records,
        }
        options.json.write_text(json.dumps(kept, indent=1) + "\n")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("--suite", nargs="+", choices=[*SUITES, "all"], default=["seed"])
    parser.add_argument(
        "--models", nargs="+", choices=[spec.name for spec in MODELS], default=[], help="in place of suites"
    )
    parser.add_argument("--batch", type=positive, nargs="+", default=[1, 32], metavar="N")
    parser.add_argument("--threads", type=positive, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--rounds", type=positive, default=7, metavar="N")
    parser.add_argument("--seconds", type=float, default=0.3, help="of timed calls a runtime and round (default 0.3)")
    parser.add_argument("--startup", action="store_true", help="measure process start and memory instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep machine, versions and all figures")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Command line; exit status 1 if the engine has no figure in some row."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    runners = ["engine", *options.peers]
    about = machine.describe(runners)
    print(machine.header(about) + "\n")
    beside = "onnxruntime" if options.startup else "keras"
    print(report.titles(runners, unit(options), beside), flush=True)
    records = []
    with tempfile.TemporaryDirectory() as folder:
        for record in measure(options, runners, Path(folder)):
            records.append(record)
            keep(options, about, records)
            print(report.line(record, runners, beside), flush=True)
            if options.startup:
                print(report.memory_line(record, runners), flush=True)
    print("\n" + report.summary(records))
    return int(any("error" in record["runners"]["engine"] for record in records))


if __name__ == "__main__":
    sys.exit(main())
