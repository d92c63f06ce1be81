"""Bring an image to a model's size."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def bilinear(image: NDArray[Any], height: int, width: int) -> NDArray[np.float32]:
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


def _neighbours(size: int, wanted: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """For each output position the input positions below and above it, and its distance from the lower one."""
    half = np.float32(0.5)
    scale = np.float32(size) / np.float32(wanted)
    centre = (np.arange(wanted, dtype=np.float32) + half) * scale - half
    floor = np.floor(centre)
    below = np.maximum(floor.astype(np.intp), 0)
    above = np.minimum(floor.astype(np.intp) + 1, size - 1)
    return below, above, centre - floor


def _pick(image: NDArray[Any], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
    return image[rows[:, None], columns].astype(np.float32)


def _lerp(a: NDArray[np.float32], b: NDArray[np.float32], t: NDArray[np.float32]) -> NDArray[np.float32]:
    return a + (b - a) * t
