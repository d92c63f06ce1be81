"""Resizing and preprocessing give the bits of TensorFlow and Keras, stored ones and, where those are, live ones."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.images.preprocess import PREPROCESS
from engine.images.resize import bilinear

HERE = Path(__file__).parent
STORED = HERE / "golden.npz"
with np.load(STORED) as stored:
    NAMES = sorted({key.rsplit(".", 1)[0] for key in stored.files})

Arrays = Mapping[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Arrays:
    python = os.environ.get("ENGINE_PARITY_PYTHON")
    if not python:
        pytest.skip("ENGINE_PARITY_PYTHON names no Python with Keras")
    path = tmp_path_factory.mktemp("golden") / "live.npz"
    subprocess.run([python, HERE / "make_golden.py", path, "20"], check=True, capture_output=True)
    return dict(np.load(path))


def ours(name: str, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    kind, _, mode = name.partition("_")
    return bilinear(x, *y.shape[:2]) if kind == "resize" else PREPROCESS[mode](x)


def same_bits(name: str, arrays: Arrays) -> bool:
    expected = arrays[f"{name}.y"]
    found = ours(name, arrays[f"{name}.x"], expected)
    return found.dtype == np.float32 and found.shape == expected.shape and found.tobytes() == expected.tobytes()


def test_golden_file_covers_both() -> None:
    assert len(NAMES) == 17


@pytest.mark.parametrize("name", NAMES)
def test_stored(name: str) -> None:
    assert same_bits(name, dict(np.load(STORED)))


@pytest.mark.parametrize("name", NAMES)
def test_live(name: str, live: Arrays) -> None:
    assert same_bits(name, live)


@pytest.mark.parametrize("name", NAMES)
def test_one_changed_value_is_noticed(name: str) -> None:
    arrays = dict(np.load(STORED))
    arrays[f"{name}.y"][0, 0, 0] = np.nextafter(arrays[f"{name}.y"][0, 0, 0], np.float32(np.inf))
    assert not same_bits(name, arrays)
