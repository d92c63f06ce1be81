"""What Keras writes into HDF5: attributes `model_config` and `training_config`, a group of weights for each layer."""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.errors import ModelFileError
from engine.frontend import strict_json
from engine.frontend.h5 import Archive
from engine.frontend.notes import note_in
from engine.frontend.saved import SavedLayer, SavedLayers, SavedModel, SavedTree


def read_hdf5(archive: Archive) -> SavedModel:
    """What an HDF5 file holds: a whole model, or only weights. Raises `ModelFileError` for what is not Keras's."""
    root = archive.root
    text = archive.text(root, "model_config")
    group = archive.group(root, "model_weights")
    if text is None:
        return _weights_only(archive, root if group is None else group)
    if group is None:
        raise ModelFileError("its group 'model_weights' is missing")
    config = strict_json.parse(text, "its model_config")
    if not isinstance(config, dict):
        raise ModelFileError("its model_config must be a JSON object")
    return SavedModel(
        config=config,
        training=_training(archive),
        keras_version=_word(archive, group, "keras_version"),
        backend=_word(archive, group, "backend"),
        format="HDF5 full model",
        weights=read_layers(archive, group),
        metadata=note_in(archive),
    )


def _weights_only(archive: Archive, group: Any) -> SavedModel:
    weights: SavedLayers | SavedTree
    if archive.names(group, "layer_names") is not None:
        kind, weights = "HDF5 weights", read_layers(archive, group)
    elif archive.group(group, "layers") is not None or archive.group(group, "_layer_checkpoint_dependencies"):
        kind, weights = ".weights.h5", SavedTree("", ((archive, group),))
    elif archive.group(group, "layer_0") is not None:
        kind, weights = "HDF5 weights of Keras 0 and 1", tuple(_numbered_layers(archive, group))
    else:
        raise ModelFileError("is an HDF5 file, but no Keras model: it has no model_config and no weights of layers")
    version, backend = (_word(archive, group, name) for name in ("keras_version", "backend"))
    return SavedModel(None, {}, version, backend, kind, weights, note_in(archive))


def _numbered_layers(archive: Archive, group: Any) -> Iterator[SavedLayer]:
    """Groups `layer_0`, `layer_1` and so on, in each `param_0` and so on."""
    index = 0
    while (saved := archive.group(group, f"layer_{index}")) is not None:
        count = sum(name.startswith("param_") for name in archive.members(saved))
        yield SavedLayer(f"layer_{index}", tuple(archive.dataset(saved, f"param_{i}") for i in range(count)))
        index += 1


def read_layers(archive: Archive, group: Any) -> SavedLayers:
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
