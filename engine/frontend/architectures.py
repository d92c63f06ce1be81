"""The models of keras.applications by name: descriptions that come with the package, for files that hold weights only.

`MobileNetV2`, `keras.applications.MobileNetV2` and `mobilenet_v2` are one; `MobileNetV2@160` and `VGG16@64x96` are for
images of another size. Width, minimalistic variants, the number of classes and whether there is a top follow from the
shapes of the weights. The top is Keras's own, which ends in a softmax. `tests/applications/describe.py` makes the data.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from engine.errors import ModelFileError
from engine.frontend.h5 import Stored
from engine.frontend.saved import SavedLayer, SavedLayers, SavedModel, SavedTree
from engine.ir.ops import Shape

CLASSES = 1000
DATA = "architectures.zip"
PUBLISHED = (0.229, 0.224, 0.225)
"""What the normalization of EfficientNet's published weights has for variances."""
_SIZE = re.compile(r"(\d{1,5})(?:x(\d{1,5}))?")
_OLD_RESNET = re.compile(r"(res|bn)(\d)([a-w])_branch([12])([abc]?)")


@dataclass(frozen=True)
class Architecture:
    """A name that is known, and the size of images asked for."""

    name: str
    size: tuple[int, int] | None = None


@cache
def known() -> Mapping[str, str]:
    """The names of the models, by the same in small letters and digits."""
    from zipfile import ZipFile

    with files("engine.frontend").joinpath(DATA).open("rb") as file, ZipFile(file) as archive:
        return {_plain(name): name for name in archive.namelist()}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.rpartition(".")[2].lower())


def architecture(text: Any) -> Architecture | None:
    """The model that a text names; None for what is an existing file or no such name."""
    if not isinstance(text, str) or os.path.lexists(text):
        return None
    word, at, size = text.partition("@")
    name, match = known().get(_plain(word)), _SIZE.fullmatch(size)
    if name is None or (at and match is None):
        return None
    return Architecture(name, (int(match[1]), int(match[2] or match[1])) if match else None)


def similar(text: str) -> str:
    """What to say of a text that is no name: the nearest one, or how many there are."""
    from difflib import get_close_matches

    close = get_close_matches(_plain(text.partition("@")[0]), known(), n=1)
    meant = f"did you mean {known()[close[0]]!r}?" if close else f"{len(known())} are known, such as 'MobileNetV2'"
    return f"there is no such file, and no model of keras.applications of that name: {meant}"


def described(wanted: Architecture, weights: SavedLayers | SavedTree) -> SavedModel:
    """The description that fits the weights, with them. Raises `ModelFileError` where none does."""
    import json
    from zipfile import ZipFile

    with files("engine.frontend").joinpath(DATA).open("rb") as file, ZipFile(file) as archive:
        data = json.loads(archive.read(wanted.name))
    stored = list(floats(weights))
    found = Counter(tuple(item.shape) for item in stored)
    for variant in data["variants"]:
        if not _is_meant(variant, stored):
            continue
        for part in ("bare", "whole"):
            classes = _classes([tuple(shape) for shape in variant[part]["weights"]], found)
            if classes is not None:
                model = _described(variant[part]["model"], classes, variant["step"], wanted)
                kind = f"keras.applications.{wanted.name}" + (f" ({variant['label']})" if variant["label"] else "")
                return SavedModel(model, {}, data["keras_version"], "", kind, _renamed(weights))
    labels = "; ".join(variant["label"] for variant in data["variants"] if variant["label"])
    raise ModelFileError(
        f"its {found.total()} weights are not those of keras.applications.{wanted.name}, with its top or without"
        + (f" ({labels})" if labels else "")
    )


def floats(weights: SavedLayers | SavedTree) -> Iterator[Stored]:
    """All weights but counters and seeds: whole numbers, and what has no axis."""
    if isinstance(weights, SavedTree):
        containers = [weights.child(name) for name in ("layers", "_layer_checkpoint_dependencies")]
        found: Iterable[Stored] = (item for group in containers if group for item in _below(group))
    else:
        found = (item for layer in weights for item in layer.weights)
    return (item for item in found if item.kind != "integer" and item.shape)


def _below(group: SavedTree, depth: int = 0) -> Iterator[Stored]:
    yield from group.variables
    for name in group.names if depth < 16 else ():
        inner = group.child(name) if name not in ("vars", "seed_generator") else None
        if inner is not None:
            yield from _below(inner, depth + 1)


def _classes(shapes: Sequence[Shape], found: Counter[Shape]) -> int | None:
    """The number of classes with which a model's weights, of these shapes, are those found; None where none is."""
    expected = Counter(shapes)
    if expected == found:
        return CLASSES
    wide = Counter({shape: count for shape, count in expected.items() if shape[-1:] == (CLASSES,)})
    sizes = {shape[-1] for shape in found - (expected - wide)}
    if not wide or len(sizes) != 1:
        return None
    (classes,) = sizes
    fitted = expected - wide + Counter({(*shape[:-1], classes): count for shape, count in wide.items()})
    return classes if fitted == found else None


def _is_meant(variant: Mapping[str, Any], stored: Iterable[Stored]) -> bool:
    """Whether these are the published weights that a variant is only for; the others are for all but those."""
    found = any(np.allclose(item.read(), PUBLISHED, atol=1e-4) for item in stored if item.shape == (3,))
    return found == bool(variant.get("published"))


def _described(model: dict[str, Any], classes: int, step: int, wanted: Architecture) -> dict[str, Any]:
    """The description for that many classes and the size of images that is wanted."""
    layers = model["config"]["layers"]
    image = layers[0]["config"]["batch_shape"]
    if wanted.size is not None:
        usual = [size or step for size in image[1:3]]
        if not all(size > 0 and (size - given) % step == 0 for size, given in zip(wanted.size, usual, strict=True)):
            raise ModelFileError(f"{wanted.name} is known for images of {image[1]}, and {step} pixels more or less")
        image[1:3] = wanted.size
    for layer in layers:
        config = layer["config"]
        for key in ("units", "filters"):
            if config.get(key) == CLASSES:
                config[key] = classes
        if config.get("target_shape") == [CLASSES]:
            config["target_shape"] = [classes]
    return model


def _renamed(weights: SavedLayers | SavedTree) -> SavedLayers | SavedTree:
    """Layers of ResNet50 under the names that they had before 2019, whose order was another, under those of today."""
    if isinstance(weights, SavedTree) or not any(_OLD_RESNET.fullmatch(layer.name) for layer in weights):
        return weights
    return tuple(SavedLayer(_name_of_today(layer.name), layer.weights) for layer in weights)


def _name_of_today(name: str) -> str:
    match = _OLD_RESNET.fullmatch(name)
    if match is None:
        return {"conv1": "conv1_conv", "bn_conv1": "conv1_bn", "fc1000": "predictions"}.get(name, name)
    kind, stage, block, branch, part = match.groups()
    place = 0 if branch == "1" else "abc".index(part or "a") + 1
    return f"conv{stage}_block{ord(block) - ord('a') + 1}_{place}_{'conv' if kind == 'res' else 'bn'}"
