"""The worked examples of pooling: through the public interface, and on every kernel that can run them."""

from itertools import product
from math import floor

import numpy as np
import pytest

from engine.ir.ops import GlobalPool, Pool
from tests.seed_examples.tools import Array, Build, a, check_everywhere, counting, everywhere, image

FOUR = counting(4, 4)
FIVE = counting(5, 5)
KINDS = {"max": "MaxPooling2D", "mean": "AveragePooling2D"}


def max_pool(x: Array, k: int, s: int) -> Array:
    """The example's own pseudocode, for one image of one channel."""
    h, w = x.shape
    out = np.zeros((floor((h - k) / s) + 1, floor((w - k) / s) + 1), np.float32)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = x[i * s : i * s + k, j * s : j * s + k].max()
    return out


def test_maximum_of_two_by_two(keras: Build) -> None:
    expected = image([6, 8], [14, 16])
    model = keras((4, 4, 1), a("MaxPooling2D", pool_size=[2, 2], strides=[2, 2]))
    np.testing.assert_array_equal(model.predict(FOUR), expected)
    check_everywhere(expected, Pool("max", (2, 2), (2, 2)), FOUR)


def test_average_of_two_by_two(keras: Build) -> None:
    expected = image([3.5, 5.5], [11.5, 13.5])
    model = keras((4, 4, 1), a("AveragePooling2D", pool_size=[2, 2], strides=[2, 2]))
    np.testing.assert_array_equal(model.predict(FOUR), expected)
    check_everywhere(expected, Pool("mean", (2, 2), (2, 2)), FOUR)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("max", image([13, 14, 15], [18, 19, 20], [23, 24, 25])),
        ("mean", image([7, 8, 9], [12, 13, 14], [17, 18, 19])),
    ],
)
def test_three_by_three_slides_over_five_by_five(kind: str, expected: Array, keras: Build) -> None:
    model = keras((5, 5, 1), a(KINDS[kind], pool_size=3, strides=1))
    assert model.output_shape == (None, 3, 3, 1)
    np.testing.assert_array_equal(model.predict(FIVE), expected)
    check_everywhere(expected, Pool(kind, (3, 3), (1, 1)), FIVE)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_pooling_has_no_weights_and_keeps_the_channels(kind: str, keras: Build) -> None:
    model = keras((6, 6, 7), a(KINDS[kind], pool_size=2, strides=2))
    assert model.output_shape == (None, 3, 3, 7)
    assert model.count_params() == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [2, 3, 17])
def test_channels_never_mix(kind: str, channels: int, keras: Build) -> None:
    x = np.random.default_rng(0).integers(-9, 9, (2, 6, 6, channels)).astype(np.float32)
    op = Pool(kind, (3, 2), (2, 1))  # type: ignore[arg-type]
    alone = {c: dict(everywhere(op, x[..., c : c + 1])) for c in range(channels)}
    for title, whole in everywhere(op, x):
        for c in range(channels):
            np.testing.assert_array_equal(whole[..., c], alone[c][title][..., 0], err_msg=title)
    model = keras((6, 6, channels), a(KINDS[kind], pool_size=[3, 2], strides=[2, 1]))
    changed = x.copy()
    changed[..., 0] = 100
    before, after = model.predict(x), model.predict(changed)
    np.testing.assert_array_equal(before[..., 1:], after[..., 1:])
    assert not np.array_equal(before[..., 0], after[..., 0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_stride_is_the_window_unless_it_is_given(kind: str, keras: Build) -> None:
    assert keras((28, 28, 1), a(KINDS[kind], pool_size=2)).output_shape == (None, 14, 14, 1)
    assert keras((27, 27, 1), a(KINDS[kind], pool_size=[3, 3], strides=None)).output_shape == (None, 9, 9, 1)


def test_the_pseudocode(keras: Build) -> None:
    x = np.random.default_rng(1).standard_normal((9, 11)).astype(np.float32)
    for k, s in product(range(1, 6), range(1, 5)):
        expected = max_pool(x, k, s)[None, ..., None]
        check_everywhere(expected, Pool("max", (k, k), (s, s)), x[None, ..., None])
        model = keras((9, 11, 1), a("MaxPooling2D", pool_size=k, strides=s))
        np.testing.assert_array_equal(model.predict(x[None, ..., None]), expected)


def test_extent_formula_on_every_kernel() -> None:
    for size, k, p, s in product(range(1, 10), range(1, 5), range(3), range(1, 4)):
        if p < k <= size + 2 * p:
            expected = floor((size - k + 2 * p) / s) + 1
            x = counting(size, size)
            padded = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)), constant_values=-np.inf)[0, ..., 0]
            maxima = max_pool(padded, k, s)[None, ..., None]
            assert maxima.shape == (1, expected, expected, 1)
            check_everywhere(maxima, Pool("max", (k, k), (s, s), ((p, p), (p, p))), x)
            for title, found in everywhere(Pool("mean", (k, k), (s, s), ((p, p), (p, p))), x):
                assert found.shape == (1, expected, expected, 1), title


