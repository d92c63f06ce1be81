"""Results of layers in between: by submodel and by features, against the slow twin and what Keras wrote."""

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.errors import InputError
from engine.frontend import LayerInfo, open_model
from engine.ir import reference
from engine.runtime.session import Session
from engine.sessions import MOST
from tests.checking import assert_close
from tests.frontend.handmade import functional, layer, sequential, write
from tests.golden import GOLDEN, load
from tests.processes import ROOT

RNG = np.random.default_rng(5)
MNIST = ROOT / "weights" / "mnist.h5"
CASES = (
    "k2/functional_many_outputs", "k3/functional_shared_layer", "k3/functional_named_outputs", "k3/functional_residual",
    "k2/nested_sequential", "k3/nested_functional_frozen", "k2/nested_functional_called_twice", "k3/nested_twice_deep",
    "k3/batch_normalization_default", "k3/activation_inside_conv2d", "k2/time_distributed_dense", "k3/lstm_default",
)  # fmt: skip


def digits(n: int) -> np.ndarray:
    return RNG.random((n, 28, 28, 1), np.float32)


def everywhere(layers: tuple[LayerInfo, ...]) -> Iterator[LayerInfo]:
    for info in layers:
        yield info
        yield from everywhere(info.layers)


@pytest.mark.parametrize("case", CASES)
def test_every_layer_is_what_the_twin_says(case: str) -> None:
    golden = load(GOLDEN / f"{case}.h5")
    model = engine.load_model(golden.model)
    with open_model(golden.model) as network:
        values = reference.run(network.graph, golden.inputs)
        infos = [info for info in everywhere(network.layers) if info.value >= 0]
    assert len(infos) >= len(network.layers) - 1
    for info in infos:
        found = model.features(golden.inputs if len(golden.inputs) > 1 else golden.inputs[0], info.path)
        assert_close(found[0] if isinstance(found, list) else found, values[info.value], "values")


