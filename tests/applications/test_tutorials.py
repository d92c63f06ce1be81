"""Classifiers that tutorials build are found to want what they want: photographs in, the tutorial's answers out."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import engine
from tests.applications.test_applications import package  # noqa: F401  # a fixture
from tests.checking import assert_close

pytestmark = pytest.mark.slow

MAKE = Path(__file__).with_name("make_tutorials.py")
DECIDED = {
    "baked_tf": "none",
    "baked_caffe": "none",
    "baked_torch": "none",
    "baked_rescaling": "none",
    "outside": "tf",
    "outside_own_layers": "tf",
    "inside_own_layers": "none",
}


@pytest.fixture(scope="module")
def made(package: str, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    folder = tmp_path_factory.mktemp(package)
    options = ["--tf-keras"] if package == "tf_keras" else []
    command = [os.environ["ENGINE_PARITY_PYTHON"], str(MAKE), str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.mark.parametrize("name", DECIDED)
def test_photographs_give_the_tutorials_answers(name: str, made: Path) -> None:
    with np.load(made / f"{name}.npz") as arrays:
        x, y = arrays["x"], arrays["y"]
    classifier = engine.Classifier(made / f"{name}.h5")
    assert classifier.preprocess == DECIDED[name]
    assert np.ptp(y, axis=0).max() > 1e-3, "the answers must depend on the images"
    assert_close(classifier.predict_proba(x).astype(np.float32), y, "probabilities")
