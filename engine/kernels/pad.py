"""An image with zeros around it; a tile of work is one image."""

from engine.kernels.rows import row
from engine.kernels.simd import call, i64_at

P = row("pad")


def build(simd, variant):
    def kernel(params, lo, hi, scratch):
        h, wd, c, rows = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c), i64_at(params + P.rows)
        to_row = i64_at(params + P.columns) * c * 4
        for t in range(lo, hi):
            x = i64_at(params + P.x) + t * h * wd * c * 4
            y = i64_at(params + P.y) + t * rows * to_row
            call(
                i64_at(params + P.patch), y, to_row, x, -i64_at(params + P.pt), rows, h, wd, c, i64_at(params + P.pl), 1
            )

    return kernel
