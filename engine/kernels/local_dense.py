"""y[p] = x[p]·w[p] for `places` rows, each with a matrix (k, f) of its own; a tile of work is one place of one image.

One chain of multiply-adds over ascending k for each result.
"""

from engine.kernels.rows import row
from engine.kernels.simd import i64_at

P = row("local_dense")


def build(simd, variant):
    lanes, splat, splat_at, fma = simd.isa.lanes, simd.splat, simd.splat_at, simd.fma
    load_upto, store_upto = simd.load_upto, simd.store_upto

    def kernel(params, lo, hi, scratch):
        places, k, f = i64_at(params + P.places), i64_at(params + P.k), i64_at(params + P.f)
        for t in range(lo, hi):
            x, y = i64_at(params + P.x) + t * k * 4, i64_at(params + P.y) + t * f * 4
            w = i64_at(params + P.w) + t % places * k * f * 4
            for j in range(0, f, lanes):
                total = splat(0.0)
                for i in range(k):
                    total = fma(splat_at(x + i * 4), load_upto(w + (i * f + j) * 4, f - j), total)
                store_upto(y + j * 4, total, f - j)

    return kernel
