"""A helper thread's loop: claim chunks, spin a while without work, then yield the processor between looks.

Leaves after `patience` looks without work, but only while no run is active, and at once when the team is aborted.
"""

from numba import types

from engine.kernels.atomics import Processor, call_plain, load_acquire
from engine.kernels.claim import claim_all
from engine.kernels.simd import i64_at
from engine.kernels.state import ABORT, ACTIVE, YIELD

SIGNATURE = types.void(*[types.int64] * 4)


def build(simd, variant):
    processor = Processor(simd.isa)
    pause, flush_denormals, restore = processor.pause, processor.flush_denormals, processor.restore

    def kernel(state, me, eager, patience):
        mode = flush_denormals()
        idle = 0
        while load_acquire(state + ABORT) == 0:
            if claim_all(state, me, pause) > 0:
                idle = 0
            else:
                idle += 1
                pause()
                if idle > eager:
                    call_plain(i64_at(state + YIELD))
                if idle > patience and load_acquire(state + ACTIVE) == 0:
                    break
        restore(mode)

    return kernel
