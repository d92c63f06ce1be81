"""`sandbox=True`: the same model, and whatever befalls the child is one error here."""

import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import cli
import engine
from engine.errors import (
    EngineError,
    LimitExceededError,
    ModelFileError,
    UnsupportedLayerError,
)
from engine.frontend import assemble, open_model, sandbox
from engine.frontend.exchange import Failure, read_answer, write_failure, write_model
from engine.frontend.files import LentFile
from engine.frontend.network import Network
from engine.frontend.reading import read_model
from engine.frontend.saved import SavedModel
from engine.ir.ops import HostCall
from tests.frontend.handmade import dense_model, dense_weights, layer, sequential, write, write_dense
from tests.golden import GOLDEN, load, models
from tests.processes import ROOT

SHIPPED = ROOT / "weights" / "mnist.h5"
KEPT = ("graph", "layers")


def handed_over(path: Path) -> Network:
    """A network from what the child would write, as the parent reads it."""
    file = BytesIO()
    with ExitStack() as stack:
        write_model(read_model(path, None, stack), file)
    saved = read_answer(LentFile(file))
    assert isinstance(saved, SavedModel)
    return assemble._assemble(saved, {}, None, None, ExitStack())


def plain(value: Any) -> Any:
    """With lists for tuples, as JSON has them."""
    return json.loads(json.dumps(value))


def assert_same(found: Network, expected: Network) -> None:
    assert found.graph.shapes == expected.graph.shapes
    assert (found.graph.inputs, found.graph.outputs) == (expected.graph.inputs, expected.graph.outputs)
    for node, other in zip(found.graph.nodes, expected.graph.nodes, strict=True):
        assert (node.values, node.output, node.layer) == (other.values, other.output, other.layer)
        assert node.op == other.op or (type(node.op), type(other.op)) == (HostCall, HostCall)
    for name in vars(expected):
        if name not in KEPT and not name.startswith("_"):
            assert getattr(found, name) == getattr(expected, name), name
    for ours, theirs in zip(found.layers, expected.layers, strict=True):
        assert ours.name == theirs.name
        assert plain(ours.config) == plain(theirs.config)
        assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    weights = zip(found.graph.weights(), expected.graph.weights(), strict=True)
    for mine, his in weights:
        read, wanted = mine.read(), his.read()
        assert read.dtype == (np.float32 if wanted.dtype == np.float32 else np.float64)
        np.testing.assert_array_equal(read, wanted)


@pytest.mark.parametrize("kind", ["k2", "k3", "other"])
def test_every_golden_model_is_handed_over_whole(kind: str) -> None:
    """Without the child: the format itself, over all models."""
    paths = [path for path in models() if path.parent.name == kind] or sorted(GOLDEN.glob("other/*/*.keras"))
    assert len(paths) > 20
    for path in paths:
        with open_model(path) as network:
            assert_same(handed_over(path), network)


@pytest.mark.parametrize(
    "name", ["k3/sequential_seed_cnn.h5", "other/k3/nested_functional_called_twice.keras", "other/k3/rnn_cells.keras"]
)
def test_a_model_read_by_a_child_is_the_same(name: str) -> None:
    with open_model(GOLDEN / name) as network, open_model(GOLDEN / name, sandbox=True) as found:
        assert_same(found, network)


