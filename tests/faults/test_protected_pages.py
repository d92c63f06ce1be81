"""No kernel reads or writes one byte beyond its buffers, whichever side of them is forbidden: see `hunt`."""

import signal
import subprocess
import sys

import pytest

from engine.kernels.isa import ISAS, Isa
from engine.plan.machine import fits, this_machine
from engine.plan.program import plan
from engine.runtime.warmup import all_kernels
from tests.faults import pages
from tests.faults.cases import every_case
from tests.processes import ROOT, run_python

AVAILABLE = [isa for isa in ISAS if fits(isa)]
pytestmark = pytest.mark.skipif(not pages.AVAILABLE, reason="this system has no mmap and mprotect of Linux")


@pytest.mark.parametrize("side", ["end", "begin"])
@pytest.mark.parametrize("isa", AVAILABLE, ids=lambda isa: isa.name)
def test_no_kernel_leaves_its_buffers(isa: Isa, side: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.hunt", isa.name, side],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    last = (done.stdout.splitlines() or ["nothing"])[-1]
    assert done.returncode == 0, f"exit code {done.returncode} at {last}\n{done.stderr[-2000:]}"
    assert len(done.stdout.splitlines()) >= len(list(every_case()))


def test_the_cases_reach_every_kernel() -> None:
    machine, used = this_machine(), {"run", "worker"}
    for case in every_case():
        for name in case.algorithms(machine.isa):
            used |= plan(case.graph, machine, lambda c, _, name=name: next(a for a in c if a.name == name)).kernels  # type: ignore[misc]
    assert used == set(all_kernels())


@pytest.mark.parametrize("side", ["end", "begin"])
@pytest.mark.parametrize("touched", ["input", "output", "weights", "scratch"])
def test_one_float_too_many_is_seen(touched: str, side: str) -> None:
    code = f"""
    from dataclasses import replace
    import numpy as np
    from engine.ir.ops import Conv
    from engine.plan.machine import Machine, this_machine
    from engine.plan.program import plan
    from engine.plan.step import Value
    from engine.runtime import workspace
    from tests.faults.hunt import ProtectedWorkspace
    from tests.faults.pages import Pages
    from tests.running import one_op

    class Shifted(ProtectedWorkspace):
        def _resolve(self, field):
            address = super()._resolve(field)
            kind = ("input" if field.number == 0 else "output") if isinstance(field, Value) else "weights"
            moves = kind == {touched!r} and (isinstance(field, Value) or getattr(field, "ndim", 0) == 2)
            return address + shift if moves else address

    shift = 4 if {side!r} == "end" else -4
    x, w = np.ones((3, 5, 6, 3), np.float32), np.ones((3, 3, 3, 16), np.float32)
    program = plan(one_op(Conv(pads=((1, 1), (1, 1))), [x], [w]), this_machine(), lambda c, _: c[-1])
    assert program.steps[0].kernel == "conv_direct"
    pages = Pages({side!r} == "end")
    workspace.aligned_array, workspace.aligned = pages.array, lambda size: size
    space = Shifted(program, 3, pages)
    if {touched!r} == "scratch":
        space._call[5] += shift
    space.inputs[0][...] = x
    print("ready", flush=True)
    space.run(3)
    """
    with pytest.raises(AssertionError, match=f"exit code -{signal.SIGSEGV.value}\nready"):
        run_python(code)
