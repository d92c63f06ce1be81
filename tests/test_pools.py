"""Pools as functions of arrays: the worked examples, definitions written out, what is refused."""

from typing import Any

import numpy as np
import pytest

import engine

FOUR = np.arange(1, 17, dtype=np.float32).reshape(4, 4)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("max", [[6, 8], [14, 16]]),
        ("average", [[3.5, 5.5], [11.5, 13.5]]),
        ("l2", [[66**0.5, 138**0.5], [546**0.5, 746**0.5]]),
        ("stochastic", [[66 / 14, 138 / 22], [546 / 46, 746 / 54]]),
        ("global_max", 16),
        ("global_average", 8.5),
    ],
)
def test_the_worked_example(kind: Any, expected: Any) -> None:
    np.testing.assert_allclose(engine.pool2d(FOUR, kind), expected, rtol=1e-6)


def test_three_by_three_over_five_by_five() -> None:
    x = np.arange(1, 26).reshape(5, 5)
    np.testing.assert_array_equal(engine.pool2d(x, "max", 3, 1), [[13, 14, 15], [18, 19, 20], [23, 24, 25]])


def windows(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """(n, oh, ow, c, cells) of an image padded as "same" asks, with NaN."""
    total = [max((-(-n // stride) - 1) * stride + size - n, 0) for n in x.shape[1:3]]
    pads = [(0, 0), *((t // 2, t - t // 2) for t in total), (0, 0)]
    padded = np.pad(x, pads, constant_values=np.nan)
    view = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (1, 2))[:, ::stride, ::stride]
    return view.reshape(*view.shape[:4], -1)


@pytest.mark.parametrize(
    ("kind", "compute"),
    [
        ("max", lambda w: np.nanmax(w, -1)),
        ("average", lambda w: np.nanmean(w, -1)),
        ("lp", lambda w: np.nansum(np.abs(w) ** 3, -1) ** (1 / 3)),
    ],
)
def test_batches_channels_and_same_padding(kind: Any, compute: Any) -> None:
    x = np.random.default_rng(1).normal(size=(3, 7, 6, 5)).astype(np.float32)
    found = engine.pool2d(x, kind, 3, 2, "same", p=3.0)
    np.testing.assert_allclose(found, compute(windows(x.astype(np.float64), 3, 2)), rtol=2e-6, atol=1e-6)
    np.testing.assert_array_equal(engine.pool2d(x[1], kind, 3, 2, "same", p=3.0), found[1])


def test_global_pools_keep_axes_if_they_are_told_to() -> None:
    x = np.random.default_rng(2).normal(size=(2, 3, 4, 5)).astype(np.float32)
    assert engine.pool2d(x, "global_max").shape == (2, 5)
    np.testing.assert_array_equal(engine.pool2d(x, "global_max", keepdims=True), x.max((1, 2), keepdims=True))


@pytest.mark.parametrize("overlapping", [False, True])
def test_fractional_regions_cover_the_image(overlapping: bool) -> None:
    x = np.random.default_rng(3).normal(size=(9, 11)).astype(np.float32)
    y = engine.pool2d(x, "fractional_max", pooling_ratio=(1.5, 1.4), overlapping=overlapping, seed=5)
    assert y.shape == (6, 7)
    assert y.max() == x.max()
    np.testing.assert_array_equal(
        y, engine.pool2d(x, "fractional_max", pooling_ratio=(1.5, 1.4), overlapping=overlapping, seed=5)
    )
    mean = engine.pool2d(np.ones((9, 9)), "fractional_average", pooling_ratio=1.3, pseudo_random=True)
    np.testing.assert_allclose(mean, np.ones((6, 6)), rtol=1e-6)


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.zeros(4), {}, r"found shape \(4,\)"),
        (FOUR, {"kind": "median"}, "kind: expected one of max"),
        (FOUR, {"pool_size": 5}, "does not fit an axis of 4"),
        (FOUR, {"pool_size": 0}, "pool_size"),
        (FOUR, {"strides": (1, 2, 3)}, "strides"),
        (FOUR, {"padding": "full"}, "padding"),
        (FOUR, {"kind": "lp", "p": -1.0}, "exponent"),
        (FOUR, {"kind": "fractional_max", "pooling_ratio": 9.0}, "9.0 times smaller"),
    ],
)
def test_what_does_not_fit_is_refused(x: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(engine.InputError, match=message):
        engine.pool2d(x, **options)
