"""(x − mean) / sqrt(variance + epsilon) · scale + shift for rows of c numbers; a tile of work is `block` rows.

Variant `centered` as said, `rms` without the mean. A row is read three times from L1; each sum adds lane by lane over
ascending vectors, then the lanes in order.
"""

from numba import njit

from engine.kernels.rows import row
from engine.kernels.simd import f32_bits, i64_at

P = row("normalize")


def build(simd, variant):
    lanes, splat, lane, fma, root = simd.isa.lanes, simd.splat, simd.lane, simd.fma, simd.root
    load_upto, load_rest, store_upto = simd.load_upto, simd.load_rest, simd.store_upto
    centered = variant == "centered"

    @njit
    def across(total):
        whole = lane(total, 0)
        for k in range(1, lanes):
            whole += lane(total, k)
        return splat(whole)

    def kernel(params, lo, hi, scratch):
        c, block = i64_at(params + P.c), i64_at(params + P.block)
        scale, shift, epsilon = i64_at(params + P.scale), i64_at(params + P.shift), f32_bits(i64_at(params + P.epsilon))
        rows = i64_at(params + P.n) * i64_at(params + P.rows)
        for i in range(lo * block, min(hi * block, rows)):
            x, y = i64_at(params + P.x) + i * c * 4, i64_at(params + P.y) + i * c * 4
            mean = splat(0.0)
            if centered:
                for j in range(0, c, lanes):
                    mean = mean + load_upto(x + j * 4, c - j)
                mean = across(mean) / float(c)
            squares = splat(0.0)
            for j in range(0, c, lanes):
                v = load_rest(x + j * 4, c - j, mean) - mean
                squares = fma(v, v, squares)
            inverse = splat(1.0) / root(across(squares) / float(c) + splat(epsilon))
            for j in range(0, c, lanes):
                v = (load_upto(x + j * 4, c - j) - mean) * inverse
                v = fma(v, load_upto(scale + j * 4, c - j), load_upto(shift + j * 4, c - j))
                store_upto(y + j * 4, v, c - j)

    return kernel
