"""y = b where a is not zero, else c, with broadcasting: four axes, along which each steps by strides of its own.

The strides of the last axis are 4 or 0 bytes; a tile of work is one index of the first axis (`d0`) of one image.
"""

from engine.kernels.bits import Bits
from engine.kernels.rows import row
from engine.kernels.simd import i64_at

P = row("select")


def build(simd, variant):
    lanes, load_upto, store_upto, splat_at = simd.isa.lanes, simd.load_upto, simd.store_upto, simd.splat_at
    splat, where_equal = simd.splat, Bits(simd.isa).where_equal

    def kernel(params, lo, hi, scratch):
        d0, d1, d2, d3 = i64_at(params + P.d0), i64_at(params + P.d1), i64_at(params + P.d2), i64_at(params + P.d3)
        a3, b3, c3 = i64_at(params + P.a3), i64_at(params + P.b3), i64_at(params + P.c3)
        for t in range(lo, hi):
            image, i0 = t // d0, t % d0
            a0 = i64_at(params + P.a) + image * i64_at(params + P.a_n) + i0 * i64_at(params + P.a0)
            b0 = i64_at(params + P.b) + image * i64_at(params + P.b_n) + i0 * i64_at(params + P.b0)
            c0 = i64_at(params + P.c) + image * i64_at(params + P.c_n) + i0 * i64_at(params + P.c0)
            for outer in range(d1 * d2):
                i1, i2 = outer // d2, outer % d2
                a = a0 + i1 * i64_at(params + P.a1) + i2 * i64_at(params + P.a2)
                b = b0 + i1 * i64_at(params + P.b1) + i2 * i64_at(params + P.b2)
                c = c0 + i1 * i64_at(params + P.c1) + i2 * i64_at(params + P.c2)
                at = i64_at(params + P.y) + (t * d1 * d2 + outer) * d3 * 4
                for j in range(0, d3, lanes):
                    va = load_upto(a + j * 4, d3 - j) if a3 else splat_at(a)
                    vb = load_upto(b + j * 4, d3 - j) if b3 else splat_at(b)
                    vc = load_upto(c + j * 4, d3 - j) if c3 else splat_at(c)
                    store_upto(at + j * 4, where_equal(va, splat(0.0), vc, vb), d3 - j)

    return kernel
