"""C = A·B·scale for `images` pairs of matrices (m × k, k × f) an image; B may lie transposed (f × k).

A tile of work is `block` rows of one product. B is packed into scratch memory as `gemm` reads weights, scaled.
"""

from numba import carray, njit

from engine.kernels.product import Product
from engine.kernels.rows import row
from engine.kernels.simd import f32_bits, floats, i64_at

P = row("matmul")


def build(simd, variant):
    lanes, nr, splat = simd.isa.lanes, simd.isa.nr, simd.splat
    load_upto, store = simd.load_upto, simd.store
    product = Product(simd)

    @njit
    def pack(b, k, f, scale, to):
        for j in range(0, f, nr):
            vectors = (min(nr, f - j) + lanes - 1) // lanes
            for i in range(k):
                for v in range(vectors):
                    left = f - j - v * lanes
                    x = load_upto(b + (i * f + j + v * lanes) * 4, left) * splat(scale)
                    store(to + (j * k + (i * vectors + v) * lanes) * 4, x)

    @njit
    def pack_transposed(b, k, f, scale, to):
        for j in range(0, f, nr):
            width = (min(nr, f - j) + lanes - 1) // lanes * lanes
            panel = carray(floats(to + j * k * 4), (k * width,))
            for column in range(width):
                if j + column < f:
                    source = carray(floats(b + (j + column) * k * 4), (k,))
                    for i in range(k):
                        panel[i * width + column] = source[i] * scale
                else:
                    for i in range(k):
                        panel[i * width + column] = 0.0

    def kernel(params, lo, hi, scratch):
        m, k, f = i64_at(params + P.m), i64_at(params + P.k), i64_at(params + P.f)
        block, blocks, tile = i64_at(params + P.block), i64_at(params + P.row_blocks), i64_at(params + P.tile)
        scale = f32_bits(i64_at(params + P.scale))
        packed = -1
        for t in range(lo, hi):
            image, first = t // blocks, t % blocks * block
            if image != packed:
                b = i64_at(params + P.b) + image * k * f * 4
                if i64_at(params + P.transposed):
                    pack_transposed(b, k, f, scale, scratch)
                else:
                    pack(b, k, f, scale, scratch)
                packed = image
            a = i64_at(params + P.a) + (image * m + first) * k * 4
            y = i64_at(params + P.y) + (image * m + first) * f * 4
            product(tile, a, k * 4, k, scratch, f, y, f * 4, 1, min(block, m - first))

    return kernel
