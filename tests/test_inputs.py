"""What `predict` is handed in place of arrays: refused in one line, before anything is taken from it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import InputError
from tests.frontend.handmade import write_dense

TAKEN: list[int] = []


def generator() -> Iterator[np.ndarray]:
    TAKEN.append(1)
    yield np.zeros((2, 4), np.float32)


class Batches:
    """What Keras's Sequence and PyDataset look like."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        TAKEN.append(index)
        return np.zeros((2, 4), np.float32), np.zeros(2)


class Dataset:
    """What a `tf.data.Dataset` looks like."""

    def __iter__(self) -> Iterator[Any]:
        return generator()


@pytest.mark.parametrize("make", [generator, Batches, Dataset, lambda: iter([1]), lambda: None, lambda: "text", object])
def test_batches_in_place_of_arrays(make: Callable[[], Any], tmp_path: Path) -> None:
    model, given = engine.load_model(write_dense(tmp_path / "m.h5")), make()
    for call in (model.predict, model):
        with pytest.raises(InputError, match=f"expected an array, found {type(given).__name__}: hand over one array"):
            call(given)
    assert not TAKEN


def test_what_can_be_an_array_is_taken(tmp_path: Path) -> None:
    class Tensor:
        """What a tensor of another library looks like."""

        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            return np.ones((2, 4), np.float32)

    model = engine.load_model(write_dense(tmp_path / "m.h5"))
    expected = model.predict(np.ones((2, 4), np.float32))
    for given in (Tensor(), [[1] * 4] * 2, ((1.0,) * 4,) * 2, [np.ones(4), np.ones(4)]):
        np.testing.assert_array_equal(model.predict(given), expected)
