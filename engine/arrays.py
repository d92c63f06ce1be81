"""Arrays on their way into a model: in the order of its inputs, checked against what it expects."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import InputError
from engine.frontend.open_sizes import OpenShape, fits, shown

_MANY_BATCHES = "hand over one array, or call predict for each batch"


def checked(x: Any, names: Sequence[str], shapes: Sequence[OpenShape]) -> tuple[list[NDArray[Any]], int]:
    """The arrays (n, *shape), one an input, and n. `x` is an array, or a list or a dictionary of them by input.

    Raises `InputError` that names the input, what was expected and what was found.
    """
    arrays = [_check(a, shape, name) for a, shape, name in zip(_in_order(x, names, shapes), shapes, names, strict=True)]
    counts = {len(a) for a in arrays}
    if len(counts) != 1:
        raise InputError(f"inputs of different batch sizes: {', '.join(str(len(a)) for a in arrays)}")
    return arrays, counts.pop()


def _in_order(x: Any, names: Sequence[str], shapes: Sequence[OpenShape]) -> Sequence[ArrayLike]:
    if isinstance(x, Mapping):
        missing = [name for name in names if name not in x]
        if missing:
            raise InputError(f"input {missing[0]!r} is missing; the inputs are {', '.join(names)}")
        return [x[name] for name in names]
    if len(shapes) == 1:
        alone = isinstance(x, (list, tuple)) and len(x) == 1 and np.ndim(x[0]) == len(shapes[0]) + 1
        return [x[0] if alone else x]
    if not isinstance(x, (list, tuple)) or len(x) != len(shapes):
        raise InputError(f"expected {len(shapes)} inputs ({', '.join(names)}), found {_kind(x)}")
    return list(x)


def _check(x: ArrayLike, shape: OpenShape, name: str) -> NDArray[Any]:
    if not isinstance(x, np.ndarray | np.generic | list | tuple | int | float) and not hasattr(x, "__array__"):
        raise InputError(f"input {name!r}: expected an array, found {type(x).__name__}: {_MANY_BATCHES}")
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise InputError(f"input {name!r}: {error}") from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"input {name!r}: expected numbers, found {_kind(x)} of dtype {array.dtype}")
    return array if array.ndim and fits(shape, array.shape[1:]) else _fitted(array, shape, name)


def _fitted(array: NDArray[Any], shape: OpenShape, name: str) -> NDArray[Any]:
    """The array with an axis of one more or less at its end, as Keras takes it."""
    if array.ndim == len(shape) and shape[-1:] == (1,) and fits(shape[:-1], array.shape[1:]):
        return array[..., None]
    if array.ndim == len(shape) + 2 and fits((*shape, 1), array.shape[1:]):
        return array[..., 0]
    hint = ": for one example, hand over x[None]" if fits(shape, array.shape) else ""
    raise InputError(f"input {name!r}: expected shape {shown(shape)}, found {array.shape}{hint}")


def _kind(x: object) -> str:
    return f"{len(x)} arrays" if isinstance(x, (list, tuple)) else type(x).__name__
