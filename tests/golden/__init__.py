"""The golden files: models made by `make.py`, their inputs and what Keras answered."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.checking import Kind

GOLDEN = Path(__file__).parent


@dataclass(frozen=True)
class Golden:
    """One case: a model file and its arrays."""

    model: Path
    inputs: tuple[NDArray[Any], ...]
    outputs: tuple[NDArray[Any], ...]
    weights: tuple[NDArray[Any], ...]

    @property
    def kind(self) -> Kind:
        """Outputs that are probabilities are compared as such."""
        sums = [np.allclose(y.sum(-1), 1, atol=1e-5) and (y >= 0).all() for y in self.outputs if y.ndim > 1]
        return "probabilities" if sums and all(sums) else "values"


def models(folder: Path = GOLDEN) -> list[Path]:
    """All model files below a folder, sorted."""
    return sorted(folder.glob("k*/*.h5"))


def name_of(model: Path) -> str:
    """`k3-conv2d_same`."""
    return f"{model.parent.name}-{model.stem}"


def load(model: Path) -> Golden:
    """A case from its two files."""
    with np.load(model.with_suffix(".npz")) as arrays:
        return Golden(model, *(_series(arrays, prefix) for prefix in ("x", "y", "weights")))


def in_order(answer: Any) -> list[NDArray[Any]]:
    """What a model answered, an array, a list or a dictionary, in the order of `Golden.outputs`."""
    if isinstance(answer, dict):
        return [answer[key] for key in sorted(answer)]
    return answer if isinstance(answer, list) else [answer]


def _series(arrays: Any, prefix: str) -> tuple[NDArray[Any], ...]:
    count = sum(key.rstrip("0123456789") == prefix for key in arrays)
    return tuple(arrays[f"{prefix}{i}"] for i in range(count))
