"""A model as it lies in a file: its description and its weights, nothing interpreted yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from engine.frontend.h5 import Archive, Stored


def is_number(text: str) -> bool:
    """Whether a text is a whole number of reasonable length."""
    return text.isdecimal() and len(text) < 10


@dataclass(frozen=True)
class SavedLayer:
    """The weights saved under one layer's name, trainable ones first."""

    name: str
    weights: tuple[Stored, ...]


SavedLayers: TypeAlias = tuple[SavedLayer, ...]
"""Weights layer by layer, as HDF5 files of all Keras versions hold them."""


@dataclass(frozen=True)
class SavedTree:
    """A group of a Keras 3 weights file. In a sharded file the same group lies in several archives.

    What has been looked up is kept: an archive counts the bytes of every data set that it hands out.
    """

    path: str
    places: tuple[tuple[Archive, Any], ...]

    def child(self, name: str) -> "SavedTree | None":
        """The group of that name in it, or None."""
        if name not in self._children:
            found = [(archive, archive.group(group, name)) for archive, group in self.places]
            places = tuple((archive, group) for archive, group in found if group is not None)
            self._children[name] = SavedTree(f"{self.path}/{name}", places) if places else None
        return self._children[name]

    @cached_property
    def _children(self) -> "dict[str, SavedTree | None]":
        return {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all that it holds."""
        return tuple(dict.fromkeys(name for archive, group in self.places for name in archive.members(group)))

    @property
    def layer_name(self) -> str | None:
        """The name that the layer had, where the file says it."""
        for archive, group in self._vars():
            if (name := archive.text(group, "name")) is not None:
                return name.decode("utf-8", "replace")
        return None

    @cached_property
    def variables(self) -> tuple[Stored, ...]:
        """The layer's own weights: trainable ones first, then the others."""
        found: dict[int, Stored] = {}
        for archive, group in self._vars():
            for name in archive.members(group):
                if is_number(name):
                    found[int(name)] = archive.dataset(group, name)
        return tuple(found[index] for index in sorted(found))

    def _vars(self) -> tuple[tuple[Archive, Any], ...]:
        inner = self.child("vars")
        return inner.places if inner else ()


@dataclass(frozen=True)
class SavedModel:
    """A whole model, or one without its description or without its weights. `format` says where it comes from.

    `metadata` is the text of ours in the file, if there is one (`notes.py`).
    """

    config: Mapping[str, Any] | None
    training: Mapping[str, Any]
    keras_version: str
    backend: str
    format: str
    weights: SavedLayers | SavedTree | None
    metadata: str = ""
