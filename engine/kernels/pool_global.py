"""Maximum or mean over all pixels of an image; a tile of work is one vector of channels of one image."""

from engine.kernels.reduction import Reduction
from engine.kernels.rows import row
from engine.kernels.simd import i64_at

P = row("pool_global")


def build(simd, variant):
    lanes, splat, load_upto, store_upto = simd.isa.lanes, simd.splat, simd.load_upto, simd.store_upto
    reduction = Reduction(simd, variant)
    start, join, finish = reduction.start, reduction.join, reduction.finish

    def kernel(params, lo, hi, scratch):
        pixels, c = i64_at(params + P.pixels), i64_at(params + P.c)
        x, y = i64_at(params + P.x), i64_at(params + P.y)
        vectors, count = (c + lanes - 1) // lanes, min(lanes, c)
        for t in range(lo, hi):
            image, at = t // vectors, min(t % vectors * lanes, c - count) * 4
            total = splat(start)
            for i in range(pixels):
                total = join(total, load_upto(x + (image * pixels + i) * c * 4 + at, count))
            store_upto(y + image * c * 4 + at, finish(total, pixels), count)

    return kernel
