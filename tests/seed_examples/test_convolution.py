"""The worked examples of convolution: through the public interface, and on every kernel that can run them."""

from itertools import product
from math import floor

import numpy as np
import pytest

from engine.ir.ops import RELU, Conv, DepthwiseConv, Pool
from tests.seed_examples.tools import Array, Build, a, check_everywhere, counting, everywhere, image

FIVE = counting(5, 5)
EDGE = np.array([[1, 0, -1]] * 3, np.float32)[..., None, None]
MAP = image([-6, -6, -6], [-6, -6, -6], [-6, -6, -6])


def correlate(x: Array, w: Array, stride: int) -> Array:
    """Multiply corresponding elements of each patch and sum, for one image of one channel and one filter."""
    k = w.shape[0]
    rows = range(0, x.shape[0] - k + 1, stride)
    columns = range(0, x.shape[1] - k + 1, stride)
    return np.array([[(x[i : i + k, j : j + k] * w).sum() for j in columns] for i in rows], np.float32)


def integers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(np.float32)


def test_the_edge_kernel_gives_minus_six_everywhere(keras: Build) -> None:
    assert (np.array([[1, 2, 3], [6, 7, 8], [11, 12, 13]]) * EDGE[..., 0, 0]).sum() == -6
    model = keras((5, 5, 1), a("Conv2D", EDGE, strides=1, padding="valid"))
    assert model.output_shape == (None, 3, 3, 1)
    np.testing.assert_array_equal(model.predict(FIVE), MAP)
    check_everywhere(MAP, Conv(), FIVE, EDGE)


@pytest.mark.parametrize(("padding", "expected"), [("valid", image([-6])), ("same", image([-6, -6], [-6, -6]))])
def test_then_a_pool_of_the_feature_map(padding: str, expected: Array, keras: Build) -> None:
    pool = a("MaxPooling2D", pool_size=2, strides=2, padding=padding)
    np.testing.assert_array_equal(keras((5, 5, 1), a("Conv2D", EDGE), pool).predict(FIVE), expected)
    pads = ((0, 1), (0, 1)) if padding == "same" else ((0, 0), (0, 0))
    check_everywhere(expected, Pool("max", (2, 2), (2, 2), pads), MAP)


def test_the_activation_comes_after_the_sum(keras: Build) -> None:
    model = keras((5, 5, 1), a("Conv2D", EDGE, [8.0], activation="relu"))
    np.testing.assert_array_equal(model.predict(FIVE), MAP + 8)
    np.testing.assert_array_equal(keras((5, 5, 1), a("Conv2D", EDGE, activation="relu")).predict(FIVE), MAP * 0)
    check_everywhere(MAP + 8, Conv(activation=RELU), FIVE, EDGE, [8.0])
    check_everywhere(MAP * 0, Conv(activation=RELU), FIVE, EDGE, [0.0])


def test_extent_formula_on_every_kernel() -> None:
    for size, k, p, s in product(range(1, 10), range(1, 5), range(3), range(1, 4)):
        if k <= size + 2 * p:
            x, w = counting(size, size), integers(k, k, 1, 1, seed=k)
            padded = np.pad(x[0, ..., 0], p)
            out = floor((size - k + 2 * p) / s) + 1
            expected = correlate(padded, w[..., 0, 0], s)
            assert expected.shape == (out, out)
            check_everywhere(expected[None, ..., None], Conv((s, s), ((p, p), (p, p))), x, w)


def test_extent_formula_through_the_public_interface(keras: Build) -> None:
    for size, k, p, s in product((4, 5, 6, 7), (1, 2, 3), (0, 1, 2), (1, 2, 3)):
        w = integers(k, k, 1, 1)
        model = keras((size, size, 1), a("ZeroPadding2D", padding=p), a("Conv2D", w, strides=s))
        out = floor((size - k + 2 * p) / s) + 1
        assert model.output_shape == (None, out, out, 1)
        expected = correlate(np.pad(counting(size, size)[0, ..., 0], p), w[..., 0, 0], s)
        np.testing.assert_array_equal(model.predict(counting(size, size))[0, ..., 0], expected)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 7])
