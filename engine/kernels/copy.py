"""One operand of a concatenation: `outer` runs of `inner` floats an image, `y_step` bytes apart in the result.

A tile of work is `block` runs.
"""

from engine.kernels.rows import row
from engine.kernels.simd import i64_at

P = row("copy")


def build(simd, variant):
    lanes, load, store = simd.isa.lanes, simd.load, simd.store
    load_upto, store_upto = simd.load_upto, simd.store_upto

    def kernel(params, lo, hi, scratch):
        outer, inner, y_step = i64_at(params + P.outer), i64_at(params + P.inner), i64_at(params + P.y_step)
        x, y = i64_at(params + P.x), i64_at(params + P.y) + i64_at(params + P.offset)
        block, whole = i64_at(params + P.block), inner - inner % lanes
        for t in range(lo * block, min(hi * block, i64_at(params + P.n) * outer)):
            for j in range(0, whole, lanes):
                store(y + t * y_step + j * 4, load(x + (t * inner + j) * 4))
            for j in range(whole, inner, lanes):
                store_upto(y + t * y_step + j * 4, load_upto(x + (t * inner + j) * 4, inner - j), inner - j)

    return kernel
