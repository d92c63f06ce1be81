"""Memory and descriptors stay where they are over many loads, predictions, threads and forks."""

import gc
import os
import sys
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.runtime import workspace

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory and descriptors are told by /proc")
WEIGHTS = Path(__file__).parents[2] / "weights"
X = np.random.default_rng(0).random((40, 28, 28, 1), np.float32)
MEBIBYTE = 1 << 20


def resident() -> int:
    """Bytes of this process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def grows(work: Callable[[], object], times: int, warm: int) -> int:
    """Bytes that are in use after so many times more than after the first few; descriptors and threads must not."""
    for _ in range(warm):
        work()
    memory, files, threads = resident(), descriptors(), threading.active_count()
    for _ in range(times):
        work()
    assert descriptors() <= files
    assert threading.active_count() <= threads
    grown = resident() - memory
    print(f"{times} times: {grown / MEBIBYTE:+.2f} MiB, {files} descriptors, {threads} threads")
    return grown


@pytest.mark.parametrize("times", [30, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["mnist.h5", "mnist_dense.h5"])
def test_loads_and_unloads(name: str, times: int) -> None:
    def work() -> None:
        engine.load_model(WEIGHTS / name, threads=2).predict(X[:2])

    assert grows(work, times, 10) < 8 * MEBIBYTE


@pytest.mark.parametrize("times", [3000, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("images", [1, 3])
def test_predictions(images: int, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "_WORTH_WAKING", 0.0)
    model = engine.load_model(WEIGHTS / "mnist_dense.h5", threads=2)
    assert grows(lambda: model.predict(X[:images]), times, 300) < 2 * MEBIBYTE


@pytest.mark.parametrize("times", [30, pytest.param(1000, marks=pytest.mark.slow)])
def test_predictions_of_every_size_in_threads_that_come_and_go(times: int) -> None:
    """By what Python and NumPy hold: the C library keeps memory of its own for each thread and rarely gives it back."""
    model = engine.load_model(WEIGHTS / "mnist.h5", threads=2)

    def work() -> None:
        running = [threading.Thread(target=model.predict, args=(X[: 1 + i * 5],)) for i in range(6)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()

    tracemalloc.start()
    try:
        for _ in range(10):
            work()
        before = held()
        for _ in range(times):
            work()
        most_workspaces = 4 * max(s.capacity * s.program.arena + (1 << 16) for s in model._sessions.natives)  # type: ignore[union-attr]
        assert held() - before < most_workspaces
    finally:
        tracemalloc.stop()


def held() -> int:
    """Bytes that Python and NumPy have allocated and not freed."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("times", [30, pytest.param(1000, marks=pytest.mark.slow)])
def test_forks(times: int) -> None:
    model = engine.load_model(WEIGHTS / "mnist_dense.h5", threads=2)

    def work() -> None:
        model.predict(X)
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)

    assert grows(work, times, 10) < 2 * MEBIBYTE