def test_same_padding_keeps_height_and_width(k: int, keras: Build) -> None:
    model = keras((9, 10, 2), a("Conv2D", integers(k, k, 2, 3), padding="same"))
    assert model.output_shape == (None, 9, 10, 3)


def test_a_filter_sums_over_all_input_channels(keras: Build) -> None:
    x, w = integers(1, 6, 6, 3), integers(3, 3, 3, 2, seed=1)
    expected = np.stack([sum(correlate(x[0, ..., c], w[..., c, f], 1) for c in range(3)) for f in range(2)], -1)[None]
    np.testing.assert_array_equal(keras((6, 6, 3), a("Conv2D", w)).predict(x), expected)
    check_everywhere(expected, Conv(), x, w)


def test_a_filter_makes_its_own_feature_map(keras: Build) -> None:
    x, w = integers(1, 6, 6, 3), integers(3, 3, 3, 5, seed=1)
    whole = keras((6, 6, 3), a("Conv2D", w)).predict(x)
    for f in range(5):
        np.testing.assert_array_equal(keras((6, 6, 3), a("Conv2D", w[..., [f]])).predict(x), whole[..., [f]])


def test_an_input_that_shifts_shifts_the_feature_map(keras: Build) -> None:
    w, patch = integers(3, 3, 1, 4), integers(4, 4)
    x, shifted = np.zeros((2, 1, 12, 12, 1), np.float32)
    x[0, 1:5, 2:6, 0], shifted[0, 4:8, 6:10, 0] = patch, patch
    model = keras((12, 12, 1), a("Conv2D", w, padding="same"))
    np.testing.assert_array_equal(np.roll(model.predict(x), (3, 4), (1, 2)), model.predict(shifted))


def test_one_pixel_reaches_only_its_receptive_field(keras: Build) -> None:
    layers = [a("Conv2D", np.ones((3, 3, 1, 1)), padding="same") for _ in range(3)]
    x = np.zeros((1, 15, 15, 1), np.float32)
    x[0, 7, 7] = 1
    for depth in (1, 2, 3):
        touched = np.argwhere(keras((15, 15, 1), *layers[:depth]).predict(x)[0, ..., 0])
        np.testing.assert_array_equal([touched.min(0), touched.max(0)], [[7 - depth] * 2, [7 + depth] * 2])


def test_a_strided_convolution_in_place_of_a_pool(keras: Build) -> None:
    x = integers(2, 8, 8, 3) * 4
    w = np.zeros((2, 2, 3, 3), np.float32)
    w[:, :, range(3), range(3)] = 0.25
    pooled = keras((8, 8, 3), a("AveragePooling2D", pool_size=2, strides=2))
    strided = keras((8, 8, 3), a("Conv2D", w, strides=2))
    assert pooled.output_shape == strided.output_shape == (None, 4, 4, 3)
    np.testing.assert_array_equal(pooled.predict(x), strided.predict(x))
    check_everywhere(pooled.predict(x), Conv((2, 2)), x, w)
    learned = keras((8, 8, 3), a("Conv2D", integers(3, 3, 3, 6), strides=2, padding="same"))
    assert learned.output_shape == (None, 4, 4, 6)
    assert learned.count_params() == 3 * 3 * 3 * 6


def test_spatial_and_cross_channel_mixing_apart(keras: Build) -> None:
    x, depthwise, pointwise = integers(2, 7, 6, 3), integers(3, 3, 3, 2, seed=1), integers(1, 1, 6, 5, seed=2)
    layer = {
        "kind": "SeparableConv2D", "filters": 5, "kernel_size": 3, "depth_multiplier": 2, "use_bias": False,
        "weights": (depthwise, pointwise),
    }  # fmt: skip
    separable = keras((7, 6, 3), layer).predict(x)
    apart = keras(
        (7, 6, 3),
        {
            "kind": "DepthwiseConv2D",
            "kernel_size": 3,
            "depth_multiplier": 2,
            "use_bias": False,
            "weights": (depthwise,),
        },
        a("Conv2D", pointwise),
    )
    np.testing.assert_array_equal(separable, apart.predict(x))
    for _, spatial in everywhere(DepthwiseConv(), x, depthwise):
        check_everywhere(separable, Conv(), spatial, pointwise)
