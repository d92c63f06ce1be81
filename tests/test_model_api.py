"""`Model` under Keras's names: what it takes, what it answers with, what it says of itself."""

import asyncio
import inspect
import re
import threading
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.errors import InputError
from tests.frontend.handmade import functional, layer, sequential, write, write_dense
from tests.golden import GOLDEN, load
from tests.processes import ROOT

RNG = np.random.default_rng(8)
MNIST = ROOT / "weights" / "mnist.h5"


@pytest.fixture(scope="module")
def mnist() -> engine.Model:
    return engine.load_model(MNIST)


def digits(n: int) -> np.ndarray:
    return RNG.random((n, 28, 28, 1), np.float32)


def test_ways_to_predict_agree(mnist: engine.Model) -> None:
    x = digits(5)
    expected = mnist.predict(x)
    assert expected.shape == (5, 10)
    for found in (mnist(x), mnist(x, training=False), mnist.predict_on_batch(x), mnist.predict(x, batch_size=2)):
        np.testing.assert_array_equal(found, expected)
    for fed in ([x], (x,), {"input_layer": x}, x[..., 0], x.astype(np.float64), x[:, :, :, None], x.tolist()):
        np.testing.assert_array_equal(mnist.predict(fed), expected)


def test_training_is_refused(mnist: engine.Model) -> None:
    for x in (digits(1), digits(2)):
        with pytest.raises(InputError, match="training: expected False"):
            mnist(x, training=True)


def test_no_examples(mnist: engine.Model) -> None:
    for found in (mnist.predict(digits(0)), mnist(digits(0)), mnist.predict_on_batch(digits(0))):
        assert found.shape == (0, 10)
        assert found.dtype == np.float32
    assert mnist.features(digits(0), "conv3").shape == (0, 14, 14, 128)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.zeros((2, 28, 27, 1)), r"expected shape \(n, 28, 28, 1\), found \(2, 28, 27, 1\)$"),
        (np.zeros((28, 28, 1)), r"found \(28, 28, 1\): for one example, hand over x\[None\]$"),
        (np.zeros(()), r"expected shape \(n, 28, 28, 1\), found \(\)"),
        (3.5, r"expected shape \(n, 28, 28, 1\), found \(\)"),
        (np.zeros((2, 28, 28, 1), complex), "expected numbers, found ndarray of dtype complex128"),
        (np.full((2, 28, 28, 1), "1"), "expected numbers, found ndarray of dtype <U1"),
        (np.zeros((2, 28, 28, 1), object), "expected numbers, found ndarray of dtype object"),
        ([np.zeros((28, 28, 1)), np.zeros((28, 27, 1))], "inhomogeneous"),
        ({"image": np.zeros((2, 28, 28, 1))}, "input 'input_layer' is missing; the inputs are input_layer"),
    ],
)
def test_what_is_no_input_is_a_value_error_that_names_it(x: Any, said: str, mnist: engine.Model) -> None:
    for call in (mnist, mnist.predict, mnist.predict_on_batch):
        with pytest.raises(ValueError, match=said) as caught:
            call(x)
        assert isinstance(caught.value, InputError)


def test_examples_without_axes(tmp_path: Path) -> None:
    described = functional(
        [
            layer("InputLayer", "a", [], batch_input_shape=[None]),
            layer("Activation", "r", [[["a", 0, 0, {}]]], activation="relu"),
        ],
        [["a", 0, 0]],
        [["r", 0, 0]],
    )
    model = engine.load_model(write(tmp_path / "m.h5", described))
    np.testing.assert_array_equal(model(np.array([-1.0, 2.0])), [0, 2])
    with pytest.raises(InputError, match="found"):
        model(np.float32(1))


@pytest.mark.parametrize("size", [0, -1])
def test_batch_size(size: int, mnist: engine.Model) -> None:
    with pytest.raises(InputError, match=f"batch_size: expected at least 1, found {size}"):
        mnist.predict(digits(1), batch_size=size)


