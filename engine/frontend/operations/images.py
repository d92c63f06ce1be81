"""Functions of images."""

from typing import Any

import numpy as np

from engine.frontend.layers.interpolation import METHODS
from engine.frontend.layers.resizing import resize as resized
from engine.frontend.operations.frames import framed
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
    value, sizes = scope.image(x), scope.integers(size)
    if len(sizes) != 2:
        raise scope.wrong("a height and a width", size)
    if data_format is not None:
        scope.choice(data_format, "channels_last")
    return resized(scope.call, value, (sizes[0], sizes[1]), scope.choice(method, *METHODS), scope.flag(antialias))


def _old(scope: Scope, x: Any, size: Any, method: str, corners: Any, centers: Any) -> int:
    """As TensorFlow 1 resized: from the corners of pixels, or with the outermost ones in their places."""
    value = scope.image(x)
    height, width = scope.integers(size)
    if scope.flag(centers):
        return resized(scope.call, value, (height, width), method)
    origin = "aligned" if scope.flag(corners) else "corner"
    return resized(scope.call, value, (height, width), f"{method}_{origin}")


_OLD = "images size align_corners half_pixel_centers"


@operation(f"raw.ResizeBilinear {_OLD}", f"compat.v1.image.resize_bilinear {_OLD}")
def resize_bilinear(scope: Scope, x: Any, size: Any, corners: Any = False, centers: Any = False) -> int:
    """An image interpolated as TensorFlow 1 did."""
    return _old(scope, x, size, "bilinear", corners, centers)


@operation(f"raw.ResizeNearestNeighbor {_OLD}", f"compat.v1.image.resize_nearest_neighbor {_OLD}")
def resize_nearest(scope: Scope, x: Any, size: Any, corners: Any = False, centers: Any = False) -> int:
    """An image of nearest pixels as TensorFlow 1 took them."""
    return _old(scope, x, size, "nearest", corners, centers)


@operation(
    "compat.v1.image.resize images size method align_corners preserve_aspect_ratio name",
    "compat.v1.image.resize_images images size method align_corners preserve_aspect_ratio name",
)
def resize_images(
    scope: Scope, x: Any, size: Any, method: Any = 0, corners: Any = False, ratio: Any = False, name: Any = None
) -> int:
    """An image in another size as TensorFlow 1 did; 0 is bilinear, 1 nearest."""
    if scope.flag(ratio):
        raise scope.refuse("preserve_aspect_ratio is not supported")
    methods = {0: "bilinear", 1: "nearest", "bilinear": "bilinear", "nearest": "nearest"}
    if method not in methods:
        raise scope.refuse(f"the method {repr(method)[:40]} is not supported")
    return _old(scope, x, size, methods[method], corners, False)


@operation("image.resize_with_pad image target_height target_width method antialias")
def resize_with_pad(
    scope: Scope, x: Any, height: Any, width: Any, method: Any = "bilinear", antialias: Any = False
) -> int:
    """An image resized within a frame, with zeros beside it or above and below."""
    value = scope.image(x)
    size = scope.integer(height), scope.integer(width)
    h, w, _ = scope.shape(value)
    ratio = max(np.float32(w) / np.float32(size[1]), np.float32(h) / np.float32(size[0]))
    inner = int(np.floor(np.float32(h) / ratio)), int(np.floor(np.float32(w) / ratio))
    word = scope.choice(method, *METHODS)
    y = resized(scope.call, value, inner, word, scope.flag(antialias))
    top, left = (max((a - b) // 2, 0) for a, b in zip(size, inner, strict=True))
    return framed(scope, y, (top, size[0] - inner[0] - top), (left, size[1] - inner[1] - left))


@operation("image.convert_image_dtype image dtype saturate")
def converted(scope: Scope, x: Any, dtype: Any, saturate: Any = False) -> int:
    """The image itself, where it stays floating point."""
    if "float" not in str(dtype):
        raise scope.refuse(f"images of {repr(dtype)[:40]} are not supported")
    return scope.value(x)
