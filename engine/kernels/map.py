"""y = f(x), element by element: a tile of work copies `block` floats and calls the activation, if any, on the copy."""

from engine.kernels.rows import row
from engine.kernels.simd import call, i64_at

P = row("map")


def build(simd, variant):
    lanes, load_upto, store_upto = simd.isa.lanes, simd.load_upto, simd.store_upto

    def kernel(params, lo, hi, scratch):
        x, y, block = i64_at(params + P.x), i64_at(params + P.y), i64_at(params + P.block)
        size, act = i64_at(params + P.n) * i64_at(params + P.size), i64_at(params + P.act)
        for t in range(lo, hi):
            end = min((t + 1) * block, size)
            for i in range(t * block, end, lanes):
                store_upto(y + i * 4, load_upto(x + i * 4, end - i), end - i)
            if act:
                call(act, i64_at(params + P.act_params), y + t * block * 4, y + end * 4, 0)

    return kernel
