"""y = a ∘ b with broadcasting: four axes, of which a and b each step by strides of their own (0: broadcast).

The strides of the last axis are 4 or 0 bytes; a tile of work is one index of the first axis (`d0`) of one image.
"""

from numba import njit

from engine.kernels.bits import Bits
from engine.kernels.powers import Powers
from engine.kernels.rows import row
from engine.kernels.simd import call, i64_at

P = row("binary")


def _combination(simd, kind):
    where_less, where_nan, splat = simd.where_less, simd.where_nan, simd.splat
    bits, power = Bits(simd.isa), Powers(simd).power
    floor, where_equal = bits.floor, bits.where_equal
    truth = njit(lambda a: where_equal(a, splat(0.0), splat(0.0), splat(1.0)))
    return {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "max": lambda a, b: where_nan(a, a, where_nan(b, b, where_less(a, b, b, a))),
        "min": lambda a, b: where_nan(a, a, where_nan(b, b, where_less(b, a, b, a))),
        "pow": lambda a, b: power(a, b),  # noqa: PLW0108  # Numba wants a Python function
        "floor_divide": lambda a, b: floor(a / b),
        "mod": lambda a, b: a - b * floor(a / b),
        "squared_difference": lambda a, b: (a - b) * (a - b),
        "prelu": lambda a, b: where_less(splat(0.0), a, a, a * b),
        "equal": lambda a, b: where_equal(a, b, splat(1.0), splat(0.0)),
        "not_equal": lambda a, b: where_equal(a, b, splat(0.0), splat(1.0)),
        "less": lambda a, b: where_less(a, b, splat(1.0), splat(0.0)),
        "less_equal": lambda a, b: where_equal(a, b, splat(1.0), where_less(a, b, splat(1.0), splat(0.0))),
        "greater": lambda a, b: where_less(b, a, splat(1.0), splat(0.0)),
        "greater_equal": lambda a, b: where_equal(a, b, splat(1.0), where_less(b, a, splat(1.0), splat(0.0))),
        "logical_and": lambda a, b: truth(a) * truth(b),
        "logical_or": lambda a, b: where_equal(truth(a), splat(1.0), splat(1.0), truth(b)),
    }[kind]


def build(simd, variant):
    lanes, load, store, splat_at = simd.isa.lanes, simd.load, simd.store, simd.splat_at
    load_upto, store_upto = simd.load_upto, simd.store_upto
    function = njit(_combination(simd, variant))

    def kernel(params, lo, hi, scratch):
        d0, d1, d2, d3 = i64_at(params + P.d0), i64_at(params + P.d1), i64_at(params + P.d2), i64_at(params + P.d3)
        a3, b3, act = i64_at(params + P.a3), i64_at(params + P.b3), i64_at(params + P.act)
        size = d1 * d2 * d3 * 4
        for t in range(lo, hi):
            image, i0 = t // d0, t % d0
            y = i64_at(params + P.y) + t * size
            a0 = i64_at(params + P.a) + image * i64_at(params + P.a_n) + i0 * i64_at(params + P.a0)
            b0 = i64_at(params + P.b) + image * i64_at(params + P.b_n) + i0 * i64_at(params + P.b0)
            for i1 in range(d1):
                for i2 in range(d2):
                    a = a0 + i1 * i64_at(params + P.a1) + i2 * i64_at(params + P.a2)
                    b = b0 + i1 * i64_at(params + P.b1) + i2 * i64_at(params + P.b2)
                    at = y + (i1 * d2 + i2) * d3 * 4
                    whole = d3 - d3 % lanes if a3 and b3 else 0
                    for j in range(0, whole, lanes):
                        store(at + j * 4, function(load(a + j * 4), load(b + j * 4)))
                    for j in range(whole, d3, lanes):
                        va = load_upto(a + j * 4, d3 - j) if a3 else splat_at(a)
                        vb = load_upto(b + j * 4, d3 - j) if b3 else splat_at(b)
                        store_upto(at + j * 4, function(va, vb), d3 - j)
            if act:
                call(act, i64_at(params + P.act_params), y, y + size, 0)

    return kernel
