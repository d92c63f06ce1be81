"""When each thread began and ended each piece of a run, to a few dozen nanoseconds.

The program runs as it always does, through the same team; only each step's kernel is called by the kernel `traced`,
which reads the clock before and after.
"""

import ctypes
import sys
import time
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.errors import KernelError
from engine.kernels.rows import fields
from engine.kernels.state import (
    ENTRY_SIZE,
    MOST_CHUNKS,
    STEP_BLOCK,
    STEP_FUNCTION,
    STEP_INNER,
    STEP_PARAMS,
    STEP_UNITS,
)
from engine.measure.numbers import scattered
from engine.plan.memory import aligned
from engine.plan.program import Program
from engine.plan.site import aligned_array
from engine.runtime import native
from engine.runtime.workspace import Workspace

SPAN = np.dtype([(name, np.int64) for name in ("thread", "step", "low", "high", "start", "end")])
Spans: TypeAlias = NDArray[Any]
"""One element for each kernel call: thread and step number, tiles [low, high), nanoseconds of a monotonic clock."""

_LINE = 64


class Tracer:
    """A program with a log; its inputs are `scattered` numbers."""

    def __init__(self, program: Program, capacity: int, threads: int) -> None:
        self._workspace = Workspace(_with_scratch(program), capacity, threads)
        for view in self._workspace.inputs:
            view[...] = scattered(view.shape)
        rows = self._workspace.rows
        most = np.minimum(_tiles(rows, capacity), MOST_CHUNKS).sum()
        self._log = aligned_array((int(most), ENTRY_SIZE // 8), np.int64)
        self._counter = aligned_array((1,), np.int64)
        self._params = self._wrap(rows, program)

    def run(self, images: int) -> Spans:
        """Run once, for at most `capacity` images; the kernel calls in the order in which they began."""
        self._counter[0] = 0
        self._workspace.run(images)
        log = self._log[: self._counter[0]]
        spans = np.empty(len(log), SPAN)
        _, spans["thread"] = np.unique(log[:, 0], return_inverse=True)
        spans["step"], spans["low"], spans["high"] = log[:, 1], log[:, 2], log[:, 3]
        spans["start"], spans["end"] = log[:, 4] * 10**9 + log[:, 5], log[:, 6] * 10**9 + log[:, 7]
        return spans[np.argsort(spans["start"], kind="stable")]

    def _wrap(self, rows: NDArray[np.int64], program: Program) -> NDArray[np.int64]:
        """Let each row call `traced` with the row's own kernel; the parameters that `traced` reads."""
        names = fields("traced")
        params = aligned_array((len(rows), aligned(8 * len(names)) // 8), np.int64)
        log, counter = self._log.ctypes.data, self._counter.ctypes.data
        clock = _clock()
        for step, row in enumerate(rows):
            values = {
                "n": 0, "function": row[STEP_FUNCTION // 8], "params": row[STEP_PARAMS // 8], "step": step,
                "clock": clock, "clock_id": time.CLOCK_MONOTONIC, "counter": counter, "capacity": len(self._log),
                "log": log,
            }  # fmt: skip
            params[step, : len(names)] = [values[name] for name in names]
            row[STEP_PARAMS // 8] = params[step].ctypes.data
        rows[:, STEP_FUNCTION // 8] = native.addresses(["traced"], program.machine.isa)["traced"]
        return params


def _with_scratch(program: Program) -> Program:
    """The program with scratch memory in any case: its address tells the threads apart."""
    if program.scratch or not program.steps:
        return program
    first, *others = program.steps
    return replace(program, steps=(replace(first, scratch=_LINE), *others))


def _tiles(rows: NDArray[np.int64], images: int) -> NDArray[np.int64]:
    units, block, inner = (rows[:, field // 8] for field in (STEP_UNITS, STEP_BLOCK, STEP_INNER))
    tiles: NDArray[np.int64] = -(-images * units // block) * inner
    return tiles


def _clock() -> int:
    """The address of the C library's `clock_gettime`."""
    if sys.platform == "win32":
        raise KernelError("steps are timed with clock_gettime, which this system does not have")
    return ctypes.cast(ctypes.CDLL(None).clock_gettime, ctypes.c_void_p).value or 0


def step_times(spans: Spans, steps: int) -> NDArray[np.float64]:
    """Seconds from each step's first kernel call to the end of its last."""
    first, last = np.full(steps, np.iinfo(np.int64).max), np.zeros(steps, np.int64)
    np.minimum.at(first, spans["step"], spans["start"])
    np.maximum.at(last, spans["step"], spans["end"])
    times: NDArray[np.float64] = np.where(last > 0, last - first, 0) * 1e-9
    return times


def kernel_times(spans: Spans, steps: int) -> NDArray[np.float64]:
    """Seconds in kernel calls of each step, summed over the threads."""
    lengths = (spans["end"] - spans["start"]) * 1e-9
    return np.bincount(spans["step"], lengths, steps).astype(np.float64)
