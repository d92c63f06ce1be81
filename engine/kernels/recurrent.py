"""A recurrent layer over all steps; a tile of work is up to `block` images. The variants are the kinds of `Recurrent`.

The gates of a few steps (`span`: eight rows over all images and steps) begin as the bias and take on the product of
the inputs with `w_input`; so its panels are read once for eight rows even where there is one image. At each step they
take on the product of the states with `w` (and `w_candidate` for the last gate of a GRU), activations are called on
their parts, and states are updated. Images whose mask is zero keep theirs. Scratch, in rows of floats: h, c, products
(units each), gates, one flag: whether any step has counted.
"""

from numba import carray, njit

from engine.kernels.product import Product
from engine.kernels.rows import row
from engine.kernels.simd import call, floats, i64_at

P = row("recurrent")


def build(simd, variant):
    gates = {"simple": 1, "lstm": 4, "gru": 3, "gru_after": 3}[variant]
    lanes, load_upto, store_upto, splat, fma = simd.isa.lanes, simd.load_upto, simd.store_upto, simd.splat, simd.fma
    product = Product(simd)

    @njit
    def copy(source, to, count):
        for j in range(0, count, lanes):
            store_upto(to + j * 4, load_upto(source + j * 4, count - j), count - j)

    @njit
    def fill(to, count):
        for j in range(0, count, lanes):
            store_upto(to + j * 4, splat(0.0), count - j)

    @njit
    def gate(params, begin, count):
        if i64_at(params + P.gate):
            call(i64_at(params + P.gate), i64_at(params + P.gate_params), begin, begin + count * 4, 0)

    @njit
    def activate(params, begin, count):
        if i64_at(params + P.act):
            call(i64_at(params + P.act), i64_at(params + P.act_params), begin, begin + count * 4, 0)

    @njit
    def project(params, first, rows, s, span, g):
        """What the input adds to the gates of `span` steps from the s-th one on; those of an image lie together."""
        steps, k, u = i64_at(params + P.steps), i64_at(params + P.features), i64_at(params + P.units)
        tile, w, bias = i64_at(params + P.tile), i64_at(params + P.w_input), i64_at(params + P.bias)
        wide = gates * u
        for i in range(rows * span):
            copy(bias, g + i * wide * 4, wide)
        backwards = i64_at(params + P.backwards)
        at = steps - 1 - s if backwards else s
        x = i64_at(params + P.x) + (first * steps + at) * k * 4
        if span == 1:
            product(tile, x, steps * k * 4, k, w, wide, g, wide * 4, 0, rows)
        else:
            for i in range(rows):
                row = x + i * steps * k * 4
                product(
                    tile, row, -k * 4 if backwards else k * 4, k, w, wide, g + i * span * wide * 4, wide * 4, 0, span
                )

    @njit
    def multiply(params, u, rows, h, c, e, g, g_row):
        """The gates of all rows, as far as they need products with the state."""
        tile, w, last = i64_at(params + P.tile), i64_at(params + P.w), i64_at(params + P.w_candidate)
        if gates != 3:
            product(tile, h, u * 4, u, w, gates * u, g, g_row, 0, rows)
            return
        product(tile, h, u * 4, u, w, 2 * u, g, g_row, 0, rows)
        for i in range(rows):
            gate(params, g + i * g_row, 2 * u)
        if variant == "gru_after":
            product(tile, h, u * 4, u, last, u, e, u * 4, 1, rows)
            return
        for i in range(rows):
            reset = g + i * g_row + u * 4
            for j in range(0, u, lanes):
                at, left = i * u * 4 + j * 4, u - j
                store_upto(e + at, load_upto(reset + j * 4, left) * load_upto(h + at, left), left)
        product(tile, e, u * 4, u, last, u, g + 2 * u * 4, g_row, 0, rows)

    @njit
    def update_simple(params, u, h, c, e, g):
        activate(params, g, u)
        copy(g, h, u)

    @njit
    def update_lstm(params, u, h, c, e, g):
        gate(params, g, 2 * u)
        activate(params, g + 2 * u * 4, u)
        gate(params, g + 3 * u * 4, u)
        for at in range(0, u * 4, lanes * 4):
            left = u - at // 4
            new = load_upto(g + at, left) * load_upto(g + 2 * u * 4 + at, left)
            new = fma(load_upto(g + u * 4 + at, left), load_upto(c + at, left), new)
            store_upto(c + at, new, left)
            store_upto(h + at, new, left)
        activate(params, h, u)
        for at in range(0, u * 4, lanes * 4):
            left = u - at // 4
            store_upto(h + at, load_upto(g + 3 * u * 4 + at, left) * load_upto(h + at, left), left)

    @njit
    def update_gru(params, u, h, c, e, g):
        candidate = g + 2 * u * 4
        if variant == "gru_after":
            bias = i64_at(params + P.bias_candidate)
            for at in range(0, u * 4, lanes * 4):
                left = u - at // 4
                inner = load_upto(e + at, left) + load_upto(bias + at, left)
                inner = fma(load_upto(g + u * 4 + at, left), inner, load_upto(candidate + at, left))
                store_upto(candidate + at, inner, left)
        activate(params, candidate, u)
        for at in range(0, u * 4, lanes * 4):
            left = u - at // 4
            share = load_upto(g + at, left)
            new = (splat(1.0) - share) * load_upto(candidate + at, left)
            store_upto(h + at, fma(share, load_upto(h + at, left), new), left)

    update = {"simple": update_simple, "lstm": update_lstm}.get(variant, update_gru)

    @njit
    def start(params, first, rows, u, h, c, flags):
        fill(flags, rows)
        fill(h, rows * u)
        fill(c, rows * u)
        if i64_at(params + P.h):
            copy(i64_at(params + P.h) + first * u * 4, h, rows * u)
        if i64_at(params + P.c):
            copy(i64_at(params + P.c) + first * u * 4, c, rows * u)

    def kernel(params, lo, hi, scratch):
        steps, u, block = i64_at(params + P.steps), i64_at(params + P.units), i64_at(params + P.block)
        images = i64_at(params + P.n) * i64_at(params + P.images)
        rows_y, mask = i64_at(params + P.rows), i64_at(params + P.mask)
        h, c, e = scratch, scratch + block * u * 4, scratch + 2 * block * u * 4
        g, flags = scratch + 3 * block * u * 4, scratch + (3 + gates) * block * u * 4
        for t in range(lo, hi):
            first = t * block
            rows = min(block, images - first)
            start(params, first, rows, u, h, c, flags)
            counted = carray(floats(flags), (rows,))
            span, g_row = max(block // rows, 1), 0
            for s in range(steps):
                at = steps - 1 - s if i64_at(params + P.backwards) else s
                if s % span == 0:
                    span_now = min(span, steps - s)
                    project(params, first, rows, s, span_now, g)
                    g_row = span_now * gates * u * 4
                now = g + s % span * gates * u * 4
                multiply(params, u, rows, h, c, e, now, g_row)
                place = (steps - 1 - s if i64_at(params + P.flipped) else s) if i64_at(params + P.sequences) else 0
                written = i64_at(params + P.sequences) or s == steps - 1
                for i in range(rows):
                    counts = 1.0
                    if mask:
                        counts = carray(floats(mask + ((first + i) * steps + at) * 4), (1,))[0]
                    if counts != 0.0:
                        counted[i] = 1.0
                        update(params, u, h + i * u * 4, c + i * u * 4, e + i * u * 4, now + i * g_row)
                    if written:
                        y = i64_at(params + P.y) + ((first + i) * rows_y + place) * u * 4
                        if counted[i] == 0.0 or (counts == 0.0 and i64_at(params + P.zeros)):
                            fill(y, u)
                        else:
                            copy(h + i * u * 4, y, u)
            if i64_at(params + P.states):
                after = steps if i64_at(params + P.sequences) else 1
                for i in range(rows):
                    y = i64_at(params + P.y) + ((first + i) * rows_y + after) * u * 4
                    copy(h + i * u * 4, y, u)
                    if variant == "lstm":
                        copy(c + i * u * 4, y + u * 4, u)

    return kernel
