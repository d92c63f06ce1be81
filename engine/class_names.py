"""Which names a model's classes have, by what was asked for and what lies beside it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from engine.decide import Decision, Said
from engine.errors import InputError
from engine.images.labels import is_numbered, labels_of, read_labels

Labels: TypeAlias = str | os.PathLike[str] | Sequence[str] | Mapping[Any, Any] | None

BESIDE = ("labels.txt", "class_names.txt")
UNNAMED = "nothing names the classes"
IMAGENET_CLASSES = 1000
TEACHABLE_MACHINE = ("keras_model.h5", "labels.txt")


def class_names(
    labels: Labels, said: Said, weights: Path | None, count: int, of_imagenet: bool, name: str
) -> Decision[tuple[str, ...]]:
    """The names of `count` classes: asked for, metadata, a list beside the weights, ImageNet's, or the indices.

    `of_imagenet` tells that the model is one of keras.applications. Raises InputError if there are more or fewer.
    """
    names, source = next(_sources(labels, said, weights, of_imagenet and count == IMAGENET_CLASSES), (None, ""))
    if names is None:
        return Decision(tuple(map(str, range(count))), UNNAMED)
    if len(names) != count:
        raise InputError(f"{source}: {len(names)} labels for the {count} classes of {name}")
    return Decision(names, source)


def is_teachable_machine(weights: Path | None) -> bool:
    """Whether a file is named as Teachable Machine's export is, and has its list of labels beside it."""
    if weights is None or weights.name != TEACHABLE_MACHINE[0]:
        return False
    path = weights.with_name(TEACHABLE_MACHINE[1])
    return path.is_file() and is_numbered(path)


def _sources(
    labels: Labels, said: Said, weights: Path | None, of_imagenet: bool
) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(labels, str | os.PathLike):
        yield read_labels(labels), os.fspath(labels)
    elif isinstance(labels, Mapping):
        yield labels_of({str(key): value for key, value in labels.items()}, "labels"), "labels"
    elif labels is not None:
        yield tuple(map(str, labels)), "labels"
    if (found := said.first("labels")) is not None:
        yield found.value, found.reason
    for path in (weights.with_name(name) for name in BESIDE) if weights is not None else ():
        if path.is_file():
            yield read_labels(path), str(path)
    if of_imagenet and (index := _keras_home() / "models" / "imagenet_class_index.json").is_file():
        yield read_labels(index), str(index)


def _keras_home() -> Path:
    return Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"))
