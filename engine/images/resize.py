"""Bring an image to a model's size. Each way gives the bits of the original that it names, on the same pixels."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Floats = NDArray[np.float32]


def bilinear(image: NDArray[Any], height: int, width: int) -> Floats:
    """`image` (h, w, c) → (height, width, c) float32, bit for bit as `tf.image.resize` with its defaults.

    Half-pixel centres, no antialiasing, the aspect ratio is not kept. In float32:
    `t = tl + (tr − tl)·fx`, `b = bl + (br − bl)·fx`, `out = t + (b − t)·fy`.
    Source: TensorFlow, core/kernels/image/resize_bilinear_op.cc.
    """
    if image.shape[:2] == (height, width):
        return image.astype(np.float32)
    top, bottom, fy = _neighbours(image.shape[0], height)
    left, right, fx = _neighbours(image.shape[1], width)
    upper = _lerp(_pick(image, top, left), _pick(image, top, right), fx[None, :, None])
    lower = _lerp(_pick(image, bottom, left), _pick(image, bottom, right), fx[None, :, None])
    return _lerp(upper, lower, fy[:, None, None])


def nearest(image: NDArray[Any], height: int, width: int) -> Floats:
    """As Keras's `load_img` with a `target_size`: Pillow's NEAREST."""
    return _pick(image, _nearest_indices(image.shape[0], height), _nearest_indices(image.shape[1], width))


def lanczos_fit(image: NDArray[Any], height: int, width: int) -> Floats:
    """As Teachable Machine: `ImageOps.fit` with LANCZOS, which cuts off what does not fit the aspect ratio."""
    return _through_pillow(image, lambda picture: ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS))


def crop(image: NDArray[Any], height: int, width: int) -> Floats:
    """As `image_dataset_from_directory(crop_to_aspect_ratio=True)` and `smart_resize`: the middle, then `bilinear`."""
    h, w = image.shape[:2]
    kept_h = max(1, min(h, int(np.float32(w * height) / np.float32(width))))
    kept_w = max(1, min(w, int(np.float32(h * width) / np.float32(height))))
    top, left = (h - kept_h) // 2, (w - kept_w) // 2
    return bilinear(image[top : top + kept_h, left : left + kept_w], height, width)


def pad(image: NDArray[Any], height: int, width: int) -> Floats:
    """As `image_dataset_from_directory(pad_to_aspect_ratio=True)`: `tf.image.resize_with_pad`, black all around."""
    h, w = np.float32(image.shape[0]), np.float32(image.shape[1])
    ratio = max(w / np.float32(width), h / np.float32(height))
    fitted_h, fitted_w = h / ratio, w / ratio
    top = max(0, int((np.float32(height) - fitted_h) / np.float32(2)))
    left = max(0, int((np.float32(width) - fitted_w) / np.float32(2)))
    fitted = bilinear(image, max(1, int(fitted_h)), max(1, int(fitted_w)))
    padded = np.zeros((height, width, image.shape[2]), np.float32)
    padded[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted
    return padded


RESIZE: Mapping[str, Callable[[NDArray[Any], int, int], Floats]] = MappingProxyType(
    {"keras": bilinear, "nearest": nearest, "lanczos-fit": lanczos_fit, "pad": pad, "crop": crop}
)


def _neighbours(size: int, wanted: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """For each output position the input positions below and above it, and its distance from the lower one."""
    half = np.float32(0.5)
    scale = np.float32(size) / np.float32(wanted)
    centre = (np.arange(wanted, dtype=np.float32) + half) * scale - half
    floor = np.floor(centre)
    below = np.maximum(floor.astype(np.intp), 0)
    above = np.minimum(floor.astype(np.intp) + 1, size - 1)
    return below, above, centre - floor


def _nearest_indices(size: int, wanted: int) -> NDArray[np.int32]:
    """Pillow adds up steps in float64, so it is asked which positions it takes."""
    positions = Image.fromarray(np.arange(size, dtype=np.int32)[None])
    taken: NDArray[np.int32] = np.asarray(positions.resize((wanted, 1), Image.Resampling.NEAREST))[0]
    return taken


def _pick(image: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any]) -> Floats:
    picked: NDArray[Any] = image[rows[:, None], columns]
    return picked.astype(np.float32)


def _lerp(a: Floats, b: Floats, t: Floats) -> Floats:
    return a + (b - a) * t


def _through_pillow(image: NDArray[Any], function: Callable[[Image.Image], Image.Image]) -> Floats:
    """Whole for bytes, channel by channel for float32."""
    if image.dtype == np.uint8:
        picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
        made = np.asarray(function(picture), np.float32)
        return made.reshape(*made.shape[:2], image.shape[2])
    planes = [function(Image.fromarray(np.ascontiguousarray(plane))) for plane in np.moveaxis(image, 2, 0)]
    return np.stack([np.asarray(plane, np.float32) for plane in planes], axis=2)
