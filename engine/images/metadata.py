"""What a weights file cannot say about its images, said beside it in a sidecar or in an attribute of it."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.images.labels import labels_of, parse_json, read_text
from engine.images.layout import Size
from engine.images.preprocess import INVERT, PREPROCESS, Preprocess, Scaling
from engine.images.resize import RESIZE
from engine.output import destination

MAX_SIDE = 8192
LARGEST = 1e30
ACTIVATIONS = ("none", "softmax", "sigmoid")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Metadata:
    """How images become inputs and outputs become answers; None where nothing is said."""

    labels: tuple[str, ...] | None = None
    preprocess: Preprocess | None = None
    size: Size | None = None
    resize: str | None = None
    invert: str | None = None
    exif: bool | None = None
    activation: str | None = None
    multi_label: bool | None = None

    def to_dict(self) -> dict[str, Any]:
        """What is said, in plain types, as `metadata_of` reads it."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        plain: dict[str, Any] = {"labels": self.labels and list(self.labels), "size": self.size and list(self.size)}
        if isinstance(self.preprocess, Scaling):
            plain["preprocess"] = self.preprocess.to_dict()
        return {key: value for key, value in (said | plain).items() if value is not None}

    def updated(self, other: "Metadata") -> "Metadata":
        """What `other` says, and what this says where `other` is silent."""
        return replace(self, **{f.name: v for f in fields(other) if (v := getattr(other, f.name)) is not None})


KEYS = tuple(field.name for field in fields(Metadata))


def sidecar_path(weights: str | os.PathLike[str]) -> Path:
    """Where the sidecar of `weights` is looked for: `<weights>.json`."""
    return Path(weights).with_suffix(".json")


def read_sidecar(weights: str | os.PathLike[str]) -> Metadata:
    """The sidecar beside `weights`: metadata, or labels alone.

    Empty if there is none, or if the file of that name is something else. Raises InputError.
    """
    path = sidecar_path(weights)
    if path == Path(weights) or not path.is_file():
        return Metadata()
    found = _read(path)
    if found is None:
        logger.info("%s is not used: it has none of the keys %s", path, ", ".join(KEYS))
    return found or Metadata()


def write_sidecar(weights: str | os.PathLike[str], metadata: Metadata) -> Path:
    """Write `metadata` beside `weights`, over what is said there already, and return where.

    The file is replaced whole or left as it is. Raises InputError if that file is something else.
    """
    path = sidecar_path(weights)
    found = Metadata() if not path.exists() else None if path == Path(weights) else _read(path)
    if found is None:
        raise InputError(f"{path} is there and is no sidecar, so nothing is written")
    with destination(path, for_reading=False) as write:
        write(json.dumps(found.updated(metadata).to_dict(), indent=2, ensure_ascii=False) + "\n")
    return path


def _read(path: Path) -> Metadata | None:
    values = parse_json(path, read_text(path))
    if isinstance(values, dict) and values.keys() & set(KEYS):
        return metadata_of(values, str(path))
    try:
        return Metadata(labels=labels_of(values, path))
    except InputError:
        return None


def metadata_in(text: str, name: str) -> Metadata:
    """What the text in the file called `name` says, nothing if it is empty. Raises InputError."""
    source = f"{name}: its metadata"
    return metadata_of(parse_json(source, text), source) if text else Metadata()


def metadata_of(values: Any, source: str) -> Metadata:
    """Metadata from a JSON value; `source` is for the error. Raises InputError."""
    if not isinstance(values, dict):
        raise InputError(f"{source}: metadata is an object with keys {', '.join(KEYS)}")
    if unknown := values.keys() - set(KEYS):
        raise InputError(f"{source}: the keys of a sidecar are {', '.join(KEYS)}, not {min(unknown)}")
    labels, preprocess = values.get("labels"), values.get("preprocess")
    return Metadata(
        labels=None if labels is None else labels_of(labels, source),
        preprocess=(
            scaling_of(preprocess, source)
            if isinstance(preprocess, dict)
            else _choice(values, "preprocess", tuple(PREPROCESS), source)
        ),
        size=_size(values.get("size"), source),
        resize=_choice(values, "resize", tuple(RESIZE), source),
        invert=_choice(values, "invert", INVERT, source),
        exif=_flag(values, "exif", source),
        activation=_choice(values, "activation", ACTIVATIONS, source),
        multi_label=_flag(values, "multi_label", source),
    )


def scaling_of(values: Mapping[str, Any], source: str) -> Scaling:
    """`scale`, `mean` and `std`, each a number, the last two also lists of them. Raises InputError."""
    if unknown := values.keys() - {"scale", "mean", "std"}:
        raise InputError(f"{source}: scaling has scale, mean and std, not {min(unknown)}")
    scale = _numbers(values.get("scale", 1.0), "scale", source)
    mean, std = _numbers(values.get("mean", 0.0), "mean", source), _numbers(values.get("std", 1.0), "std", source)
    if len(scale) != 1:
        raise InputError(f"{source}: scale is one number, not {len(scale)}")
    if 0 in std:
        raise InputError(f"{source}: std is a divisor and cannot be 0")
    return Scaling(scale[0], mean, std)


def _size(value: Any, source: str) -> Size | None:
    sides = value if isinstance(value, list | tuple) else [value] * 2
    if value is None:
        return None
    if len(sides) != 2 or not all(type(side) is int and 1 <= side <= MAX_SIDE for side in sides):
        raise InputError(f"{source}: size is a number of pixels, or height and width, not {value!r}")
    return sides[0], sides[1]


def _numbers(value: Any, key: str, source: str) -> tuple[float, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values or not all(type(v) in (int, float) and abs(v) < LARGEST for v in values):
        raise InputError(f"{source}: {key} is a number or a list of numbers, not {value!r}")
    return tuple(map(float, values))


def _choice(values: Mapping[str, Any], key: str, choices: tuple[str, ...], source: str) -> str | None:
    value = values.get(key)
    if value is not None and value not in choices:
        raise InputError(f"{source}: {key} is one of {', '.join(choices)}, not {value!r}")
    return value


def _flag(values: Mapping[str, Any], key: str, source: str) -> bool | None:
    value = values.get(key)
    if value is not None and not isinstance(value, bool):
        raise InputError(f"{source}: {key} is true or false, not {value!r}")
    return value
