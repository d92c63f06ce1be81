"""Image rows with their zero padding, for kernels that read windows, and the whole of the `pad` operation.

Writes `rows` rows of `to_row` bytes: row `row + r` of an image (h, wd, c), `left` zero pixels before it and zeros after
it; rows outside the image are zeros. Each channel stands `m` times in turn. Strides in bytes, extents in elements.
"""

from numba import types

NAMES = ("to", "to_row", "image", "row", "rows", "h", "wd", "c", "left", "m")
SIGNATURE = types.void(*[types.int64] * len(NAMES))


def build(simd, variant):
    lanes, load, store, splat, splat_at = simd.isa.lanes, simd.load, simd.store, simd.splat, simd.splat_at
    load_first, store_first = simd.load_first, simd.store_first

    def kernel(to, to_row, image, row, rows, h, wd, c, left, m):
        before = left * c * m * 4
        for r in range(rows):
            at, end = to + r * to_row, to + (r + 1) * to_row
            source = image + (row + r) * wd * c * 4
            copied = min(wd * c * m * 4, to_row - before)
            if row + r < 0 or row + r >= h or copied < 0:
                copied = 0
            start, stop = at + before, at + before + copied
            while at < end:
                limit = start if at < start else (stop if at < stop else end)
                inside = at >= start and at < stop
                count = (limit - at) // 4
                if inside and m > 1:
                    store_first(at, splat_at(source), min(m, count))
                    if m > lanes:
                        for i in range(lanes, m, lanes):
                            store_first(at + i * 4, splat_at(source), m - i)
                    source += 4
                    at += m * 4
                elif count >= lanes:
                    store(at, load(source) if inside else splat(0.0))
                    source += 4 * lanes if inside else 0
                    at += 4 * lanes
                else:
                    store_first(at, load_first(source, count) if inside else splat(0.0), count)
                    source += 4 * count if inside else 0
                    at = limit

    return kernel
