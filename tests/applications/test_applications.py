"""Models of keras.applications with seeded random weights, made live by the Keras that ENGINE_PARITY_PYTHON names."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import engine
from tests.applications.families import LARGER, SMALLEST
from tests.applications.sweep import check, make, sweep
from tests.checking import assert_close


def has(package: str) -> bool:
    python = os.environ.get("ENGINE_PARITY_PYTHON")
    command = [python or "", "-c", f"import {package}"]
    return bool(python) and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module", params=["keras", "tf_keras"])
def package(request: pytest.FixtureRequest) -> str:
    if not has(request.param):
        pytest.skip(f"ENGINE_PARITY_PYTHON names no Python with {request.param}")
    return str(request.param)


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_of_each_family(name: str, package: str, tmp_path: Path) -> None:
    """The whole model; and its weights with the description that its name has, which ends in a softmax."""
    make(os.environ["ENGINE_PARITY_PYTHON"], name, package, tmp_path, everything=False)
    check(tmp_path / f"{name}.h5", name, ".h5")
    if not name.startswith("VGG"):
        with np.load(tmp_path / f"{name}.npz") as arrays:
            x, y = arrays["x"], np.exp(arrays["y"].astype(np.float64))
        model = engine.load_model(tmp_path / f"{name}.weights.h5", arch=f"{name}@{SMALLEST[name]}")
        assert_close(model.predict(x), y / y.sum(-1, keepdims=True), "probabilities")


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGER)
def test_the_larger_ones(name: str, package: str) -> None:
    found = dict(sweep(os.environ["ENGINE_PARITY_PYTHON"], name, package))
    assert ".h5" in found
    assert not any(found.values()), found
