"""The comparison's own logic with runtimes that are made up, and the shapes that kernels are timed on."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench import nets, steady
from bench.compare import parse, runners
from bench.executors import LAYERS, STEPS, TILES, empty_call, empty_program, executor
from bench.kernels import ROWS, site_of
from bench.models import MODELS, Spec
from bench.steady import LEAST_ROUNDS, Patience
from engine.measure.foreign.serve import burst
from engine.measure.peers.worker import WorkerError
from engine.plan.choose import legal

SPEC = Spec("mnist", "seed", (3,), output="values")
ANSWER = np.array([[1.0, 2.0]], np.float32)


class Fake:
    """A process that answers, fails or dies as told."""

    def __init__(self, name: str, answers: dict[str, Any]) -> None:
        self.name, self.answers, self.alive, self.loads = name, answers, True, 0

    def __enter__(self) -> "Fake":
        return self

    def __exit__(self, *_: object) -> None:
        self.alive = False

    def ask(self, do: str, **arguments: Any) -> Any:
        known = self.answers.get(self.name, {})
        if do == "load":
            self.loads += 1
            if arguments["batch"] == known.get("dies at"):
                self.alive = False
                raise WorkerError("the process ended")
        if do == "run":
            np.save(arguments["output"], known.get("answer", ANSWER))
        if do == "time":
            if "error" in known:
                raise WorkerError(known["error"])
            return [known.get("seconds", 0.001)]
        return 50.0 if do == "memory" else None


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> tuple[list[Fake], dict[str, Any]]:
    """The fake processes as they are started, and what they answer by name."""
    processes: list[Fake] = []
    answers: dict[str, Any] = {}

    def start(name: str) -> Fake:
        if name == answers.get("missing"):
            raise WorkerError("environment is missing")
        processes.append(Fake(name, answers))
        return processes[-1]

    monkeypatch.setattr(steady, "start", start)
    monkeypatch.setattr(steady, "model_file", lambda spec, format, batch: Path(f"m.{format}"))
    return processes, answers


def rows(tmp_path: Path, batches: tuple[int, ...] = (1,), rounds: int = 3, row: float = 1e9) -> list[Any]:
    names = ["engine", "tensorflow", "litert"]
    return list(steady.steady(SPEC, 2, batches, names, Patience(rounds, 0.0, row), tmp_path))


def test_figures_are_medians_an_image(started: Any, tmp_path: Path) -> None:
    started[1]["litert"] = {"seconds": 0.004}
    small, large = rows(tmp_path, (4, 1))
    assert (small["batch"], large["batch"]) == (1, 4)
    assert small["ratio"] == pytest.approx(1.0)
    assert large["runners"]["litert"]["median"] == pytest.approx(1.0)
    assert len(large["runners"]["litert"]["samples"]) == 3


def test_a_process_serves_all_batches_and_its_memory_is_that_of_the_first(started: Any, tmp_path: Path) -> None:
    small, large = rows(tmp_path, (1, 4))
    assert sorted(fake.name for fake in started[0]) == ["engine", "litert", "tensorflow"]
    assert all(fake.loads == 2 and not fake.alive for fake in started[0])
    assert small["runners"]["litert"]["peak_mib"] == 50.0
    assert "peak_mib" not in large["runners"]["litert"]


def test_a_process_that_died_is_started_afresh(started: Any, tmp_path: Path) -> None:
    started[1]["litert"] = {"dies at": 1}
    small, large = rows(tmp_path, (1, 4))
    assert small["runners"]["litert"] == {"error": "the process ended"}
    assert "median" in large["runners"]["litert"]
    assert large["runners"]["litert"]["peak_mib"] == 50.0


def test_who_disagrees_has_no_time(started: Any, tmp_path: Path) -> None:
    started[1]["litert"] = {"answer": 1.01 * ANSWER}
    (found,) = rows(tmp_path)
    assert found["runners"]["litert"]["error"].startswith("disagrees with TensorFlow: off by")
    assert "median" in found["runners"]["engine"]


def test_without_tensorflow_nothing_is_measured(started: Any, tmp_path: Path) -> None:
    started[1]["missing"] = "tensorflow"
    (found,) = rows(tmp_path)
    assert found["runners"]["tensorflow"] == {"error": "environment is missing"}
    assert "TensorFlow has no answer" in found["runners"]["engine"]["error"]


def test_an_error_while_measuring_is_that_runtimes_alone(started: Any, tmp_path: Path) -> None:
    started[1]["litert"] = {"error": "out of memory"}
    (found,) = rows(tmp_path)
    assert found["runners"]["litert"]["error"] == "out of memory"
    assert len(found["runners"]["engine"]["samples"]) == 3


def test_a_row_ends_when_its_time_is_up(started: Any, tmp_path: Path) -> None:
    (found,) = rows(tmp_path, rounds=50, row=0.0)
    assert len(found["runners"]["engine"]["samples"]) == LEAST_ROUNDS


def test_rounds_begin_with_another_runtime_each() -> None:
    assert [steady.rotated(["a", "b", "c"], turn)[0] for turn in range(4)] == ["a", "b", "c", "a"]
    assert steady.rotated([], 3) == []


def test_a_burst_has_at_least_two_blocks_unless_one_call_takes_all_the_time() -> None:
    calls = []
    assert len(burst(lambda x: calls.append(x) or x, np.zeros(1), 0.001)) >= 2
    assert burst(lambda x: calls.clear() or x, np.zeros(1), 0.0)[0] > 0
    assert calls == []


def test_keras_predict_is_for_the_seeds_models_unless_asked_for() -> None:
    seed, large = MODELS[0], MODELS[-1]
    assert "keras" in runners(parse([]), seed)
    assert "keras" not in runners(parse([]), large)
    assert runners(parse(["--peers", "keras"]), large) == ["engine", "keras"]


def test_the_command_line_refuses_what_makes_no_sense() -> None:
    for words in (["--batch", "0"], ["--models", "other"], ["--save", "--json", "f"]):
        with contextlib.redirect_stderr(None), pytest.raises(SystemExit):
            parse(words)


def test_shapes_of_every_net_are_kept_and_read_back() -> None:
    assert {net for net, _ in nets.stored()} == {spec.name for spec in MODELS}
    for _, site in nets.stored():
        assert nets._op(nets._plain(site.op)) == site.op


def test_shapes_of_a_model_are_written_and_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nets, "FOLDER", tmp_path / "shapes")
    spec = MODELS[0]
    nets.write(spec)
    kept = [site for net, site in nets.stored() if net == spec.name]
    assert spec.weights
    assert kept == nets.sites(nets.ROOT / spec.weights)
    assert {(3, 3, 32, 64), (6272, 128)} <= {shape for site in kept for shape in site.weights}


def test_every_row_of_the_kernels_benchmark_has_an_algorithm() -> None:
    assert len(ROWS) > 300
    for row in ROWS:
        assert legal(site_of(row))


def test_the_empty_program_has_many_tiles_and_runs_on_the_team_and_alone() -> None:
    program = empty_program()
    assert len(program.steps) == STEPS
    assert all(-(-step.units // step.block) * step.inner == TILES for step in program.steps)
    for name in ("team", "one"):
        executor(name, program, 1, 2)()


def test_a_model_that_does_nothing_can_be_called() -> None:
    assert 0 < empty_call(0.0) < 0.01


@pytest.mark.slow
def test_prange_computes_the_same() -> None:
    from bench.executors import Workspace, _by_prange

    program = empty_program()
    spaces = [Workspace(program, 1, 1) for _ in range(2)]
    for space in spaces:
        space.input[...] = np.random.default_rng(0).standard_normal(space.input.shape)
    spaces[0].run(1)
    assert "workqueue" in LAYERS
    _by_prange(program, spaces[1], 1, 2)()
    np.testing.assert_array_equal(spaces[1].output, spaces[0].output)
