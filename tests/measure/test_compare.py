"""Comparing with other runtimes: real processes, stubs in place of runtimes that are not installed."""

import json
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import engine
from cli import main
from engine.errors import EngineError
from engine.measure.compare import Comparison, Setting, compare
from engine.measure.compare import Result as RuntimeResult
from engine.measure.compare_text import chart, comparison_lines, problem_lines
from engine.measure.numbers import scattered
from engine.measure.peers.agreement import disagreement
from engine.measure.peers.finding import MissingError, converted, find_python
from engine.measure.peers.table import PEERS, RUNTIMES
from engine.measure.peers.worker import SERVER, Worker, WorkerError
from engine.measure.plot import Chart, draw
from tests.frontend.handmade import dense_weights, layer, sequential, write
from tests.processes import run_python

WEIGHTS = Path(__file__).resolve().parents[2] / "weights" / "mnist_dense.h5"

STUB = """
import sys
import numpy as np

class SessionOptions:
    def add_free_dimension_override_by_name(self, name, size):
        self.free = (name, size)

class Input:
    name = "x"

class InferenceSession:
    def __init__(self, path, options, providers):
        text = open(path).read()
        if text == "exit":
            print("a last word", file=sys.stderr)
            sys.exit(3)
        if text != "model":
            raise ValueError("not a\\nmodel")
        print("noise on stdout")
        self.free = options.free

    def get_inputs(self):
        return [Input]

    def run(self, outputs, inputs):
        assert self.free == ("batch", len(inputs["x"]))
        return [np.full((len(inputs["x"]), 10), 1000, np.float32)]
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An interpreter that has a module which calls itself onnxruntime."""
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub" / "onnxruntime.py").write_text(STUB)
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path / "stub"}" exec "{sys.executable}" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def model(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "m.onnx"
    path.write_text(content)
    return path


def against_stub(tmp_path: Path, python: Path, content: str) -> Comparison:
    files = {"onnx": model(tmp_path, content)}
    setting = Setting(batch=2, rounds=2, seconds=0.0, pythons={"onnxruntime": str(python)}, files=files)
    return compare(WEIGHTS, None, ["onnxruntime"], setting)


def test_runtimes_are_measured_in_processes_of_their_own(tmp_path: Path, python: Path) -> None:
    found = against_stub(tmp_path, python, "model")
    ours, stub = found.results
    assert (ours.runtime, ours.error, ours.difference) == ("engine", "", 0.0)
    x = scattered((2, 28, 28, 1))
    expected = np.abs(engine.load_model(WEIGHTS).predict(x) - 1000).max()
    assert stub.difference == pytest.approx(expected, rel=1e-6)
    for result in found.results:
        assert len(result.calls) >= 6
        assert result.load is not None
        assert result.load > 0
        p50, p99 = result.percentile(50), result.percentile(99)
        assert p50 is not None
        assert p99 is not None
        assert 0 < p50 <= p99
    assert found.images_per_second(ours) == pytest.approx(2 * len(ours.calls) / sum(ours.calls))


@pytest.mark.parametrize(
    ("content", "reason"), [("other", "ValueError: not a model"), ("exit", "ended with status 3: a last word")]
)
def test_a_runtime_that_fails_is_one_line(tmp_path: Path, python: Path, content: str, reason: str) -> None:
    found = against_stub(tmp_path, python, content)
    (line,) = problem_lines(found)
    assert line.startswith("onnxruntime: ")
    assert reason in line
    assert "\n" not in line
    assert len(list(comparison_lines(found))) == 3


def test_a_worker_that_died_is_not_alive(tmp_path: Path, python: Path) -> None:
    with Worker("onnxruntime", str(python)) as worker:
        assert worker.alive
        with pytest.raises(WorkerError, match="ended with status 3"):
            worker.ask("load", model=str(model(tmp_path, "exit")), batch=1, threads=1)
        assert not worker.alive


def test_a_silent_worker_is_given_up() -> None:
    with (
        Worker("engine", sys.executable, patience=0.0) as worker,
        pytest.raises(WorkerError, match=r"no answer to 'memory' in 0 s"),
    ):
        worker.ask("memory")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a process of its parent's end")
