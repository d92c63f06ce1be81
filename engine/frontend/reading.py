"""Any source → what is saved in it. The content decides which format it is."""

import os
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

from engine.errors import ModelFileError
from engine.frontend import strict_json
from engine.frontend.architectures import architecture, described, similar
from engine.frontend.files import MAX_TEXT, Bytes, Source, name_of, naming, open_bytes
from engine.frontend.h5 import Archive
from engine.frontend.keras_zip import CONFIG, FolderMembers, read_members, read_shards, read_zip
from engine.frontend.legacy_h5 import read_hdf5
from engine.frontend.saved import SavedModel
from engine.frontend.sniff import describe, head_of, kind_of
from engine.frontend.yaml_text import parse_yaml


def read_model(source: Source, arch: Source | None, stack: ExitStack) -> SavedModel:
    """A whole model: from one source, or its weights from one and its description from `arch`.

    `arch` may be the name of a model of keras.applications in place of a source.
    What is opened stays open as long as `stack`. Raises `ModelFileError` naming the source that is at fault.
    """
    with naming(name_of(source)):
        saved = read_saved(source, stack)
        if arch is None and saved.config is None:
            raise ModelFileError(f"holds weights only ({saved.format}); give the architecture with `arch` or --arch")
        if saved.weights is None:
            raise ModelFileError(f"holds no weights: it is an architecture ({saved.format})")
        wanted = architecture(arch)
        if wanted is not None:
            return _described_by(described(wanted, saved.weights), saved)
    if arch is None:
        return saved
    with naming(name_of(arch)):
        if isinstance(arch, str) and not os.path.lexists(arch):
            raise ModelFileError(similar(arch))
        description = read_saved(arch, stack)
        if description.config is None:
            raise ModelFileError(f"holds no architecture, only weights ({description.format})")
    return _described_by(replace(description, weights=saved.weights), saved)


def _described_by(description: SavedModel, saved: SavedModel) -> SavedModel:
    backend, kind = saved.backend or description.backend, f"{saved.format}, described by {description.format}"
    return replace(description, backend=backend, format=kind, metadata=saved.metadata or description.metadata)


def read_saved(source: Source, stack: ExitStack) -> SavedModel:
    """Whatever one source holds: a model, only weights, or only a description."""
    if isinstance(source, str | os.PathLike) and os.path.isdir(source):
        return _read_folder(os.fspath(source), stack)
    file = stack.enter_context(closing(open_bytes(source)))
    head = head_of(file)
    kind = kind_of(head)
    if kind == "hdf5":
        return read_hdf5(stack.enter_context(closing(Archive(file, name_of(source)))))
    if kind == "zip":
        return read_zip(file, name_of(source), stack)
    if kind == "json":
        return _read_json(file, source, stack)
    if kind == "yaml":
        return _described(parse_yaml(_text(file), "its YAML"), "YAML")
    raise ModelFileError(describe(head))


def _text(file: Bytes) -> bytes:
    return file.read_at(0, min(file.size, MAX_TEXT + 1))


def _read_folder(path: str, stack: ExitStack) -> SavedModel:
    if os.path.lexists(os.path.join(path, CONFIG)):
        return read_members(FolderMembers(path), path, stack, ".keras folder")
    if os.path.lexists(os.path.join(path, "saved_model.pb")):
        raise ModelFileError("is a TensorFlow SavedModel folder; save the model with `model.save('name.keras')`")
    raise ModelFileError("is a folder, not a Keras model")


def _read_json(file: Bytes, source: Source, stack: ExitStack) -> SavedModel:
    data = strict_json.parse(_text(file).removeprefix(b"\xef\xbb\xbf"), "its JSON")
    if isinstance(data, dict) and isinstance(data.get("weight_map"), dict):
        if not isinstance(source, str | os.PathLike):
            raise ModelFileError("is the index of sharded weights; give its path, so that the shards are found")
        return read_shards(data, os.fspath(source), stack)
    return _described(data, "JSON")


def _described(data: Any, format_name: str) -> SavedModel:
    if not isinstance(data, dict) or not isinstance(data.get("class_name"), str):
        raise ModelFileError(f"is a {format_name} text, but no Keras model: it has no class_name")
    version, backend = data.get("keras_version"), data.get("backend")
    return SavedModel(
        config=data,
        training={},
        keras_version=version[:40] if isinstance(version, str) else "",
        backend=backend if isinstance(backend, str) else "",
        format=format_name,
        weights=None,
    )