def test_extent_formula_through_the_public_interface(keras: Build) -> None:
    for size, k, p, s in product((4, 5, 6, 7), (1, 2, 3), (0, 1, 2), (1, 2, 3)):
        for kind in KINDS.values():
            model = keras((size, size, 1), a("ZeroPadding2D", padding=p), a(kind, pool_size=k, strides=s))
            out = floor((size - k + 2 * p) / s) + 1
            assert model.output_shape == (None, out, out, 1)
            assert model.predict(counting(size, size)).shape == (1, out, out, 1)


def test_overlapping_windows(keras: Build) -> None:
    x = counting(7, 7)
    expected = image([17, 19, 21], [31, 33, 35], [45, 47, 49])
    np.testing.assert_array_equal(keras((7, 7, 1), a("MaxPooling2D", pool_size=3, strides=2)).predict(x), expected)
    check_everywhere(expected, Pool("max", (3, 3), (2, 2)), x)
    check_everywhere(expected - 8, Pool("mean", (3, 3), (2, 2)), x)


def test_same_padding_keeps_what_is_at_the_edge(keras: Build) -> None:
    model = keras((5, 5, 1), a("MaxPooling2D", pool_size=2, strides=2, padding="same"))
    np.testing.assert_array_equal(model.predict(FIVE), image([7, 9, 10], [17, 19, 20], [22, 24, 25]))
    model = keras((5, 5, 1), a("AveragePooling2D", pool_size=2, strides=2, padding="same"))
    np.testing.assert_array_equal(model.predict(FIVE), image([4, 6, 7.5], [14, 16, 17.5], [21.5, 23.5, 25]))


@pytest.mark.parametrize(("kind", "expected"), [("Max", 25.0), ("Average", 13.0)])
def test_a_whole_feature_map_becomes_one_number(kind: str, expected: float, keras: Build) -> None:
    x = np.concatenate([FIVE, -FIVE], -1)
    small = expected if kind == "Average" else 1.0
    layer = f"Global{kind}Pooling2D"
    np.testing.assert_array_equal(keras((5, 5, 2), a(layer)).predict(x), [[expected, -small]])
    kept = keras((5, 5, 2), a(layer, keepdims=True))
    assert kept.output_shape == (None, 1, 1, 2)
    np.testing.assert_array_equal(kept.predict(x), [[[[expected, -small]]]])
    for keepdims in (False, True):
        op = GlobalPool("max" if kind == "Max" else "mean", keepdims)
        check_everywhere(np.reshape([expected, -small], (1, 1, 1, 2) if keepdims else (1, 2)), op, x)


def test_a_small_shift_may_go_unseen(keras: Build) -> None:
    model = keras((4, 4, 1), a("MaxPooling2D", pool_size=2, strides=2))
    one, shifted = np.zeros((2, 1, 4, 4, 1), np.float32)
    one[0, 0, 0], shifted[0, 1, 1] = 5, 5
    np.testing.assert_array_equal(model.predict(one), model.predict(shifted))


def test_maximum_keeps_the_strongest_and_average_smooths(keras: Build) -> None:
    x = image([0, 0], [0, 8])
    assert keras((2, 2, 1), a("MaxPooling2D", pool_size=2)).predict(x).item() == 8
    assert keras((2, 2, 1), a("AveragePooling2D", pool_size=2)).predict(x).item() == 2
