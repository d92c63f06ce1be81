"""Elements at regular steps: result axes d0 … d5 (leading ones are 1), whose steps in x are s0 … s5 bytes (0: repeat).

`x_n` is the size of an image of x, `offset` where the first element stands. A tile of work is `block` runs of d5.
"""

from numba import carray

from engine.kernels.rows import row
from engine.kernels.simd import floats, i64_at

P = row("slice")


def build(simd, variant):
    lanes, load_upto, store_upto, splat_at = simd.isa.lanes, simd.load_upto, simd.store_upto, simd.splat_at

    def kernel(params, lo, hi, scratch):
        d1, d2, d3 = i64_at(params + P.d1), i64_at(params + P.d2), i64_at(params + P.d3)
        d4, d5, s5 = i64_at(params + P.d4), i64_at(params + P.d5), i64_at(params + P.s5)
        image = i64_at(params + P.d0) * d1 * d2 * d3 * d4
        block = i64_at(params + P.block)
        first = i64_at(params + P.x) + i64_at(params + P.offset)
        for t in range(lo * block, min(hi * block, i64_at(params + P.n) * image)):
            i4, rest = t % d4, t // d4
            i3, rest = rest % d3, rest // d3
            i2, rest = rest % d2, rest // d2
            i1, rest = rest % d1, rest // d1
            i0, n = rest % i64_at(params + P.d0), t // image
            source = first + n * i64_at(params + P.x_n) + i0 * i64_at(params + P.s0) + i1 * i64_at(params + P.s1)
            source += i2 * i64_at(params + P.s2) + i3 * i64_at(params + P.s3) + i4 * i64_at(params + P.s4)
            y = i64_at(params + P.y) + t * d5 * 4
            if s5 == 4:
                for j in range(0, d5, lanes):
                    store_upto(y + j * 4, load_upto(source + j * 4, d5 - j), d5 - j)
            elif s5 == 0:
                for j in range(0, d5, lanes):
                    store_upto(y + j * 4, splat_at(source), d5 - j)
            else:
                to = carray(floats(y), (d5,))
                for j in range(d5):
                    to[j] = carray(floats(source + j * s5), (1,))[0]

    return kernel
