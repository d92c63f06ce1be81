"""Maximum or mean over regions of an image, which are products of intervals of rows and of columns.

`row_ends` and `column_ends` are tables of int64: first, last + 1, for each row and column of the result. A tile of
work is one row of the result.
"""

from engine.kernels.reduction import Reduction
from engine.kernels.rows import row
from engine.kernels.simd import i64_at

P = row("pool_region")


def build(simd, variant):
    lanes, splat, load_upto, store_upto = simd.isa.lanes, simd.splat, simd.load_upto, simd.store_upto
    reduction = Reduction(simd, variant)
    start, join, finish = reduction.start, reduction.join, reduction.finish

    def kernel(params, lo, hi, scratch):
        h, wd, c = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c)
        oh, ow = i64_at(params + P.oh), i64_at(params + P.ow)
        rows, columns = i64_at(params + P.row_ends), i64_at(params + P.column_ends)
        for t in range(lo, hi):
            x = i64_at(params + P.x) + t // oh * h * wd * c * 4
            r0, r1 = i64_at(rows + t % oh * 16), i64_at(rows + t % oh * 16 + 8)
            for ox in range(ow):
                s0, s1 = i64_at(columns + ox * 16), i64_at(columns + ox * 16 + 8)
                y = i64_at(params + P.y) + (t * ow + ox) * c * 4
                for j in range(0, c, lanes):
                    total = splat(start)
                    for r in range(r0, r1):
                        for s in range(s0, s1):
                            total = join(total, load_upto(x + ((r * wd + s) * c + j) * 4, c - j))
                    store_upto(y + j * 4, finish(total, (r1 - r0) * (s1 - s0)), c - j)

    return kernel