@pytest.mark.slow
@pytest.mark.parametrize("path", models(), ids=str)
def test_every_golden_model_answers_the_same_from_the_sandbox(path: Path) -> None:
    golden = load(path)
    x = list(golden.inputs) if len(golden.inputs) > 1 else golden.inputs[0]
    expected, found = engine.load_model(path).predict(x), engine.load_model(path, sandbox=True).predict(x)
    assert type(expected) is type(found)
    if isinstance(expected, dict):
        expected, found = [*expected.values()], [*found.values()]
    for a, b in zip(*([y] if isinstance(y, np.ndarray) else y for y in (expected, found)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_predictions_layers_and_weights_are_the_same() -> None:
    model, other = engine.load_model(SHIPPED), engine.load_model(SHIPPED, sandbox=True)
    x = np.random.default_rng(1).random((3, *model.input_shape[1:]), np.float32)
    np.testing.assert_array_equal(other(x), model(x))
    lines: list[str] = []
    other.summary(lines.append)
    expected: list[str] = []
    model.summary(expected.append)
    assert lines == expected
    for a, b in zip(other.layers[0].get_weights(), model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_open_sizes_are_read_again_by_a_child(tmp_path: Path) -> None:
    config = sequential(layer("GlobalAveragePooling2D", "p"), shape=(None, None, None, 2))
    path = write(tmp_path / "m.h5", config)
    model = engine.load_model(path, sandbox=True)
    for side in (3, 7):
        x = np.random.default_rng(side).random((2, side, side, 2), np.float32)
        np.testing.assert_allclose(model.predict(x), x.mean((1, 2)), rtol=1e-5)


def test_bytes_files_and_descriptions_go_through_the_child(tmp_path: Path) -> None:
    path = write_dense(tmp_path / "m.h5")
    arch = json.dumps(dense_model()).encode()
    expected = dense_weights()["d"][0][1]
    with path.open("rb") as file:
        for source, described in ((path.read_bytes(), None), (file, None), (str(path), arch)):
            with open_model(source, described, sandbox=True) as network:
                np.testing.assert_array_equal(network.layers[0].weights[0].read(), expected)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (b"nothing", ModelFileError, "^<7 bytes>: is a text file$"),
        ("absent.h5", ModelFileError, r"^absent\.h5: there is no such file$"),
    ],
)
def test_errors_are_the_same(source: Any, error: type[EngineError], message: str) -> None:
    with pytest.raises(error, match=message):
        open_model(source, sandbox=True)


def test_unsupported_layers_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "m.h5", sequential(layer("Lambda", "l")))
    with pytest.raises(UnsupportedLayerError, match=r"m\.h5: layer 'l' \(Lambda\)"):
        engine.load_model(path, sandbox=True)


def test_functions_of_this_process_are_used(tmp_path: Path) -> None:
    path = write(tmp_path / "m.h5", sequential(layer("Lambda", "l")))
    model = engine.load_model(path, sandbox=True, lambdas={"l": np.abs})
    np.testing.assert_array_equal(model.predict(np.full((1, 4), -2.0)), [[2.0] * 4])


