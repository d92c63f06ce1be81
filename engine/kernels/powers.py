"""Logarithm, power, sine and cosine on vectors, in the manner of `functions`.

    log x   x = m·2^n, m in [√½, √2), f = m − 1;  n·ln 2 + f − f²/2 + f³·P(f), as the sum of two floats
    a^b     e^(b·log a) with the error of the product and the second float added in
    sin x   x = n·π/2 + r;  r + r³·S(r²) or 1 − r²/2 + r⁴·C(r²), by n mod 4

P, S and C are weighted least-squares fits with a relative error below 1e-8. Sine and cosine are within 3e-7 for
|x| ≤ 8192; beyond, π/2 in three floats is not enough, and they are only bounded.
"""

from types import SimpleNamespace

from numba import njit

from engine.kernels.bits import Bits
from engine.kernels.functions import Functions

_LOG = (0.3333331048488617, -0.25000014901161194, 0.20002204179763794, -0.16667644679546356, 0.14217883348464966,
        -0.12411250919103622, 0.11904757469892502, -0.1164657473564148, 0.06675345450639725)  # fmt: skip
_SIN = (-0.1666666716337204, 0.008333329111337662, -0.00019839289598166943, 2.7179307835467625e-06)
_COS = (0.0416666679084301, -0.0013888883404433727, 2.4799423044896685e-05, -2.7202989372199227e-07)
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440e-4
_TWO_OVER_PI, _HALF_PI = 0.6366197723675814, (1.5703125, 0.0004837512969970703, 7.549790126404332e-08)
_INF = float("inf")


def Powers(simd) -> SimpleNamespace:  # noqa: N802  # a bag, as Simd is
    """Functions from vectors to vectors: log, log1p (of any x), power, sin, cos."""
    splat, fma, where_less, where_nan = simd.splat, simd.fma, simd.where_less, simd.where_nan
    bits, functions = Bits(simd.isa), Functions(simd)
    exp, absolute, clamp = functions.exp, functions.absolute, functions.clamp
    floor, nearest, where_equal = bits.floor, bits.nearest, bits.where_equal
    exponent, significand = bits.exponent, bits.significand
    pi_high, pi_middle, pi_low = _HALF_PI
    fused = simd.isa.fma

    log_p, sin_p, cos_p = (functions.polynomial(table) for table in (_LOG, _SIN, _COS))

    @njit
    def parts(x):
        """(high, low) of log x for x > 0."""
        m, n = significand(x), exponent(x)
        large = splat(1.4142135)
        n = where_less(large, m, n + 1.0, n)
        m = where_less(large, m, m * 0.5, m)
        f = m - 1.0
        whole = n * _LN2_HIGH
        high = whole + f
        rest = (whole - high) + f
        tail = fma(f * f, fma(f, log_p(f), splat(-0.5)), n * _LN2_LOW)
        total = high + tail
        return total, (high - total) + tail + rest

    @njit
    def log(x):
        high, low = parts(x)
        y = high + low
        y = where_less(x, splat(_INF), y, x)
        return where_less(splat(0.0), x, y, where_equal(x, splat(0.0), splat(-_INF), splat(float("nan"))))

    @njit
    def log1p(x):
        u = x + 1.0
        correction = (x - (u - 1.0)) / u
        return log(u) + where_less(absolute(correction), splat(1.0), correction, splat(0.0))

    @njit
    def halves(x):
        """A float as the sum of two of half its bits (Dekker, 1971)."""
        c = x * 4097.0
        high = c - (c - x)
        return high, x - high

    @njit
    def rounded_off(a, b, product):
        """a·b less its rounded product."""
        if fused:
            return fma(a, b, -product)
        a1, a2 = halves(a)
        b1, b2 = halves(b)
        return ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2

    @njit
    def positive_power(a, b):
        high, low = parts(a)
        high = where_less(a, splat(_INF), high, splat(_INF))
        high = where_less(splat(0.0), a, high, splat(-_INF))
        t = where_equal(high, splat(0.0), high, high * b)
        more = rounded_off(high, b, t) + low * b
        return exp(t) * (where_less(absolute(more), splat(1.0), more, splat(0.0)) + 1.0)

    @njit
    def power(a, b):
        y = positive_power(absolute(a), b)
        whole, half = where_equal(floor(b), b, splat(1.0), splat(0.0)), b * 0.5
        odd = where_equal(floor(half), half, splat(0.0), whole)
        signed = where_equal(odd, splat(1.0), -y, where_equal(whole, splat(1.0), y, splat(float("nan"))))
        y = where_less(a, splat(0.0), where_equal(a, splat(-_INF), where_equal(odd, splat(1.0), -y, y), signed), y)
        y = where_nan(a, a, where_nan(b, b, y))
        one = splat(1.0)
        return where_equal(b, splat(0.0), one, where_equal(a, one, one, y))

    @njit
    def turned(x, quarter):
        """sin(x + quarter·π/2)."""
        n = nearest(x * _TWO_OVER_PI)
        r = fma(n, splat(-pi_low), fma(n, splat(-pi_middle), fma(n, splat(-pi_high), x)))
        r = clamp(r, -1.0, 1.0)
        z = r * r
        sine, cosine = fma(r * z, sin_p(z), r), fma(z * z, cos_p(z), fma(z, splat(-0.5), splat(1.0)))
        q = n + quarter
        q = q - floor(q * 0.25) * 4.0
        half = q - floor(q * 0.5) * 2.0
        y = where_equal(half, splat(0.0), sine, cosine)
        return where_less(q, splat(2.0), y, -y)

    sin = njit(lambda x: turned(x, splat(0.0)))
    cos = njit(lambda x: turned(x, splat(1.0)))
    return SimpleNamespace(log=log, log1p=log1p, power=power, sin=sin, cos=cos)
