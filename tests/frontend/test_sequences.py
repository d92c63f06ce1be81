"""Recurrent layers in forms that no golden model has, and what is refused."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import EngineError, ModelFileError, UnsupportedLayerError
from engine.frontend import open_model
from engine.ir import reference
from tests.checking import assert_close
from tests.golden import GOLDEN, load


def as_cudnn(kind: str, path: Path, target: Path) -> None:
    """Rewrite a golden LSTM or GRU as the cuDNN layer with the same meaning: transposed gates, two joined biases."""
    target.write_bytes(path.read_bytes())
    gates, name = (4, "lstm") if kind == "LSTM" else (3, "gru")
    with h5py.File(target, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        entry = next(e for e in config["config"]["layers"] if e["class_name"] == kind)
        kept = ("name", "trainable", "dtype", "units", "return_sequences", "return_state", "go_backwards", "stateful")
        entry["class_name"] = f"CuDNN{kind}"
        entry["config"] = {key: entry["config"][key] for key in kept}
        file.attrs["model_config"] = json.dumps(config)
        group = file["model_weights"][entry["config"]["name"]]
        kernel, recurrent, bias = (group[n] for n in group.attrs["weight_names"])
        kernel[...] = _each_gate(kernel[...], gates, lambda g: g.reshape(g.shape[::-1], order="F").T)
        recurrent[...] = _each_gate(recurrent[...], gates, lambda g: g.T)
        joined = bias[...].ravel() if name == "gru" else np.concatenate([bias[...] * 0.25, bias[...] * 0.75])
        parent, place = bias.parent, bias.name.rsplit("/", 1)[-1]
        del parent[place]
        parent[place] = joined


def _each_gate(matrix: NDArray[Any], gates: int, change: Any) -> NDArray[Any]:
    return np.hstack([change(g).reshape(g.shape) for g in np.hsplit(matrix, gates)])


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_cudnn_layers_mean_what_their_plain_forms_mean(kind: str, tmp_path: Path) -> None:
    golden = load(GOLDEN / "k2" / f"{kind.lower()}_sequences.h5")
    as_cudnn(kind, golden.model, tmp_path / "m.h5")
    with open_model(tmp_path / "m.h5") as network:
        values = reference.run(network.graph, golden.inputs)
        assert_close(values[network.graph.outputs[0]], golden.outputs[0], golden.kind)


def changed(tmp_path: Path, case: str, change: Any) -> Path:
    """A golden model of Keras 3 with its recurrent layer's configuration changed."""
    target = tmp_path / "m.h5"
    target.write_bytes((GOLDEN / "k3" / f"{case}.h5").read_bytes())
    with h5py.File(target, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config["config"]["layers"][-1]["config"])
        file.attrs["model_config"] = json.dumps(config)
    return target


REFUSED: list[tuple[str, dict[str, Any], type[EngineError], str]] = [
    ("lstm_default", {"time_major": True}, UnsupportedLayerError, "time_major"),
    ("lstm_default", {"activation": "softmax"}, UnsupportedLayerError, "'softmax' is not supported inside"),
    ("lstm_default", {"units": 7}, ModelFileError, "expected shape"),
    ("lstm_default", {"peephole": True}, UnsupportedLayerError, "'peephole' = True"),
    ("rnn_cell", {"cell": None}, ModelFileError, "'cell' must be"),
    ("rnn_cell", {"cell": {"class_name": "MyCell", "config": {}}}, UnsupportedLayerError, "cells of this class"),
    ("bidirectional_sum", {"merge_mode": "max"}, ModelFileError, "'merge_mode' must be"),
    ("bidirectional_sum", {"layer": {"class_name": "Dense", "config": {}}}, UnsupportedLayerError, "both directions"),
    ("bidirectional_sum", {"layer": 3}, ModelFileError, "'layer' must be"),
    ("time_distributed_dense", {"layer": {"class_name": "Nope", "config": {}}}, UnsupportedLayerError, "not supported"),
]


@pytest.mark.parametrize(("case", "values", "error", "message"), REFUSED, ids=lambda v: str(v)[:30])
def test_what_is_not_computed_is_named(
    case: str, values: dict[str, Any], error: type[EngineError], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        open_model(changed(tmp_path, case, lambda config: config.update(values)))


def test_a_stateful_layer_begins_each_call_afresh() -> None:
    golden = load(GOLDEN / "k3" / "lstm_stateful.h5")
    with open_model(golden.model) as network:
        first = reference.run(network.graph, golden.inputs)[network.graph.outputs[0]]
        again = reference.run(network.graph, golden.inputs)[network.graph.outputs[0]]
    np.testing.assert_array_equal(first, again)
