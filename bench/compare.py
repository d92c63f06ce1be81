"""This engine side by side with TensorFlow, Keras `predict`, ONNX Runtime, OpenVINO and LiteRT.

`python -m bench.compare --suite seed --batch 1 32 --threads 1 2` prints milliseconds an image, the median over the
rounds, after each runtime has agreed with TensorFlow. `--startup` measures process start to first answer and peak
memory instead. The method is in bench/README.md.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import machine, report, results
from bench.goals import goal
from bench.models import MODELS, SUITES, Spec, in_suites
from bench.startup import startup
from bench.steady import Patience, steady
from engine.measure.peers.table import PEERS

SLOW = "keras"
"""Left out of the larger suites unless asked for: a call of `predict` takes 50 ms before it computes anything."""


def positive(text: str) -> int:
    """A command-line number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def runners(options: argparse.Namespace, spec: Spec | None = None) -> list[str]:
    """The engine and its peers, for one model or for any."""
    if options.peers is not None:
        return ["engine", *options.peers]
    every = spec is None or spec.suite == "seed"
    return ["engine", *(peer for peer in PEERS if every or peer != SLOW)]


def measure(options: argparse.Namespace, folder: Path) -> Iterator[report.Record]:
    """Every row that was asked for."""
    named = [spec for spec in MODELS if spec.name in options.models]
    patience = Patience(options.rounds, options.seconds, options.row_seconds)
    for spec in named or in_suites(options.suite):
        names = runners(options, spec)
        for threads in sorted(options.threads):
            if options.startup:
                yield startup(spec, threads, names, options.rounds, folder)
            else:
                yield from steady(spec, threads, options.batch, names, patience, folder)


def how(options: argparse.Namespace) -> dict[str, Any]:
    """What the figures are, and how they were measured."""
    unit = results.STARTUP if options.startup else results.STEADY
    return {"unit": unit, "rounds": options.rounds, "seconds": options.seconds, "row_seconds": options.row_seconds}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("--suite", nargs="+", choices=[*SUITES, "all"], default=["seed"])
    parser.add_argument(
        "--models", nargs="+", choices=[spec.name for spec in MODELS], default=[], help="in place of suites"
    )
    parser.add_argument("--batch", type=positive, nargs="+", default=[1, 32], metavar="N")
    parser.add_argument("--threads", type=positive, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--peers", nargs="+", choices=PEERS, help=f"default: all, {SLOW} with the seed suite only")
    parser.add_argument("--rounds", type=positive, default=5, metavar="N")
    parser.add_argument("--seconds", type=float, default=0.2, help="of timed calls a runtime and round (default 0.2)")
    parser.add_argument(
        "--row-seconds", type=float, default=40.0, help="after which a row gets no further round (default 40)"
    )
    parser.add_argument("--startup", action="store_true", help="measure process start and memory instead")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--json", type=Path, metavar="FILE", help="keep machine, versions and all figures")
    where.add_argument("--save", action="store_true", help="keep them under bench/results, by machine and commit")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Command line; exit status 1 if the engine has no figure in some row."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    columns = runners(options)
    about = machine.describe(columns)
    path = results.place(about, how(options)["unit"]) if options.save else options.json
    print(machine.header(about) + "\n")
    print(report.titles(columns, how(options)["unit"]), flush=True)
    begin = time.perf_counter()
    records: list[report.Record] = []
    with tempfile.TemporaryDirectory() as folder:
        for record in measure(options, Path(folder)):
            record["scaling"] = report.scaling(record, records)
            if not options.startup:
                record["goal"] = goal(record["model"], record["batch"], record["threads"])
            records.append(record)
            if path:
                results.write(path, about, how(options), records)
            print(report.line(record, columns), flush=True)
            if memory := report.memory_line(record, columns):
                print(memory, flush=True)
    print(f"\n{report.summary(records)}; {(time.perf_counter() - begin) / 60:.1f} min")
    print(report.coverage(records))
    if path:
        print(f"kept in {path}")
    return int(any("error" in record["runners"]["engine"] for record in records))


if __name__ == "__main__":
    sys.exit(main())
