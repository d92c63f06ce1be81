"""What Keras writes into HDF5: attributes `model_config` and `training_config`, a group of weights for each layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import ModelFileError
from engine.frontend import strict_json
from engine.frontend.h5 import Archive, Stored


@dataclass(frozen=True)
class SavedLayer:
    """The weights saved under one layer's name, trainable ones first."""

    name: str
    weights: tuple[Stored, ...]


@dataclass(frozen=True)
class SavedModel:
    """A whole model as it lies in a file: description and weights, nothing interpreted yet."""

    config: Mapping[str, Any]
    training: Mapping[str, Any]
    keras_version: str
    backend: str
    format: str
    layers: tuple[SavedLayer, ...]


def read_full_model(archive: Archive) -> SavedModel:
    """The model in a `.h5` that `model.save` wrote. Raises `ModelFileError` for any other HDF5."""
    text = archive.text(archive.root, "model_config")
    if text is None:
        raise ModelFileError(_without_architecture(archive))
    group = archive.group(archive.root, "model_weights")
    if group is None:
        raise ModelFileError("its group 'model_weights' is missing")
    config = strict_json.parse(text, "its model_config")
    if not isinstance(config, dict):
        raise ModelFileError("its model_config must be a JSON object")
    return SavedModel(
        config=config,
        training=_training(archive),
        keras_version=_word(archive, group, "keras_version") or "1",
        backend=_word(archive, group, "backend"),
        format="HDF5 full model",
        layers=read_layers(archive, group),
    )


def read_layers(archive: Archive, group: Any) -> tuple[SavedLayer, ...]:
    """The weights of every layer listed in a group's `layer_names`, in that order."""
    names = archive.names(group, "layer_names")
    if names is None:
        raise ModelFileError("its attribute 'layer_names' is missing")
    return tuple(_read_layer(archive, group, name) for name in names)


def _read_layer(archive: Archive, group: Any, name: str) -> SavedLayer:
    saved = archive.group(group, name)
    if saved is None:
        raise ModelFileError(f"the weights of layer {name!r} are missing")
    names = archive.names(saved, "weight_names")
    if names is None:
        raise ModelFileError(f"layer {name!r}: its attribute 'weight_names' is missing")
    return SavedLayer(name, tuple(archive.dataset(saved, weight) for weight in names))


def _training(archive: Archive) -> Mapping[str, Any]:
    text = archive.text(archive.root, "training_config")
    training = {} if text is None else strict_json.parse(text, "its training_config", constants=True)
    return training if isinstance(training, dict) else {}


def _word(archive: Archive, group: Any, name: str) -> str:
    text = archive.text(archive.root, name) or archive.text(group, name) or b""
    return text.decode("utf-8", "replace")[:40]


def _without_architecture(archive: Archive) -> str:
    if archive.names(archive.root, "layer_names") is not None:
        return "holds weights only, no architecture: save the whole model with `model.save('name.h5')`"
    if archive.group(archive.root, "layers") is not None:
        return "is a .weights.h5 file, weights only: save the whole model with `model.save('name.h5')`"
    return "is an HDF5 file, but no Keras model: it has no model_config"
