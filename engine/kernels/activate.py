"""Activation functions in place over a range of floats: `params` is the address of a, b, c, `[lo, hi)` of the range.

Each variant is a kernel of its own. Other kernels call it through its address for the part of a result that they have
just written, so that only the functions a model needs are ever compiled.
"""

from numba import njit

from engine.kernels.bits import Bits
from engine.kernels.functions import Functions
from engine.kernels.powers import Powers
from engine.kernels.simd import f32_bits, i64_at

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def build(simd, variant):
    lanes, load, store = simd.isa.lanes, simd.load, simd.store
    load_first, store_first = simd.load_first, simd.store_first
    function = njit(_function(variant, simd, Functions(simd)))

    def kernel(params, lo, hi, scratch):
        a, b, c = f32_bits(i64_at(params)), f32_bits(i64_at(params + 8)), f32_bits(i64_at(params + 16))
        at = lo
        while at + 4 * lanes <= hi:
            store(at, function(load(at), a, b, c))
            at += 4 * lanes
        if at < hi:
            count = (hi - at) // 4
            store_first(at, function(load_first(at, count), a, b, c), count)

    return kernel


def _function(kind, simd, f):
    where_less, where_nan, splat = simd.where_less, simd.where_nan, simd.splat
    exp, expm1, tanh, sigmoid, softplus = f.exp, f.expm1, f.tanh, f.sigmoid, f.softplus
    clamp, absolute, erf, root = f.clamp, f.absolute, f.erf, f.root

    def relu(x, a, b, c):
        threshold, slope, zero = splat(b), splat(a), splat(0.0)
        below = where_equal(slope, zero, zero, (x - threshold) * slope)
        return where_less(x, threshold, below, where_less(splat(c), x, splat(c), x))

    def elu(x, a, b, c):
        return where_less(splat(0.0), x, x, expm1(x) * splat(a))

    def selu(x, a, b, c):
        return where_less(splat(0.0), x, x, expm1(x) * SELU_ALPHA) * SELU_SCALE

    def celu(x, a, b, c):
        return where_less(splat(0.0), x, x, expm1(x / splat(a)) * splat(a))

    def gelu_tanh(x, a, b, c):
        return x * 0.5 * (tanh((x * x * x * 0.044715 + x) * 0.7978845608028654) + 1.0)

    def mish(x, a, b, c):
        e = exp(where_less(splat(20.0), x, splat(20.0), x))
        w = e * (e + 2.0)
        return x * (w / (w + 2.0))

    def soft_shrink(x, a, b, c):
        limit = splat(a)
        return where_less(limit, x, x - limit, where_less(x, -limit, x + limit, x * 0.0))

    def sparse_plus(x, a, b, c):
        middle = (x + 1.0) * (x + 1.0) * 0.25
        inner = where_less(x, splat(1.0), middle, x)
        return where_less(splat(-1.0), x, inner, x * 0.0)

    def squareplus(x, a, b, c):
        length = root(x * x + splat(a))
        return where_less(x, splat(0.0), splat(a) * 0.5 / (length - x), (x + length) * 0.5)

    def sign(x, a, b, c):
        one = splat(1.0)
        return where_less(splat(0.0), x, one, where_less(x, splat(0.0), -one, x))

    p, bits = Powers(simd), Bits(simd.isa)
    log, log1p, sin, cos = p.log, p.log1p, p.sin, p.cos
    floor, ceil, nearest, where_equal = bits.floor, bits.ceil, bits.nearest, bits.where_equal
    table = {
        "relu": relu,
        "elu": elu,
        "selu": selu,
        "celu": celu,
        "gelu_tanh": gelu_tanh,
        "mish": mish,
        "soft_shrink": soft_shrink,
        "sparse_plus": sparse_plus,
        "squareplus": squareplus,
        "sigmoid": lambda x, a, b, c: sigmoid(x),
        "tanh": lambda x, a, b, c: tanh(x),
        "softplus": lambda x, a, b, c: softplus(x),
        "softsign": lambda x, a, b, c: x / (absolute(x) + 1.0),
        "swish": lambda x, a, b, c: x * sigmoid(x),
        "gelu": lambda x, a, b, c: x * 0.5 * (erf(x * 0.7071067811865476) + 1.0),
        "hard_sigmoid": lambda x, a, b, c: clamp(x * splat(a) + splat(b), 0.0, 1.0),
        "hard_swish": lambda x, a, b, c: x * clamp(x * splat(a) + splat(b), 0.0, 1.0),
        "exp": lambda x, a, b, c: exp(x),
        "log_sigmoid": lambda x, a, b, c: -softplus(-x),
        "tanh_shrink": lambda x, a, b, c: x - tanh(x),
        "hard_shrink": lambda x, a, b, c: where_nan(x, x, where_less(splat(a), absolute(x), x, splat(0.0))),
        "sparse_sigmoid": lambda x, a, b, c: clamp((x + 1.0) * 0.5, 0.0, 1.0),
        "hard_tanh": lambda x, a, b, c: clamp(x, -1.0, 1.0),
        "threshold": lambda x, a, b, c: where_nan(x, x, where_less(splat(a), x, x, splat(b))),
        "abs": lambda x, a, b, c: absolute(x),
        "sqrt": lambda x, a, b, c: root(x),
        "rsqrt": lambda x, a, b, c: splat(1.0) / root(x),
        "reciprocal": lambda x, a, b, c: splat(1.0) / x,
        "square": lambda x, a, b, c: x * x,
        "negative": lambda x, a, b, c: -x,
        "log": lambda x, a, b, c: log(x),
        "log1p": lambda x, a, b, c: log1p(x),
        "expm1": lambda x, a, b, c: expm1(x),
        "sign": sign,
        "floor": lambda x, a, b, c: floor(x),
        "ceil": lambda x, a, b, c: ceil(x),
        "round": lambda x, a, b, c: nearest(x),
        "sin": lambda x, a, b, c: sin(x),
        "cos": lambda x, a, b, c: cos(x),
        "erf": lambda x, a, b, c: erf(x),
        "logical_not": lambda x, a, b, c: where_equal(x, splat(0.0), splat(1.0), splat(0.0)),
        "is_nan": lambda x, a, b, c: where_nan(x, splat(1.0), splat(0.0)),
    }
    return table[kind]
