"""3×3 convolutions, stride 1, by Winograd's F(4×4, 3×3): a quarter of the multiplications.

A tile of work is `block` 4×4 output tiles (counted through all images) × `columns` output channels. In scratch:

    V  36 planes of block × c      transformed input, rows `v_row` bytes apart
    M  36 planes of block × columns products, rows `m_row` bytes apart
    a 6×6×c copy of a tile that reaches over the border, with its zeros; one spare vector

U, the transformed weights: 36 times the panels of `gemm` with k = c. Tiles of work that follow one another share V.
"""

from numba import njit

from engine.kernels.rows import row
from engine.kernels.simd import call, i64_at
from engine.kernels.tile import row_cutter
from engine.kernels.winograd import Winograd

P = row("conv_winograd")


def build(simd, variant):
    lanes, nr, next_height = simd.isa.lanes, simd.isa.nr, row_cutter(simd.isa.mr)
    load, store, splat = simd.load, simd.store, simd.splat
    transforms = Winograd(simd)
    input_transform, output_transform = transforms.input_transform, transforms.output_transform

    @njit
    def framed(x, to, top, left, h, wd, c):
        """A 6×6 tile whose corner is (top, left), zeros outside of the image."""
        for r in range(6):
            for s in range(6):
                iy, ix = top + r, left + s
                inside = iy >= 0 and iy < h and ix >= 0 and ix < wd
                at, source = to + (r * 6 + s) * c * 4, x + (iy * wd + ix) * c * 4
                for j in range(0, c * 4, lanes * 4):
                    store(at + j, load(source + j) if inside else splat(0.0))

    @njit
    def transform_inputs(params, first, count, v, frame):
        h, wd, c = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c)
        across, tiles = i64_at(params + P.across), i64_at(params + P.tiles)
        v_row, block = i64_at(params + P.v_row), i64_at(params + P.block)
        for i in range(count):
            image, t = (first + i) // tiles, (first + i) % tiles
            x = i64_at(params + P.x) + image * h * wd * c * 4
            top = t // across * 4 - i64_at(params + P.pt)
            left = t % across * 4 - i64_at(params + P.pl)
            source, step = x + (top * wd + left) * c * 4, wd * c * 4
            if top < 0 or left < 0 or top + 6 > h or left + 6 > wd:
                framed(x, frame, top, left, h, wd, c)
                source, step = frame, 6 * c * 4
            for j in range(0, c * 4, lanes * 4):
                input_transform(source + j, step, c * 4, v + i * v_row + j, block * v_row)

    @njit
    def products(params, count, begin, end, v, m):
        c, width = i64_at(params + P.c), i64_at(params + P.width)
        v_row, m_row, block = i64_at(params + P.v_row), i64_at(params + P.m_row), i64_at(params + P.block)
        w, tile = i64_at(params + P.w), i64_at(params + P.tile)
        for e in range(36):
            j = begin
            while j < end:
                nv = (min(nr, end - j) + lanes - 1) // lanes
                panel = w + (e * width + j) * c * 4
                i = 0
                while i < count:
                    height = next_height(count - i)
                    call(
                        tile, v + (e * block + i) * v_row, v_row, 0, 1, 0, 1, c, panel,
                        m + (e * block + i) * m_row + (j - begin) * 4, m_row, 0, 1, 0, lanes, 0, 0, height, nv,
                    )  # fmt: skip
                    i += height
                j += nr

    @njit
    def transform_outputs(params, first, count, begin, end, m, spare):
        oh, ow, f = i64_at(params + P.oh), i64_at(params + P.ow), i64_at(params + P.f)
        across, tiles = i64_at(params + P.across), i64_at(params + P.tiles)
        m_row, plane = i64_at(params + P.m_row), i64_at(params + P.block) * i64_at(params + P.m_row)
        bias, low, high = i64_at(params + P.bias), i64_at(params + P.low), i64_at(params + P.high)
        act, act_params = i64_at(params + P.act), i64_at(params + P.act_params)
        for i in range(count):
            image, t = (first + i) // tiles, (first + i) % tiles
            top, left = t // across * 4, t % across * 4
            rows, columns = min(4, oh - top), min(4, ow - left)
            y = i64_at(params + P.y) + ((image * oh + top) * ow + left) * f * 4
            for j in range(begin, end, lanes):
                output_transform(
                    m + i * m_row + (j - begin) * 4, plane, y + j * 4, ow * f * 4, f * 4, rows, columns, spare,
                    bias + j * 4, low, high, end - j,
                )  # fmt: skip
            if act:
                for r in range(rows):
                    for s in range(columns):
                        at = y + (r * ow + s) * f * 4
                        call(act, act_params, at + begin * 4, at + end * 4, 0)

    def kernel(params, lo, hi, scratch):
        block, columns, f = i64_at(params + P.block), i64_at(params + P.columns), i64_at(params + P.f)
        total = i64_at(params + P.n) * i64_at(params + P.images) * i64_at(params + P.tiles)
        inner = (f + columns - 1) // columns
        v = scratch
        m = v + 36 * block * i64_at(params + P.v_row)
        frame = m + 36 * block * i64_at(params + P.m_row)
        spare = frame + 36 * i64_at(params + P.c) * 4
        ready = -1
        for t in range(lo, hi):
            first, begin = t // inner * block, t % inner * columns
            count, end = min(block, total - first), min(begin + columns, f)
            if first != ready:
                transform_inputs(params, first, count, v, frame)
                ready = first
            products(params, count, begin, end, v, m)
            transform_outputs(params, first, count, begin, end, m, spare)

    return kernel
