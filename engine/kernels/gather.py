"""Rows of `inner` floats at the places in a table of int64 `indexes`; an image of x is `outer` blocks of `extent` rows.

A tile of work is `block` rows of the result.
"""

from engine.kernels.rows import row
from engine.kernels.simd import i64_at

P = row("gather")


def build(simd, variant):
    lanes, load_upto, store_upto = simd.isa.lanes, simd.load_upto, simd.store_upto

    def kernel(params, lo, hi, scratch):
        x, y, indexes = i64_at(params + P.x), i64_at(params + P.y), i64_at(params + P.indexes)
        outer, extent = i64_at(params + P.outer), i64_at(params + P.extent)
        count, inner, block = i64_at(params + P.count), i64_at(params + P.inner), i64_at(params + P.block)
        for t in range(lo * block, min(hi * block, i64_at(params + P.n) * outer * count)):
            source = x + (t // count * extent + i64_at(indexes + t % count * 8)) * inner * 4
            for j in range(0, inner, lanes):
                store_upto(y + (t * inner + j) * 4, load_upto(source + j * 4, inner - j), inner - j)

    return kernel
