"""Many threads in one process: one model, two models, a cold cache, callers that change their arrays meanwhile."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import engine
from engine.runtime import team, workspace
from tests.processes import run_python
from tests.runtime.test_team import in_threads

WEIGHTS = Path(__file__).parents[2] / "weights"
IMAGES = np.random.default_rng(0).random((40, 28, 28, 1), np.float32)


@pytest.fixture(autouse=True)
def _every_run_wakes_the_team(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "_WORTH_WAKING", 0.0)


def model(name: str = "mnist.h5", threads: int = 3) -> engine.Model:
    return engine.load_model(WEIGHTS / name, threads=threads)


def expected(name: str = "mnist.h5") -> NDArray[np.float32]:
    answers = model(name, 1).predict(IMAGES)
    assert isinstance(answers, np.ndarray)
    return answers


def test_64_threads_on_one_model() -> None:
    shared, right = model(), expected()

    def work(i: int) -> None:
        for k in range(3):
            n = 1 + (i + k) % 40
            np.testing.assert_array_equal(shared.predict(IMAGES[:n]), right[:n])

    in_threads(64, work)


def test_64_threads_load_and_predict_at_once_and_compile_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from engine.plan.machine import this_machine
    from engine.runtime import native, store

    folder, right = store.folder(this_machine().isa.name), expected()
    assert folder is not None
    compiled: list[str] = []

    def compile_kernels(names: list[str], isa: object, keep: Callable[[str, bytes], None]) -> None:
        for name in names:
            compiled.append(name)
            code = store.load(folder, name)
            assert code is not None
            keep(name, code)

    monkeypatch.setenv("ENGINE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("engine.runtime.compile.compile_kernels", compile_kernels)
    monkeypatch.setattr(native, "_addresses", {})
    caplog.set_level(logging.INFO, "engine")
    in_threads(64, lambda _: np.testing.assert_array_equal(model().predict(IMAGES), right))
    assert len(compiled) == len(set(compiled)) > 5
    assert caplog.records == []


def test_two_models_take_turns_in_many_threads() -> None:
    names = ("mnist.h5", "mnist_dense.h5")
    models, right = [model(n) for n in names], [expected(n) for n in names]

    def work(i: int) -> None:
        for k in range(10):
            which = (i + k) % 2
            np.testing.assert_array_equal(models[which].predict(IMAGES[: 1 + 4 * k]), right[which][: 1 + 4 * k])

    in_threads(8, work)


def test_a_caller_that_changes_its_input_meanwhile_gets_one_of_the_answers() -> None:
    shared, right = model(), expected()
    x, stop = IMAGES[:1].copy(), threading.Event()

    def change() -> None:
        while not stop.is_set():
            x[...] = IMAGES[np.random.default_rng().integers(40)]

    changing = threading.Thread(target=change)
    changing.start()
    try:
        for _ in range(100):
            answer = shared.predict(x)
            assert answer.shape == (1, 10)
            assert np.isfinite(answer).all()
    finally:
        stop.set()
        changing.join()
    np.testing.assert_array_equal(shared.predict(IMAGES), right)


def test_an_answer_belongs_to_its_caller() -> None:
    shared, right = model(), expected()
    for n in (1, 40):
        first = shared.predict(IMAGES[:n])
        first[...] = np.nan
        second = shared.predict(IMAGES[:n])
        np.testing.assert_array_equal(second, right[:n])
        assert np.isnan(first).all()
        assert first.base is None or first.base.nbytes <= first.nbytes


def test_a_prediction_within_a_prediction_runs_alone() -> None:
    """As a signal's handler or a finalizer may make one."""
    shared, right = model(), expected()
    taken = team.take(this_isa(), 3)
    assert taken is not None
    try:
        np.testing.assert_array_equal(shared.predict(IMAGES), right)
    finally:
        team.give_back(taken)


def this_isa() -> object:
    from engine.plan.machine import this_machine

    return this_machine().isa


@pytest.mark.parametrize("cpus", [1])
def test_on_one_processor_there_is_no_team_and_the_answer_is_the_same(cpus: int) -> None:
    run_python(
        f"""
        import os, threading
        import numpy as np
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:{cpus}])
            import engine
            assert engine.num_threads() == {cpus}
        import engine
        x = np.random.default_rng(0).random((40, 28, 28, 1), np.float32)
        many = engine.load_model("weights/mnist.h5", threads=4).predict(x)
        one = engine.load_model("weights/mnist.h5")
        before = threading.active_count()
        assert np.array_equal(one.predict(x), many) and threading.active_count() == before
        """
    )


REFUSED = """
import os, resource, sys, threading
import numpy as np
import engine
model = engine.load_model("weights/mnist.h5", threads=4)
x = np.random.default_rng(0).random((40, 28, 28, 1), np.float32)
alone = engine.load_model("weights/mnist.h5", threads=1).predict(x)
if os.getuid() == 0:
    os.setuid(65534)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
try:
    threading.Thread(target=print).start()
    sys.exit("threads are not refused here")
except RuntimeError:
    pass
assert np.array_equal(model.predict(x), alone)
assert np.array_equal(model.predict(x), alone)
"""


def test_where_the_system_refuses_threads_one_does_the_work() -> None:
    done = run_python(REFUSED)
    assert done.stderr == "running on 1 of 4 threads: can't start new thread\n"


def test_where_the_system_refuses_processes_kernels_are_compiled_here(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.kernels.isa import ISAS
    from engine.runtime import compile as compiling

    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    def no_thread(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(compiling.subprocess, "Popen", refuse)
    monkeypatch.setattr(compiling.threading.Thread, "start", no_thread)
    monkeypatch.setattr(compiling, "_compile_here", lambda name, _: name.encode())
    kept: dict[str, bytes] = {}
    compiling.compile_kernels(["one", "two", "three"], ISAS[0], kept.__setitem__)
    assert kept == {name: name.encode() for name in ("one", "two", "three")}
