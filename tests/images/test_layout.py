"""Which inputs can hold an image, and how."""

from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.images.layout import Layout, layout_of


@pytest.mark.parametrize(
    ("shape", "size", "layout"),
    [
        ((None, 28, 30), None, Layout(28, 30, 1, "none")),
        ((None, 28, 30, 1), None, Layout(28, 30, 1, "last")),
        ((None, 28, 30, 3), (28, 30), Layout(28, 30, 3, "last")),
        ((None, 1, 28, 30), None, Layout(28, 30, 1, "first")),
        ((None, 3, 224, 224), None, Layout(224, 224, 3, "first")),
        ((None, 3, 3, 3), None, Layout(3, 3, 3, "last")),
        ((None, None, None, 3), (5, 6), Layout(5, 6, 3, "last")),
        ((None, 3, None, None), (5, 6), Layout(5, 6, 3, "first")),
        ((None, 32, None, 1), (32, 100), Layout(32, 100, 1, "last")),
        ((None, None, None), (5, 6), Layout(5, 6, 1, "none")),
        ((None, 784), None, Layout(28, 28, 1, "flat")),
        ((None, 3072), None, Layout(32, 32, 3, "flat")),
        ((None, 64), None, Layout(8, 8, 1, "flat")),
        ((None, 784), (14, 56), Layout(14, 56, 1, "flat")),
        ((None, 6000), (50, 40), Layout(50, 40, 3, "flat")),
    ],
    ids=str,
)
def test_layouts(shape: Any, size: Any, layout: Layout) -> None:
    assert layout_of(shape, size, "m.h5") == layout
    x = np.arange(np.prod(layout.shape), dtype=np.float32).reshape(layout.shape)
    arranged = layout.arranged(x)
    expected = {"first": x.transpose(2, 0, 1), "last": x, "none": x[..., 0], "flat": x.ravel()}[layout.order]
    assert np.array_equal(arranged, expected)
    assert all(given in (None, found) for given, found in zip(shape[1:], arranged.shape, strict=True))


@pytest.mark.parametrize(
    ("shape", "size", "reason"),
    [
        ((None, 28, 28, 1), (28, 27), "is not of 28 × 27 pixels"),
        ((None, 784), (28, 27), "is not of 28 × 27 pixels, grey or in colour"),
        ((None, None, None, 3), None, "leaves the size of images open: --size 224"),
        ((None, 32, None, 3), None, "leaves the size of images open"),
        ((None, None, None, None), (5, 5), "images need an input"),
        ((None, 28, 28, 2), None, "images need an input"),
        ((None, 3, 28, 28, 1), None, "images need an input"),
        ((None, 10), None, "images need an input"),
        ((None, 16), None, "images need an input"),
        ((None, 785), None, "images need an input"),
        ((None, None), None, "images need an input"),
        ((None,), None, "images need an input"),
        ([(None, 28, 28, 1)] * 2, None, "images need an input"),
    ],
    ids=str,
)
def test_inputs_that_are_no_image(shape: Any, size: Any, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        layout_of(shape, size, "m.h5")
    assert str(caught.value).startswith("m.h5: ")
    assert str(shape) in str(caught.value)
