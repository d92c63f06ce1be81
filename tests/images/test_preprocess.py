"""Scaling, and which images count as dark on light. What Keras's own modes compute is in test_golden.py."""

import numpy as np
import pytest

from engine.images.preprocess import PREPROCESS, border_mean, dark_on_light, inverted

LIGHT = np.full((5, 4, 1), 230, np.uint8)
DARK = 255 - LIGHT


def test_unit_and_none() -> None:
    x = np.arange(256, dtype=np.float32).reshape(16, 16, 1)
    assert np.array_equal(PREPROCESS["unit"](x), x / np.float32(255))
    assert np.array_equal(PREPROCESS["none"](x), x)
    assert all(PREPROCESS[name](np.ones((2, 2, 3), np.float32)).dtype == np.float32 for name in PREPROCESS)


def test_border_is_the_outermost_pixels_once_each() -> None:
    pixels = np.zeros((3, 4, 1), np.uint8)
    pixels[1, 1:3] = 255
    assert border_mean(pixels) == 0
    pixels[0, 0] = 100
    assert border_mean(pixels) == 10
    assert border_mean(np.full((1, 1, 3), 7, np.uint8)) == 7
    assert border_mean(np.full((2, 9, 1), 9.5, np.float32)) == 9.5


@pytest.mark.parametrize(("value", "bright"), [(127, False), (128, True)])
def test_bright_starts_above_127(value: int, bright: bool) -> None:
    assert dark_on_light(np.full((4, 4, 1), value, np.uint8)) is bright


def test_inversion() -> None:
    assert np.array_equal(inverted(LIGHT, "no"), LIGHT)
    assert np.array_equal(inverted(LIGHT, "yes"), DARK)
    assert np.array_equal(inverted(DARK, "yes"), LIGHT)
    assert np.array_equal(inverted(LIGHT, "auto"), DARK)
    assert np.array_equal(inverted(DARK, "auto"), DARK)
    assert np.array_equal(inverted(np.float32([[[0.5]]]), "yes"), [[[254.5]]])
