"""Axes in another order: result axes d0 … d5 (leading ones are 1), whose steps in x are s0 … s5 bytes.

A tile of work is one image.
"""

from numba import carray

from engine.kernels.rows import row
from engine.kernels.simd import floats, i64_at

P = row("transpose")


def build(simd, variant):
    def kernel(params, lo, hi, scratch):
        d0, d1, d2 = i64_at(params + P.d0), i64_at(params + P.d1), i64_at(params + P.d2)
        d3, d4, d5 = i64_at(params + P.d3), i64_at(params + P.d4), i64_at(params + P.d5)
        step, size = i64_at(params + P.s5) // 4, d0 * d1 * d2 * d3 * d4 * d5 * 4
        for t in range(lo, hi):
            x, y = i64_at(params + P.x) + t * size, i64_at(params + P.y) + t * size
            for outer in range(d0 * d1 * d2 * d3 * d4):
                i4, rest = outer % d4, outer // d4
                i3, rest = rest % d3, rest // d3
                i2, rest = rest % d2, rest // d2
                i1, i0 = rest % d1, rest // d1
                source = x + i0 * i64_at(params + P.s0) + i1 * i64_at(params + P.s1) + i2 * i64_at(params + P.s2)
                source += i3 * i64_at(params + P.s3) + i4 * i64_at(params + P.s4)
                to = carray(floats(y + outer * d5 * 4), (d5,))
                column = carray(floats(source), ((d5 - 1) * step + 1,))
                for j in range(d5):
                    to[j] = column[j * step]

    return kernel
