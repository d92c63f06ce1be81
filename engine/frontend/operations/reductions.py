"""Functions that make one number of all along some axes."""

from typing import Any, Literal

import numpy as np

from engine.frontend.call import Tensor
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.table import Function, operation
from engine.ir.ops import Reduce, Select

Kind = Literal["sum", "mean", "max", "min", "prod"]

_KINDS: dict[Kind, str] = {"sum": "Sum", "mean": "Mean", "max": "Max", "min": "Min", "prod": "Prod"}


def reduce(scope: Scope, kind: Kind, x: int, axis: Any, keepdims: Any) -> int:
    """The reduction of a value along axes that count the batch."""
    rank = scope.rank(x)
    axes = tuple(a - rank for a in scope.axes(axis, rank))
    return scope.emit(Reduce(kind, axes, scope.flag(keepdims)), x) if axes else x


def _reduction(kind: Kind) -> Function:
    def function(scope: Scope, x: Any, axis: Any = None, keepdims: Any = False) -> int:
        return reduce(scope, kind, scope.value(x), axis, keepdims)

    return function


for _kind, _class in _KINDS.items():
    operation(
        f"{_class} x axis keepdims",
        *([f"A{_kind} x axis keepdims"] if _kind in ("max", "min") else []),
        f"math.reduce_{_kind} input_tensor axis keepdims",
        f"reduce_{_kind} input_tensor axis keepdims",
        f"raw.{_class} input axis keep_dims",
    )(_reduction(_kind))


@operation("Any", "math.reduce_any input_tensor axis keepdims", "raw.Any input axis keep_dims")
def any_of(scope: Scope, x: Any, axis: Any = None, keepdims: Any = False) -> int:
    """1 where any element is not zero."""
    return reduce(scope, "max", _truth(scope, x), axis, keepdims)


@operation("All", "math.reduce_all input_tensor axis keepdims", "raw.All input axis keep_dims")
def all_of(scope: Scope, x: Any, axis: Any = None, keepdims: Any = False) -> int:
    """1 where no element is zero."""
    return reduce(scope, "min", _truth(scope, x), axis, keepdims)


@operation("CountNonzero", "math.count_nonzero input axis keepdims")
def count_nonzero(scope: Scope, x: Any, axis: Any = None, keepdims: Any = False, dtype: Any = None) -> int:
    """How many elements are not zero."""
    return reduce(scope, "sum", _truth(scope, x), axis, keepdims)


def _truth(scope: Scope, x: Any) -> int:
    return scope.binary("not_equal", scope.value(x), scope.number_of(0.0))


@operation("Var", "math.reduce_variance input_tensor axis keepdims")
def variance(scope: Scope, x: Any, axis: Any = None, keepdims: Any = False) -> int:
    """The mean square of what is left without the mean."""
    value = scope.value(x)
    centred = scope.binary("sub", value, reduce(scope, "mean", value, axis, True))
    return reduce(scope, "mean", scope.activate(centred, "square"), axis, keepdims)


@operation("Std", "math.reduce_std input_tensor axis keepdims")
def deviation(scope: Scope, x: Any, axis: Any = None, keepdims: Any = False) -> int:
    """The square root of the variance."""
    found = variance(scope, x, axis, keepdims)
    assert isinstance(found, int)
    return scope.activate(found, "sqrt")


@operation("Logsumexp", "math.reduce_logsumexp input_tensor axis keepdims")
def log_sum_exp(scope: Scope, x: Any, axis: Any = None, keepdims: Any = False) -> int:
    """The logarithm of the sum of exp(x)."""
    value = scope.value(x)
    largest = reduce(scope, "max", value, axis, True)
    terms = scope.activate(scope.binary("sub", value, largest), "exp")
    total = scope.activate(reduce(scope, "sum", terms, axis, True), "log")
    y = scope.binary("add", total, largest)
    return y if scope.flag(keepdims) else reduce(scope, "sum", y, axis, False)


@operation("Norm x ord axis keepdims", "norm tensor ord axis keepdims", "linalg.norm tensor ord axis keepdims")
def norm(scope: Scope, x: Any, order: Any = None, axis: Any = None, keepdims: Any = False) -> int:
    """The Euclidean length, or the sum of magnitudes for order 1."""
    value = scope.value(x)
    if order in (1, "1"):
        return reduce(scope, "sum", scope.activate(value, "abs"), axis, keepdims)
    if order not in (None, 2, "euclidean", "fro"):
        raise scope.refuse(f"a norm of order {order!r} is not supported")
    return scope.activate(reduce(scope, "sum", scope.activate(value, "square"), axis, keepdims), "sqrt")


@operation("nn.l2_normalize x axis epsilon", "math.l2_normalize x axis epsilon", "linalg.l2_normalize x axis epsilon")
def l2_normalize(scope: Scope, x: Any, axis: Any = None, epsilon: Any = 1e-12) -> int:
    """x over the square root of its sum of squares, which counts as at least epsilon."""
    value = scope.value(x)
    squares = reduce(scope, "sum", scope.activate(value, "square"), axis, True)
    bounded = scope.binary("max", squares, scope.number_of(scope.number(epsilon)))
    return scope.binary("mul", value, scope.activate(bounded, "rsqrt"))


@operation("Normalize")
def normalize(scope: Scope, x: Any, axis: Any = -1, order: Any = 2, epsilon: Any = None) -> int:
    """x over its length of order 2 or 1, which counts as at least epsilon."""
    value = scope.value(x)
    length = norm(scope, x, order, axis, True)
    assert isinstance(length, int)
    least = scope.number_of(1e-7 if epsilon is None else scope.number(epsilon))
    return scope.binary("div", value, scope.binary("max", length, least))


@operation("Argmax", "math.argmax input axis", "argmax input axis", "compat.v1.argmax input axis", "raw.ArgMax")
def argmax(scope: Scope, x: Any, axis: Any = None, keepdims: Any = False) -> int:
    """The place of the first largest element along an axis."""
    return _place(scope, scope.value(x), "max", axis, keepdims)


@operation("Argmin", "math.argmin input axis", "argmin input axis", "compat.v1.argmin input axis", "raw.ArgMin")
def argmin(scope: Scope, x: Any, axis: Any = None, keepdims: Any = False) -> int:
    """The place of the first smallest element along an axis."""
    return _place(scope, scope.value(x), "min", axis, keepdims)


def _place(scope: Scope, x: int, kind: Literal["max", "min"], axis: Any, keepdims: Any) -> int:
    rank, size = scope.rank(x), scope.shape(x)[scope.axis(axis, scope.rank(x))] if axis is not None else 0
    best = reduce(scope, kind, x, axis, True)
    chosen = scope.binary("equal", *scope.together(Tensor(x), Tensor(best)))
    places = np.arange(size).reshape(-1, *[1] * (rank - 1 - scope.axis(axis, rank)))
    found = scope.emit(Select(), chosen, scope.constant(places), scope.number_of(float(size - 1)))
    return reduce(scope, "min", found, axis, keepdims)


@operation("Average x axis weights")
def average(scope: Scope, x: Any, axis: Any = None, weights: Any = None) -> int:
    """The mean along axes."""
    if weights is not None:
        raise scope.refuse("weights are not supported")
    return reduce(scope, "mean", scope.value(x), axis, False)
