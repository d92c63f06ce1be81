"""Rows of a table (rows × width) by number, `count` numbers an image; a tile of work is `block` numbers.

A negative number counts from the end. What is no row, or no number, becomes a row of NaN; nothing outside is read.
"""

from numba import carray

from engine.kernels.rows import row
from engine.kernels.simd import floats, i64_at

P = row("embed")


def build(simd, variant):
    lanes, load_upto, store_upto, splat = simd.isa.lanes, simd.load_upto, simd.store_upto, simd.splat

    def kernel(params, lo, hi, scratch):
        block, rows, width = i64_at(params + P.block), i64_at(params + P.rows), i64_at(params + P.width)
        total = i64_at(params + P.n) * i64_at(params + P.count)
        ids = carray(floats(i64_at(params + P.x)), (total,))
        for i in range(lo * block, min(hi * block, total)):
            wanted = float(ids[i])
            source = 0
            if wanted > -rows - 1.0 and wanted < rows:
                number = int(wanted)
                number += rows if number < 0 else 0
                source = i64_at(params + P.table) + number * width * 4
            y = i64_at(params + P.y) + i * width * 4
            for j in range(0, width, lanes):
                v = load_upto(source + j * 4, width - j) if source else splat(float("nan"))
                store_upto(y + j * 4, v, width - j)

    return kernel
