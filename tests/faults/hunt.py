"""Every kernel with each buffer between forbidden pages; inputs and weights cannot be written to.

`python -m tests.faults.hunt x86-64-v3 end` runs all cases with buffers that end at such a page (`begin`: start after
one) and prints the name of each before it runs, so that the last line names the case of a crash.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.kernels.isa import Isa, find_isa
from engine.plan.machine import Machine
from engine.plan.program import Program, plan
from engine.plan.step import Field, Value
from engine.runtime import workspace
from engine.runtime.workspace import Workspace
from tests.faults.cases import BATCH, Case, every_case
from tests.faults.pages import Pages
from tests.running import run_graph


class ProtectedWorkspace(Workspace):
    """A workspace whose values, constants, scratch memory and rows each have pages of their own."""

    def __init__(self, program: Program, capacity: int, pages: Pages) -> None:
        self._pages = pages
        self._values: dict[int, NDArray[np.float32]] = {}
        super().__init__(program, capacity, 1)

    def _view(self, value: int) -> NDArray[np.float32]:
        if value not in self._values:
            self._values[value] = self._pages.array((self.capacity, *self._program.shapes[value]))
            self._values[value][...] = np.nan
        return self._values[value]

    def _resolve(self, field: Field) -> Any:
        if isinstance(field, Value):
            return self._view(field.number).ctypes.data
        return super()._resolve(self._pages.copy(field) if isinstance(field, np.ndarray) else field)


def run_protected(case: Case, algorithm: str, isa: Isa, pages: Pages) -> NDArray[np.float32]:
    """The result of a case in memory from `pages`."""
    program = plan(case.graph, Machine(isa), lambda c, _: next(a for a in c if a.name == algorithm))
    space = ProtectedWorkspace(program, BATCH, pages)
    space._scratch[...] = np.nan
    for view, x in zip(space.inputs, case.inputs, strict=True):
        view[...] = x
        pages.lock(view)
    space.run(BATCH)
    return space.output.copy()


def main(isa_name: str, side: str) -> None:
    """Run every case; raises where a result depends on where its buffers lie."""
    isa = find_isa(isa_name)
    allocate, align = workspace.aligned_array, workspace.aligned
    for case in every_case():
        for algorithm in case.algorithms(isa):
            print(f"{algorithm} {case.name}", flush=True)
            pages = Pages(side == "end")
            workspace.aligned_array, workspace.aligned = pages.array, lambda size: size
            try:
                found = run_protected(case, algorithm, isa, pages)
            finally:
                workspace.aligned_array, workspace.aligned = allocate, align
            (expected,) = run_graph(case.graph, case.inputs, isa, algorithm=algorithm)
            np.testing.assert_array_equal(found, expected)
            pages.free()


if __name__ == "__main__":
    main(*sys.argv[1:])
