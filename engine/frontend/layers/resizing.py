"""Layers that change the size of images."""

import numpy as np
from numpy.typing import NDArray

from engine.frontend.call import Call
from engine.frontend.layers.geometry import crop, dimensions, on_channels_last, repeat, require_rank
from engine.frontend.layers.interpolation import METHODS, taps
from engine.frontend.registry import layer
from engine.ir.ops import Binary, Pad, Pair, Resample


def resize(call: Call, x: int, size: Pair, method: str, antialias: bool = False) -> int:
    """An image (..., h, w, c) in another size, as `tf.image.resize` computes it."""
    if call.shape(x)[-3:-1] == size:
        return x
    for axis, result in zip((-3, -2), size, strict=True):
        extent = call.shape(x)[axis]
        table = taps(method, extent, result, antialias)
        if table.weights.shape[1] == 1 and table.starts == tuple(range(extent)):
            continue
        name = f"{method}_{extent}_to_{result}"
        w = call.derive(name, table.weights.shape, lambda weights=table.weights: weights)  # type: ignore[misc]
        x = call.emit(Resample(axis, table.starts), x, w)
    return x


def smart_resize(call: Call, x: int, size: Pair, method: str, antialias: bool = False) -> int:
    """The largest part around the centre with the proportions of `size`, resized."""
    h, w = call.shape(x)[-3:-1]
    height = max(min(h, int(np.float32(w * size[0]) / np.float32(size[1]))), 1)
    width = max(min(w, int(np.float32(h * size[1]) / np.float32(size[0]))), 1)
    top, left = (h - height) // 2, (w - width) // 2
    x = crop(call, x, ((top, h - height - top), (left, w - width - left)))
    return resize(call, x, size, method, antialias)


def _padded(call: Call, x: int, size: Pair) -> int:
    """As many borders above and below, or left and right, as the proportions of `size` ask for."""
    h, w, _ = call.shape(x)
    height = max(h, int(np.float32(w * size[0]) / np.float32(size[1])))
    width = max(w, int(np.float32(h * size[1]) / np.float32(size[0])))
    top, left = (height - h) // 2, (width - w) // 2
    if top == left == 0:
        return x
    fill = call.config.number("fill_value", 0.0)
    y = call.emit(Pad(((top, top), (left, left))), x)
    if fill == 0.0:
        return y

    def border() -> NDArray[np.float64]:
        values = np.full((h + 2 * top, w + 2 * left, 1), fill)
        values[top : top + h, left : left + w] = 0.0
        return values

    return call.emit(Binary("add"), y, call.derive("border", (h + 2 * top, w + 2 * left, 1), border))


@layer("UpSampling1D", "UpSampling2D", "UpSampling3D")
def up_sampling(call: Call) -> int:
    """Every element several times in turn, or an image interpolated to a multiple of its size."""
    rank = dimensions(call)
    size = call.config.sizes("size", rank, 2)
    require_rank(call, call.x, rank + 1)
    method = call.config.choice("interpolation", METHODS, "nearest") if rank == 2 else "nearest"

    def compute(x: int) -> int:
        if method == "nearest":
            return repeat(call, x, size)
        h, w, _ = call.shape(x)
        return resize(call, x, (h * size[0], w * size[1]), method)

    return on_channels_last(call, call.x, compute)


@layer("Resizing", ignored=("fill_mode", "fill_value"))
def resizing(call: Call) -> int:
    """An image in a given size, stretched, cropped or framed."""
    config = call.config
    size = config.integer("height"), config.integer("width")
    method, antialias = config.choice("interpolation", METHODS, "bilinear"), config.flag("antialias", False)
    cropped, padded = config.flag("crop_to_aspect_ratio", False), config.flag("pad_to_aspect_ratio", False)

    def compute(x: int) -> int:
        require_rank(call, x, 3)
        if cropped:
            return smart_resize(call, x, size, method, antialias)
        return resize(call, _padded(call, x, size) if padded else x, size, method, antialias)

    return on_channels_last(call, call.x, compute)


@layer("CenterCrop")
def center_crop(call: Call) -> int:
    """The middle of an image; one that is too small is cropped to the proportions and resized."""
    size = call.config.integer("height"), call.config.integer("width")

    def compute(x: int) -> int:
        h, w, _ = require_rank(call, x, 3)
        if h < size[0] or w < size[1]:
            return smart_resize(call, x, size, "bilinear")
        top, left = (h - size[0]) // 2, (w - size[1]) // 2
        return crop(call, x, ((top, h - size[0] - top), (left, w - size[1] - left)))

    return on_channels_last(call, call.x, compute)


@layer("RandomCrop", ignored=("data_format",))
def random_crop(call: Call) -> int:
    """Outside of training, the largest part of the right proportions, resized; since Keras 3.8 the image itself."""
    size = call.config.integer("height"), call.config.integer("width")
    if (call.dialect.major, call.dialect.minor) >= (3, 8):
        return call.x

    def compute(x: int) -> int:
        require_rank(call, x, 3)
        return smart_resize(call, x, size, "bilinear")

    return on_channels_last(call, call.x, compute)
