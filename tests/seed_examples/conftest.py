"""The fixture of the worked examples."""

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from tests.frontend.handmade import layer, sequential, write
from tests.seed_examples.tools import Build


@pytest.fixture
def keras(tmp_path: Path) -> Build:
    """`keras(shape, *layers)` is the model of a Keras file; a layer is its class, its options and its weights."""
    numbers = count()

    def build(shape: tuple[int, ...], *layers: dict[str, Any]) -> engine.Model:
        entries, weights = [], {}
        for i, options in enumerate(layers):
            config = dict(options)
            arrays, kind = config.pop("weights", ()), config.pop("kind")
            name = config.pop("name", f"layer_{i}")
            entries.append(layer(kind, name, **config))
            if arrays:
                named = zip(("kernel", "bias", "c", "d"), arrays, strict=False)
                weights[name] = [(f"{name}/{part}:0", np.asarray(a, np.float32)) for part, a in named]
        path = tmp_path / f"{next(numbers)}.h5"
        return engine.load_model(write(path, sequential(*entries, shape=(None, *shape)), weights, "3.5.0"))

    return build
