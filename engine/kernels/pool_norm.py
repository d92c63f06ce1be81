"""Windows of an image by their p-norm, or as stochastic pooling expects them. Cells outside the image are zeros.

Variants: `norm` is (sum of |x|^p)^(1/p), `euclid` the same for p = 2, `stochastic` is the sum of a² over the sum of
a, a = max(x, 0), 0 where that is 0. A tile of work is `rows` output rows.
"""

from numba import njit

from engine.kernels.bits import Bits
from engine.kernels.functions import Functions
from engine.kernels.powers import Powers
from engine.kernels.rows import row
from engine.kernels.simd import f32_bits, i64_at

P = row("pool_norm")


def build(simd, variant):
    lanes, splat, load_upto, store_upto = simd.isa.lanes, simd.splat, simd.load_upto, simd.store_upto
    fma, where_less, where_equal = simd.fma, simd.where_less, Bits(simd.isa).where_equal
    absolute, power, root = Functions(simd).absolute, Powers(simd).power, simd.root
    join, finish = {
        "norm": (
            njit(lambda sums, x, p: (sums[0] + power(absolute(x), splat(p)), sums[1])),
            njit(lambda sums, p: power(sums[0], splat(1.0) / splat(p))),
        ),
        "euclid": (njit(lambda sums, x, p: (fma(x, x, sums[0]), sums[1])), njit(lambda sums, p: root(sums[0]))),
        "stochastic": (
            njit(lambda sums, a, p: (fma(a, a, sums[0]), sums[1] + a)),
            njit(lambda sums, p: where_equal(sums[1], splat(0.0), splat(0.0), sums[0] / sums[1])),
        ),
    }[variant]
    positive = njit(lambda x: where_less(x, splat(0.0), splat(0.0), x))
    prepare = positive if variant == "stochastic" else njit(lambda x: x)

    def kernel(params, lo, hi, scratch):
        h, wd, c = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c)
        oh, ow, rows = i64_at(params + P.oh), i64_at(params + P.ow), i64_at(params + P.rows)
        kh, kw, sh, sw = i64_at(params + P.kh), i64_at(params + P.kw), i64_at(params + P.sh), i64_at(params + P.sw)
        blocks, p = i64_at(params + P.row_blocks), f32_bits(i64_at(params + P.p))
        for t in range(lo, hi):
            image, first = t // blocks, t % blocks * rows
            x = i64_at(params + P.x) + image * h * wd * c * 4
            for oy in range(first, min(first + rows, oh)):
                top = oy * sh - i64_at(params + P.pt)
                for ox in range(ow):
                    left = ox * sw - i64_at(params + P.pl)
                    y = i64_at(params + P.y) + ((image * oh + oy) * ow + ox) * c * 4
                    for j in range(0, c, lanes):
                        sums = (splat(0.0), splat(0.0))
                        for r in range(max(top, 0), min(top + kh, h)):
                            for s in range(max(left, 0), min(left + kw, wd)):
                                v = load_upto(x + ((r * wd + s) * c + j) * 4, c - j)
                                sums = join(sums, prepare(v), p)
                        store_upto(y + j * 4, finish(sums, p), c - j)

    return kernel
