"""Serves one runtime: a JSON request a line on stdin, a JSON answer a line on stdout.

Request `{"do": "load" | "run" | "time" | "memory", ...arguments}`; answer `{"value": ...}` or `{"error": "one line"}`.
Whatever a runtime prints itself goes to stderr. This file imports little: its own start is part of `--startup`.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from bench.workers import Call

BLOCK_SECONDS = 0.001


def burst(call: Call, x: np.ndarray, seconds: float) -> list[float]:
    """Seconds a call, one figure for each block of calls of about a millisecond; at least two blocks.

    A quarter of `seconds` goes first, at least one call, to warm caches and threads and to size the blocks.
    """
    start = time.perf_counter()
    calls = 0
    while not calls or time.perf_counter() < start + seconds / 4:
        call(x)
        calls += 1
    block = max(1, round(BLOCK_SECONDS * calls / (time.perf_counter() - start)))
    figures: list[float] = []
    end = time.perf_counter() + seconds
    while len(figures) < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(block):
            call(x)
        figures.append((time.perf_counter() - start) / block)
    return figures


class Session:
    """The requests, one method each."""

    def __init__(self, runtime: str) -> None:
        self.runtime = runtime

    def load(self, model: str, batch: int, threads: int) -> None:
        """Import the runtime and read the model."""
        self.call: Call = importlib.import_module(f"bench.workers.{self.runtime}").load(model, batch, threads)

    def run(self, input: str, output: str) -> None:
        """Run the batch in the `.npy` file `input`, keep it for `time`, and write the answer to `output`."""
        self.x = np.load(input)
        np.save(output, self.call(self.x))

    def time(self, seconds: float) -> list[float]:
        """See `burst`."""
        return burst(self.call, self.x, seconds)

    def memory(self) -> float:
        """Peak resident size of this process so far, MiB.

        Not `getrusage`: its peak includes that of the process which started this one.
        """
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    """Command line: NAME. Ends with its stdin."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    session = Session(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"value": getattr(session, request.pop("do"))(**request)}
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            answer = {"error": f"{type(error).__name__}: {reason}"}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
