"""The one comparison of a model's numbers with another's."""

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Kind: TypeAlias = Literal["probabilities", "logits", "values"]

MARGIN = 1e-4


def assert_close(found: NDArray[Any], expected: NDArray[Any], kind: Kind) -> None:
    """Raise `AssertionError` unless `found` is what `expected` says, within the tolerance of its kind.

    Probabilities: |d| ≤ 1e-5 + 1e-4·|expected|. Logits and values: |d| ≤ 1e-5·max|expected| + 1e-4·|expected|.
    Probabilities and logits must also agree in the largest entry of the last axis, unless the two largest are closer
    than 1e-4. NaN and infinities must stand in the same places.
    """
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape, f"shape {found.shape}, expected {expected.shape}"
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(found[~finite], expected[~finite])
    largest = np.abs(expected[finite]).max(initial=0.0)
    absolute = 1e-5 if kind == "probabilities" else 1e-5 * largest
    with np.errstate(invalid="ignore"):
        wrong = finite & ~(np.abs(found - expected) <= absolute + 1e-4 * np.abs(expected))
    if wrong.any():
        worst = np.unravel_index(np.nanargmax(np.where(wrong, np.abs(found - expected), -1.0)), wrong.shape)
        where = tuple(int(i) for i in worst)
        raise AssertionError(
            f"{wrong.sum()} of {wrong.size} entries differ; at {where}: {found[worst]}, expected {expected[worst]}"
        )
    if kind != "values" and expected.size and finite.all():
        _assert_same_best(found, expected)


def _assert_same_best(found: NDArray[np.float64], expected: NDArray[np.float64]) -> None:
    rows = expected.reshape(-1, expected.shape[-1])
    best, best_found = rows.argmax(-1), found.reshape(rows.shape).argmax(-1)
    for row, (a, b) in enumerate(zip(best, best_found, strict=True)):
        assert a == b or rows[row, a] - rows[row, b] < MARGIN, f"row {row}: largest at {b}, expected at {a}"
