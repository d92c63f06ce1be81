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
        d0, d1, d2, d3 = i64_at(params + P.d0), i64_at(params + P.d1), i64_at(params + P.d2), i64_at(params + P.d3)
        d4, d5, s5 = i64_at(params + P.d4), i64_at(params + P.d5), i64_at(params + P.s5)
        image = d0 * d1 * d2 * d3 * d4
        block = i64_at(params + P.block)
        s0, s1, s2 = i64_at(params + P.s0), i64_at(params + P.s1), i64_at(params + P.s2)
        s3, s4, x_n = i64_at(params + P.s3), i64_at(params + P.s4), i64_at(params + P.x_n)
        x = i64_at(params + P.x) + i64_at(params + P.offset)
        first = lo * block
        i4, rest = first % d4, first // d4
        i3, rest = rest % d3, rest // d3
        i2, rest = rest % d2, rest // d2
        i1, rest = rest % d1, rest // d1
        i0, n = rest % d0, rest // d0
        for t in range(first, min(hi * block, i64_at(params + P.n) * image)):
            source = x + n * x_n + i0 * s0 + i1 * s1 + i2 * s2 + i3 * s3 + i4 * s4
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
            i4 += 1
            if i4 == d4:
                i4, i3 = 0, i3 + 1
                if i3 == d3:
                    i3, i2 = 0, i2 + 1
                    if i2 == d2:
                        i2, i1 = 0, i1 + 1
                        if i1 == d1:
                            i1, i0 = 0, i0 + 1
                            if i0 == d0:
                                i0, n = 0, n + 1

    return kernel
