"""Every golden model, read from its file and computed by the slow twin, against what Keras computed."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from engine.frontend import open_model
from engine.ir import reference
from engine.ir.ops import Activate, Softmax
from tests.checking import assert_close
from tests.golden import GOLDEN, Golden, load, models, name_of
from tests.golden.cases import CASES


def check(golden: Golden) -> None:
    with open_model(golden.model) as network:
        values = reference.run(network.graph, golden.inputs)
        assert len(network.graph.outputs) == len(golden.outputs)
        for output, expected in zip(network.graph.outputs, golden.outputs, strict=True):
            assert_close(values[output], expected, golden.kind)


@pytest.mark.parametrize("model", models(), ids=name_of)
def test_numbers_are_keras_numbers(model: Path) -> None:
    check(load(model))


@pytest.mark.parametrize("model", models(), ids=name_of)
def test_weights_are_get_weights(model: Path) -> None:
    golden = load(model)
    with open_model(model) as network:
        weights = [weight for layer in network.layers for weight in layer.weights]
        assert [w.shape for w in weights] == [w.shape for w in golden.weights]
        for weight, expected in zip(weights, golden.weights, strict=True):
            np.testing.assert_array_equal(weight.read(), expected)


def test_every_case_has_its_files() -> None:
    found = {(m.parent.name, m.stem) for m in models()}
    assert found == {(f"k{g}", name) for name, case in CASES.items() for g in case.generations}


@pytest.mark.parametrize("generation", [2, 3])
def test_live_parity(generation: int, tmp_path: Path) -> None:
    python = os.environ.get("ENGINE_PARITY_PYTHON")
    if not python:
        pytest.skip("ENGINE_PARITY_PYTHON names no Python with Keras")
    package = "tf_keras" if generation == 2 else "keras"
    if subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False).returncode:
        pytest.skip(f"the Python that ENGINE_PARITY_PYTHON names has no {package}")
    options = ["--tf-keras"] if generation == 2 else []
    subprocess.run([python, GOLDEN / "make.py", tmp_path, *options], check=True, capture_output=True)
    made = models(tmp_path)
    assert {m.stem for m in made} == {m.stem for m in models() if m.parent.name == f"k{generation}"}
    for model in made:
        check(load(model))


def test_hard_sigmoid_follows_the_version() -> None:
    slopes = {}
    for generation in ("k2", "k3"):
        with open_model(GOLDEN / generation / "activation_inside_conv2d.h5") as network:
            op = network.graph.nodes[-1].op
            assert isinstance(op, Activate)
            slopes[generation] = op.activation.a
    assert slopes == {"k2": pytest.approx(0.2), "k3": pytest.approx(1 / 6)}


def test_fused_softmax_is_a_node_of_its_own() -> None:
    with open_model(GOLDEN / "k3" / "dense_matrix.h5") as network:
        assert isinstance(network.graph.nodes[-1].op, Softmax)
        assert network.graph.nodes[-1].layer == network.graph.nodes[-2].layer