def test_progress_goes_to_standard_error(mnist: engine.Model, capsys: pytest.CaptureFixture[str]) -> None:
    mnist.predict(digits(3))
    assert capsys.readouterr() == ("", "")
    mnist.predict(digits(3), batch_size=2, verbose=1)
    assert capsys.readouterr() == ("", "\r2/3\r3/3\n")


def test_a_dictionary_of_outputs_is_answered_with_one() -> None:
    golden = load(GOLDEN / "k3/functional_named_outputs.h5")
    model = engine.load_model(golden.model)
    found = model.predict(dict(zip(model.input_names, golden.inputs, strict=True)))
    assert sorted(found) == ["p", "q"]
    np.testing.assert_allclose(found["p"], golden.outputs[0], rtol=1e-4, atol=1e-5)
    one = model([x[:1] for x in golden.inputs])
    np.testing.assert_array_equal(one["q"], found["q"][:1])


def test_a_single_output_by_name(tmp_path: Path) -> None:
    layers = [
        layer("InputLayer", "a", [], batch_input_shape=[None, 4]),
        layer("Activation", "r", [[["a", 0, 0, {}]]], activation="relu"),
    ]
    model = engine.load_model(write(tmp_path / "m.h5", functional(layers, [["a", 0, 0]], {"only": ["r", 0, 0]})))
    x = RNG.normal(size=(1, 4)).astype(np.float32)
    for found in (model(x), model.predict(x)):
        assert list(found) == ["only"]
        np.testing.assert_array_equal(found["only"], np.maximum(x, 0))


def test_what_a_model_says_of_itself(mnist: engine.Model) -> None:
    assert mnist.name == "mnist"
    assert mnist.inputs == (engine.TensorInfo("input_layer", (None, 28, 28, 1), "float32"),)
    assert mnist.outputs == (engine.TensorInfo("logits", (None, 10), "float32"),)
    assert mnist.input_names == ("input_layer",)
    assert mnist.output_names == ("logits",)
    assert mnist.input_shape == (None, 28, 28, 1)
    assert mnist.output_shape == (None, 10)
    assert mnist.count_params() == sum(w.size for w in mnist.get_weights())


def test_the_dtype_of_an_input_is_the_files(tmp_path: Path) -> None:
    first = layer("Embedding", "e", batch_input_shape=[None, 3], input_dim=4, output_dim=2, dtype="float32")
    described = sequential(layer("InputLayer", "words", batch_input_shape=[None, 3], dtype="int32"), first)
    path = write(tmp_path / "m.h5", described, {"e": [("embeddings", np.ones((4, 2), np.float32))]})
    assert engine.load_model(path).inputs == (engine.TensorInfo("words", (None, 3), "int32"),)


def test_layers_have_what_keras_gives_them(mnist: engine.Model) -> None:
    found = mnist.get_layer("conv2")
    assert mnist.get_layer(index=1) is found
    assert mnist.get_layer(index=-1).name == "logits"
    assert (found.name, found.class_name, found.output_shape) == ("conv2", "Conv2D", (None, 28, 28, 64))
    assert found.config["filters"] == 64
    assert found.get_config() == dict(found.config)
    assert [w.shape for w in found.get_weights()] == [(3, 3, 32, 64), (64,)]
    assert found.count_params() == 3 * 3 * 32 * 64 + 64
    assert found.inbound == ("conv1",)


