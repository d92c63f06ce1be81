"""Resizing and preprocessing give the bits of TensorFlow and Keras, stored ones and, where those are, live ones."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.images.preprocess import PREPROCESS
from engine.images.resize import RESIZE, bilinear

HERE = Path(__file__).parent
with np.load(HERE / "golden.npz") as file:
    STORED = dict(file)
NAMES = sorted(key.removesuffix(".y") for key in STORED if key.endswith(".y"))

Arrays = Mapping[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Arrays:
    python = os.environ.get("ENGINE_PARITY_PYTHON")
    if not python:
        pytest.skip("ENGINE_PARITY_PYTHON names no Python with Keras")
    if subprocess.run([python, "-c", "import PIL"], capture_output=True, check=False).returncode:
        pytest.skip("the Python that ENGINE_PARITY_PYTHON names has no Pillow, which Keras needs to load images")
    path = tmp_path_factory.mktemp("golden") / "live.npz"
    subprocess.run([python, HERE / "make_golden.py", path, "20"], check=True, capture_output=True)
    return dict(np.load(path))


def ours(name: str, arrays: Arrays) -> NDArray[np.float32]:
    way, _, rest = name.partition("_")
    x, size = arrays[f"image_{rest}.x"], arrays[f"{name}.y"].shape[:2]
    if way == "preprocess":
        return PREPROCESS[rest](x)
    return bilinear(x * np.float32(0.7), *size) if way == "tf" else RESIZE[way](x, *size)


def same_bits(name: str, arrays: Arrays) -> bool:
    found, expected = ours(name, arrays), arrays[f"{name}.y"]
    return found.dtype == np.float32 and found.shape == expected.shape and found.tobytes() == expected.tobytes()


def test_golden_file_covers_both() -> None:
    assert {name.split("_")[0] for name in NAMES} == {*RESIZE, "tf", "preprocess"}
    assert len(NAMES) == 109


@pytest.mark.parametrize("name", NAMES)
def test_stored(name: str) -> None:
    assert same_bits(name, STORED)


@pytest.mark.parametrize("name", NAMES)
def test_live(name: str, live: Arrays) -> None:
    assert same_bits(name, live)


@pytest.mark.parametrize("name", NAMES)
def test_one_changed_value_is_noticed(name: str) -> None:
    y = STORED[f"{name}.y"].copy()
    y[-1, -1, -1] = np.nextafter(y[-1, -1, -1], np.float32(np.inf))
    assert not same_bits(name, {**STORED, f"{name}.y": y})
