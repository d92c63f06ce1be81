"""The colours of maps: zero is dark, what is above it warm, what is below it blue."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

WARM = ((13, 11, 20), (59, 15, 92), (140, 41, 99), (222, 73, 60), (252, 140, 40), (252, 220, 130), (255, 252, 230))
COOL = ((13, 11, 20), (16, 42, 92), (24, 94, 160), (70, 160, 210), (190, 230, 245))


def coloured(values: NDArray[np.floating]) -> Pixels:
    """(...) numbers of −1 to 1 → (..., 3)."""
    place = np.clip(np.nan_to_num(values), -1, 1)
    warm, cool = _scale(WARM, place.clip(0)), _scale(COOL, (-place).clip(0))
    return np.where(place[..., None] < 0, cool, warm).astype(np.uint8)


def _scale(stops: tuple[tuple[int, ...], ...], place: NDArray[np.floating]) -> NDArray[np.floating]:
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(place, at, [stop[k] for stop in stops]) for k in range(3)], axis=-1) + 0.5


def heat(values: NDArray[np.floating], gamma: float = 1.0) -> Pixels:
    """Numbers on a scale of their own."""
    top = float(np.abs(np.nan_to_num(values)).max())
    return coloured(np.sign(values) * (np.abs(values) / top) ** gamma if top else np.zeros_like(values))
