"""Elementwise functions that are made of others."""

from math import log, pi
from typing import Any

from engine.frontend.call import Tensor
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.table import operation
from engine.ir.graph import Operand
from engine.ir.ops import Select


def _times(scope: Scope, x: int, factor: float) -> int:
    return scope.binary("mul", x, scope.number_of(factor))


def _select(scope: Scope, condition: int, x: Operand, y: Operand) -> int:
    return scope.emit(Select(), condition, x, y)


def _values(scope: Scope, *items: Any) -> list[int]:
    """Values of the graph that broadcast against each other, made of constants too."""
    operands = scope.together(*items)
    known = next(operand for operand in operands if isinstance(operand, int))
    return [o if isinstance(o, int) else scope.emit(Select(), known, o, o) for o in operands]


@operation("Log2", "experimental.numpy.log2")
def log2(scope: Scope, x: Any) -> int:
    """The logarithm to base 2."""
    return _times(scope, scope.activate(scope.value(x), "log"), 1 / log(2))


@operation("Log10", "experimental.numpy.log10")
def log10(scope: Scope, x: Any) -> int:
    """The logarithm to base 10."""
    return _times(scope, scope.activate(scope.value(x), "log"), 1 / log(10))


@operation("Exp2", "experimental.numpy.exp2")
def exp2(scope: Scope, x: Any) -> int:
    """2 to the power x."""
    return scope.binary("pow", scope.number_of(2.0), scope.value(x))


@operation("Deg2rad")
def radians(scope: Scope, x: Any) -> int:
    """Degrees as radians."""
    return _times(scope, scope.value(x), pi / 180)


@operation("Rad2deg")
def degrees(scope: Scope, x: Any) -> int:
    """Radians as degrees."""
    return _times(scope, scope.value(x), 180 / pi)


@operation("LogicalXor", "math.logical_xor x y", "__operators__.xor x y")
def exclusive_or(scope: Scope, x: Any, y: Any) -> int:
    """1 where one is zero and the other is not."""
    zero = scope.number_of(0.0)
    a, b = (scope.binary("not_equal", item, zero) for item in _values(scope, x, y))
    return scope.binary("not_equal", a, b)


@operation("Isinf", "math.is_inf x", "raw.IsInf x")
def is_infinite(scope: Scope, x: Any) -> int:
    """1 where x is an infinity."""
    return scope.binary("equal", scope.activate(scope.value(x), "abs"), scope.number_of(float("inf")))


@operation("Isfinite", "math.is_finite x", "raw.IsFinite x")
def is_finite(scope: Scope, x: Any) -> int:
    """1 where x is a number."""
    return scope.binary("less", scope.activate(scope.value(x), "abs"), scope.number_of(float("inf")))


@operation("NanToNum x nan posinf neginf")
def numbers_only(scope: Scope, x: Any, nan: Any = 0.0, above: Any = None, below: Any = None) -> int:
    """x with other numbers in place of NaN and the infinities."""
    value, largest = scope.value(x), 3.4028234663852886e38
    low, high = (
        (-largest if below is None else scope.number(below)),
        (largest if above is None else scope.number(above)),
    )
    y = _select(scope, scope.activate(value, "is_nan"), scope.number_of(scope.number(nan)), value)
    for infinity, other in ((float("inf"), high), (float("-inf"), low)):
        y = _select(scope, scope.binary("equal", y, scope.number_of(infinity)), scope.number_of(other), y)
    return y


@operation("DivideNoNan", "math.divide_no_nan x y", "raw.DivNoNan x y")
def divide_no_nan(scope: Scope, x: Any, y: Any) -> int:
    """x / y, and 0 where y is 0."""
    a, b = _values(scope, x, y)
    zero = scope.number_of(0.0)
    return _select(scope, scope.binary("equal", b, zero), zero, scope.binary("div", a, b))


