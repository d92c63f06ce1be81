"""Functions of the user's in place of Lambda layers and for custom layers, on the twin and on the kernels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import InputError, UnsupportedLayerError
from engine.frontend import registry
from engine.frontend.call import Call
from engine.ir.ops import Binary
from tests.checking import assert_close
from tests.frontend.handmade import functional, layer, sequential, write
from tests.frontend.test_wild import find

RNG = np.random.default_rng(3)
X = RNG.normal(size=(70, 4)).astype(np.float32)
KERNEL = RNG.normal(size=(4, 3)).astype(np.float32)
DENSE = {"d": [("d/kernel:0", KERNEL)]}


@pytest.fixture(autouse=True)
def _own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CUSTOM", {})


def lambda_model(path: Path, *names: str) -> Path:
    layers = [layer("Lambda", name, function=["4wEAAAA=", None, None]) for name in names]
    dense = layer("Dense", "d", units=3, use_bias=False)
    return write(path, sequential(layers[0], dense, *layers[1:]), DENSE)


def test_lambda_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedLayerError, match=r"'first' \(Lambda\): .*never run; .*lambdas=\{'first': function"):
        engine.load_model(lambda_model(tmp_path / "m.h5", "first"))


def test_functions_for_lambda_layers(tmp_path: Path) -> None:
    path = lambda_model(tmp_path / "m.h5", "first", "last")
    model = engine.load_model(path, lambdas={"first": lambda x: x * 2 - 1, "last": lambda x: x[:, :2]})
    assert model.output_shape == (None, 2)
    expected = ((X.astype(np.float64) * 2 - 1) @ KERNEL)[:, :2]
    assert_close(model.predict(X), expected, "values")
    np.testing.assert_array_equal(model(X[:1]), model.predict(X)[:1])
    assert model.predict(X[:0]).shape == (0, 2)


def test_a_function_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedLayerError, match="'last'"):
        engine.load_model(lambda_model(tmp_path / "m.h5", "first", "last"), lambdas={"first": np.abs})


def test_a_name_that_no_lambda_layer_has(tmp_path: Path) -> None:
    path = lambda_model(tmp_path / "m.h5", "first")
    with pytest.raises(InputError, match="no Lambda layer 'frist'; there are 'first'"):
        engine.load_model(path, lambdas={"first": np.abs, "frist": np.abs})
    with pytest.raises(InputError, match="no Lambda layer 'd'"):
        engine.load_model(path, lambdas={"first": np.abs, "d": np.abs})


def test_several_inputs_come_as_a_list(tmp_path: Path) -> None:
    inputs = [layer("InputLayer", name, [], batch_input_shape=[None, 4]) for name in "ab"]
    both = layer("Lambda", "l", [[["a", 0, 0, {}], ["b", 0, 0, {}]]], function="x")
    path = write(tmp_path / "m.h5", functional([*inputs, both], [["a", 0, 0], ["b", 0, 0]], [["l", 0, 0]]))
    model = engine.load_model(path, lambdas={"l": lambda ab: ab[0] - ab[1]})
    np.testing.assert_array_equal(model.predict([X, 2 * X]), -X)


def test_inputs_cannot_be_written_to(tmp_path: Path) -> None:
    def spoil(x: Any) -> Any:
        if len(x) > 1:
            x += 1
        return x

    model = engine.load_model(lambda_model(tmp_path / "m.h5", "first"), lambdas={"first": spoil})
    with pytest.raises(ValueError, match="read-only"):
        model.predict(X)


def test_results_of_another_shape(tmp_path: Path) -> None:
    model = engine.load_model(
        lambda_model(tmp_path / "m.h5", "first"), lambdas={"first": lambda x: x if len(x) == 1 else x[:, :2]}
    )
    with pytest.raises(InputError, match=r"expected \(n, 4\)"):
        model.predict(X)


def custom_model(path: Path, class_name: str = "Scaled") -> Path:
    gain = np.array([1, -2, 3], np.float32)
    own = layer(class_name, "s", factor=2.0)
    weights = {**DENSE, "s": [("s/gain:0", gain)]}
    return write(path, sequential(layer("Dense", "d", units=3, use_bias=False), own), weights)


EXPECTED = X.astype(np.float64) @ KERNEL * [1, -2, 3] * 2


@pytest.mark.parametrize("class_name", ["Scaled", "package>Scaled"])
def test_custom_layer_of_operations(class_name: str, tmp_path: Path) -> None:
    @engine.register_layer("Scaled")
    def scaled(call: Call) -> int:
        y = call.emit(Binary("mul"), call.x, call.weight("gain", call.shape(call.x)))
        return call.emit(Binary("mul"), y, call.scalar(call.config.number("factor")))

    model = engine.load_model(custom_model(tmp_path / "m.h5", class_name))
    assert_close(model.predict(X), EXPECTED, "values")
    assert [w.tolist() for w in model.get_layer("s").get_weights()] == [[1, -2, 3]]


def test_custom_layer_of_a_function(tmp_path: Path) -> None:
    @engine.register_layer("Scaled")
    def scaled(call: Call) -> int:
        factor = call.config.number("factor")
        return call.host(lambda x, gain: x * gain * factor, None, call.x, call.weight("gain", (3,)))

    model = engine.load_model(custom_model(tmp_path / "m.h5"))
    assert_close(model.predict(X), EXPECTED, "values")


def test_unknown_and_known_classes(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedLayerError, match="register_layer"):
        engine.load_model(custom_model(tmp_path / "m.h5"))
    with pytest.raises(InputError, match="'Dense' are known"):
        engine.register_layer("Dense")


def test_steering_angles_of_keras_1() -> None:
    path = find("carnd_nvidia_k121.h5")
    model = engine.load_model(path, lambdas={"lambda_1": lambda x: x / 127.5 - 1})
    with np.load(path.with_suffix(".ref.npz")) as recorded:
        assert_close(model.predict(recorded["x0"]), recorded["y0"], "values")


def test_bytes_and_files(tmp_path: Path) -> None:
    path = custom_model(tmp_path / "m.h5")
    engine.register_layer("Scaled")(lambda call: call.x)
    engine.register_layer("Scaled")(lambda call: call.emit(Binary("mul"), call.x, call.weight("gain", (3,))))
    expected = engine.load_model(path).predict(X)
    content = path.read_bytes()
    model = engine.load_model(content)
    np.testing.assert_array_equal(model.predict(X), expected)
    assert model.path == f"<{len(content)} bytes>"
    assert model.get_layer("s").get_weights()[0].tolist() == [1, -2, 3]
    with path.open("rb") as file:
        np.testing.assert_array_equal(engine.load_model(file).predict(X), expected)