def test_layers_that_are_not_there(mnist: engine.Model) -> None:
    for asked in ({"name": "conv9"}, {"index": 99}, {"index": -99}, {}):
        with pytest.raises(ValueError, match=r"no layer with .* the layers are conv1, conv2"):
            mnist.get_layer(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", ["k2/nested_twice_deep", "k3/nested_functional_frozen", "k3/functional_shared_layer"])
def test_weights_are_kerass(case: str) -> None:
    golden = load(GOLDEN / f"{case}.h5")
    model = engine.load_model(golden.model)
    for found, expected in zip(model.get_weights(), golden.weights, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_models_among_the_layers_have_layers() -> None:
    model = engine.load_model(GOLDEN / "k3/nested_functional_frozen.h5")
    (body,) = (each for each in model.layers if each.layers)
    assert [each.name for each in body.layers][1:] == ["d0", "bn", "d1"]
    kernel, bias = body.layers[1].get_weights()
    np.testing.assert_array_equal(kernel, body.get_weights()[0])
    assert kernel.shape == (5, 4)
    assert bias.shape == (4,)
    assert body.layers[1].output_shape == (None, 4)
    assert body.layers[2].inbound == ("d0",)


def test_a_summary_goes_where_it_is_asked_to(mnist: engine.Model, capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    mnist.summary(print_fn=lines.append)
    assert capsys.readouterr().out == ""
    mnist.summary()
    assert capsys.readouterr().out.splitlines() == lines
    assert any("conv3" in line and "73,856" in line for line in lines)


def test_threads_and_tasks_share_a_model(mnist: engine.Model) -> None:
    x = digits(8)
    expected = mnist.predict(x)

    async def answers() -> list[np.ndarray]:
        return await asyncio.gather(*(asyncio.to_thread(mnist, x[i : i + 1]) for i in range(8)))

    np.testing.assert_array_equal(np.concatenate(asyncio.run(answers())), expected)
    found: dict[int, np.ndarray] = {}

    def work(i: int) -> None:
        found[i] = mnist.features(x, "fc1" if i % 2 else "conv3").sum() + mnist.predict(x).sum()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({float(found[i]) for i in (0, 2, 4)}) == len({float(found[i]) for i in (1, 3, 5)}) == 1


def public() -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name in engine.__all__:
        thing = getattr(engine, name)
        found.append((name, thing))
        if isinstance(thing, type):
            members = {key: value for key, value in vars(thing).items() if not key.startswith("_")}
            found += [
                (f"{name}.{key}", value) for key, value in members.items() if callable(value) or is_property(value)
            ]
    return found


def is_property(value: Any) -> bool:
    return isinstance(value, property | classmethod | staticmethod)


def test_every_public_name_says_what_it_is() -> None:
    said = {name: (thing.__doc__ or "").strip() for name, thing in public()}
    assert len(said) > 40
    assert not [name for name, text in said.items() if len(text) < 10]
    assert not [name for name, text in said.items() if text.startswith(f"{name}(")], "only what dataclass writes"


def test_whatever_raises_says_what() -> None:
    functions = {name: thing.fget if isinstance(thing, property) else thing for name, thing in public()}
    raising = {
        name
        for name, thing in functions.items()
        if inspect.isfunction(thing) and re.search(r"^ *raise [A-Z]", inspect.getsource(thing), re.MULTILINE)
    }
    assert {"load_model", "Model.predict", "Model.get_layer"} <= raising
    assert not [name for name in sorted(raising) if "aises" not in (functions[name].__doc__ or "")]


def test_arrays_in_public_docstrings_have_shapes() -> None:
    for method in (engine.Model.predict, engine.Model.features, engine.Model.input_shape, engine.Model.output_shape):
        assert "(n, " in (method.__doc__ or "") or "(None, " in (method.__doc__ or "")


def test_public_names_are_complete() -> None:
    assert sorted(engine.__all__) == engine.__all__
    assert set(engine.__all__) == set(engine._WHERE)
    missing = [name for name in engine.__all__ if not hasattr(engine, name)]
    assert not missing


def test_a_file_is_read_by_keras_names(tmp_path: Path) -> None:
    model = engine.load_model(write_dense(tmp_path / "m.h5"))
    assert model.path.endswith("m.h5")
    assert model.layers[0].get_weights()[0].shape == (4, 3)


def test_a_version_is_always_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    with monkeypatch.context() as patch:
        patch.setattr(metadata, "version", lambda name: f"{name} 1.2")
        assert engine.__version__ == "numba-infer 1.2"
    monkeypatch.setattr(metadata, "version", absent)
    assert engine.__version__ == "unknown"


def test_a_model_is_shown_by_its_shapes(mnist: engine.Model) -> None:
    assert repr(mnist) == f"<Model 'mnist' of {MNIST}: (None, 28, 28, 1) to (None, 10)>"
