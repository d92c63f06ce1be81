"""Images whose class is known: folders named by class, arrays, or an .npz of both."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import InputError
from engine.images.decode import Picture
from engine.images.files import find_images, open_regular

Data: TypeAlias = str | os.PathLike[str] | tuple[ArrayLike, ArrayLike]

KEYS = (("x", "y"), ("x_test", "y_test"))
MOST_NAMED = 10


@dataclass(frozen=True)
class Example:
    """One image, the index of its class, and how messages name it."""

    picture: Picture
    index: int
    name: str


@dataclass(frozen=True)
class Truth:
    """The names of the classes, and the examples."""

    classes: tuple[str, ...]
    examples: Iterable[Example]


def truth_of(data: Data, classes: Sequence[str], are_named: bool) -> Truth:
    """`data` for a model of these classes; `are_named` is False where they are indices because nothing names them.

    A folder has a folder of images for each class, named as it. Where nothing names the classes, as many folders as
    there are classes are taken in sorted order, as Keras's `image_dataset_from_directory` takes them.
    `.npz` has `x` and `y`, or `x_test` and `y_test`: images (n, h, w) or (n, h, w, channels) of 0 to 255 or 0 to 1, and
    classes (n,) or (n, 1) as indices or names, or (n, classes) with a 1 for the class. A pair (x, y) is taken likewise.
    Raises InputError.
    """
    if isinstance(data, tuple):
        return _from_arrays(*data, tuple(classes), "the data")
    path = Path(data)
    if path.is_dir():
        return _from_folder(path, tuple(classes), are_named)
    return _from_npz(path, tuple(classes))


def _from_folder(root: Path, classes: tuple[str, ...], are_named: bool) -> Truth:
    folders = sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    names = [folder.name for folder in folders]
    if not names:
        raise InputError(f"{root}: has no folders; it must have one for each class, named as it")
    if not set(names) <= set(classes):
        if are_named or len(names) != len(classes):
            stranger = next(name for name in names if name not in classes)
            raise InputError(f"{root}: {stranger!r} is no class; they are {_listed(classes)}")
        classes = tuple(names)
    index = _index(classes)
    return Truth(
        classes,
        (Example(path, index[folder.name], str(path)) for folder in folders for path in find_images([folder])),
    )


def _from_npz(path: Path, classes: tuple[str, ...]) -> Truth:
    try:
        with open_regular(path) as file, np.lib.npyio.NpzFile(file) as arrays:
            keys = next((pair for pair in KEYS if set(pair) <= set(arrays.files)), None)
            if keys is None:
                raise InputError(f"{path}: expected arrays x and y, found {_listed(arrays.files)}")
            x, y = (arrays[key] for key in keys)
    except InputError:
        raise
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{path}: cannot be read as .npz: {' '.join(reason.split())}") from None
    return _from_arrays(x, y, classes, str(path))


def _from_arrays(images: ArrayLike, truth: ArrayLike, classes: tuple[str, ...], name: str) -> Truth:
    x, y = np.asarray(images), np.asarray(truth)
    if x.ndim not in (3, 4):
        raise InputError(f"{name}: images are (n, h, w) or (n, h, w, channels), not {x.shape}")
    if y.ndim == 0 or len(x) != len(y):
        raise InputError(f"{name}: {len(x)} images, but classes of shape {y.shape}")
    indices = _indices(y, classes, name)
    return Truth(classes, (Example(x[i], int(index), f"{name}[{i}]") for i, index in enumerate(indices)))


def _indices(y: NDArray[Any], classes: tuple[str, ...], name: str) -> NDArray[np.intp]:
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and y.shape[1] == len(classes) and np.array_equal(np.sort(y)[:, -2:], [[0, 1]] * len(y)):
        return np.asarray(np.argmax(y, axis=1), np.intp)
    if y.ndim != 1:
        raise InputError(f"{name}: classes are (n,) or, with a 1 for the class, (n, {len(classes)}), not {y.shape}")
    if y.dtype.kind == "U":
        index = _index(classes)
        if stranger := next((str(label) for label in y if str(label) not in index), None):
            raise InputError(f"{name}: {stranger!r} is no class; they are {_listed(classes)}")
        return np.array([index[str(label)] for label in y], np.intp)
    if y.dtype.kind not in "iub" and not (y.dtype.kind == "f" and np.array_equal(y, np.rint(y))):
        raise InputError(f"{name}: classes are indices or names, not {y.dtype}")
    if len(y) and not 0 <= int(y.min()) <= int(y.max()) < len(classes):
        raise InputError(f"{name}: classes are 0 to {len(classes) - 1}, not {int(y.min())} to {int(y.max())}")
    return y.astype(np.intp)


def _index(classes: Sequence[str]) -> Mapping[str, int]:
    return {label: i for i, label in reversed(list(enumerate(classes)))}


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"
