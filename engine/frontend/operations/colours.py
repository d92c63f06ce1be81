"""Functions of the colours of images."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.frontend.operations.reductions import reduce
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.table import operation
from engine.ir.ops import Dense


def _by_matrix(scope: Scope, x: Any, matrix: Sequence[Sequence[float]]) -> int:
    return scope.emit(Dense(), scope.value(x), scope.constant(np.array(matrix)))


@operation("image.rgb_to_grayscale images", "RGBToGrayscale images data_format")
def gray(scope: Scope, x: Any, data_format: Any = None) -> int:
    """The brightness of each pixel, as one channel."""
    if data_format is not None:
        scope.choice(data_format, "channels_last")
    return _by_matrix(scope, x, [[0.2989], [0.587], [0.114]])


@operation("image.grayscale_to_rgb images")
def coloured(scope: Scope, x: Any) -> int:
    """One channel as three."""
    return _by_matrix(scope, x, [[1.0, 1.0, 1.0]])


_YUV = [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]]
_YIQ = [[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]]


@operation("image.rgb_to_yuv images")
def yuv(scope: Scope, x: Any) -> int:
    """Colours as brightness and two differences."""
    return _by_matrix(scope, x, _YUV)


@operation("image.rgb_to_yiq images")
def yiq(scope: Scope, x: Any) -> int:
    """Colours as brightness and two differences, of another television."""
    return _by_matrix(scope, x, _YIQ)


@operation("image.adjust_brightness image delta")
def brighter(scope: Scope, x: Any, delta: Any) -> int:
    """An image with a number added."""
    return scope.binary("add", *scope.together(x, delta))


@operation("image.adjust_contrast images contrast_factor")
def contrast(scope: Scope, x: Any, factor: Any) -> int:
    """An image whose distance from the mean of each channel is multiplied."""
    value = scope.image(x)
    mean = reduce(scope, "mean", value, [-3, -2], True)
    y = scope.binary("mul", scope.binary("sub", value, mean), scope.number_of(scope.number(factor)))
    return scope.binary("add", y, mean)


@operation("image.adjust_gamma image gamma gain")
def gamma(scope: Scope, x: Any, gamma: Any = 1, gain: Any = 1) -> int:
    """gain · x^gamma."""
    y = scope.binary("pow", scope.value(x), scope.number_of(scope.number(gamma)))
    return scope.binary("mul", y, scope.number_of(scope.number(gain)))
