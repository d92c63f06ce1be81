"""y[i] = sum over t of w[i, t] · x[starts[i] + t] along an axis of `extent`, for runs of `inner` floats behind it.

One chain of multiply-adds over ascending t. A tile of work is `block` runs of the result.
"""

from engine.kernels.rows import row
from engine.kernels.simd import i64_at

P = row("resample")


def build(simd, variant):
    lanes, splat, splat_at, fma = simd.isa.lanes, simd.splat, simd.splat_at, simd.fma
    load_upto, store_upto = simd.load_upto, simd.store_upto

    def kernel(params, lo, hi, scratch):
        x, y = i64_at(params + P.x), i64_at(params + P.y)
        w, starts, taps = i64_at(params + P.w), i64_at(params + P.starts), i64_at(params + P.taps)
        outer, extent = i64_at(params + P.outer), i64_at(params + P.extent)
        count, inner, block = i64_at(params + P.count), i64_at(params + P.inner), i64_at(params + P.block)
        for t in range(lo * block, min(hi * block, i64_at(params + P.n) * outer * count)):
            i = t % count
            source = x + (t // count * extent + i64_at(starts + i * 8)) * inner * 4
            for j in range(0, inner, lanes):
                total = splat(0.0)
                for k in range(taps):
                    v = load_upto(source + (k * inner + j) * 4, inner - j)
                    total = fma(v, splat_at(w + (i * taps + k) * 4), total)
                store_upto(y + (t * inner + j) * 4, total, inner - j)

    return kernel
