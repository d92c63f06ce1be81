"""All elements along some axes as one: sum, mean, max, min or prod.

Each result is that of the axes r0 … r2 (steps q0 … q2 bytes) and a run of `tail` neighbours; results stand along
d0 … d2 (steps s0 … s2) and a run of `inner` neighbours. Either run is 1. Along `inner` a vector holds as many
results; along `tail` it is joined lane by lane first, and then its lanes in order. A tile of work is `block` indexes
of the d axes.
"""

from engine.kernels.reduction import Reduction
from engine.kernels.rows import row
from engine.kernels.simd import i64_at

P = row("reduce")


def build(simd, variant):
    lanes, splat, lane = simd.isa.lanes, simd.splat, simd.lane
    load_upto, load_rest, store_upto = simd.load_upto, simd.load_rest, simd.store_upto
    reduction = Reduction(simd, variant)
    start, join, finish = reduction.start, reduction.join, reduction.finish

    def kernel(params, lo, hi, scratch):
        d0, d1, d2 = i64_at(params + P.d0), i64_at(params + P.d1), i64_at(params + P.d2)
        r0, r1, r2 = i64_at(params + P.r0), i64_at(params + P.r1), i64_at(params + P.r2)
        q0, q1, q2 = i64_at(params + P.q0), i64_at(params + P.q1), i64_at(params + P.q2)
        inner, tail, block = i64_at(params + P.inner), i64_at(params + P.tail), i64_at(params + P.block)
        cells, per_image = r0 * r1 * r2 * tail, d0 * d1 * d2
        for t in range(lo * block, min(hi * block, i64_at(params + P.n) * per_image)):
            i2, rest = t % d2, t // d2
            i1, i0 = rest % d1, rest // d1 % d0
            x = i64_at(params + P.x) + t // per_image * i64_at(params + P.x_n)
            x += i0 * i64_at(params + P.s0) + i1 * i64_at(params + P.s1) + i2 * i64_at(params + P.s2)
            y = i64_at(params + P.y) + t * inner * 4
            for j in range(0, inner, lanes):
                total = splat(start)
                for k0 in range(r0):
                    for k1 in range(r1):
                        for k2 in range(r2):
                            at = x + k0 * q0 + k1 * q1 + k2 * q2 + j * 4
                            if inner > 1:
                                total = join(total, load_upto(at, inner - j))
                            else:
                                for i in range(0, tail, lanes):
                                    total = join(total, load_rest(at + i * 4, tail - i, splat(start)))
                if inner == 1:
                    whole = splat(lane(total, 0))
                    for i in range(1, min(lanes, tail)):
                        whole = join(whole, splat(lane(total, i)))
                    total = whole
                store_upto(y + j * 4, finish(total, cells), inner - j)

    return kernel
