"""Weights in other forms than float32: quantised, half, double, and with their bytes the other way round."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import engine
from engine.errors import UnsupportedLayerError
from engine.frontend import open_model
from engine.frontend.quantised import unpacked
from engine.ir import reference
from tests.checking import assert_close
from tests.frontend.handmade import dense_model, dense_weights, layer, sequential, write
from tests.golden import GOLDEN, load
from tests.golden.quantised import QUANTISED

FOLDER = GOLDEN / "other" / "quantised"


@pytest.mark.parametrize("name", QUANTISED)
def test_quantised_weights_are_made_float(name: str) -> None:
    path = FOLDER / f"{name}.keras"
    golden = load(path)
    with open_model(path) as network:
        values = reference.run(network.graph, golden.inputs)
        assert_close(values[network.graph.outputs[0]], golden.outputs[0], "values")
    found = engine.inspect_model(path)
    assert found.runs
    assert {QUANTISED[name][0] in note for note in found.survey.notes} == {True}


def test_numbers_of_four_bits() -> None:
    pairs = np.array([[125, 2], [24, 0], [-1, -128]])
    assert unpacked(pairs, 3).tolist() == [[-3, 7, 2], [-8, 1, 0], [-1, -1, 0]]


@pytest.mark.parametrize(
    ("class_name", "mode"),
    [
        ("Dense", "float4"),
        ("Dense", "gptq/4"),
        ("Dense", "int4/x"),
        ("Dense", "int4/" + "9" * 5000),
        ("Conv1D", "int8"),
    ],
)
def test_other_quantised_layers_are_refused(class_name: str, mode: str, tmp_path: Path) -> None:
    dtype = {"class_name": "QuantizedDTypePolicy", "config": {"mode": mode, "source_name": "float32"}}
    options: dict[str, Any] = {"units": 3} if class_name == "Dense" else {"filters": 3, "kernel_size": 1}
    shape = (None, 4) if class_name == "Dense" else (None, 5, 4)
    model = sequential(layer(class_name, "d", dtype=dtype, **options), shape=shape)
    with pytest.raises(UnsupportedLayerError, match=f"quantised as '{mode[:20]}'"):
        open_model(write(tmp_path / "m.h5", model, dense_weights(), version="3.9.0"))


@pytest.mark.parametrize("dtype", ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"])
def test_kinds_of_floats(dtype: str, tmp_path: Path) -> None:
    weights = {"d": [(name, array.astype(dtype)) for name, array in dense_weights()["d"]]}
    model = engine.load_model(write(tmp_path / "m.h5", dense_model(), weights))
    x = np.eye(4, dtype=np.float32)
    (_, kernel), (_, bias) = dense_weights()["d"]
    np.testing.assert_array_equal(model.predict(x), kernel + bias)


def test_bfloat16(tmp_path: Path) -> None:
    path = write(tmp_path / "m.h5", dense_model(), dense_weights())
    (_, kernel), (_, bias) = dense_weights()["d"]
    with h5py.File(path, "a") as file:
        group = file["model_weights/d/d"]
        del group["kernel:0"]
        halves = (kernel.view(np.uint32) >> 16).astype("<u2").view("V2")
        group.create_dataset("kernel:0", data=halves).attrs["dtype"] = "bfloat16"
    np.testing.assert_array_equal(engine.load_model(path).predict(np.eye(4)), kernel + bias)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64", "float16"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_policies_run_in_float32(policy: str, wrapped: bool, tmp_path: Path) -> None:
    dtype = {"class_name": "DTypePolicy", "config": {"name": policy}} if wrapped else policy
    config = sequential(layer("Dense", "d", units=3, dtype=dtype))
    path = write(tmp_path / "m.h5", config, dense_weights())
    y = engine.load_model(path).predict(np.eye(4))
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, dense_weights()["d"][0][1] + dense_weights()["d"][1][1])
    assert policy in engine.inspect_model(path).survey.notes[0]


def test_normalization_of_features_far_from_zero_keeps_their_digits(tmp_path: Path) -> None:
    mean, deviation = np.array([1e5, -3.0, 250.0]), np.array([10.0, 2.0, 0.01])
    given = {"axis": [-1], "mean": mean.tolist(), "variance": (deviation**2).tolist()}
    model = sequential(layer("Normalization", "n", **given), layer("Dense", "d", units=3), shape=(None, 3))
    weights = {"d": [("d/kernel:0", np.eye(3, dtype=np.float32)), ("d/bias:0", np.zeros(3, np.float32))]}
    x = (np.random.default_rng(0).standard_normal((20, 3)) * deviation + mean).astype(np.float32)
    found = engine.load_model(write(tmp_path / "m.h5", model, weights))(x)
    np.testing.assert_allclose(found, (x - mean) / deviation, rtol=2e-6, atol=2e-6)