@operation("math.multiply_no_nan x y")
def multiply_no_nan(scope: Scope, x: Any, y: Any) -> int:
    """x · y, and 0 where y is 0."""
    a, b = _values(scope, x, y)
    zero = scope.number_of(0.0)
    return _select(scope, scope.binary("equal", b, zero), zero, scope.binary("mul", a, b))


@operation("math.reciprocal_no_nan x")
def reciprocal_no_nan(scope: Scope, x: Any) -> int:
    """1 / x, and 0 where x is 0."""
    return divide_no_nan(scope, 1.0, x)  # type: ignore[return-value]


@operation("math.xlogy x y", "raw.Xlogy x y")
def x_log_y(scope: Scope, x: Any, y: Any) -> int:
    """x · log(y), and 0 where x is 0."""
    a, b = _values(scope, x, y)
    zero = scope.number_of(0.0)
    product = scope.binary("mul", a, scope.activate(b, "log"))
    return _select(scope, scope.binary("equal", a, zero), zero, product)


@operation("Hypot x1 x2", "experimental.numpy.hypot x1 x2")
def hypotenuse(scope: Scope, x: Any, y: Any) -> int:
    """The square root of x² + y²."""
    a, b = _values(scope, x, y)
    squares = [scope.binary("mul", item, item) for item in (a, b)]
    return scope.activate(scope.binary("add", squares[0], squares[1]), "sqrt")


@operation("Trunc", "raw.Trunc")
def truncated(scope: Scope, x: Any) -> int:
    """x without what follows the point."""
    value = scope.value(x)
    return scope.binary("mul", scope.activate(value, "sign"), scope.activate(scope.activate(value, "abs"), "floor"))


@operation("Heaviside x1 x2")
def heaviside(scope: Scope, x: Any, at_zero: Any) -> int:
    """0 below zero, 1 above, another number at zero."""
    value, other = _values(scope, x, at_zero)
    zero = scope.number_of(0.0)
    return _select(scope, scope.binary("equal", value, zero), other, scope.binary("greater", value, zero))


@operation("SaturateCast", "dtypes.saturate_cast value dtype")
def saturate_cast(scope: Scope, x: Any, dtype: Any) -> int:
    """x as a whole number within the bounds of a kind, or as it is."""
    from engine.frontend.operations.elementwise import cast

    bounds = {"uint8": (0.0, 255.0), "int8": (-128.0, 127.0), "uint16": (0.0, 65535.0), "int16": (-32768.0, 32767.0)}
    low, high = bounds.get(str(dtype), (float("-inf"), float("inf")))
    raised = scope.binary("max", scope.value(x), scope.number_of(low))
    return cast(scope, Tensor(scope.binary("min", raised, scope.number_of(high))), dtype)  # type: ignore[return-value]


@operation("Glu x axis")
def gated(scope: Scope, x: Any, axis: Any = -1) -> int:
    """The first half along an axis times the sigmoid of the second."""
    from engine.frontend.operations.joining import split

    halves = split(scope, x, 2, axis)
    assert isinstance(halves, tuple)
    return scope.binary("mul", halves[0], scope.activate(halves[1], "sigmoid"))


@operation("nn.crelu features axis")
def crelu(scope: Scope, x: Any, axis: Any = -1) -> int:
    """max(x, 0) and max(−x, 0), one after the other along an axis."""
    from engine.frontend.operations.joining import concatenate

    value = scope.value(x)
    parts = [scope.activate(value, "relu"), scope.activate(scope.activate(value, "negative"), "relu")]
    return concatenate(scope, [Tensor(part) for part in parts], axis)  # type: ignore[return-value]


@operation("Logaddexp x1 x2")
def log_add_exp(scope: Scope, x: Any, y: Any) -> int:
    """log(exp(x) + exp(y))."""
    a, b = _values(scope, x, y)
    distance = scope.activate(scope.activate(scope.binary("sub", a, b), "abs"), "negative")
    return scope.binary("add", scope.binary("max", a, b), scope.activate(scope.activate(distance, "exp"), "log1p"))
