"""Models whose height, width or length the file leaves open: a plan for each shape, a bounded number of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import InputError
from engine.frontend import open_model
from engine.ir import reference
from engine.sessions import MOST, Sessions
from tests.checking import assert_close
from tests.frontend.handmade import functional, layer, sequential, write

RNG = np.random.default_rng(11)
KERNEL, BIAS = RNG.normal(size=(3, 3, 3, 8)).astype(np.float32), RNG.normal(size=8).astype(np.float32)
WIDE = RNG.normal(size=(8, 640)).astype(np.float32)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Images of any size: a convolution, a pool over everything, a dense layer."""
    model = sequential(
        layer("Conv2D", "c", filters=8, kernel_size=3, strides=2, padding="same", activation="relu"),
        layer("GlobalAveragePooling2D", "g"),
        layer("Dense", "d", units=640, activation="linear", use_bias=False),
        shape=(None, None, None, 3),
    )
    return write(tmp_path / "m.h5", model, {"c": [("kernel", KERNEL), ("bias", BIAS)], "d": [("kernel", WIDE)]})


def twin(path: Path, *inputs: np.ndarray) -> Any:
    with open_model(path, shapes=[x.shape[1:] for x in inputs]) as network:
        return reference.run(network.graph, list(inputs))[network.graph.outputs[0]]


def sessions_of(model: engine.Model) -> Sessions:
    sessions = model._sessions
    assert isinstance(sessions, Sessions)
    return sessions


def test_every_size_is_computed(images: Path) -> None:
    model = engine.load_model(images)
    assert model.input_shape == (None, None, None, 3)
    assert model.output_shape == (None, 640)
    assert [each.output_shape for each in model.layers] == [(None, None, None, 8), (None, 8), (None, 640)]
    for size in ((5, 9), (16, 16), (7, 3), (5, 9)):
        x = RNG.normal(size=(3, *size, 3)).astype(np.float32)
        assert_close(model.predict(x), twin(images, x), "values")
        np.testing.assert_array_equal(model(x[:1]), model.predict(x)[:1])


def test_the_number_of_plans_is_bounded(images: Path) -> None:
    model = engine.load_model(images)
    for width in range(3, 3 + MOST + 4):
        model(np.zeros((1, 8, width, 3), np.float32))
    kept = sessions_of(model)._made
    assert len(kept) == MOST
    assert [shapes[0][1] for shapes in kept] == list(range(7, 3 + MOST + 4))


def test_plans_share_packed_weights(images: Path) -> None:
    model = engine.load_model(images)
    found = []
    for size in (6, 14):
        model(np.zeros((1, size, size, 3), np.float32))
        (session,) = [s for key, s in sessions_of(model)._made.items() if key == ((size, size, 3),)]
        step = session.program.steps[-1]
        found.append(max((f for f in step.fields.values() if isinstance(f, np.ndarray)), key=lambda f: f.nbytes))
    assert found[0].nbytes >= WIDE.nbytes
    assert found[0] is found[1]


def test_sizes_that_do_not_fit_name_the_input(images: Path) -> None:
    with pytest.raises(InputError, match=r"input 'c_input': expected shape \(n, None, None, 3\), found \(1, 5, 5, 4\)"):
        engine.load_model(images).predict(np.zeros((1, 5, 5, 4), np.float32))


def test_sizes_that_a_layer_cannot_take_name_the_layer(tmp_path: Path) -> None:
    model = sequential(layer("MaxPooling2D", "p", pool_size=4), shape=(None, None, None, 2))
    loaded = engine.load_model(write(tmp_path / "m.h5", model))
    assert loaded(np.zeros((1, 4, 9, 2), np.float32)).shape == (1, 1, 2, 2)
    with pytest.raises(InputError, match="layer 'p'"):
        loaded(np.zeros((1, 3, 9, 2), np.float32))


def test_sequences_and_fixed_inputs_together(tmp_path: Path) -> None:
    model = functional(
        [
            layer("InputLayer", "a", [], batch_input_shape=[None, None, 4]),
            layer("InputLayer", "b", [], batch_input_shape=[None, 1, 4]),
            layer("Multiply", "m", [[["a", 0, 0, {}], ["b", 0, 0, {}]]]),
            layer("TFOpLambda", "t", [["m", 0, 0, {"axis": 1}]], function="math.reduce_max"),
        ],
        [["a", 0, 0], ["b", 0, 0]],
        [["m", 0, 0], ["t", 0, 0]],
    )
    path = write(tmp_path / "m.h5", model)
    loaded = engine.load_model(path)
    assert loaded.input_shape == [(None, None, 4), (None, 1, 4)]
    assert loaded.output_shape == [(None, None, 4), (None, 4)]
    for length in (2, 7):
        a, b = RNG.normal(size=(3, length, 4)).astype(np.float32), RNG.normal(size=(3, 1, 4)).astype(np.float32)
        products, largest = loaded.predict({"b": b, "a": a})
        np.testing.assert_array_equal(products, a * b)
        np.testing.assert_array_equal(largest, (a * b).max(1))
