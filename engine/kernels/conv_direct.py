"""Convolution as a matrix product on the image itself: the kernel rows are the segments of the register tile.

Where there is padding, the input rows of a tile of work are first copied to scratch with their zeros (`patch_row`
bytes a row); without padding (`patch_row` 0) the image is read in place. Packed weights are those of `gemm` with
k = kh·kw·(c/groups), each group with panels of its own. A tile of work is `rows` output rows × `columns` channels,
which are whole panels and, where there are groups, whole groups; threads share the rows, or the channels where the
weights are larger than the images. A panel too large for L2 is used `piece` kernel rows
at a time, for all rows of the tile; each piece continues from the sums of the one before.
"""

from numba import njit

from engine.kernels.rows import row
from engine.kernels.simd import call, i64_at
from engine.kernels.tile import row_cutter

P = row("conv_direct")


def build(simd, variant):
    lanes, nr, next_height = simd.isa.lanes, simd.isa.nr, row_cutter(simd.isa.mr)

    @njit
    def output_row(params, a, a_row, panel, y, bias, width, first, count):
        """One row of output pixels, one panel of output channels, `count` kernel rows from `first`."""
        ow, f, c = i64_at(params + P.ow), i64_at(params + P.f), i64_at(params + P.c)
        kh, kw, dw = i64_at(params + P.kh), i64_at(params + P.kw), i64_at(params + P.dw)
        groups, step = i64_at(params + P.groups), i64_at(params + P.sw) * c * 4
        whole = groups == 1 and dw == 1
        length, taps = (kw * c, 1) if whole else (c // groups, kw)
        nv = (width + lanes - 1) // lanes
        i = 0
        while i < ow:
            height = next_height(ow - i)
            call(
                i64_at(params + P.tile), a + i * step, step, i64_at(params + P.dh) * a_row, count, dw * c * 4, taps,
                length, panel, y + i * f * 4, f * 4, bias, first == 0, first + count == kh,
                width - (nv - 1) * lanes, i64_at(params + P.low),
                i64_at(params + P.high), height, nv,
            )  # fmt: skip
            i += height

    @njit
    def channels(params, a, a_row, y, begin, end, rows):
        """Output channels begin … end, which lie in one group, of `rows` rows."""
        w, bias, groups = i64_at(params + P.w), i64_at(params + P.bias), i64_at(params + P.groups)
        per_group, part = i64_at(params + P.f) // groups, i64_at(params + P.c) // groups
        kh, sh, dh = i64_at(params + P.kh), i64_at(params + P.sh), i64_at(params + P.dh)
        k, stride = kh * i64_at(params + P.kw) * part, i64_at(params + P.ow) * i64_at(params + P.f)
        piece = max(1, i64_at(params + P.piece))
        packed = (per_group + lanes - 1) // lanes * lanes
        group = begin // per_group
        j = begin
        while j < end:
            at = group * packed + j - group * per_group
            width = min(nr, end - j)
            kernel_row = k // kh * ((width + lanes - 1) // lanes) * lanes * 4
            for first in range(0, kh, piece):
                panel = w + at * k * 4 + first * kernel_row
                for r in range(rows):
                    row_a = a + group * part * 4 + (r * sh + first * dh) * a_row
                    row_y = y + (r * stride + j) * 4
                    output_row(params, row_a, a_row, panel, row_y, bias + at * 4, width, first, min(piece, kh - first))
            j += nr

    def kernel(params, lo, hi, scratch):
        h, wd, c = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c)
        oh, ow, f = i64_at(params + P.oh), i64_at(params + P.ow), i64_at(params + P.f)
        sh, groups, patch_row = i64_at(params + P.sh), i64_at(params + P.groups), i64_at(params + P.patch_row)
        blocks, inner = i64_at(params + P.row_blocks), i64_at(params + P.inner)
        columns, n = i64_at(params + P.columns), i64_at(params + P.n) * i64_at(params + P.images)
        by_columns = n * h * wd < i64_at(params + P.kh) * i64_at(params + P.kw) * f // groups
        for t in range(lo, hi):
            across, down = (t // (n * blocks), t % (n * blocks)) if by_columns else (t % inner, t // inner)
            image, first_row = down // blocks, down % blocks * i64_at(params + P.rows)
            rows = min(i64_at(params + P.rows), oh - first_row)
            x = i64_at(params + P.x) + image * h * wd * c * 4
            y = i64_at(params + P.y) + (image * oh + first_row) * ow * f * 4
            top = first_row * sh - i64_at(params + P.pt)
            a, a_row = x + top * wd * c * 4, wd * c * 4
            if patch_row:
                needed = (rows - 1) * sh + (i64_at(params + P.kh) - 1) * i64_at(params + P.dh) + 1
                call(i64_at(params + P.patch), scratch, patch_row, x, top, needed, h, wd, c, i64_at(params + P.pl), 1)
                a, a_row = scratch, patch_row
            per_group = f // groups
            begin = across * columns
            end = min(begin + columns, f)
            j = begin
            while j < end:
                stop = min(end, (j // per_group + 1) * per_group)
                channels(params, a, a_row, y, j, stop, rows)
                j = stop
            act, act_params = i64_at(params + P.act), i64_at(params + P.act_params)
            if act and begin == 0 and end == f:
                call(act, act_params, y, y + rows * ow * f * 4, 0)
            elif act:
                for i in range(rows * ow):
                    call(act, act_params, y + (i * f + begin) * 4, y + (i * f + end) * 4, 0)

    return kernel