def child_that(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let another program stand in for the child."""
    monkeypatch.setattr(sandbox.child, "command", lambda module: [sys.executable, "-c", code])


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL"])
def test_a_crash_of_the_child_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    child_that(monkeypatch, f"import os, signal; os.kill(os.getpid(), signal.{name})")
    with pytest.raises(ModelFileError, match=rf"mnist\.h5: cannot be read: .* {name}"):
        engine.load_model(SHIPPED, sandbox=True)


def test_a_real_crash_while_a_file_is_read_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The child is the true one, but for an HDF5 library that reads address 0 when it opens a file."""
    (tmp_path / "h5py.py").write_text("import ctypes\nctypes.string_at(0)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelFileError, match=r"SIGSEGV|exit status"):
        open_model(SHIPPED, sandbox=True)


def test_a_hang_of_the_child_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SECONDS", 1)
    child_that(monkeypatch, "import time; time.sleep(600)")
    with pytest.raises(LimitExceededError, match=r"mnist\.h5: was not read within 1 seconds"):
        engine.load_model(SHIPPED, sandbox=True)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS and RLIMIT_CPU bind on Linux")
@pytest.mark.parametrize(
    ("code", "name", "value", "message"),
    [
        ("bytearray(2 << 30)", "MEMORY", 1 << 30, "needs more than 1024 MiB"),
        ("while True: pass", "SECONDS", 2, "within 2 seconds|SIGKILL"),
    ],
)
def test_memory_and_time_of_the_child_are_bounded(
    code: str, name: str, value: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, name, value)
    limit = "from engine.frontend.sandboxed import _limit; import json, sys; sys.stdin.readline()\n"
    child_that(monkeypatch, f"{limit}_limit(**json.loads(sys.stdin.readline())['limits'])\n{code}")
    with pytest.raises(LimitExceededError, match=message):
        engine.load_model(SHIPPED, sandbox=True)


@pytest.mark.parametrize("answer", [b"", b"x" * 7, b"x" * 100, b"[]" + (2).to_bytes(8, "little")], ids=len)
def test_an_answer_that_is_none_is_an_error(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    child_that(monkeypatch, f"import sys; sys.stdout.buffer.write({answer!r})")
    with pytest.raises(ModelFileError, match=r"mnist\.h5: "):
        engine.load_model(SHIPPED, sandbox=True)


def answer(path: Path, change: Callable[[dict[str, Any]], object]) -> LentFile:
    """What the child says of a model, changed."""
    file = BytesIO()
    with ExitStack() as stack:
        write_model(read_model(path, None, stack), file)
    content = file.getvalue()
    length = int.from_bytes(content[-8:], "little")
    data = json.loads(content[-8 - length : -8])
    change(data)
    text = json.dumps(data).encode()
    return LentFile(BytesIO(content[: -8 - length] + text + len(text).to_bytes(8, "little")))


def change_of(**values: Any) -> Callable[[dict[str, Any]], object]:
    """A change of the first weight."""
    return lambda data: data["weights"][0]["weights"][0].update(values)


LIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "another_field": lambda data: data.update(function="os.system"),
    "a_field_less": lambda data: data.pop("format"),
    "a_number_for_a_text": lambda data: data.update(format=1),
    "true_for_a_number": lambda data: data.update(size=True),
    "a_description_that_is_a_list": lambda data: data.update(config=[]),
    "weights_that_are_a_text": lambda data: data.update(weights="x"),
    "a_weight_behind_the_end": change_of(start=1 << 40),
    "a_weight_before_the_start": change_of(start=-4),
    "a_weight_of_objects": change_of(numbers="|O"),
    "a_weight_that_was_objects": change_of(dtype="|O"),
    "a_weight_of_another_kind": change_of(kind="pickle"),
    "a_weight_of_negative_size": change_of(shape=[-1, -3]),
    "a_weight_of_a_giant_size": change_of(shape=[1 << 62, 1 << 62]),
    "a_weight_of_half_a_row": change_of(shape=[1.5]),
}


@pytest.mark.parametrize("name", LIES)
def test_lies_of_the_child_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="what is no model"):
        read_answer(answer(write_dense(tmp_path / "m.h5"), LIES[name]))


def test_an_unchanged_answer_is_taken(tmp_path: Path) -> None:
    assert isinstance(read_answer(answer(write_dense(tmp_path / "m.h5"), lambda data: None)), SavedModel)


def test_a_group_that_holds_itself_ends_there(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        for i, (_, array) in enumerate(dense_weights()["d"]):
            file[f"layers/dense/vars/{i}"] = array
        file["layers/again"] = file["/"]
    arch = json.dumps(dense_model()).encode()
    with open_model(path, arch, sandbox=True) as network:
        np.testing.assert_array_equal(network.layers[0].weights[0].read(), dense_weights()["d"][0][1])


def test_an_error_that_the_child_makes_up_is_ours() -> None:
    for name in ("SystemExit", "type", "__name__", "NoSuchError"):
        file = BytesIO()
        write_failure(type(name, (Exception,), {})("x\ny"), file)
        failure = read_answer(LentFile(file))
        assert isinstance(failure, Failure)
        raised = sandbox._error(failure)
        assert type(raised) is ModelFileError
        assert str(raised) == "x y"


def test_the_option_of_the_command_line() -> None:
    pictures = str(next((ROOT / "samples").glob("*.png")))
    plain_run, sandboxed = (
        CliRunner().invoke(cli.main, [pictures, "--weights", str(SHIPPED), "--format", "csv", *option])
        for option in ([], ["--sandbox"])
    )
    assert sandboxed.exit_code == 0, sandboxed.output
    assert sandboxed.stdout == plain_run.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", str(SHIPPED)],
        ["inspect", str(GOLDEN / "other" / "k3" / "sequential_seed_cnn.weights.h5")],
        ["summary", "--weights", str(GOLDEN / "other" / "k3" / "rnn_cells.keras")],
    ],
    ids=["model", "weights", "summary"],
)
def test_reports_are_the_same_from_the_sandbox(arguments: list[str]) -> None:
    plain_run, sandboxed = (CliRunner().invoke(cli.main, [*arguments, *option]) for option in ([], ["--sandbox"]))
    assert sandboxed.stdout == plain_run.stdout
    assert sandboxed.exit_code == plain_run.exit_code
