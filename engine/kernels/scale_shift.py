"""y = x·scale + shift along the last axis; a tile of work is `block` rows of c floats."""

from engine.kernels.rows import row
from engine.kernels.simd import call, i64_at

P = row("scale_shift")


def build(simd, variant):
    lanes, fma, load, store = simd.isa.lanes, simd.fma, simd.load, simd.store
    load_upto, store_upto = simd.load_upto, simd.store_upto

    def kernel(params, lo, hi, scratch):
        x, y, c, block = i64_at(params + P.x), i64_at(params + P.y), i64_at(params + P.c), i64_at(params + P.block)
        scale, shift, act = i64_at(params + P.scale), i64_at(params + P.shift), i64_at(params + P.act)
        rows = i64_at(params + P.n) * i64_at(params + P.rows)
        for t in range(lo, hi):
            first, last = t * block, min((t + 1) * block, rows)
            for i in range(first, last):
                whole = c - c % lanes
                for j in range(0, whole, lanes):
                    at = (i * c + j) * 4
                    store(y + at, fma(load(x + at), load(scale + j * 4), load(shift + j * 4)))
                for j in range(whole, c, lanes):
                    at, left = (i * c + j) * 4, c - j
                    v = fma(load_upto(x + at, left), load_upto(scale + j * 4, left), load_upto(shift + j * 4, left))
                    store_upto(y + at, v, left)
            if act:
                call(act, i64_at(params + P.act_params), y + first * c * 4, y + last * c * 4, 0)

    return kernel
