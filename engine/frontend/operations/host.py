"""Rare functions, computed by NumPy between native runs. Axes count the batch, as the arrays do."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import GraphError
from engine.frontend.call import Tensor
from engine.frontend.operations.elementwise import spelled
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.table import Function, operation

Array = NDArray[Any]

_UNARY: dict[str, Callable[[Array], Array]] = {
    "Arccos math.acos acos raw.Acos": np.arccos,
    "Arccosh math.acosh acosh": np.arccosh,
    "Arcsin math.asin asin raw.Asin": np.arcsin,
    "Arcsinh math.asinh asinh": np.arcsinh,
    "Arctan math.atan atan raw.Atan": np.arctan,
    "Arctanh math.atanh atanh": np.arctanh,
    "Tan math.tan tan raw.Tan": np.tan,
    "Sinh math.sinh sinh raw.Sinh": np.sinh,
    "Cosh math.cosh cosh raw.Cosh": np.cosh,
    "Cbrt": np.cbrt,
    "Sinc": np.sinc,
    "I0": np.i0,
}

_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "Arctan2 math.atan2 atan2": np.arctan2,
    "Fmod raw.Mod": np.fmod,
}

_ALONG: dict[str, Callable[..., Array]] = {
    "Cumprod math.cumprod": np.cumprod,
    "Nancumsum": np.nancumsum,
    "Nancumprod": np.nancumprod,
    "Argsort": partial(np.argsort, kind="stable"),
    "Sort": np.sort,
}

_REDUCTIONS: dict[str, Callable[..., Array]] = {
    "Median": np.median,
    "Nanmax": np.nanmax,
    "Nanmean": np.nanmean,
    "Nanmedian": np.nanmedian,
    "Nanmin": np.nanmin,
    "Nanprod": np.nanprod,
    "Nanstd": np.nanstd,
    "Nansum": np.nansum,
    "Nanvar": np.nanvar,
    "Ptp": np.ptp,
}


def computed(scope: Scope, function: Callable[..., Array], *items: Any) -> int:
    """The result of a function of arrays that has the batch in front."""
    operands = [item.value if isinstance(item, Tensor) else scope.constant(scope.array(item)) for item in items]
    try:
        return scope.call.host(function, None, *operands)
    except (ValueError, IndexError, TypeError) as error:
        raise GraphError(f"its operands do not fit: {error}") from None


def _whole(scope: Scope, axis: Any, x: int) -> int:
    """An axis that is not the batch, as the arrays count it."""
    return scope.axis(axis, scope.rank(x)) + 1


def _unary(function: Callable[[Array], Array]) -> Function:
    def compute(scope: Scope, x: Any) -> int:
        return computed(scope, _quiet(function), Tensor(scope.value(x)))

    return compute


def _binary(function: Callable[[Array, Array], Array]) -> Function:
    def compute(scope: Scope, x: Any, y: Any) -> int:
        scope.together(x, y)
        return computed(scope, _quiet(function), x, y)

    return compute


def _along(function: Callable[..., Array]) -> Function:
    def compute(scope: Scope, x: Any, axis: Any = -1) -> int:
        value = scope.value(x)
        return computed(scope, partial(function, axis=_whole(scope, axis, value)), Tensor(value))

    return compute


def _reduction(function: Callable[..., Array]) -> Function:
    def compute(scope: Scope, x: Any, axis: Any = None, keepdims: Any = False) -> int:
        value = scope.value(x)
        axes = tuple(a + 1 for a in scope.axes(axis, scope.rank(value)))
        return computed(scope, partial(function, axis=axes, keepdims=scope.flag(keepdims)), Tensor(value))

    return compute


def _quiet(function: Callable[..., Array]) -> Callable[..., Array]:
    def compute(*arrays: Array) -> Array:
        with np.errstate(all="ignore"):
            return function(*arrays)

    return compute


def _enter(
    table: Mapping[str, Callable[..., Array]], make: Callable[[Callable[..., Array]], Function], keras: str, other: str
) -> None:
    for names, function in table.items():
        operation(*(spelled(name, keras, other) for name in names.split()))(make(function))


_enter(_UNARY, _unary, "x", "x")
_enter(_BINARY, _binary, "x1 x2", "y x")
_enter(_ALONG, _along, "x axis", "x axis")
_enter(_REDUCTIONS, _reduction, "x axis keepdims", "")


@operation("TopK x k sorted", "math.top_k input k sorted", "raw.TopKV2 input k sorted")
def top_k(scope: Scope, x: Any, k: Any = 1, ordered: Any = True) -> tuple[int, ...]:
    """The largest elements of the last axis, largest first, and their places."""
    value, count = scope.value(x), scope.integer(k)
    if not 1 <= count <= (scope.shape(value) or (0,))[-1]:
        raise scope.wrong("as many elements as there are, or fewer", k)

    def places(array: Array) -> Array:
        return np.argsort(-array, axis=-1, kind="stable")[..., :count]

    def values(array: Array) -> Array:
        return np.take_along_axis(array, places(array), -1)

    return computed(scope, values, Tensor(value)), computed(scope, places, Tensor(value))


@operation("sort values axis direction")
def sort(scope: Scope, x: Any, axis: Any = -1, direction: Any = "ASCENDING") -> int:
    """Elements along an axis in order."""
    value, falling = scope.value(x), scope.choice(direction, "ascending", "descending") == "descending"
    at = _whole(scope, axis, value)
    return computed(scope, lambda a: -np.sort(-a, axis=at) if falling else np.sort(a, axis=at), Tensor(value))


@operation("argsort values axis direction stable")
def argsort(scope: Scope, x: Any, axis: Any = -1, direction: Any = "ASCENDING", stable: Any = False) -> int:
    """The places of the elements along an axis in order."""
    value, falling = scope.value(x), scope.choice(direction, "ascending", "descending") == "descending"
    at = _whole(scope, axis, value)
    return computed(scope, lambda a: np.argsort(-a if falling else a, axis=at, kind="stable"), Tensor(value))


@operation("TakeAlongAxis x indices axis", "experimental.numpy.take_along_axis arr indices axis")
def take_along(scope: Scope, x: Any, indices: Any, axis: Any = -1) -> int:
    """The elements along an axis at places that another value holds."""
    value = scope.value(x)
    at = _whole(scope, axis, value)
    return computed(
        scope, lambda a, i: np.take_along_axis(a, i.astype(np.int64), at), Tensor(value), Tensor(scope.value(indices))
    )


@operation("Quantile x q axis method keepdims")
def quantile(scope: Scope, x: Any, q: Any, axis: Any = None, method: Any = "linear", keepdims: Any = False) -> int:
    """The number below which a share of the elements along an axis lies."""
    value, share = scope.value(x), scope.number(q)
    kept: Any = scope.flag(keepdims)
    way: Any = scope.choice(method, "linear", "lower", "higher", "midpoint", "nearest")
    axes = tuple(a + 1 for a in scope.axes(axis, scope.rank(value)))
    return computed(scope, lambda a: np.quantile(a, share, axis=axes, method=way, keepdims=kept), Tensor(value))


def _hsv(rgb: Array) -> Array:
    most, least = rgb.max(-1), rgb.min(-1)
    span = most - least
    with np.errstate(all="ignore"):
        r, g, b = np.moveaxis(rgb, -1, 0)
        hue = np.where(most == r, (g - b) / span, np.where(most == g, 2 + (b - r) / span, 4 + (r - g) / span)) / 6
        share = np.where(most > 0, span / most, 0.0)
    hue = np.where(span > 0, hue % 1.0, 0.0)
    return np.stack([hue, share, most], -1)


def _rgb(hsv: Array) -> Array:
    hue, share, most = np.moveaxis(hsv, -1, 0)
    turn = hue * 6
    distances = [np.abs(turn - 3) - 1, 2 - np.abs(turn - 2), 2 - np.abs(turn - 4)]
    return np.stack([(1 - share + share * np.clip(d, 0, 1)) * most for d in distances], -1)


@operation("RGBToHSV images data_format", "image.rgb_to_hsv images")
def rgb_to_hsv(scope: Scope, x: Any, data_format: Any = None) -> int:
    """Hue, saturation and value of each pixel."""
    if data_format is not None:
        scope.choice(data_format, "channels_last")
    return computed(scope, _hsv, Tensor(scope.value(x)))


@operation("HSVToRGB images data_format", "image.hsv_to_rgb images")
def hsv_to_rgb(scope: Scope, x: Any, data_format: Any = None) -> int:
    """Red, green and blue of each pixel."""
    if data_format is not None:
        scope.choice(data_format, "channels_last")
    return computed(scope, _rgb, Tensor(scope.value(x)))
