"""The comparison itself: it lets rounding pass and nothing else."""

import numpy as np
import pytest

from tests.checking import assert_close

KINDS = ("probabilities", "logits", "values")


def sample(kind: str) -> np.ndarray:
    values = np.random.default_rng(1).normal(size=(6, 5, 8))
    if kind == "probabilities":
        values = np.exp(values) / np.exp(values).sum(-1, keepdims=True)
    return values


@pytest.mark.parametrize("kind", KINDS)
def test_rounding_passes(kind: str) -> None:
    expected = sample(kind)
    assert_close(expected.astype(np.float32), expected, kind)
    assert_close(expected * (1 + 5e-5), expected, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "spoil",
    [
        np.zeros_like,
        lambda x: np.roll(x, 1, axis=-1),
        lambda x: np.roll(x, 1, axis=0),
        lambda x: x * 1.01,
        lambda x: x + 1e-3,
        lambda x: -x,
        lambda x: np.where(np.arange(x.size).reshape(x.shape) == 17, x * 1.01, x),
        lambda x: np.where(np.arange(x.size).reshape(x.shape) == 17, np.nan, x),
        lambda x: x[:-1],
        lambda x: x[..., None],
    ],
    ids=[
        "zeros",
        "shifted_channel",
        "shifted_image",
        "one_percent",
        "offset",
        "sign",
        "one_entry",
        "nan",
        "rows",
        "rank",
    ],
)
def test_errors_are_rejected(kind: str, spoil) -> None:
    expected = sample(kind)
    with pytest.raises(AssertionError):
        assert_close(spoil(expected), expected, kind)


def test_nan_and_infinity_must_stand_in_the_same_places() -> None:
    expected = np.array([1.0, np.nan, np.inf, -np.inf])
    assert_close(expected, expected, "values")
    for spoiled in ([np.nan, 1.0, np.inf, -np.inf], [1.0, np.nan, -np.inf, -np.inf], [1.0, np.nan, 3e38, -np.inf]):
        with pytest.raises(AssertionError):
            assert_close(np.array(spoiled), expected, "values")


def test_another_best_class_is_rejected_unless_it_is_a_tie() -> None:
    assert_close(np.array([[0.50001, 0.5]]), np.array([[0.5, 0.50001]]), "probabilities")
    wide = np.array([[2000.0, 1999.95]])
    assert_close(wide[:, ::-1], wide, "values")
    with pytest.raises(AssertionError, match="largest"):
        assert_close(wide[:, ::-1], wide, "logits")
