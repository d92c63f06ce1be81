"""Descriptions of real models with random entries replaced, left out or doubled: an error of ours, or a sound graph."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest

from engine.errors import EngineError
from engine.frontend import legacy_h5, open_model
from tests.golden import models

ODD = [
    *(None, True, False, 0, -1, 1, 2, 3, 1.5, -0.5, "", "x", "same", "softmax", [], [1], [1, 2], [[1, 2], [3, 4]], {}),
    *(
        2**31,
        10**50,
        1e300,
        ["a", 0, 0],
        [["a", 0, 0]],
        [None, 3],
        "channels_first",
        {"class_name": "ReLU", "config": {}},
    ),
    *({"class_name": "__keras_tensor__", "config": {}}, {"class_name": "__tuple__", "items": [1, 2]}),
]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every entry below a value."""
    for key, entry in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from paths(entry, (*path, key))


def spoil(config: Any, rng: random.Random) -> None:
    """Replace, remove or double one entry in place."""
    *way, last = rng.choice(list(paths(config)))
    for key in way:
        config = config[key]
    action = rng.random()
    if action < 0.15:
        del config[last]
    elif action < 0.25 and isinstance(config, list):
        config.append(config[last])
    else:
        config[last] = copy.deepcopy(rng.choice(ODD))


def description(model: Path) -> Any:
    with h5py.File(model) as file:
        return json.loads(file.attrs["model_config"])


def read_all(model: Path) -> str | None:
    """Open a model and read its weights, which must have the declared shapes; the engine's error, if it raised one."""
    try:
        with open_model(model) as network:
            for weight in network.graph.weights():
                assert weight.read().shape == weight.shape
    except EngineError as error:
        return str(error)
    return None


@pytest.mark.parametrize("seed", range(8))
def test_spoilt_descriptions(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    for model in rng.choices(models(), k=60):
        config = description(model)
        for _ in range(rng.randint(1, 2)):
            spoil(config, rng)
        monkeypatch.setattr(
            legacy_h5.strict_json, "parse", lambda text, what, c=config, **_: c if "model" in what else {}
        )
        message = read_all(model)
        assert message is None or str(model) in message
