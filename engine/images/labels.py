"""Names of the classes, and the sidecar: what a weights file cannot say about its images."""

import json
import logging
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.images.files import open_regular
from engine.images.preprocess import INVERT, PREPROCESS

MAX_BYTES = 16 << 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sidecar:
    """`<weights>.json`: what it says, None where it says nothing."""

    labels: tuple[str, ...] | None = None
    preprocess: str | None = None
    invert: str | None = None


def read_labels(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """One label a line, blank lines ignored; or, in a file named *.json, a list of strings."""
    text = _read_text(path)
    if Path(path).suffix.lower() == ".json":
        return _label_list(_parse(path, text), path)
    return tuple(line.strip() for line in text.split("\n") if line.strip())


def sidecar_path(weights: str | os.PathLike[str]) -> Path:
    """Where the sidecar of `weights` is looked for."""
    return Path(weights).with_suffix(".json")


def read_sidecar(weights: str | os.PathLike[str]) -> Sidecar:
    """The sidecar beside `weights`; an empty one if there is none, or if the file of that name is something else."""
    path = sidecar_path(weights)
    if path == Path(weights) or not path.is_file():
        return Sidecar()
    values = _parse(path, _read_text(path))
    keys = [field.name for field in fields(Sidecar)]
    if not isinstance(values, dict) or not values.keys() & set(keys):
        logger.info("%s is not used: it has none of the keys %s", path, ", ".join(keys))
        return Sidecar()
    if unknown := values.keys() - set(keys):
        raise InputError(f"{path}: the keys of a sidecar are {', '.join(keys)}, not {min(unknown)}")
    labels = values.get("labels")
    return Sidecar(
        labels=None if labels is None else _label_list(labels, path),
        preprocess=_choice(values, "preprocess", tuple(PREPROCESS), path),
        invert=_choice(values, "invert", INVERT, path),
    )


def _read_text(path: str | os.PathLike[str]) -> str:
    try:
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{os.fspath(path)}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{os.fspath(path)}: more than {MAX_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{os.fspath(path)}: byte {error.start} is not UTF-8 text") from error


def _parse(path: str | os.PathLike[str], text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{os.fspath(path)}: not JSON: {error}") from error


def _label_list(value: Any, path: str | os.PathLike[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        raise InputError(f"{os.fspath(path)}: labels are a list of strings")
    return tuple(value)


def _choice(values: dict[str, Any], key: str, choices: tuple[str, ...], path: Path) -> str | None:
    value = values.get(key)
    if value is not None and value not in choices:
        raise InputError(f"{path}: {key} is one of {', '.join(choices)}, not {value!r}")
    return value
