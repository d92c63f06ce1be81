"""Turn pixels into what a model was trained on: scaling, and light strokes on dark."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.images.decode import Pixels

Floats: TypeAlias = NDArray[np.float32]

INVERT = ("no", "yes", "auto")
BRIGHT_BORDER = 127


def none(x: Floats) -> Floats:
    """0 to 255, as decoded."""
    return x


def unit(x: Floats) -> Floats:
    """0 to 1."""
    return x / np.float32(255)


def tf(x: Floats) -> Floats:
    """−1 to 1. Source: keras.applications.imagenet_utils, as the two below."""
    return x / np.float32(127.5) - np.float32(1)


def caffe(x: Floats) -> Floats:
    """Blue, green, red, each less the mean of ImageNet."""
    return x[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)


def torch(x: Floats) -> Floats:
    """0 to 1, then less the mean of ImageNet and divided by its deviation, by channel."""
    mean = np.array([0.485, 0.456, 0.406], np.float32)
    deviation = np.array([0.229, 0.224, 0.225], np.float32)
    return (unit(x) - mean) / deviation


PREPROCESS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {"none": none, "unit": unit, "tf": tf, "caffe": caffe, "torch": torch, "mnist": unit, "teachable-machine": tf}
)
COLOUR_ONLY = frozenset({"caffe", "torch"})
IMPLIED_RESIZE = MappingProxyType({"teachable-machine": "lanczos-fit"})
IMPLIED_INVERT = MappingProxyType({"mnist": "auto"})


@dataclass(frozen=True)
class Scaling:
    """`(x · scale − mean) / std`, in float32; mean and std hold one number, or one for each channel."""

    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __call__(self, x: Floats) -> Floats:
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        scaled: Floats = (x * np.float32(self.scale) - mean) / std
        return scaled

    def __str__(self) -> str:
        mean, std = (",".join(f"{value:g}" for value in values) for values in (self.mean, self.std))
        return f"(x · {self.scale:g} − {mean}) / {std}"

    def to_dict(self) -> dict[str, Any]:
        """Plain types, as in a sidecar."""
        return {"scale": self.scale, "mean": list(self.mean), "std": list(self.std)}


Preprocess: TypeAlias = str | Scaling


def preprocessed(x: Floats, how: Preprocess) -> Floats:
    """`x` (h, w, c) of 0 to 255, as a model wants it."""
    return how(x) if isinstance(how, Scaling) else PREPROCESS[how](x)


def border_mean(pixels: Pixels) -> float:
    """Mean over the outermost rows and columns of (h, w, c), each pixel counted once."""
    inner = pixels[1:-1, 1:-1]
    total = pixels.sum(dtype=np.float64) - inner.sum(dtype=np.float64)
    return float(total / (pixels.size - inner.size))


def dark_on_light(pixels: Pixels) -> bool:
    """Whether the border is bright."""
    return border_mean(pixels) > BRIGHT_BORDER


def inverted(pixels: Pixels, invert: str) -> Pixels:
    """`pixels`, or 255 less `pixels` if `invert` says yes, or says auto and the border is bright."""
    return 255 - pixels if invert == "yes" or (invert == "auto" and dark_on_light(pixels)) else pixels
