"""exp(x − max) over its sum, for rows of c numbers; a tile of work is `block` rows.

The sum adds lane by lane over ascending vectors, then the lanes in order. A row with NaN or +inf is NaN throughout.
"""

from engine.kernels.functions import Functions
from engine.kernels.rows import row
from engine.kernels.simd import i64_at

P = row("softmax")


def build(simd, variant):
    lanes, splat, lane = simd.isa.lanes, simd.splat, simd.lane
    load_upto, store_upto, where_less, where_nan = simd.load_upto, simd.store_upto, simd.where_less, simd.where_nan
    load_rest = simd.load_rest
    exp = Functions(simd).exp

    def kernel(params, lo, hi, scratch):
        c, block = i64_at(params + P.c), i64_at(params + P.block)
        rows = i64_at(params + P.n) * i64_at(params + P.rows)
        for i in range(lo * block, min(hi * block, rows)):
            x, y = i64_at(params + P.x) + i * c * 4, i64_at(params + P.y) + i * c * 4
            low = splat(float("-inf"))
            top = low
            for j in range(0, c, lanes):
                v = load_rest(x + j * 4, c - j, low)
                top = where_nan(v, v, where_less(top, v, v, top))
            largest = splat(lane(top, 0))
            for k in range(1, lanes):
                v = splat(lane(top, k))
                largest = where_nan(v, v, where_less(largest, v, v, largest))
            total = splat(0.0)
            for j in range(0, c, lanes):
                v = exp(load_rest(x + j * 4, c - j, low) - largest)
                store_upto(y + j * 4, v, c - j)
                total = total + v
            whole = lane(total, 0)
            for k in range(1, lanes):
                whole += lane(total, k)
            for j in range(0, c, lanes):
                store_upto(y + j * 4, load_upto(y + j * 4, c - j) / splat(whole), c - j)

    return kernel
