"""Model files written by hand with h5py, to say exactly what a test needs them to say."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Layers = list[dict[str, Any]]


def layer(class_name: str, name: str, inbound: Any = None, **config: Any) -> dict[str, Any]:
    """One entry of `layers`; `inbound` are its inbound_nodes in a Functional model."""
    entry = {"class_name": class_name, "config": {"name": name, **config}}
    return entry if inbound is None else {**entry, "name": name, "inbound_nodes": inbound}


def sequential(*layers: dict[str, Any], shape: Sequence[int | None] = (None, 4)) -> dict[str, Any]:
    """A Keras 2 Sequential model whose first layer has an input shape."""
    first = layers[0] | {"config": {"batch_input_shape": list(shape), **layers[0]["config"]}}
    return {"class_name": "Sequential", "config": {"name": "net", "layers": [first, *layers[1:]]}}


def functional(layers: Layers, inputs: Any, outputs: Any) -> dict[str, Any]:
    """A Functional model."""
    config = {"name": "net", "layers": layers, "input_layers": inputs, "output_layers": outputs}
    return {"class_name": "Functional", "config": config}


def dense_model() -> dict[str, Any]:
    """Input of 4, a dense layer `d` to 3."""
    return sequential(layer("Dense", "d", units=3, activation="linear"))


def dense_weights() -> dict[str, list[tuple[str, np.ndarray]]]:
    """What `dense_model` needs."""
    kernel = np.arange(12, dtype=np.float32).reshape(4, 3)
    return {"d": [("d/kernel:0", kernel), ("d/bias:0", np.arange(3, dtype=np.float32))]}


def write(
    path: Path,
    config: Any,
    weights: Mapping[str, Sequence[tuple[str, np.ndarray]]] | None = None,
    version: str | None = "2.4.0",
    training: Any = None,
    **file_options: Any,
) -> Path:
    """Write a full-model file. `config` and `training` may be JSON text already."""
    with h5py.File(path, "w", **file_options) as file:
        file.attrs["model_config"] = config if isinstance(config, str | bytes) else json.dumps(config).encode()
        if version is not None:
            file.attrs["keras_version"] = version.encode()
        if training is not None:
            file.attrs["training_config"] = training if isinstance(training, str) else json.dumps(training).encode()
        group = file.create_group("model_weights")
        weights = weights or {}
        group.attrs["layer_names"] = [name.encode() for name in weights]
        for name, entries in weights.items():
            saved = group.create_group(name)
            saved.attrs["weight_names"] = [entry.encode() for entry, _ in entries]
            for entry, array in entries:
                saved.create_dataset(entry, data=array)
    return path


def write_dense(path: Path) -> Path:
    """`dense_model` with its weights."""
    return write(path, dense_model(), dense_weights())
