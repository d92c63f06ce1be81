"""How a model's input holds an image: of which size, and in which order of axes."""

from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError

CHANNELS = (1, 3)
SMALLEST_SIDE = 8

Size = tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """An image (height, width, channels) as the model takes it: its channels last or first, none of it, or all flat."""

    height: int
    width: int
    channels: int
    order: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return self.height, self.width, self.channels

    def arranged(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """(h, w, c) as the model takes it."""
        if self.order == "flat":
            return x.reshape(-1)
        if self.order == "none":
            return x[..., 0]
        return np.ascontiguousarray(x.transpose(2, 0, 1)) if self.order == "first" else x


def layout_of(shape: Any, size: Size | None, name: str) -> Layout:
    """The layout of an input (None, ...); `size` is (height, width) where the input leaves it open.

    Images lie as (h, w), (h, w, 1 or 3), (1 or 3, h, w), or flat: h · w or h · w · 3 numbers, of a square if `size` is
    None. Raises InputError for another input, and for a size that is not its own.
    """
    axes = shape[1:] if isinstance(shape, tuple) else ()
    if len(axes) == 1 and isinstance(axes[0], int):
        return _flat(axes[0], size, name, shape)
    if len(axes) == 2:
        found, channels, order = axes, 1, "none"
    elif len(axes) == 3 and axes[2] in CHANNELS:
        found, channels, order = axes[:2], axes[2], "last"
    elif len(axes) == 3 and axes[0] in CHANNELS:
        found, channels, order = axes[1:], axes[0], "first"
    else:
        raise _no_image(shape, name)
    if size is not None and any(given not in (None, asked) for given, asked in zip(found, size, strict=True)):
        raise InputError(f"{name}: the input {shape} is not of {size[0]} × {size[1]} pixels")
    if size is None and None in found:
        raise InputError(f"{name}: the input {shape} leaves the size of images open: --size 224 (in Python size=224)")
    height, width = size or found
    return Layout(height, width, channels, order)


def _flat(count: int, size: Size | None, name: str, shape: Any) -> Layout:
    for channels in CHANNELS:
        side = isqrt(count // channels)
        height, width = size or (side, side)
        if height * width * channels == count and min(height, width) >= SMALLEST_SIDE:
            return Layout(height, width, channels, "flat")
    if size is not None:
        raise InputError(f"{name}: the input {shape} is not of {size[0]} × {size[1]} pixels, grey or in colour")
    raise _no_image(shape, name)


def _no_image(shape: Any, name: str) -> InputError:
    return InputError(f"{name}: images need an input (None, h, w), (None, h, w, 1) or (None, h, w, 3), not {shape}")
