"""C += A (rows × k) · W on the register tile, W packed in panels (see `gemm`). One row takes several panels.

Every element is one chain of multiply-adds over ascending k in both, so a row's bits do not depend on its company.
"""

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.kernels.simd import (
    F32,
    I64,
    broadcast,
    call,
    load_vector,
    multiply_add,
    pointer,
    store_vector,
    vector,
)
from engine.kernels.tile import row_cutter

CHAINS = 8


def Product(simd):  # noqa: N802  # makes a function for compiled code, as Simd does
    """`product(tile, a, a_row, k, w, f, c, c_row, fresh, rows)`: addresses, strides in bytes; `fresh` 0 adds to C."""
    lanes, nr, nv_full = simd.isa.lanes, simd.isa.nr, simd.isa.nv
    panels = max(CHAINS // nv_full, 1)
    next_height, one_row = row_cutter(simd.isa.mr), _one_row(simd.isa, panels)

    @njit
    def product(tile, a, a_row, k, w, f, c, c_row, fresh, rows):
        j = 0
        if rows == 1:
            while j + panels * nr <= f:
                one_row(a, k, w + j * k * 4, k * nr * 4, c + j * 4, fresh)
                j += panels * nr
        while j < f:
            width = min(nr, f - j)
            nv = (width + lanes - 1) // lanes
            i = 0
            while i < rows:
                height = next_height(rows - i)
                call(
                    tile, a + i * a_row, a_row, 0, 1, 0, 1, k, w + j * k * 4, c + i * c_row + j * 4, c_row, 0, fresh, 0,
                    width - (nv - 1) * lanes, 0, 0, height, nv,
                )  # fmt: skip
                i += height
            j += nr

    return product


def _one_row(isa, panels):
    """An intrinsic: one row of A times whole panels, all their sums in registers."""
    cells = [(p, v) for p in range(panels) for v in range(isa.nv)]
    lanes = isa.lanes

    @intrinsic
    def one_row(typing, a, k, w, panel, c, fresh):
        def generate(context, builder, signature, arguments):
            a, k, w, panel, c, fresh = arguments

            def place(base, stride, p, v):
                return builder.add(builder.add(base, builder.mul(stride, _int(p))), _int(v * lanes * 4))

            def result(p, v):
                return builder.add(c, _int((p * isa.nv + v) * lanes * 4))

            zero = ir.Constant(vector(lanes), None)
            sums = {cell: cgutils.alloca_once_value(builder, zero) for cell in cells}
            with builder.if_then(builder.icmp_signed("==", fresh, _int(0))):
                for cell in cells:
                    builder.store(load_vector(builder, result(*cell), lanes), sums[cell])
            with cgutils.for_range(builder, k) as step:
                x = builder.load(pointer(builder, builder.add(a, builder.mul(step.index, _int(4)))), typ=F32, align=4)
                x = broadcast(builder, x, lanes)
                rows = builder.add(w, builder.mul(step.index, _int(isa.nr * 4)))
                for cell in cells:
                    column = load_vector(builder, place(rows, panel, *cell), lanes)
                    builder.store(multiply_add(builder, x, column, builder.load(sums[cell]), isa), sums[cell])
            for cell in cells:
                store_vector(builder, builder.load(sums[cell]), result(*cell))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6), generate

    return one_row


def _int(value):
    return ir.Constant(I64, value)
