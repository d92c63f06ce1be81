"""What running a step in parallel costs: the thread team beside Numba's `prange`, on the same compiled kernels.

`python -m bench.executors` runs two programs through the team, through `prange` on each of Numba's threading layers
that loads, and on one thread: one of 64 steps of 64 tiles that do next to nothing, which shows the overhead a step,
and a model. Each executor has a process of its own, one after another. The last line is `model(x)` of a model that
does nothing, which is what a call costs beside its steps.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bench.models import ROOT
from engine import load_model
from engine.ir.graph import Graph, Node
from engine.ir.ops import RELU, Activate
from engine.kernels.state import STEP_BLOCK, STEP_FUNCTION, STEP_INNER, STEP_PARAMS, STEP_UNITS
from engine.measure.loading import load
from engine.measure.peers.worker import last_line
from engine.measure.text import seconds as shown
from engine.measure.text import table
from engine.plan.machine import this_machine
from engine.plan.memory import aligned
from engine.plan.program import Program, plan
from engine.plan.site import aligned_array
from engine.runtime.workspace import Workspace

LAYERS = ("omp", "tbb", "workqueue")
TITLES = {"team": "thread team", "one": "one thread", **{layer: f"prange on {layer}" for layer in LAYERS}}
STEPS, TILES, FLOATS = 64, 64, 16
CHUNKS = 16
"""Pieces for each thread that `prange` divides a step into."""

_FORCE_SHARING = 1e9

Run = Callable[[], object]


def empty_program() -> Program:
    """Steps with many tiles and no work to speak of, which say that they are worth sharing."""
    shape = (TILES * FLOATS,)
    nodes = tuple(Node(Activate(RELU), (i,), i + 1, f"step {i}") for i in range(STEPS))
    program = plan(Graph((0,), (STEPS,), nodes, dict.fromkeys(range(STEPS + 1), shape)), this_machine())
    steps = (replace(s, fields={**s.fields, "block": FLOATS}, block=FLOATS) for s in program.steps)
    return replace(program, steps=tuple(replace(step, work=_FORCE_SHARING) for step in steps))


def executor(name: str, program: Program, images: int, threads: int) -> Run:
    """A run of the program by an executor of `TITLES`."""
    workspace = Workspace(program, images, threads if name == "team" else 1)
    workspace.input[...] = np.random.default_rng(0).random(workspace.input.shape, np.float32)
    if name in LAYERS:
        return _by_prange(program, workspace, images, threads)
    return lambda: workspace.run(images)


def _by_prange(program: Program, workspace: Workspace, images: int, threads: int) -> Run:
    from numba import get_thread_id, njit, prange, set_num_threads

    from engine.kernels.atomics import store_release
    from engine.kernels.simd import call

    function, params, units, block, inner = (
        field // 8 for field in (STEP_FUNCTION, STEP_PARAMS, STEP_UNITS, STEP_BLOCK, STEP_INNER)
    )

    @njit(parallel=True, nogil=True)
    def walk(rows, n, scratch, scratch_step, most):  # type: ignore[no-untyped-def]
        for s in range(len(rows)):
            tiles = (n * rows[s, units] + rows[s, block] - 1) // rows[s, block] * rows[s, inner]
            store_release(rows[s, params], n)
            chunks = min(tiles, most)
            for c in prange(chunks):
                own = scratch + get_thread_id() * scratch_step
                call(rows[s, function], rows[s, params], tiles * c // chunks, tiles * (c + 1) // chunks, own)

    set_num_threads(threads)
    step = aligned(program.scratch)
    scratch = aligned_array((max(1, threads * step // 4),))
    return lambda: walk(workspace.rows, images, scratch.ctypes.data, step, CHUNKS * threads)


def median_seconds(run: Run, seconds: float) -> float:
    """Of a run, over at least 20; as many go first."""
    for _ in range(20):
        run()
    found: list[float] = []
    end = time.perf_counter() + seconds
    while len(found) < 20 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return float(np.median(found))


def measure(name: str, options: argparse.Namespace) -> dict[str, float]:
    """Seconds of an empty step, and of a call of the model."""
    empty = median_seconds(executor(name, empty_program(), 1, options.threads), options.seconds)
    program = load(options.weights, None, options.batch, options.threads).session.program
    model = median_seconds(executor(name, program, options.batch, options.threads), options.seconds)
    return {"step": empty / STEPS, "model": model}


def empty_call(seconds: float) -> float:
    """Seconds of `model(x)` where the model is one dropout on ten numbers."""
    config = {"name": "d", "rate": 0.5, "batch_input_shape": [None, 10]}
    layers = [{"class_name": "Dropout", "config": config}]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.h5"
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": layers}})
            file.create_group("model_weights").attrs["layer_names"] = [b"d"]
            file["model_weights"].create_group("d").attrs["weight_names"] = np.empty(0, "S1")
        model = load_model(path)
    x = np.zeros((1, 10), np.float32)
    calls = 100
    return median_seconds(lambda: [model(x) for _ in range(calls)], seconds) / calls


def in_child(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """What `measure` finds in a process of its own, or the reason why there is nothing."""
    layer = {"NUMBA_THREADING_LAYER": name, "NUMBA_NUM_THREADS": str(options.threads)} if name in LAYERS else {}
    words = [f"--{key}={value}" for key, value in vars(options).items() if key != "child"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.executors", "--child", name, *words],
        check=False, cwd=ROOT, env=os.environ | layer, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    if done.returncode:
        return {"error": f"does not run here: {last_line(done.stderr) or f'status {done.returncode}'}"}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.executors", description=__doc__)
    parser.add_argument("--weights", type=lambda text: Path(text).absolute(), default=ROOT / "weights" / "mnist.h5")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each program (default 1)")
    parser.add_argument("--child", choices=list(TITLES), help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Command line; exit status 1 if the team could not run."""
    options = parse(arguments)
    if options.child:
        print(json.dumps(measure(options.child, options)))
        return 0
    found = {name: in_child(name, options) for name in TITLES}
    heads = ("executor", "an empty step", f"{options.weights.name}, {options.batch} a call")
    print(f"{options.threads} threads, {STEPS} steps of {TILES} tiles")
    figures = {name: (shown(one["step"]), shown(one["model"])) for name, one in found.items() if "error" not in one}
    for line in table(heads, [(TITLES[name], *cells) for name, cells in figures.items()]):
        print(line)
    for name, one in found.items():
        if "error" in one:
            print(f"{TITLES[name]}: {one['error']}")
    print(f"a call of a model that does nothing: {shown(empty_call(options.seconds))}")
    return int("error" in found["team"])


if __name__ == "__main__":
    sys.exit(main())
