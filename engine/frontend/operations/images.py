"""Functions of images."""

from typing import Any

from engine.errors import GraphError
from engine.frontend.layers.interpolation import METHODS
from engine.frontend.layers.resizing import resize as resized
from engine.frontend.operations.scope import Scope
from engine.frontend.operations.table import operation


@operation(
    "Resize images size interpolation antialias data_format fill_mode fill_value",
    "image.resize images size method antialias",
    "image.resize_images images size method antialias",
)
def resize(
    scope: Scope,
    x: Any,
    size: Any,
    method: Any = "bilinear",
    antialias: Any = False,
    data_format: Any = None,
    fill_mode: Any = None,
    fill_value: Any = None,
) -> int:
    """An image in another size. What to fill with matters only where its proportions are kept, which is refused."""
    value, sizes = _image(scope, x), scope.integers(size)
    if len(sizes) != 2:
        raise scope.wrong("a height and a width", size)
    if data_format is not None:
        scope.choice(data_format, "channels_last")
    return resized(scope.call, value, (sizes[0], sizes[1]), scope.choice(method, *METHODS), scope.flag(antialias))


@operation("raw.ResizeBilinear images size half_pixel_centers align_corners")
def resize_bilinear(scope: Scope, x: Any, size: Any, centers: Any = False, corners: Any = False) -> int:
    """An image interpolated, if it counts from the centres of pixels."""
    if not scope.flag(centers) or scope.flag(corners):
        raise scope.refuse("only half_pixel_centers is supported")
    return resize(scope, x, size)  # type: ignore[return-value]


@operation("raw.ResizeNearestNeighbor images size half_pixel_centers align_corners")
def resize_nearest(scope: Scope, x: Any, size: Any, centers: Any = False, corners: Any = False) -> int:
    """An image of nearest pixels, if it counts from their centres or becomes a multiple of its size."""
    h, w, _ = scope.shape(_image(scope, x))
    height, width = scope.integers(size)
    if scope.flag(corners) or (not scope.flag(centers) and (height % h or width % w)):
        raise scope.refuse("only half_pixel_centers is supported")
    return resize(scope, x, size, "nearest")  # type: ignore[return-value]


def _image(scope: Scope, x: Any) -> int:
    value = scope.value(x)
    if scope.rank(value) != 3:
        raise GraphError(f"expected an image, found shape {scope.shape(value)}")
    return value
