"""The thread team: every size gives the same bits, a refused thread is no error, limits of the machine are kept."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import settings
from engine.errors import EngineError, InputError
from engine.ir import reference
from engine.ir.graph import Graph
from engine.ir.ops import RELU, Conv, Dense, Pool, Reshape, Softmax
from engine.plan.machine import this_machine
from engine.plan.program import Program, plan
from engine.runtime import team, workspace
from engine.runtime.session import Session
from engine.runtime.workspace import Workspace
from tests.graphs import Net

MACHINE = this_machine()


@pytest.fixture(autouse=True)
def _no_team_before_or_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(workspace, "_WORTH_WAKING", 0.0)
    monkeypatch.setattr(team, "_default", None)
    team._found.cache_clear()
    team._dismiss()
    yield
    team._found.cache_clear()
    team._dismiss()


def small_net() -> tuple[Graph, Net]:
    net = Net()
    same = ((1, 1), (1, 1))
    x = net.add(Conv(pads=same, activation=RELU), net.input(9, 8, 4), net.kernel(3, 3, 4, 20), net.weight(20))
    x = net.add(Pool("mean", (2, 2), (1, 1)), x)
    x = net.add(Dense(), net.add(Reshape((1120,)), x), net.kernel(1120, 70))
    return net.graph(net.add(Softmax(), x)), net


def eager(program: Program) -> Program:
    """The program with every step divided into tiles and worth sharing, however small it is."""
    return replace(program, steps=tuple(replace(s, work=1e6) for s in program.steps))


def inputs_and_answers(n: int = 7) -> tuple[Program, list[NDArray[np.float32]], NDArray[np.float32]]:
    graph, net = small_net()
    program = eager(plan(graph, MACHINE))
    x = net.batch(n)
    alone = Workspace(program, n, 1)
    alone.input[:] = x[0]
    alone.run(n)
    expected = alone.output.copy()
    np.testing.assert_allclose(expected, reference.run(graph, x)[graph.outputs[0]], rtol=1e-5)
    return program, x, expected


@pytest.mark.parametrize("threads", [2, 3, 4, 7])
@pytest.mark.parametrize(("images", "runs"), [(3, 4000), (60, 400)])
def test_thousands_of_runs_all_finish_right(threads: int, images: int, runs: int) -> None:
    program, x, expected = inputs_and_answers(images)
    space = Workspace(program, images, threads)
    for i in range(runs):
        n = 1 + i % images
        space._arena[...] = np.nan
        space.input[:n] = x[0][:n]
        space.run(n)
        assert np.array_equal(space.output[:n], expected[:n]), f"run {i} of {n} images"
    assert team._team is not None
    assert team._team.threads == threads


def test_runs_of_different_sizes_share_one_team() -> None:
    program, x, expected = inputs_and_answers(20)
    spaces = [Workspace(program, 20, threads) for threads in (2, 4, 3, 1)]
    for i in range(1200):
        space = spaces[i % 4]
        space._arena[...] = np.nan
        space._scratch[...] = np.nan
        space.input[:] = x[0]
        space.run(20)
        assert np.array_equal(space.output, expected), f"run {i} on {space.threads} threads"
    assert team._team is not None
    assert team._team.size == 4


def in_threads(count: int, work: object) -> None:
    """Run `work(i)` in threads that begin together; the first error is raised here."""
    begin, errors = threading.Barrier(count), []

    def body(i: int) -> None:
        try:
            begin.wait(30)
            work(i)  # type: ignore[operator]
        except BaseException as error:
            errors.append(error)

    running = [threading.Thread(target=body, args=(i,)) for i in range(count)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("models", [1, 2])
def test_two_callers(models: int) -> None:
    program, x, expected = inputs_and_answers()
    sessions = [Session(program, 2) for _ in range(models)]

    def work(i: int) -> None:
        for k in range(400):
            n = 1 + (k + i) % 7
            (y,) = sessions[i % models].run([x[0][:n]], n)
            assert np.array_equal(y, expected[:n])

    in_threads(2, work)


def test_sixteen_callers_on_a_session_that_has_never_run() -> None:
    program, x, expected = inputs_and_answers()
    for _ in range(10):
        session = Session(program, 3)
        team._dismiss()

        def work(i: int, session: Session = session) -> None:
            for _ in range(5):
                (y,) = session.run(x, 7)
                assert np.array_equal(y, expected)

        in_threads(16, work)
        assert sum(len(free) for free in session._free.values()) <= 4


@pytest.mark.parametrize("refused_from", [1, 2, 3])
def test_a_refused_thread_means_fewer_threads(
    refused_from: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    program, x, expected = inputs_and_answers()
    start, started = threading.Thread.start, []

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("engine-"):
            started.append(thread)
            if len(started) == refused_from:
                raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    space = Workspace(program, 7, 4)
    for _ in range(100):
        space.input[:] = x[0]
        space.run(7)
        assert np.array_equal(space.output, expected)
    assert team._team is not None
    assert team._team.threads == refused_from
    assert [r.getMessage() for r in caplog.records] == [
        f"running on {refused_from} of 4 threads: can't start new thread"
    ]


def test_a_team_that_is_sent_home_meanwhile_leaves_no_run_half_done() -> None:
    program, x, expected = inputs_and_answers(60)
    space = Workspace(program, 60, 3)
    wrong = []

    def work() -> None:
        for i in range(400):
            space._arena[...] = np.nan
            space.input[:] = x[0]
            space.run(60)
            if not np.array_equal(space.output, expected):
                wrong.append(i)

    caller = threading.Thread(target=work)
    caller.start()
    while caller.is_alive():
        team._dismiss()
    assert wrong == []


def test_helpers_rest_when_there_is_nothing_to_do() -> None:
    program, x, _ = inputs_and_answers()
    Session(program, 3).run(x, 7)
    found = team._team
    assert found is not None
    deadline = threading.Event()
    for _ in range(200):
        if all(found._parked):
            break
        deadline.wait(0.01)
    assert all(found._parked)


def test_number_of_threads_by_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_NUM_THREADS", "5")
    assert team.num_threads() == 5
    team.set_num_threads(2)
    assert team.num_threads() == 2
    with pytest.raises(InputError, match="expected at least 1, found 0"):
        team.set_num_threads(0)


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "٣x"])
def test_a_bad_setting_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_NUM_THREADS", text)
    with pytest.raises(EngineError, match="ENGINE_NUM_THREADS: expected a whole number from 1, found"):
        settings.num_threads()
