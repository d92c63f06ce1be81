"""A kernel that calls another one and writes down who ran which tiles, and when.

Each call takes the next entry of the log, if there is one left, of int64: the thread's scratch address, the step, the
first tile, the one after the last, and two C `timespec` from `clock_gettime`, before and after.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.kernels.atomics import store_release
from engine.kernels.rows import row
from engine.kernels.simd import I32, I64, INT, call, i64_at, pointer
from engine.kernels.state import ENTRY_END, ENTRY_HIGH, ENTRY_LOW, ENTRY_SIZE, ENTRY_START, ENTRY_STEP, ENTRY_THREAD


@intrinsic
def _fetch_add(typing, address, value):
    def generate(context, builder, signature, arguments):
        return builder.atomic_rmw("add", builder.inttoptr(arguments[0], I64.as_pointer()), arguments[1], "monotonic")

    return INT(INT, INT), generate


@intrinsic
def _read_clock(typing, function, clock, place):
    def generate(context, builder, signature, arguments):
        function, clock, place = arguments
        place = pointer(builder, place)
        kind = ir.FunctionType(I32, [I32, place.type])
        builder.call(builder.inttoptr(function, kind.as_pointer()), [builder.trunc(clock, I32), place])
        return context.get_dummy_value()

    return types.void(INT, INT, INT), generate


def build(simd, variant):
    at = row("traced")

    def kernel(params, lo, hi, scratch):
        function, inner = i64_at(params + at.function), i64_at(params + at.params)
        clock, clock_id = i64_at(params + at.clock), i64_at(params + at.clock_id)
        store_release(inner, i64_at(params + at.n))
        number = _fetch_add(i64_at(params + at.counter), 1)
        if number >= i64_at(params + at.capacity):
            call(function, inner, lo, hi, scratch)
            return
        entry = i64_at(params + at.log) + number * ENTRY_SIZE
        store_release(entry + ENTRY_THREAD, scratch)
        store_release(entry + ENTRY_STEP, i64_at(params + at.step))
        store_release(entry + ENTRY_LOW, lo)
        store_release(entry + ENTRY_HIGH, hi)
        _read_clock(clock, clock_id, entry + ENTRY_START)
        call(function, inner, lo, hi, scratch)
        _read_clock(clock, clock_id, entry + ENTRY_END)

    return kernel
