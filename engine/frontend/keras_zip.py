"""Keras 3's own formats: the `.keras` archive, the same as a folder, `.weights.h5`, and weights in shards."""

import os
from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import Any, Protocol

from engine.errors import LimitExceededError, ModelFileError
from engine.frontend import strict_json
from engine.frontend.files import MAX_TEXT, Bytes, SteadyFile
from engine.frontend.h5 import Archive
from engine.frontend.saved import SavedModel, SavedTree
from engine.frontend.zip_members import ZipMembers

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", ("model.weights.h5", "variables.h5")
PICKLED = "model.weights.npz"
MAX_SHARDS = 10_000


class Members(Protocol):
    """The parts of a saved model by name; None for what is not there."""

    def text(self, name: str) -> bytes | None: ...

    def file(self, name: str) -> Bytes | None: ...


class FolderMembers:
    """The parts of a model that was saved as a folder."""

    def __init__(self, path: str) -> None:
        self._path = path

    def text(self, name: str) -> bytes | None:
        """A file's content."""
        file = self.file(name)
        if file is None:
            return None
        with closing(file):
            if file.size > MAX_TEXT:
                raise LimitExceededError(f"{name} is {file.size} bytes long; at most {MAX_TEXT} are read")
            return file.read_at(0, file.size)

    def file(self, name: str) -> Bytes | None:
        """A file, opened."""
        path = os.path.join(self._path, name)
        return SteadyFile(path) if os.path.lexists(path) else None


def read_zip(file: Bytes, name: str, stack: ExitStack) -> SavedModel:
    """The model in a `.keras` archive. Raises `ModelFileError` saying what another archive is."""
    members = ZipMembers(file)
    if CONFIG not in members.names:
        raise ModelFileError(_describe(members.names))
    return read_members(members, name, stack, ".keras archive")


def _describe(names: tuple[str, ...]) -> str:
    endings = {name.rsplit("/", 1)[-1] for name in names}
    if "data.pkl" in endings:
        return "is a PyTorch file"
    if "saved_model.pb" in endings:
        return "is a zip archive of a TensorFlow SavedModel folder"
    if names and all(name.endswith(".npy") for name in names):
        return "is a zip archive of NumPy arrays (.npz)"
    return "is a zip archive, but no Keras model: it has no config.json"


def read_members(members: Members, name: str, stack: ExitStack, kind: str) -> SavedModel:
    """The model whose parts these are."""
    config = strict_json.parse(members.text(CONFIG) or b"", f"its {CONFIG}")
    if not isinstance(config, dict):
        raise ModelFileError(f"its {CONFIG} must be a JSON object")
    text = members.text(METADATA)
    metadata = strict_json.parse(text, f"its {METADATA}") if text is not None else {}
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    training = config.get("compile_config")
    weights = next((file for part in WEIGHTS if (file := members.file(part)) is not None), None)
    if weights is None and members.file(PICKLED) is not None:
        raise ModelFileError(f"its weights are pickled NumPy arrays ({PICKLED}), which may hold code; save it anew")
    if weights is None:
        raise ModelFileError(f"its weights are missing: it has no {WEIGHTS[0]}")
    return SavedModel(
        config=config,
        training=training if isinstance(training, dict) else {},
        keras_version=version[:40] if isinstance(version, str) else "",
        backend="",
        format=kind,
        weights=tree_of(stack.enter_context(closing(Archive(weights, name)))),
    )


def tree_of(archive: Archive) -> SavedTree:
    """The weights in an HDF5 file of Keras 3."""
    return SavedTree("", ((archive, archive.root),))


def read_shards(index: Mapping[str, Any], path: str, stack: ExitStack) -> SavedModel:
    """The weights that an index `.weights.json` lists; the shards are files beside it."""
    shards: dict[str, None] = {}
    for files in index["weight_map"].values():
        for file in files if isinstance(files, list) else [files]:
            if not isinstance(file, str) or os.path.basename(file) != file or file in ("", ".", ".."):
                raise ModelFileError(f"its weight_map must name files beside it, found {repr(file)[:80]}")
            shards[file] = None
    if not 0 < len(shards) <= MAX_SHARDS:
        raise LimitExceededError(f"its weight_map names {len(shards)} files; from 1 to {MAX_SHARDS} are read")
    folder, places = os.path.dirname(path), []
    for shard in shards:
        place = os.path.join(folder, shard)
        archive = stack.enter_context(closing(Archive(SteadyFile(place), place)))
        places.append((archive, archive.root))
    return SavedModel(None, {}, "", "", "sharded weights", SavedTree("", tuple(places)))
