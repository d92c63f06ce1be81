"""Models of keras.applications with seeded random weights, made live by the Keras that ENGINE_PARITY_PYTHON names."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import engine
from tests.applications.families import LARGER, SMALLEST
from tests.checking import assert_close

MAKE = Path(__file__).with_name("make.py")


def has(package: str) -> bool:
    python = os.environ.get("ENGINE_PARITY_PYTHON")
    command = [python or "", "-c", f"import {package}"]
    return bool(python) and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module", params=["keras", "tf_keras"])
def package(request: pytest.FixtureRequest) -> str:
    if not has(request.param):
        pytest.skip(f"ENGINE_PARITY_PYTHON names no Python with {request.param}")
    return str(request.param)


def check(name: str, package: str, folder: Path) -> None:
    options = ["--tf-keras"] if package == "tf_keras" else []
    command = [os.environ["ENGINE_PARITY_PYTHON"], MAKE, folder, name, *options]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr[-2000:]
    with np.load(folder / f"{name}.npz") as arrays:
        assert_close(engine.load_model(folder / f"{name}.h5").predict(arrays["x"]), arrays["y"], "logits")


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_of_each_family(name: str, package: str, tmp_path: Path) -> None:
    check(name, package, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGER)
def test_the_larger_ones(name: str, package: str, tmp_path: Path) -> None:
    check(name, package, tmp_path)
