"""Depthwise convolution: one vector of channels at a time, several neighbouring output pixels in registers at once.

Windows inside the image read it in place, through a table of kh row addresses; rows above and below the image are a row
of zeros. A window that reaches over the left or right border reads a copy of its kh × kw pixels, with zeros. Scratch
holds, one after another, the table, the row of zeros and that copy. With a depth multiplier m every row is such a
copy, each channel m times in turn (`patch_row` bytes a row). Weights: (kw, kh, c·m): the taps of a sum are added
column by column, which lets 3×3 kernels of stride 1 load each input once for three outputs. A tile of work is `rows`
output rows.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.kernels.rows import row
from engine.kernels.simd import (
    I64,
    call,
    clamp,
    f32_bits,
    first_lanes,
    i64_at,
    load_masked,
    load_vector,
    multiply_add,
    pointer,
    store_i64,
    store_masked,
    store_vector,
    vector,
)

P = row("depthwise_direct")
TALL, SLIDING = 6, 4


class _Pixels:
    """Emits the sums of `tall` output pixels, `a_step` apart in the image and `y_step` in the result."""

    def __init__(self, builder, isa, arguments, masked):
        self.builder, self.isa, self.lanes = builder, isa, isa.lanes
        names = (
            "table",
            "at",
            "a_step",
            "a_s",
            "kh",
            "kw",
            "w",
            "w_tap",
            "bias",
            "y",
            "y_step",
            "low",
            "high",
            "count",
        )
        self.arg = dict(zip(names, arguments, strict=True))
        self.mask = first_lanes(builder, self.arg["count"], self.lanes) if masked else None

    def load(self, address):
        if self.mask is None:
            return load_vector(self.builder, address, self.lanes)
        return load_masked(self.builder, address, self.mask)

    def offset(self, base, stride, index):
        return self.builder.add(base, self.builder.mul(stride, ir.Constant(I64, index)))

    def row(self, index):
        """Where the window of the first pixel begins in kernel row `index` (a constant or a value)."""
        index = index if isinstance(index, ir.Value) else ir.Constant(I64, index)
        slot = self.builder.add(self.arg["table"], self.builder.mul(index, ir.Constant(I64, 8)))
        start = self.builder.load(pointer(self.builder, slot), typ=I64, align=8)
        return self.builder.add(start, self.arg["at"])

    def fma(self, a, b, c):
        return multiply_add(self.builder, a, b, c, self.isa)

    def any_kernel(self, tall):
        builder, arg = self.builder, self.arg
        zero = ir.Constant(vector(self.lanes), None)
        sums = [cgutils.alloca_once_value(builder, zero) for _ in range(tall)]
        tap = cgutils.alloca_once_value(builder, arg["w"])
        with cgutils.for_range(builder, arg["kw"]) as s, cgutils.for_range(builder, arg["kh"]) as r:
            at = builder.add(self.row(r.index), builder.mul(s.index, arg["a_s"]))
            weight = self.load(builder.load(tap))
            for i, slot in enumerate(sums):
                x = self.load(self.offset(at, arg["a_step"], i))
                builder.store(self.fma(x, weight, builder.load(slot)), slot)
            builder.store(builder.add(builder.load(tap), arg["w_tap"]), tap)
        self.finish([builder.load(slot) for slot in sums])

    def three_by_three(self, tall):
        """Stride and dilation 1: each input vector is loaded once and used for up to three outputs."""
        rows = [self.row(r) for r in range(3)]
        x = [[self.load(self.offset(row, self.arg["a_step"], j)) for row in rows] for j in range(tall + 2)]
        w = [[self.load(self.offset(self.arg["w"], self.arg["w_tap"], 3 * s + r)) for r in range(3)] for s in range(3)]
        sums = [ir.Constant(vector(self.lanes), None)] * tall
        for s in range(3):
            for r in range(3):
                sums = [self.fma(x[i + s][r], w[s][r], total) for i, total in enumerate(sums)]
        self.finish(sums)

    def finish(self, sums):
        builder, arg = self.builder, self.arg
        bias = self.load(arg["bias"])
        limits = [arg["low"], arg["high"]]
        for i, total in enumerate(sums):
            value = clamp(builder, builder.fadd(total, bias), *limits)
            place = self.offset(arg["y"], arg["y_step"], i)
            if self.mask is None:
                store_vector(builder, value, place)
            else:
                store_masked(builder, value, place, self.mask)


def _intrinsic(simd, emit, masked=False):
    kind = simd.vector_type

    @intrinsic
    def pixels(typing, table, at, a_step, a_s, kh, kw, w, w_tap, bias, y, y_step, low, high, count):
        def generate(context, builder, signature, arguments):
            emit(_Pixels(builder, simd.isa, arguments, masked))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 11, kind, kind, types.int64), generate

    return pixels


def build(simd, variant):
    lanes, splat, load_upto, store_upto = simd.isa.lanes, simd.splat, simd.load_upto, simd.store_upto
    several, one = _intrinsic(simd, lambda p: p.any_kernel(TALL)), _intrinsic(simd, lambda p: p.any_kernel(1))
    one_masked = _intrinsic(simd, lambda p: p.any_kernel(1), masked=True)
    sliding = _intrinsic(simd, lambda p: p.three_by_three(SLIDING))

    @njit
    def span(params, table, at, begin, end, y):
        """Output pixels begin … end of a row whose first pixel's window begins `at` bytes into the table's rows."""
        channels = i64_at(params + P.c) * i64_at(params + P.m)
        kh, kw, sw, dw = i64_at(params + P.kh), i64_at(params + P.kw), i64_at(params + P.sw), i64_at(params + P.dw)
        size = channels * 4
        step, a_s, w, bias = sw * size, dw * size, i64_at(params + P.w), i64_at(params + P.bias)
        low = splat(f32_bits(i64_at(params + P.low)))
        high = splat(f32_bits(i64_at(params + P.high)))
        slides = kh == 3 and kw == 3 and sw == 1 and dw == 1
        count = min(lanes, channels)
        for j in range(0, channels, lanes):
            c = min(j, channels - count) * 4
            i, wc, bc = begin, w + c, bias + c
            if count < lanes:
                while i < end:
                    one_masked(table, at + c + i * step, step, a_s, kh, kw, wc, size, bc, y + c + i * size, size, low,
                               high, count)  # fmt: skip
                    i += 1
            while slides and i + SLIDING <= end:
                sliding(table, at + c + i * step, step, a_s, kh, kw, wc, size, bc, y + c + i * size, size, low, high,
                        count)  # fmt: skip
                i += SLIDING
            while i + TALL <= end:
                several(table, at + c + i * step, step, a_s, kh, kw, wc, size, bc, y + c + i * size, size, low, high,
                        count)  # fmt: skip
                i += TALL
            while i < end:
                one(table, at + c + i * step, step, a_s, kh, kw, wc, size, bc, y + c + i * size, size, low, high,
                    count)  # fmt: skip
                i += 1

    @njit
    def border(params, x, oy, ox, table, copy, y):
        """One output pixel whose window reaches over the left or right border."""
        h, wd, size = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c) * 4
        kh, kw = i64_at(params + P.kh), i64_at(params + P.kw)
        top = oy * i64_at(params + P.sh) - i64_at(params + P.pt)
        left = ox * i64_at(params + P.sw) - i64_at(params + P.pl)
        dh, dw = i64_at(params + P.dh), i64_at(params + P.dw)
        for r in range(kh):
            store_i64(table + 8 * r, copy + r * ((kw - 1) * dw + 1) * size)
            for s in range(kw):
                iy, ix = top + r * dh, left + s * dw
                inside = iy >= 0 and iy < h and ix >= 0 and ix < wd
                source, to = x + (iy * wd + ix) * size, copy + (r * ((kw - 1) * dw + 1) + s * dw) * size
                for c in range(0, size, lanes * 4):
                    value = load_upto(source + c, (size - c) // 4) if inside else splat(0.0)
                    store_upto(to + c, value, (size - c) // 4)
        span(params, table, np.int64(0), np.int64(0), np.int64(1), y + ox * size)

    @njit
    def image_row(params, x, oy, table, zeros, copy, y):
        """One output row straight from the image."""
        h, wd, size = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c) * 4
        kh, kw, ow = i64_at(params + P.kh), i64_at(params + P.kw), i64_at(params + P.ow)
        sw, pl, reach = i64_at(params + P.sw), i64_at(params + P.pl), (kw - 1) * i64_at(params + P.dw)
        top = oy * i64_at(params + P.sh) - i64_at(params + P.pt)
        inner = min((pl + sw - 1) // sw, ow)
        outer = max(inner, min(ow, (wd - 1 - reach + pl) // sw + 1))
        for ox in range(inner):
            border(params, x, oy, ox, table, copy, y)
        for ox in range(outer, ow):
            border(params, x, oy, ox, table, copy, y)
        for r in range(kh):
            iy = top + r * i64_at(params + P.dh)
            store_i64(table + 8 * r, (x + iy * wd * size if iy >= 0 and iy < h else zeros) - pl * size)
        if inner < outer:
            span(params, table, np.int64(0), inner, outer, y)

    def kernel(params, lo, hi, scratch):
        h, wd, c, m = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c), i64_at(params + P.m)
        oh, ow, sh, kh = i64_at(params + P.oh), i64_at(params + P.ow), i64_at(params + P.sh), i64_at(params + P.kh)
        dh, blocks, patch_row = i64_at(params + P.dh), i64_at(params + P.row_blocks), i64_at(params + P.patch_row)
        zeros = scratch + (kh * 8 + 63) // 64 * 64
        copy = zeros + wd * c * 4
        if patch_row == 0:
            for i in range(0, wd * c, lanes):
                store_upto(zeros + i * 4, splat(0.0), wd * c - i)
        for t in range(lo, hi):
            image, first = t // blocks, t % blocks * i64_at(params + P.rows)
            rows = min(i64_at(params + P.rows), oh - first)
            x = i64_at(params + P.x) + image * h * wd * c * 4
            row_bytes = ow * c * m * 4
            y = i64_at(params + P.y) + (image * oh + first) * row_bytes
            if patch_row:
                top, needed = first * sh - i64_at(params + P.pt), (rows - 1) * sh + (kh - 1) * dh + 1
                call(i64_at(params + P.patch), zeros, patch_row, x, top, needed, h, wd, c, i64_at(params + P.pl), m)
            for r in range(rows):
                if patch_row:
                    for k in range(kh):
                        store_i64(scratch + 8 * k, zeros + (r * sh + k * dh) * patch_row)
                    span(params, scratch, np.int64(0), np.int64(0), ow, y + r * row_bytes)
                else:
                    image_row(params, x, first + r, scratch, zeros, copy, y + r * row_bytes)
            if i64_at(params + P.act):
                call(i64_at(params + P.act), i64_at(params + P.act_params), y, y + rows * row_bytes, 0)

    return kernel
