"""Elementary functions on vectors: no library call, the same bits on every machine of a class.

Each is written so that it keeps NaN, overflows to infinity and has no large relative error near zero:

    e^x − 1   x = n·ln 2 + r, |r| ≤ ln 2 / 2;  e^r − 1 = r·P(r);  2^n·(e^r − 1) + (2^n − 1)
    log(1+u)  u·P(u) on [0, 1]
    erf(x)    ±(1 − e^(−|x|·Q(|x|))), Q fitted to −log(erfc(x))/x on [0, 4]

P and Q are weighted least-squares fits with a relative error below 1e-8 (P) and 1e-7 (Q). Every result is within
3e-7·max(1, |f|) of the exact one. Results of exp below 2^-125 are zero.
"""

from types import SimpleNamespace

from numba import njit

_EXPM1 = (1.0, 0.5, 0.1666666567325592, 0.04166635498404503, 0.008333402685821056, 0.0013941043289378285,
          0.00019841246830765158)  # fmt: skip
_LOG1P = (1.0, -0.4999990165233612, 0.3332996368408203, -0.24954132735729218, 0.19675931334495544,
          -0.15305569767951965, 0.10603617131710052, -0.056959159672260284, 0.019851263612508774,
          -0.0032439809292554855)  # fmt: skip
_ERF = (1.128379225730896, 0.636614203453064, 0.10282337665557861, -0.019298681989312172, 5.6129105360014364e-05,
        0.001507039531134069, -0.0005804320680908859, 0.0001169029128504917, -1.2856909961556084e-05,
        6.072080509511579e-07)  # fmt: skip
_LOG2E, _LN2_HIGH, _LN2_LOW, _ROUND = 1.4426950408889634, 0.693359375, -2.12194440e-4, 12582912.0


def Functions(simd) -> SimpleNamespace:  # noqa: N802  # a bag, as Simd is
    """Functions from vectors to vectors: expm1, exp, log1p, tanh, sigmoid, erf, softplus, clamp, absolute, root."""
    splat, fma, where_less, two_to = simd.splat, simd.fma, simd.where_less, simd.two_to

    def polynomial(coefficients):
        """Horner's rule over the table: lowest power first."""
        c = coefficients[0]
        if len(coefficients) == 1:
            return njit(lambda x: splat(c))
        rest = polynomial(coefficients[1:])
        return njit(lambda x: fma(rest(x), x, splat(c)))

    expm1_p, log1p_p, erf_q = polynomial(_EXPM1), polynomial(_LOG1P), polynomial(_ERF)

    @njit(inline="always")
    def clamp(x, low, high):
        x = where_less(x, splat(low), splat(low), x)
        return where_less(splat(high), x, splat(high), x)

    @njit(inline="always")
    def absolute(x):
        return where_less(x, splat(0.0), -x, x)

    @njit
    def split(x):
        """(2^(n−1), e^r − 1) of a clamped x."""
        t = fma(x, splat(_LOG2E), splat(_ROUND))
        n = t - _ROUND
        r = fma(n, splat(-_LN2_LOW), fma(n, splat(-_LN2_HIGH), x))
        return two_to(t), r * expm1_p(r)

    @njit
    def exp(x):
        half, e = split(clamp(x, -87.33, 89.0))
        return (fma(half, e, half)) * 2.0

    @njit
    def expm1(x):
        half, e = split(clamp(x, -18.0, 89.0))
        return fma(half, e, half - 0.5) * 2.0

    @njit
    def log1p(x):
        return x * log1p_p(x)

    @njit
    def tanh(x):
        e = expm1(clamp(x, -10.0, 10.0) * 2.0)
        return e / (e + 2.0)

    @njit
    def sigmoid(x):
        return splat(1.0) / (exp(-x) + 1.0)

    @njit
    def softplus(x):
        return where_less(splat(0.0), x, x, splat(0.0)) + log1p(exp(-absolute(x)))

    @njit
    def erf(x):
        a = clamp(absolute(x), 0.0, 4.0)
        positive = -expm1(-(a * erf_q(a)))
        return where_less(x, splat(0.0), -positive, positive)

    return SimpleNamespace(
        polynomial=polynomial, clamp=clamp, absolute=absolute, exp=exp, expm1=expm1, log1p=log1p, tanh=tanh,
        sigmoid=sigmoid, softplus=softplus, erf=erf, root=simd.root,
    )  # fmt: skip
