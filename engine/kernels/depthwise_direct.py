"""Depthwise convolution: one vector of channels at a time, up to `TALL` neighbouring output pixels in registers.

A tile of work is `rows` output rows × `columns` channels. Windows inside the image read it in place. Those that reach
over its border read a copy in scratch, `patch_row` bytes a row, with zeros where the image ends: the whole tile where
`copies` is 1, else the ends of each row, and rows at the top and bottom. With a depth multiplier m every tile is such a
copy, each channel m times in turn. Weights: whole vectors of c·m channels, of each vector (kh, kw, lanes). Every sum
is one chain of multiply-adds over ascending rows and columns of the kernel.

The variant `3x1` is for kernels 3 wide and stride 1 without dilation, and so on: each input vector is loaded once for
all the outputs of a row that it belongs to. Without a variant the width, stride and dilation are any.
"""

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.kernels.rows import row
from engine.kernels.simd import (
    F32,
    I64,
    VOID,
    broadcast,
    call,
    clamp,
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
from engine.kernels.tile import row_cutter

P = row("depthwise_direct")
VARIANTS = ("3x1", "3x2", "5x1", "5x2", "7x1")
TALL = 8
NAMES = ("a", "a_row", "pixel", "step", "tap", "kh", "kw", "w", "bias", "y", "y_pixel", "channels")


class _Pixels:
    """Emits the sums of `tall` output pixels, `step` bytes apart in the image and `y_pixel` in the result."""

    def __init__(self, builder, isa, arguments, tall):
        *integers, low, high = arguments
        self.builder, self.isa, self.lanes, self.tall = builder, isa, isa.lanes, tall
        self.arg = dict(zip(NAMES, integers, strict=True))
        self.limits = [broadcast(builder, limit, isa.lanes) for limit in (low, high)]
        self.sums = [cgutils.alloca_once(builder, vector(isa.lanes)) for _ in range(tall)]
        self.mask = None

    def generate(self, width, stride):
        """All whole vectors of the channels, then the rest of them."""
        builder, channels = self.builder, self.arg["channels"]
        whole = builder.udiv(channels, ir.Constant(I64, self.lanes))
        with cgutils.for_range(builder, whole) as j:
            self.vector(j.index, width, stride)
        rest = builder.urem(channels, ir.Constant(I64, self.lanes))
        with builder.if_then(builder.icmp_signed("!=", rest, ir.Constant(I64, 0))):
            self.mask = first_lanes(builder, rest, self.lanes)
            self.vector(whole, width, stride)

    def vector(self, j, width, stride):
        bytes_in = ir.Constant(I64, 4 * self.lanes)
        taps = self.builder.mul(self.arg["kh"], self.arg["kw"])
        self.a, self.bias, self.y = (self.offset(self.arg[name], bytes_in, j) for name in ("a", "bias", "y"))
        self.w = self.offset(self.arg["w"], self.builder.mul(taps, bytes_in), j)
        for slot in self.sums:
            self.builder.store(ir.Constant(vector(self.lanes), None), slot)
        with cgutils.for_range(self.builder, self.arg["kh"]) as r:
            at = self.offset(self.a, self.arg["a_row"], r.index)
            if width:
                self.fixed_row(at, r.index, width, stride)
            else:
                self.any_row(at, r.index)
        self.finish()

    def any_row(self, at, r):
        with cgutils.for_range(self.builder, self.arg["kw"]) as s:
            start = self.offset(at, self.arg["tap"], s.index)
            weight = self.weight(self.builder.add(self.builder.mul(r, self.arg["kw"]), s.index))
            for i in range(self.tall):
                self.add(i, self.load(self.offset(start, self.arg["step"], i)), weight)

    def fixed_row(self, at, r, width, stride):
        first = self.builder.mul(r, ir.Constant(I64, width))
        weights = [self.weight(self.builder.add(first, ir.Constant(I64, s))) for s in range(width)]
        for j in range((self.tall - 1) * stride + width):
            x = self.load(self.offset(at, self.arg["pixel"], j))
            for i in range(self.tall):
                if 0 <= j - i * stride < width:
                    self.add(i, x, weights[j - i * stride])

    def finish(self):
        builder, bias = self.builder, load_vector(self.builder, self.bias, self.lanes)
        for i, slot in enumerate(self.sums):
            value = clamp(builder, builder.fadd(builder.load(slot), bias), *self.limits)
            place = self.offset(self.y, self.arg["y_pixel"], i)
            if self.mask is None:
                store_vector(builder, value, place)
            else:
                store_masked(builder, value, place, self.mask)

    def load(self, address):
        if self.mask is None:
            return load_vector(self.builder, address, self.lanes)
        return load_masked(self.builder, address, self.mask)

    def weight(self, index):
        return load_vector(self.builder, self.offset(self.w, ir.Constant(I64, 4 * self.lanes), index), self.lanes)

    def offset(self, base, stride, index):
        index = index if isinstance(index, ir.Value) else ir.Constant(I64, index)
        return self.builder.add(base, self.builder.mul(stride, index))

    def add(self, i, x, weight):
        total = multiply_add(self.builder, x, weight, self.builder.load(self.sums[i]), self.isa)
        self.builder.store(total, self.sums[i])


def _dispatch(isa, width, stride):
    """pixels(…, tall): a function for each height, so that each keeps the registers to itself."""

    @intrinsic
    def pixels(typing, *arguments):
        def generate(context, builder, signature, values):
            *rest, tall = cgutils.unpack_tuple(builder, values[0], len(NAMES) + 3)
            end = builder.append_basic_block("end")
            switch = builder.switch(tall, end)
            for height in range(1, TALL + 1):
                block = builder.append_basic_block(f"pixels_{height}")
                switch.add_case(ir.Constant(I64, height), block)
                with builder.goto_block(block):
                    builder.call(_function(builder.module, isa, height, width, stride), rest)
                    builder.branch(end)
            builder.position_at_end(end)
            return context.get_dummy_value()

        kinds = [*[types.int64] * len(NAMES), types.float32, types.float32, types.int64]
        return types.void(types.StarArgTuple.from_types(kinds)), generate

    return pixels


def _function(module, isa, tall, width, stride):
    kinds = [*[I64] * len(NAMES), F32, F32]
    function = ir.Function(module, ir.FunctionType(VOID, kinds), f"pixels_{tall}")
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    _Pixels(builder, isa, function.args, tall).generate(width, stride)
    builder.ret_void()
    return function


def build(simd, variant):
    lanes, splat, splat_at, load_upto, store_upto = (
        simd.isa.lanes, simd.splat, simd.splat_at, simd.load_upto, simd.store_upto,
    )  # fmt: skip
    width, stride = map(int, variant.split("x")) if variant else (0, 0)
    pixels, next_height = _dispatch(simd.isa, width, stride), row_cutter(TALL)

    @njit
    def span(params, a, a_row, pixel, count, c0, channels, y):
        """`count` neighbouring output pixels, channels c0 … of each; the first window begins at `a`."""
        kh, kw, size = i64_at(params + P.kh), i64_at(params + P.kw), i64_at(params + P.c) * i64_at(params + P.m) * 4
        step, tap, a_step = i64_at(params + P.sw) * pixel, i64_at(params + P.dw) * pixel, i64_at(params + P.dh) * a_row
        w, bias = i64_at(params + P.w) + c0 * kh * kw * 4, i64_at(params + P.bias) + c0 * 4
        low, high = f32_bits(i64_at(params + P.low)), f32_bits(i64_at(params + P.high))
        i = 0
        while i < count:
            tall = next_height(count - i)
            pixels(
                a + i * step, a_step, pixel, step, tap, kh, kw, w, bias, y + i * size, size, channels, low, high, tall
            )
            i += tall

    @njit
    def fill(params, x, top, left, rows, across, to, to_row, c0, channels):
        """Copy a part of the image with zeros around it: `rows` × `across` pixels, of each channels c0 …"""
        h, wd, c, m = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c), i64_at(params + P.m)
        for r in range(rows):
            for q in range(across):
                iy, ix, place = top + r, left + q, to + r * to_row + q * channels * 4
                source = x + ((iy * wd + ix) * c + c0) * 4
                inside = iy >= 0 and iy < h and ix >= 0 and ix < wd
                if inside and m > 1:
                    for k in range(c):
                        for i in range(0, m, lanes):
                            store_upto(place + (k * m + i) * 4, splat_at(source + k * 4), m - i)
                elif inside:
                    for j in range(0, channels, lanes):
                        store_upto(place + j * 4, load_upto(source + j * 4, channels - j), channels - j)
                else:
                    for j in range(0, channels, lanes):
                        store_upto(place + j * 4, splat(0.0), channels - j)

    @njit
    def copied(params, x, top, first, count, c0, channels, scratch, y):
        """`count` pixels of one output row from `first`, through a copy."""
        rows = (i64_at(params + P.kh) - 1) * i64_at(params + P.dh) + 1
        sw = i64_at(params + P.sw)
        across = (count - 1) * sw + (i64_at(params + P.kw) - 1) * i64_at(params + P.dw) + 1
        size, pixel = i64_at(params + P.c) * i64_at(params + P.m) * 4, channels * 4
        fill(params, x, top, first * sw - i64_at(params + P.pl), rows, across, scratch, across * pixel, c0, channels)
        span(params, scratch, across * pixel, pixel, count, c0, channels, y + first * size)

    @njit
    def image_row(params, x, top, c0, channels, scratch, y):
        """One output row straight from the image, but for its ends."""
        h, wd, c, ow = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c), i64_at(params + P.ow)
        down = (i64_at(params + P.kh) - 1) * i64_at(params + P.dh)
        reach = (i64_at(params + P.kw) - 1) * i64_at(params + P.dw)
        sw, pl = i64_at(params + P.sw), i64_at(params + P.pl)
        inner = min((pl + sw - 1) // sw, ow)
        outer = max(inner, min(ow, (wd - 1 - reach + pl) // sw + 1))
        if top < 0 or top + down >= h or inner == outer:
            copied(params, x, top, 0, ow, c0, channels, scratch, y)
            return
        if inner > 0:
            copied(params, x, top, 0, inner, c0, channels, scratch, y)
        a = x + ((top * wd + inner * sw - pl) * c + c0) * 4
        span(params, a, wd * c * 4, c * 4, outer - inner, c0, channels, y + inner * c * 4)
        if outer < ow:
            copied(params, x, top, outer, ow - outer, c0, channels, scratch, y)

    def kernel(params, lo, hi, scratch):
        h, wd, c, m = i64_at(params + P.h), i64_at(params + P.wd), i64_at(params + P.c), i64_at(params + P.m)
        oh, ow, sh, kh = i64_at(params + P.oh), i64_at(params + P.ow), i64_at(params + P.sh), i64_at(params + P.kh)
        dh, blocks, inner = i64_at(params + P.dh), i64_at(params + P.row_blocks), i64_at(params + P.inner)
        columns, patch_row, size = i64_at(params + P.columns), i64_at(params + P.patch_row), c * m * 4
        across = (ow - 1) * i64_at(params + P.sw) + (i64_at(params + P.kw) - 1) * i64_at(params + P.dw) + 1
        act, act_params = i64_at(params + P.act), i64_at(params + P.act_params)
        for t in range(lo, hi):
            image, first = t // (blocks * inner), t // inner % blocks * i64_at(params + P.rows)
            rows, c0 = min(i64_at(params + P.rows), oh - first), t % inner * columns
            channels = min(columns, c * m - c0)
            x = i64_at(params + P.x) + image * h * wd * c * 4
            y = i64_at(params + P.y) + (image * oh + first) * ow * size + c0 * 4
            top = first * sh - i64_at(params + P.pt)
            if patch_row:
                needed = (rows - 1) * sh + (kh - 1) * dh + 1
                fill(params, x, top, -i64_at(params + P.pl), needed, across, scratch, patch_row, c0, channels)
            for r in range(rows):
                if patch_row:
                    at = scratch + r * sh * patch_row
                    span(params, at, patch_row, channels * 4, ow, c0, channels, y + r * ow * size)
                else:
                    image_row(params, x, top + r * sh, c0, channels, scratch, y + r * ow * size)
            if act and channels * 4 == size:
                call(act, act_params, y, y + rows * ow * size, 0)
            elif act:
                for i in range(rows * ow):
                    call(act, act_params, y + i * size, y + i * size + channels * 4, 0)

    return kernel
