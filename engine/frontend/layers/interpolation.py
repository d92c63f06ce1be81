"""What TensorFlow's image resizing reads and how it weighs it: a table of taps for each way of interpolating.

Positions are computed in float32, as TensorFlow does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, exp, floor, pi, sin
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.frontend.config import table

Weights: TypeAlias = list[tuple[int, float]]
Kernel: TypeAlias = Callable[[float], float]

METHODS = ("nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")


@dataclass(frozen=True)
class Taps:
    """Element i of the result is the sum of `weights[i, t]` · x[starts[i] + t]."""

    starts: tuple[int, ...]
    weights: NDArray[np.float64]


def taps(method: str, size: int, result: int, antialias: bool) -> Taps:
    """The taps that resize an axis of `size` to `result`. Raises `LimitExceededError` where they are too many."""
    table(ceil(2 * _KERNELS.get(method, (None, 1.0))[1]) * max(size, result))
    if method in _KERNELS and (antialias or method not in ("bilinear", "bicubic")):
        rows = [_by_kernel(*_KERNELS[method], i, size, result, antialias) for i in range(result)]
    else:
        rows = [_POINTWISE[method](i, size, result) for i in range(result)]
    starts = [min(index for index, _ in row) for row in rows]
    width = max(max(index for index, _ in row) - start + 1 for row, start in zip(rows, starts, strict=True))
    starts = [min(start, size - width) for start in starts]
    weights = np.zeros((result, width))
    for i, row in enumerate(rows):
        for index, weight in row:
            weights[i, index - starts[i]] += weight
    return Taps(tuple(starts), weights)


def _centre(i: int, size: int, result: int) -> float:
    """Where the centre of element i lies, in units of the source; its first element covers 0 to 1."""
    return float(np.float32(i + 0.5) * (np.float32(size) / np.float32(result)))


def _nearest(i: int, size: int, result: int) -> Weights:
    return [(min(floor(_centre(i, size, result)), size - 1), 1.0)]


def _bilinear(i: int, size: int, result: int) -> Weights:
    at = float(np.float32(_centre(i, size, result)) - np.float32(0.5))
    first = floor(at)
    return [(max(first, 0), 1 - (at - first)), (min(first + 1, size - 1), at - first)]


def _bicubic(i: int, size: int, result: int) -> Weights:
    """Weights come from a table of 1024 steps; taps outside are left out and the others scaled up."""
    at = float(np.float32(_centre(i, size, result)) - np.float32(0.5))
    first = floor(at)
    step = round((at - first) * 1024) / 1024
    row = [(first + k, _keys_cubic(abs(k - step))) for k in (-1, 0, 1, 2) if 0 <= first + k < size]
    return _scaled(row)


def _area(i: int, size: int, result: int) -> Weights:
    scale = float(np.float32(size) / np.float32(result))
    begin, end = i * scale, (i + 1) * scale
    row = [(min(k, size - 1), min(k + 1, end) - max(k, begin)) for k in range(floor(begin), ceil(end))]
    return [(k, weight / scale) for k, weight in row]


def _corner(i: int, size: int, result: int) -> np.float32:
    """Where TensorFlow 1 reads for element i: it counts from the corners of pixels."""
    return np.float32(i) * (np.float32(size) / np.float32(result))


def _aligned(i: int, size: int, result: int) -> np.float32:
    """The same where the outermost elements stand above each other."""
    return np.float32(i) * (np.float32(size - 1) / np.float32(result - 1)) if result > 1 else np.float32(0)


def _bilinear_from(place: Callable[[int, int, int], np.float32]) -> Callable[[int, int, int], Weights]:
    def row(i: int, size: int, result: int) -> Weights:
        at = float(place(i, size, result))
        first = min(floor(at), size - 1)
        return [(first, 1 - (at - first)), (min(first + 1, size - 1), at - first)]

    return row


_POINTWISE: dict[str, Callable[[int, int, int], Weights]] = {
    "nearest": _nearest,
    "bilinear": _bilinear,
    "bicubic": _bicubic,
    "area": _area,
    "nearest_corner": lambda i, size, result: [(min(floor(_corner(i, size, result)), size - 1), 1.0)],
    "nearest_aligned": lambda i, size, result: [(min(floor(_aligned(i, size, result) + 0.5), size - 1), 1.0)],
    "bilinear_corner": _bilinear_from(_corner),
    "bilinear_aligned": _bilinear_from(_aligned),
}


def _by_kernel(kernel: Kernel, radius: float, i: int, size: int, result: int, antialias: bool) -> Weights:
    """Every source element within the kernel's radius, which grows with the step where `antialias` is set."""
    at = _centre(i, size, result)
    widened = max(size / result, 1.0) if antialias else 1.0
    first = max(ceil(at - radius * widened - 0.5), 0)
    last = min(floor(at + radius * widened - 0.5), size - 1)
    return _scaled([(k, kernel(abs(k + 0.5 - at) / widened)) for k in range(first, last + 1)])


def _scaled(row: Weights) -> Weights:
    total = sum(weight for _, weight in row)
    return [(k, weight / total) for k, weight in row]


def _keys_cubic(x: float) -> float:
    if x >= 2:
        return 0.0
    return ((-0.5 * x + 2.5) * x - 4) * x + 2 if x >= 1 else (1.5 * x - 2.5) * x * x + 1


def _mitchell_cubic(x: float) -> float:
    if x >= 2:
        return 0.0
    if x >= 1:
        return ((-7 / 18 * x + 2) * x - 10 / 3) * x + 16 / 9
    return (7 / 6 * x - 2) * x * x + 8 / 9


def _lanczos(radius: float) -> Kernel:
    def kernel(x: float) -> float:
        if x > radius:
            return 0.0
        return 1.0 if x <= 1e-3 else radius * sin(pi * x) * sin(pi * x / radius) / (pi * pi * x * x)

    return kernel


_KERNELS: dict[str, tuple[Kernel, float]] = {
    "bilinear": (lambda x: max(1 - x, 0.0), 1.0),
    "bicubic": (_keys_cubic, 2.0),
    "lanczos3": (_lanczos(3.0), 3.0),
    "lanczos5": (_lanczos(5.0), 5.0),
    "gaussian": (lambda x: 0.0 if x >= 1.5 else exp(-x * x / 0.5), 1.5),
    "mitchellcubic": (_mitchell_cubic, 2.0),
}