@pytest.mark.parametrize("generation", [2, 3])
def test_every_layer_is_what_keras_computed(generation: int) -> None:
    kept: dict[str, dict[str, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    with np.load(GOLDEN / f"features_k{generation}.npz") as arrays:
        for key in arrays:
            case, name, _ = key.split("/")
            kept[case][name].append(arrays[key])
    assert len(kept) > 8
    for case, layers in kept.items():
        golden = load(GOLDEN / f"k{generation}" / f"{case}.h5")
        x = golden.inputs if len(golden.inputs) > 1 else golden.inputs[0]
        found = engine.load_model(golden.model).features(x, list(layers))
        for name, expected in layers.items():
            answers = found[name] if isinstance(found[name], list) else [found[name]]
            for answer, array in zip(answers, expected, strict=True):
                assert_close(answer, array, "values")


def test_an_output_in_between_is_what_keras_wrote() -> None:
    golden = load(GOLDEN / "k3/functional_many_outputs.h5")
    model = engine.load_model(golden.model)
    found = model.features(golden.inputs[0], ["body", "head_b"])
    assert list(found) == ["body", "head_b"]
    assert_close(found["body"], golden.outputs[1], "values")
    assert_close(found["head_b"], golden.outputs[2], "values")


def test_a_layer_before_its_activation_and_normalization_is_not_fused_with_them(tmp_path: Path) -> None:
    kernel = RNG.normal(size=(4, 3)).astype(np.float32)
    scale = [(name, RNG.random(3, np.float32) + 1) for name in ("gamma", "beta", "mean", "variance")]
    described = sequential(
        layer("Dense", "d", units=3, activation="linear", use_bias=False),
        layer("BatchNormalization", "n", epsilon=0.001, axis=[1]),
        layer("Activation", "r", activation="relu"),
    )
    model = engine.load_model(write(tmp_path / "m.h5", described, {"d": [("kernel", kernel)], "n": scale}))
    x = RNG.normal(size=(6, 4)).astype(np.float32)
    found = model.features(x, ["d", "n", "r"])
    assert_close(found["d"], x @ kernel, "values")
    gamma, beta, mean, variance = (array for _, array in scale)
    assert_close(found["n"], (x @ kernel - mean) * gamma / np.sqrt(variance + 0.001) + beta, "values")
    np.testing.assert_array_equal(found["r"], np.maximum(found["n"], 0))


def test_calls_of_a_shared_layer_are_counted(tmp_path: Path) -> None:
    described = functional(
        [
            layer("InputLayer", "a", [], batch_input_shape=[None, 4]),
            layer("InputLayer", "b", [], batch_input_shape=[None, 4]),
            layer("Activation", "s", [[["b", 0, 0, {}]], [["a", 0, 0, {}]]], activation="relu"),
            layer("Add", "sum", [[["s", 0, 0, {}], ["s", 1, 0, {}]]]),
        ],
        [["a", 0, 0], ["b", 0, 0]],
        [["sum", 0, 0]],
    )
    model = engine.load_model(write(tmp_path / "m.h5", described))
    a, b = RNG.normal(size=(2, 3, 4)).astype(np.float32)
    found = model.features([a, b], ["s", "s:0", "s:1"])
    np.testing.assert_array_equal(found["s"], np.maximum(b, 0))
    np.testing.assert_array_equal(found["s:0"], np.maximum(b, 0))
    np.testing.assert_array_equal(found["s:1"], np.maximum(a, 0))
    with pytest.raises(InputError, match=r"layer 's' is called 2 times; there is no call 2"):
        model.submodel("s:2")


def test_layers_of_a_model_that_is_called_twice() -> None:
    golden = load(GOLDEN / "k3/nested_functional_called_twice.h5")
    model = engine.load_model(golden.model)
    (body,) = (each for each in model.layers if each.layers)
    kernel, bias = body.get_weights()
    path = f"{body.name}/{body.layers[-1].name}"
    a, b = golden.inputs
    left = np.tanh(a @ kernel + bias)
    found = model.features([a, b], [path, f"{path}:1", f"{path}:2"])
    assert_close(found[path], left, "values")
    assert_close(found[f"{path}:1"], np.tanh(left @ kernel + bias), "values")
    assert_close(found[f"{path}:2"], np.tanh(b @ kernel + bias), "values")


def test_an_input_and_a_layer_twice() -> None:
    model = engine.load_model(MNIST)
    x = digits(2)
    again, first, second = model.submodel([model.input_names[0], "conv1", "conv1"]).predict(x)
    np.testing.assert_array_equal(again, x)
    np.testing.assert_array_equal(first, second)


def test_a_submodel_is_a_model() -> None:
    model = engine.load_model(MNIST)
    part = model.submodel(outputs=["conv3"])
    assert part.output_names == ("conv3",)
    assert part.output_shape == (None, 14, 14, 128) == model.get_layer("conv3").output_shape
    assert part.inputs == model.inputs
    assert [each.name for each in part.layers] == ["conv1", "conv2", "pool1", "dropout1", "conv3"]
    x = digits(3)
    np.testing.assert_array_equal(part(x[:1]), part.predict(x)[:1])
    np.testing.assert_array_equal(part.submodel("logits")(x), model(x))
    np.testing.assert_array_equal(part.features(x, "pool2"), model.features(x, "pool2"))


def test_layers_off_the_way_are_not_listed() -> None:
    model = engine.load_model(GOLDEN / "k3/functional_many_outputs.h5")
    assert [each.name for each in model.submodel("head_a").layers] == ["x", "body", "head_a"]


def test_sizes_left_open(tmp_path: Path) -> None:
    described = sequential(
        layer("MaxPooling2D", "p", pool_size=2), layer("GlobalAveragePooling2D", "g"), shape=(None, None, None, 3)
    )
    model = engine.load_model(write(tmp_path / "m.h5", described))
    part = model.submodel("p")
    assert part.output_shape == (None, None, None, 3)
    for size in (4, 6):
        x = RNG.normal(size=(2, size, 8, 3)).astype(np.float32)
        expected = x.reshape(2, size // 2, 2, 4, 2, 3).max((2, 4))
        np.testing.assert_array_equal(part(x), expected)
        np.testing.assert_array_equal(model.features(x, "p"), expected)


def test_a_layer_with_several_results_gives_a_list() -> None:
    golden = load(GOLDEN / "k3/lstm_states.h5")
    model = engine.load_model(golden.model)
    name = next(each.name for each in model.layers if each.class_name == "LSTM")
    sequence, *states = model.features(golden.inputs[0], [name])[name]
    assert [state.shape for state in states] == [states[0].shape] * 2
    assert len(sequence) == len(golden.inputs[0])


@pytest.mark.parametrize("names", ["conv9", ["conv1", "conv9"], "conv1:x", "conv1/conv2"])
def test_names_that_no_layer_has(names: str | list[str]) -> None:
    with pytest.raises(InputError, match=r"mnist.h5: no layer 'conv.*'; the layers are input_layer, conv1, conv2"):
        engine.load_model(MNIST).features(digits(1), names)


@pytest.mark.parametrize("names", [[], (), [3], 3])
def test_what_are_no_names(names: object) -> None:
    with pytest.raises(InputError, match="names of one or more layers"):
        engine.load_model(MNIST).submodel(names)  # type: ignore[arg-type]


def test_packed_weights_are_held_once() -> None:
    model = engine.load_model(MNIST)
    part = model.submodel("fc1")

    def arrays(of: engine.Model) -> set[int]:
        session = of._sessions
        assert isinstance(session, Session)
        fields = [f for step in session.program.steps for f in step.fields.values()]
        return {id(f) for f in fields if isinstance(f, np.ndarray) and f.nbytes > 1 << 16}

    assert len(arrays(part)) >= 3
    assert arrays(part) <= arrays(model)


def test_submodels_of_features_are_made_once_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    model = engine.load_model(GOLDEN / "k3/functional_many_outputs.h5")
    made: list[tuple[str, ...]] = []
    make = engine.Model._submodel

    def counted(self: engine.Model, names: tuple[str, ...]) -> engine.Model:
        made.append(names)
        return make(self, names)

    monkeypatch.setattr(engine.Model, "_submodel", counted)
    x = RNG.normal(size=(2, 6)).astype(np.float32)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: model.features(x, "body"), range(16)))
    assert made == [("body",)]
    assert all((each == found[0]).all() for each in found)
    for count in range(1, MOST + 3):
        model.features(x, ["body"] * (count + 1))
        model.features(x, "body")
    assert len(model._submodels) == MOST
    assert made.count(("body",)) == 1
