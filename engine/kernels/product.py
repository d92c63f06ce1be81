"""C (rows × f) += A (rows × k) · W on the register tile, with W packed in panels (see `gemm`)."""

from numba import njit

from engine.kernels.isa import WIDE
from engine.kernels.simd import call
from engine.kernels.tile import row_cutter


def Product(simd):  # noqa: N802  # makes a function for compiled code, as Simd does
    """`product(tile, a, a_row, k, w, f, c, c_row, fresh, rows)`: addresses, strides in bytes; `fresh` 0 adds to C."""
    lanes, nr, next_height, panels = simd.isa.lanes, simd.isa.nr, row_cutter(simd.isa.mr), 2 * WIDE
    wide_nr, wide_nv = panels * simd.isa.nr, panels * simd.isa.nv

    @njit
    def product(tile, a, a_row, k, w, f, c, c_row, fresh, rows):
        j = 0
        while rows == 1 and j + wide_nr <= f:
            call(
                tile, a, k * nr * 4, 0, 1, 0, 1, k, w + j * k * 4, c + j * 4, c_row, 0, fresh, 0, lanes, 0, 0, 1,
                wide_nv,
            )  # fmt: skip
            j += wide_nr
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
