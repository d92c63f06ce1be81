"""Random models made by the Keras that ENGINE_PARITY_PYTHON names."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.random_models.compare import differences, make

FEW, MANY = 10, 150


@pytest.fixture(params=["keras", "tf_keras"])
def package(request: pytest.FixtureRequest) -> str:
    python = os.environ.get("ENGINE_PARITY_PYTHON")
    command = [python or "", "-c", f"import {request.param}"]
    if not python or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip(f"ENGINE_PARITY_PYTHON names no Python with {request.param}")
    return str(request.param)


@pytest.mark.parametrize(
    ("first", "count"), [(2000, FEW), pytest.param(0, MANY, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_they_agree(first: int, count: int, package: str, tmp_path: Path) -> None:
    make(os.environ["ENGINE_PARITY_PYTHON"], tmp_path, first, count, package)
    assert len(list(tmp_path.glob("*.npz"))) > count * 0.8
    assert list(differences(tmp_path)) == []