def test_a_stopped_worker_dies_with_its_parent() -> None:
    found = run_python(
        """
        import os, sys
        from engine.measure.peers.worker import Worker

        worker = Worker("engine", sys.executable)
        worker.ask("memory")
        print(worker._process.pid, flush=True)
        os._exit(0)
        """
    )
    pid = int(found.stdout)
    deadline = time.monotonic() + 30
    while _running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _running(pid)


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_an_interpreter_is_a_given_one_this_one_or_an_environments(
    tmp_path: Path, python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_BENCH_ENVS", str(tmp_path))
    monkeypatch.setattr("engine.measure.peers.finding.find_spec", lambda name: None)
    assert find_python("engine", {}) == sys.executable
    assert find_python("onnxruntime", {"onnxruntime": str(python)}) == str(python)
    with pytest.raises(MissingError, match="onnxruntime: not installed; pip install onnxruntime, or give its Python"):
        find_python("onnxruntime", {})
    with pytest.raises(MissingError, match="pip install tensorflow-cpu tf2onnx"):
        converted(WEIGHTS, "onnx", 1, tmp_path, {})
    with pytest.raises(MissingError, match="is no program"):
        find_python("litert", {"litert": str(tmp_path / "no")})
    place = tmp_path / "tensorflow" / "bin" / "python"
    place.parent.mkdir(parents=True)
    place.symlink_to(sys.executable)
    assert find_python("keras", {}) == find_python("tensorflow", {}) == str(place)
    monkeypatch.setattr("engine.measure.peers.finding.find_spec", lambda name: name)
    assert find_python("litert", {}) == sys.executable


def test_a_failed_conversion_says_why(tmp_path: Path, python: Path) -> None:
    with pytest.raises(MissingError, match=r"onnx not made: \w+Error: "):
        converted(WEIGHTS, "onnx", 1, tmp_path, {"convert": str(python)})


def test_every_runtime_can_be_served() -> None:
    source = SERVER.read_text()
    assert all(f"\ndef {name}(" in source for name in RUNTIMES)
    assert "engine" not in PEERS


def test_models_of_several_inputs_are_refused(tmp_path: Path) -> None:
    from tests.frontend.handmade import functional

    inputs = [layer("InputLayer", name, batch_shape=[None, 4], dtype="float32") for name in "ab"]
    config = functional(
        [*inputs, layer("Add", "s", inbound=[[["a", 0, 0, {}], ["b", 0, 0, {}]]])],
        [["a", 0, 0], ["b", 0, 0]],
        [["s", 0, 0]],
    )
    path = write(tmp_path / "m.h5", config, {})
    with pytest.raises(EngineError, match="expected a model of one input and one output to compare, found 2 and 1"):
        compare(path, None, [], Setting())


def bench(*words: object) -> Result:
    given = ["bench", "--rounds", 1, "--seconds", 0, *words]
    return CliRunner().invoke(main, [str(word) for word in given], prog_name="infer")


def test_the_command(tmp_path: Path, python: Path) -> None:
    options = ("--weights", WEIGHTS, "--against", "onnxruntime", "--python", f"onnxruntime={python}")
    files = ("--onnx", model(tmp_path, "model"), "--plot", tmp_path / "p.png")
    result = bench(*options, *files)
    assert result.exit_code == 0, result.stderr
    assert "max difference" in result.stdout
    assert [line.split()[0] for line in result.stdout.splitlines()[2:]] == ["engine", "onnxruntime"]
    with Image.open(tmp_path / "p.png") as picture:
        assert picture.format == "PNG"
    plain = json.loads(bench(*options, *files, "--json").stdout)
    assert [row["runtime"] for row in plain["results"]] == ["engine", "onnxruntime"]
    assert plain["results"][0]["p50"] <= plain["results"][0]["p99"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--against", "onnx"), "expected some of tensorflow"),
        (("--python", "onnxruntime"), "expected NAME=PATH"),
        (("--batch", "0"), "--batch"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], reason: str) -> None:
    result = bench("--weights", WEIGHTS, *words)
    assert result.exit_code == 2
    assert reason in result.stderr


def test_an_engine_that_cannot_run_the_model_is_the_commands_error(tmp_path: Path) -> None:
    path = write(tmp_path / "m.h5", sequential(layer("Mystery", "m")), dense_weights())
    result = bench("--weights", path)
    assert result.exit_code == 4
    assert "Mystery" in result.stderr


def test_bars_are_as_long_as_their_values(tmp_path: Path) -> None:
    draw(Chart("t", [], ["a", "b"], [[1.0], [3.0]]), tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    blue = (pixels == (0x2A, 0x6F, 0xBB)).all(axis=-1).sum(axis=1)
    lengths = sorted(set(blue[blue > 0].tolist()))
    assert len(lengths) == 2
    assert lengths[1] / lengths[0] == pytest.approx(3, rel=0.02)


def test_a_chart_without_values_can_be_drawn(tmp_path: Path) -> None:
    draw(Chart("t", ["x", "y"], ["a"], [[None, None]], line=1.0), tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 0


def test_the_chart_of_a_comparison_leaves_out_what_failed() -> None:
    ours = RuntimeResult("engine", load=1.0, first_call=0.5, calls=(0.25, 0.25), difference=0.0)
    found = chart(Comparison("m.h5", 2, 1, (ours, RuntimeResult("litert", error="not installed"))))
    assert (found.groups, found.values) == (["engine"], [[8.0]])


def test_answers_agree_within_tolerance_only() -> None:
    reference = np.array([[0.1, 0.7, 0.2]], np.float32)
    assert disagreement(reference, reference, "probabilities") is None
    assert disagreement(reference + np.float32(5e-6), reference, "probabilities") is None
    assert "off by" in str(disagreement(reference * np.float32(1.001), reference, "probabilities"))
    assert "shape" in str(disagreement(reference[:, :2], reference, "values"))
    assert "finite" in str(disagreement(reference * np.float32(np.nan), reference, "values"))
    assert "off by" in str(disagreement(np.zeros_like(reference), reference, "logits"))
    assert "off by" in str(disagreement(np.roll(reference, 1), reference, "logits"))
    near = np.array([[0.5, 0.50005]], np.float32)
    assert disagreement(near[:, ::-1], near, "probabilities") is None
    apart = np.array([[1000.0, 1000.1]], np.float32)
    assert "another best class" in str(disagreement(apart[:, ::-1], apart, "logits"))
