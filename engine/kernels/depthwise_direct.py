"""Depthwise convolution: per vector of channels, `TALL` neighbouring output pixels are summed in registers at once.

Where there is padding or a depth multiplier m, input rows are first copied to scratch with their zeros, each channel m
times in turn; else the image is read in place. Weights: (kh·kw, c·m). A tile of work is `rows` output rows.
"""

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.kernels.rows import row
from engine.kernels.simd import (
    I64,
    call,
    f32_bits,
    first_lanes,
    i64_at,
    load_masked,
    load_vector,
    multiply_add,
    store_masked,
    store_vector,
    vector,
)

P = row("depthwise_direct")
TALL = 8


def _pixels(simd, tall, masked):
    """An intrinsic: `tall` output pixels of one vector of channels, all taps, bias; stores the sums."""
    lanes, isa = simd.isa.lanes, simd.isa

    @intrinsic
    def pixels(typing, a, a_step, a_r, kh, a_s, kw, w, w_tap, bias, y, y_step, count):
        def generate(context, builder, signature, arguments):
            a, a_step, a_r, kh, a_s, kw, w, w_tap, bias, y, y_step, count = arguments
            mask = first_lanes(builder, count, lanes) if masked else None

            def load(address):
                return load_masked(builder, address, mask) if masked else load_vector(builder, address, lanes)

            sums = [cgutils.alloca_once_value(builder, ir.Constant(vector(lanes), None)) for _ in range(tall)]
            tap = cgutils.alloca_once_value(builder, w)
            with cgutils.for_range(builder, kh) as r:
                row_a = builder.add(a, builder.mul(r.index, a_r))
                with cgutils.for_range(builder, kw) as s:
                    at = builder.add(row_a, builder.mul(s.index, a_s))
                    weight = load(builder.load(tap))
                    for i, slot in enumerate(sums):
                        x = load(builder.add(at, builder.mul(a_step, ir.Constant(I64, i))))
                        builder.store(multiply_add(builder, x, weight, builder.load(slot), isa), slot)
                    builder.store(builder.add(builder.load(tap), w_tap), tap)
            offset = load(bias)
            for i, slot in enumerate(sums):
                value = builder.fadd(builder.load(slot), offset)
                place = builder.add(y, builder.mul(y_step, ir.Constant(I64, i)))
                if masked:
                    store_masked(builder, value, place, mask)
                else:
                    store_vector(builder, value, place)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 12), generate

    return pixels


def build(simd, variant):
    lanes = simd.isa.lanes
    splat, where_less = simd.splat, simd.where_less
    load_upto, store_upto = simd.load_upto, simd.store_upto
    tall_full, one_full = _pixels(simd, TALL, False), _pixels(simd, 1, False)
    one_masked = _pixels(simd, 1, True)

    @njit
    def output_row(params, a, a_row, y):
        channels = i64_at(params + P.c) * i64_at(params + P.m)
        kh, kw, ow = i64_at(params + P.kh), i64_at(params + P.kw), i64_at(params + P.ow)
        a_step, a_r = i64_at(params + P.sw) * channels * 4, i64_at(params + P.dh) * a_row
        a_s, w_tap = i64_at(params + P.dw) * channels * 4, channels * 4
        w, bias = i64_at(params + P.w), i64_at(params + P.bias)
        count = min(lanes, channels)
        for j in range(0, channels, lanes):
            at = min(j, channels - count) * 4
            i = 0
            if count == lanes:
                while i + TALL <= ow:
                    tall_full(a + at + i * a_step, a_step, a_r, kh, a_s, kw, w + at, w_tap, bias + at,
                              y + at + i * w_tap, w_tap, count)  # fmt: skip
                    i += TALL
                while i < ow:
                    one_full(a + at + i * a_step, a_step, a_r, kh, a_s, kw, w + at, w_tap, bias + at,
                             y + at + i * w_tap, w_tap, count)  # fmt: skip
                    i += 1
            while i < ow:
                one_masked(a + at + i * a_step, a_step, a_r, kh, a_s, kw, w + at, w_tap, bias + at,
                           y + at + i * w_tap, w_tap, count)  # fmt: skip
                i += 1

    @njit
    def clamp_range(begin, end, low, high):
        for at in range(begin, end, lanes * 4):
            count = (end - at) // 4
            v = load_upto(at, count)
            v = where_less(v, splat(low), splat(low), v)
            store_upto(at, where_less(splat(high), v, splat(high), v), count)

    def kernel(params, lo, hi, scratch):
        h, wd, c, m = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c), i64_at(params + P.m)
        oh, ow, sh = i64_at(params + P.oh), i64_at(params + P.ow), i64_at(params + P.sh)
        blocks, patch_row = i64_at(params + P.row_blocks), i64_at(params + P.patch_row)
        for t in range(lo, hi):
            image, first = t // blocks, t % blocks * i64_at(params + P.rows)
            rows = min(i64_at(params + P.rows), oh - first)
            x = i64_at(params + P.x) + image * h * wd * c * 4
            row_bytes = ow * c * m * 4
            y = i64_at(params + P.y) + (image * oh + first) * row_bytes
            top = first * sh - i64_at(params + P.pt)
            a, a_row = x + top * wd * c * 4, wd * c * 4
            if patch_row:
                needed = (rows - 1) * sh + (i64_at(params + P.kh) - 1) * i64_at(params + P.dh) + 1
                call(i64_at(params + P.patch), scratch, patch_row, x, top, needed, h, wd, c, i64_at(params + P.pl), m)
                a, a_row = scratch, patch_row
            for r in range(rows):
                output_row(params, a + r * sh * a_row, a_row, y + r * row_bytes)
            if i64_at(params + P.act):
                call(i64_at(params + P.act), i64_at(params + P.act_params), y, y + rows * row_bytes, 0)
            elif i64_at(params + P.clamp):
                low, high = f32_bits(i64_at(params + P.low)), f32_bits(i64_at(params + P.high))
                clamp_range(y, y + rows * row_bytes, low, high)

    return kernel
