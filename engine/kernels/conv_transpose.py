"""Transposed convolution, result by result: the sum over the taps that reach it, a vector of output channels at a time.

Weights are (kh, kw, c, f). One chain of multiply-adds over ascending tap and input channel, then the bias. A tile of
work is one row of results.
"""

from numba import njit

from engine.kernels.rows import row
from engine.kernels.simd import call, i64_at

P = row("conv_transpose")


def build(simd, variant):
    lanes, splat, splat_at, fma = simd.isa.lanes, simd.splat, simd.splat_at, simd.fma
    load_upto, store_upto = simd.load_upto, simd.store_upto

    @njit
    def source(place, tap, stride, size):
        """The input element that reaches a place by a tap, or −1."""
        at = place - tap
        if at < 0 or at % stride or at // stride >= size:
            return -1
        return at // stride

    @njit
    def one(params, x, iy, ix, j):
        wd, c, f = i64_at(params + P.wd), i64_at(params + P.c), i64_at(params + P.f)
        kw, sw, dw = i64_at(params + P.kw), i64_at(params + P.sw), i64_at(params + P.dw)
        w, total = i64_at(params + P.w) + j * 4, splat(0.0)
        for r in range(i64_at(params + P.kh)):
            sy = source(iy, r * i64_at(params + P.dh), i64_at(params + P.sh), i64_at(params + P.h))
            for s in range(kw):
                sx = source(ix, s * dw, sw, wd)
                if sy >= 0 and sx >= 0:
                    pixel, tap = x + (sy * wd + sx) * c * 4, w + (r * kw + s) * c * f * 4
                    for i in range(c):
                        total = fma(splat_at(pixel + i * 4), load_upto(tap + i * f * 4, f - j), total)
        return total + load_upto(i64_at(params + P.bias) + j * 4, f - j)

    def kernel(params, lo, hi, scratch):
        oh, ow, f = i64_at(params + P.oh), i64_at(params + P.ow), i64_at(params + P.f)
        size, act = i64_at(params + P.h) * i64_at(params + P.wd) * i64_at(params + P.c), i64_at(params + P.act)
        for t in range(lo, hi):
            x, y = i64_at(params + P.x) + t // oh * size * 4, i64_at(params + P.y) + t * ow * f * 4
            iy = t % oh + i64_at(params + P.top)
            for ox in range(ow):
                for j in range(0, f, lanes):
                    store_upto(y + (ox * f + j) * 4, one(params, x, iy, ox + i64_at(params + P.left), j), f - j)
            if act:
                call(act, i64_at(params + P.act_params), y, y + ow * f * 4, 0)

    return kernel
