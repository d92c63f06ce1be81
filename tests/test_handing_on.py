"""Models on their way elsewhere: pickled, copied, into other processes; and predictions that are stopped."""

import copy
import io
import os
import pickle
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.errors import CancelledError, EngineError, ModelFileError
from tests.frontend.handmade import layer, sequential, write, write_dense
from tests.processes import ROOT

RNG = np.random.default_rng(4)
MNIST = ROOT / "weights" / "mnist.h5"
DIGITS = RNG.random((70, 28, 28, 1), np.float32)


def again(thing: object) -> object:
    return pickle.loads(pickle.dumps(thing))


def test_a_pickle_is_the_path_and_the_options() -> None:
    model = engine.load_model(MNIST, threads=1)
    data = pickle.dumps(model)
    assert len(data) < 1000
    assert str(MNIST).encode() in data
    twin = pickle.loads(data)
    assert twin._origin.threads == 1
    np.testing.assert_array_equal(twin.predict(DIGITS), model.predict(DIGITS))


def test_a_model_of_bytes_carries_them(tmp_path: Path) -> None:
    path = write_dense(tmp_path / "m.h5")
    model = engine.load_model(path.read_bytes())
    data = pickle.dumps(model)
    path.unlink()
    x = RNG.normal(size=(3, 4)).astype(np.float32)
    np.testing.assert_array_equal(pickle.loads(data)(x), model(x))


def test_a_submodel_and_a_layer() -> None:
    model = engine.load_model(MNIST)
    part = again(model.submodel("conv3"))
    assert isinstance(part, engine.Model)
    np.testing.assert_array_equal(part(DIGITS), model.features(DIGITS, "conv3"))
    kept = again(model.get_layer("conv1"))
    assert isinstance(kept, engine.Layer)
    assert [w.shape for w in kept.get_weights()] == [(3, 3, 1, 32), (32,)]


def test_a_relative_path_holds_in_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_dense(tmp_path / "m.h5")
    monkeypatch.chdir(tmp_path)
    model = engine.load_model("m.h5")
    monkeypatch.chdir("/")
    assert model.path == "m.h5"
    assert len(model.get_weights()) == len(model.layers[0].get_weights()) == 2
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(again(model)(x), model.features(x, "d"))  # type: ignore[operator]


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    path = write_dense(tmp_path / "m.h5")
    data = pickle.dumps(engine.load_model(path))
    path.unlink()
    with pytest.raises(ModelFileError, match=r"m\.h5: there is no such file"):
        pickle.loads(data)


def test_an_open_file_cannot_be_pickled(tmp_path: Path) -> None:
    path = write_dense(tmp_path / "m.h5")
    model = engine.load_model(io.BytesIO(path.read_bytes()))
    with pytest.raises(TypeError, match="<BytesIO>: a model of an open file cannot be pickled; load it from a path"):
        pickle.dumps(model)


def double(x: np.ndarray) -> np.ndarray:
    return 2 * x


def test_functions_of_lambda_layers_go_along_by_their_names(tmp_path: Path) -> None:
    path = write(tmp_path / "m.h5", sequential(layer("Lambda", "twice", function="?")))
    x = RNG.normal(size=(3, 4)).astype(np.float32)
    twin = again(engine.load_model(path, lambdas={"twice": double}))
    np.testing.assert_array_equal(twin(x), 2 * x)  # type: ignore[operator]
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(engine.load_model(path, lambdas={"twice": lambda x: 2 * x}))


def test_a_copy_is_the_model_itself() -> None:
    model = engine.load_model(MNIST)
    assert copy.copy(model) is model
    assert copy.deepcopy({"a": [model]})["a"][0] is model


def test_a_classifier() -> None:
    classifier = engine.Classifier(MNIST, top_k=3, labels=[f"digit {i}" for i in range(10)])
    twin = again(classifier)
    assert isinstance(twin, engine.Classifier)
    assert twin(ROOT / "samples" / "3_b.png") == classifier(ROOT / "samples" / "3_b.png")
    assert twin.classes == classifier.classes


def summed(model: engine.Model, seed: int) -> float:
    return float(model.predict(np.random.default_rng(seed).random((3, 28, 28, 1), np.float32)).sum())


@pytest.mark.parametrize("method", ["spawn", *(["forkserver"] if os.name == "posix" else [])])
def test_a_model_goes_to_other_processes(method: str) -> None:
    model = engine.load_model(MNIST)
    with ProcessPoolExecutor(2, mp_context=get_context(method)) as pool:
        found = list(pool.map(summed, [model] * 3, range(3)))
    assert found == [summed(model, seed) for seed in range(3)]


class After:
    """An event that is set when it has been asked for some times."""

    def __init__(self, asked: int) -> None:
        self.left = asked

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_prediction_is_cancelled_between_batches() -> None:
    model = engine.load_model(MNIST)
    expected = model.predict(DIGITS)
    for asked, done in ((0, 0), (1, 10), (3, 30)):
        with pytest.raises(CancelledError, match=f"^cancelled after {done} of 70 examples$"):
            model.predict(DIGITS, batch_size=10, cancel=After(asked))
    np.testing.assert_array_equal(model.predict(DIGITS, cancel=threading.Event()), expected)
    np.testing.assert_array_equal(model.predict(DIGITS, batch_size=10, cancel=After(7)), expected)
    assert issubclass(CancelledError, EngineError)


def test_an_event_that_another_thread_sets() -> None:
    model, stop = engine.load_model(MNIST), threading.Event()
    many = np.broadcast_to(DIGITS[:1], (1_000_000, 28, 28, 1))
    timer = threading.Timer(0.05, stop.set)
    timer.start()
    with pytest.raises(CancelledError):
        model.predict(many, cancel=stop)
    timer.join()


class Interrupting:
    """An event whose second question meets Ctrl-C."""

    asked = 0

    def is_set(self) -> bool:
        self.asked += 1
        if self.asked == 2:
            signal.raise_signal(signal.SIGINT)
        return False


def test_ctrl_c_ends_a_prediction_and_leaves_the_model_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    model = engine.load_model(MNIST)
    expected = model.predict(DIGITS)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        event = Interrupting()
        with pytest.raises(KeyboardInterrupt):
            model.predict(DIGITS, batch_size=10, cancel=event)
        assert event.asked == 2
    finally:
        signal.signal(signal.SIGINT, before)
    np.testing.assert_array_equal(model.predict(DIGITS), expected)
