"""Y (m × f) = X (m × k) · W + bias, X and Y row by row: dense layers, and pointwise convolutions in place.

Packed W: one panel after another, `nr` columns each, the last one as many vectors wide as it needs; a panel holds its
k rows one after another. A tile of work is `block` rows × `columns` columns, which are whole panels; threads share the
rows, or the columns where the weights are larger than X. Where k is long it is cut in pieces of `kc`; each continues
from the sums of the one before. Rows of X whose distance would make them collide in L1 are first copied to scratch,
`x_row` bytes apart.
"""

from engine.kernels.isa import WIDE
from engine.kernels.rows import row
from engine.kernels.simd import call, i64_at
from engine.kernels.tile import row_cutter

P = row("gemm")


def build(simd, variant):
    lanes, nr, panel_nv, next_height = simd.isa.lanes, simd.isa.nr, simd.isa.nv, row_cutter(simd.isa.mr)
    load_upto, store_upto = simd.load_upto, simd.store_upto

    def kernel(params, lo, hi, scratch):
        k, f, kc = i64_at(params + P.k), i64_at(params + P.f), i64_at(params + P.kc)
        x, w, y, bias = i64_at(params + P.x), i64_at(params + P.w), i64_at(params + P.y), i64_at(params + P.bias)
        block, columns, inner = i64_at(params + P.block), i64_at(params + P.columns), i64_at(params + P.inner)
        rows = i64_at(params + P.n) * i64_at(params + P.m)
        blocks, by_columns = (rows + block - 1) // block, rows < f
        low, high, tile = i64_at(params + P.low), i64_at(params + P.high), i64_at(params + P.tile)
        act, act_params = i64_at(params + P.act), i64_at(params + P.act_params)
        for t in range(lo, hi):
            across, down = (t // blocks, t % blocks) if by_columns else (t % inner, t // inner)
            first, begin = down * block, across * columns
            last, end = min(first + block, rows), min(begin + columns, f)
            a, a_row = x + first * k * 4, k * 4
            if i64_at(params + P.x_row) != a_row and last - first > 1:
                a_row = i64_at(params + P.x_row)
                for i in range(last - first):
                    for j in range(0, k, lanes):
                        store_upto(scratch + i * a_row + j * 4, load_upto(a + (i * k + j) * 4, k - j), k - j)
                a = scratch
            k0 = 0
            while k0 < k:
                length = min(kc, k - k0)
                j = begin
                while last - first == 1 and j + WIDE * nr <= end:
                    call(
                        tile, a + k0 * 4, k * nr * 4, 0, 1, 0, 1, length, w + (j * k + k0 * nr) * 4,
                        y + (first * f + j) * 4, f * 4, bias + j * 4, k0 == 0, k0 + length == k, lanes, low, high, 1,
                        WIDE * panel_nv,
                    )  # fmt: skip
                    j += WIDE * nr
                while j < end:
                    width = min(nr, f - j)
                    nv = (width + lanes - 1) // lanes
                    panel = w + (j * k + k0 * nv * lanes) * 4
                    i = first
                    while i < last:
                        height = next_height(last - i)
                        call(
                            tile, a + (i - first) * a_row + k0 * 4, a_row, 0, 1, 0, 1, length, panel,
                            y + (i * f + j) * 4, f * 4, bias + j * 4, k0 == 0, k0 + length == k,
                            width - (nv - 1) * lanes, low, high, height, nv,
                        )  # fmt: skip
                        i += height
                    j += nr
                k0 += kc
            if act:
                for i in range(first, last):
                    call(act, act_params, y + (i * f + begin) * 4, y + (i * f + end) * 4, 0)

    return kernel
