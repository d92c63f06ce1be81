"""Maximum or mean over windows of an image, a vector of channels at a time. Cells outside the image do not count.

A tile of work is `rows` output rows. Where channels do not fill whole vectors, the last vector overlaps the one before.
"""

from numba import njit

from engine.kernels.reduction import Reduction
from engine.kernels.rows import row
from engine.kernels.simd import i64_at

P = row("pool_window")


def build(simd, variant):
    lanes, splat, load, store = simd.isa.lanes, simd.splat, simd.load, simd.store
    load_upto, store_upto = simd.load_upto, simd.store_upto
    reduction = Reduction(simd, variant)
    start, join, finish = reduction.start, reduction.join, reduction.finish

    @njit
    def two_by_two(a, pixel, row):
        total = join(join(splat(start), load(a)), load(a + pixel))
        return join(join(total, load(a + row)), load(a + row + pixel))

    @njit
    def window(a, pixel, row, rows, columns, count):
        total = splat(start)
        for r in range(rows):
            for s in range(columns):
                total = join(total, load_upto(a + r * row + s * pixel, count))
        return total

    def kernel(params, lo, hi, scratch):
        h, wd, c = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c)
        oh, ow, rows = i64_at(params + P.oh), i64_at(params + P.ow), i64_at(params + P.rows)
        kh, kw, sh, sw = i64_at(params + P.kh), i64_at(params + P.kw), i64_at(params + P.sh), i64_at(params + P.sw)
        blocks, count = i64_at(params + P.row_blocks), min(lanes, c)
        for t in range(lo, hi):
            image, first = t // blocks, t % blocks * rows
            x = i64_at(params + P.x) + image * h * wd * c * 4
            for oy in range(first, min(first + rows, oh)):
                top = oy * sh - i64_at(params + P.pt)
                r0, r1 = max(top, 0), min(top + kh, h)
                for ox in range(ow):
                    left = ox * sw - i64_at(params + P.pl)
                    s0, s1 = max(left, 0), min(left + kw, wd)
                    y = i64_at(params + P.y) + ((image * oh + oy) * ow + ox) * c * 4
                    a, cells = x + (r0 * wd + s0) * c * 4, (r1 - r0) * (s1 - s0)
                    if r1 - r0 == 2 and s1 - s0 == 2 and count == lanes:
                        for j in range(0, c, lanes):
                            at = min(j, c - lanes) * 4
                            store(y + at, finish(two_by_two(a + at, c * 4, wd * c * 4), cells))
                    else:
                        for j in range(0, c, lanes):
                            at = min(j, c - count) * 4
                            total = window(a + at, c * 4, wd * c * 4, r1 - r0, s1 - s0, count)
                            store_upto(y + at, finish(total, cells), count)

    return kernel
