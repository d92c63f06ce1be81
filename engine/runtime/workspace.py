"""Memory for one run at a time: an arena for up to `capacity` images, and the program bound to its addresses."""

import ctypes
from functools import partial
from math import inf, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.kernels.rows import fields
from engine.kernels.state import CALL_IMAGES, CALL_SIZE, CALL_STATE, CALL_THREADS, STEP_SIZE
from engine.plan.memory import aligned
from engine.plan.program import Program
from engine.plan.site import aligned_array
from engine.plan.step import Field, Kernel, Step, Value
from engine.runtime import native, team

_WORTH_WAKING = 25e3
_WORTH_POINTING, _WORTH_POINTING_ALONE = 1 << 11, 1 << 14
_STATE, _THREADS, _IMAGES = CALL_STATE // 8, CALL_THREADS // 8, CALL_IMAGES // 8


class Workspace:
    """`inputs` and `outputs` are views (capacity, ...) of the arena, to fill before a run and to copy from after.

    `feed` fills an input, or lets it be read where it lies (`reads_elsewhere`) until `forget`. `rows` is the program as
    `run` walks it, one row a step.
    """

    def __init__(self, program: Program, capacity: int, threads: int) -> None:
        self.capacity = capacity
        self._images_worth_sharing = _WORTH_WAKING / max(program.work, 1.0) if threads > 1 else inf
        shared = self._images_worth_sharing <= 1
        self._worth_pointing = _WORTH_POINTING if shared else _WORTH_POINTING_ALONE
        self._program, self.threads = program, threads
        self._arena = aligned_array((program.arena * capacity // 4,))
        self._base = self._arena.ctypes.data
        self._scratch_step = aligned(program.scratch)
        self._scratch = aligned_array((threads * self._scratch_step // 4,))
        self.inputs = [self._view(v) for v in program.inputs]
        self.outputs = [self._view(v) for v in program.outputs]
        self.input, self.output = self.inputs[0], self.outputs[0]
        isa = program.machine.isa
        self._addresses = native.addresses([*program.kernels, "run", "worker"], isa)
        given = {program.homes[v] for v in program.outputs}
        self._readers: dict[int, list[int]] = {v: [] for v in program.inputs if v not in given}
        self._params, self.rows = self._bind()
        self.reads_elsewhere = False
        scratch = self._scratch.ctypes.data, self._scratch_step
        self._call = (ctypes.c_int64 * (CALL_SIZE // 8))(0, 1, 0, self.rows.ctypes.data, len(self.rows), *scratch)
        self._run = partial(native.function("run", isa, 1), ctypes.addressof(self._call))

    def feed(self, i: int, x: NDArray[Any]) -> None:
        """Let input i be x (n, ...), which must stay as it is until the run is over."""
        if x.nbytes < self._worth_pointing and not self.reads_elsewhere:
            self.inputs[i][: len(x)] = x
            return
        value = self._program.inputs[i]
        if x.nbytes >= self._worth_pointing and value in self._readers and _is_plain(x):
            self._point(value, x.__array_interface__["data"][0])
            self.reads_elsewhere = True
        else:
            if self.reads_elsewhere and value in self._readers:
                self._point(value, self._resolve(Value(value)))
            self.inputs[i][: len(x)] = x

    def forget(self) -> None:
        """Read all inputs from the arena again."""
        if self.reads_elsewhere:
            for value in self._readers:
                self._point(value, self._resolve(Value(value)))
            self.reads_elsewhere = False

    def _point(self, value: int, address: int) -> None:
        for place in self._readers[value]:
            self._params[place] = address

    def run(self, n: int) -> None:
        """Compute the outputs of the first n images from their inputs."""
        call = self._call
        call[_IMAGES] = n
        if n >= self._images_worth_sharing and (helpers := team.take(self._program.machine.isa, self.threads)):
            try:
                call[_STATE], call[_THREADS] = helpers.state, min(helpers.threads, self.threads)
                self._run()
            finally:
                call[_STATE], call[_THREADS] = 0, 1
                team.give_back(helpers)
        else:
            self._run()

    def _view(self, value: int) -> NDArray[np.float32]:
        shape, start = self._program.shapes[value], self._program.offsets[value] * self.capacity // 4
        return self._arena[start : start + self.capacity * prod(shape)].reshape(self.capacity, *shape)

    def _bind(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The parameter rows of all steps, one after another, and the program's own rows that point to them."""
        steps = self._program.steps
        sizes = [aligned(8 * len(fields(step.kernel))) // 8 for step in steps]
        params = aligned_array((sum(sizes),), np.int64)
        rows = aligned_array((len(steps), STEP_SIZE // 8), np.int64)
        start = 0
        for step, row, size in zip(steps, rows, sizes, strict=True):
            params[start : start + size] = self._row(step, size)
            for place, name in enumerate(fields(step.kernel)[1:], start + 1):
                field = step.fields[name]
                if isinstance(field, Value) and (home := self._program.homes[field.number]) in self._readers:
                    self._readers[home].append(place)
            place = params.ctypes.data + 8 * start
            row[:] = self._addresses[step.kernel], place, step.units, step.block, step.inner, int(step.work)
            start += size
        return params, rows

    def _row(self, step: Step, size: int) -> list[int]:
        names = fields(step.kernel)[1:]
        if set(names) != set(step.fields):
            raise AssertionError(f"{step.kernel}: fields {set(names) ^ set(step.fields)} do not match")
        values = [self._resolve(step.fields[name]) for name in names]
        return [0, *values, *[0] * (size - 1 - len(values))]

    def _resolve(self, field: Field) -> Any:
        if isinstance(field, Value):
            return self._base + self._program.offsets[field.number] * self.capacity
        if isinstance(field, Kernel):
            return self._addresses[field.name]
        return field.ctypes.data if isinstance(field, np.ndarray) else field


def _is_plain(x: NDArray[Any]) -> bool:
    return x.dtype == np.float32 and x.flags.c_contiguous and x.flags.aligned
