"""The tracer sees every tile of every step once, on the program as it runs anyway."""

import numpy as np
import pytest

from engine.ir.ops import RELU, Activate, Activation, Conv, Dense, Reshape
from engine.measure.chrome import chrome_trace
from engine.measure.trace import Spans, Tracer, kernel_times, step_times
from engine.plan.machine import this_machine
from engine.plan.program import Program, plan
from engine.runtime import workspace
from tests.graphs import Net


@pytest.fixture(scope="module")
def program() -> Program:
    net = Net()
    x = net.input(16, 16, 3)
    y = net.add(Conv(activation=RELU), x, net.kernel(3, 3, 3, 8), net.weight(8), layer="conv")
    y = net.add(Activate(Activation("tanh")), net.add(Reshape((14 * 14 * 8,)), y), layer="tanh")
    return plan(net.graph(net.add(Dense(), y, net.kernel(14 * 14 * 8, 40), layer="fc")), this_machine())


def traced(program: Program, images: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> Spans:
    monkeypatch.setattr(workspace, "_WORTH_WAKING", 0.0)
    return Tracer(program, images, threads).run(images)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("images", [1, 3])
def test_every_tile_is_run_once(program: Program, images: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = traced(program, images, threads, monkeypatch)
    for number, step in enumerate(program.steps):
        tiles = -(-images * step.units // step.block) * step.inner
        mine = np.sort(spans[spans["step"] == number], order="low")
        assert mine["low"][0] == 0
        assert mine["high"][-1] == tiles
        assert (mine["low"][1:] == mine["high"][:-1]).all()


def test_steps_follow_one_another_and_a_thread_does_one_thing_at_a_time(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = traced(program, 3, 2, monkeypatch)
    assert (spans["end"] >= spans["start"]).all()
    for number in range(1, len(program.steps)):
        assert spans["start"][spans["step"] == number].min() >= spans["end"][spans["step"] == number - 1].max()
    for thread in np.unique(spans["thread"]):
        mine = spans[spans["thread"] == thread]
        assert (mine["start"][1:] >= mine["end"][:-1]).all()
    assert set(np.unique(spans["thread"])) <= {0, 1}


def test_a_traced_program_computes_the_same(program: Program) -> None:
    tracer = Tracer(program, 2, 1)
    plain = workspace.Workspace(program, 2, 1)
    plain.input[:] = tracer._workspace.input
    plain.run(2)
    tracer.run(2)
    np.testing.assert_array_equal(tracer._workspace.output, plain.output)


def test_the_log_starts_anew_with_each_run_and_keeps_fewer_images_apart(program: Program) -> None:
    tracer = Tracer(program, 3, 1)
    counts = [len(tracer.run(images)) for images in (3, 1, 3)]
    assert counts[0] == counts[2]
    assert counts[1] <= counts[0]


def test_a_step_lasts_from_its_first_start_to_its_last_end() -> None:
    spans = np.zeros(3, dtype=Tracer(_one_step(), 1, 1).run(1).dtype)
    spans["step"], spans["start"], spans["end"] = [0, 0, 2], [100, 150, 400], [300, 350, 450]
    np.testing.assert_allclose(step_times(spans, 3), [250e-9, 0, 50e-9])
    np.testing.assert_allclose(kernel_times(spans, 3), [400e-9, 0, 50e-9])


def _one_step() -> Program:
    net = Net()
    return plan(net.graph(net.add(Activate(RELU), net.input(4))), this_machine())


def test_a_chrome_trace_has_an_event_a_kernel_call(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    run = [traced(program, 2, 2, monkeypatch)]
    events = chrome_trace(program, run)["traceEvents"]
    complete = [event for event in events if event["ph"] == "X"]
    assert len(complete) == len(run[0])
    assert [event["name"] for event in complete if event["args"]["tiles"][0] == 0] == ["conv", "tanh", "fc"]
    assert min(event["ts"] for event in complete) == 0
    assert {event["tid"] for event in complete} == {event["tid"] for event in events if event["ph"] == "M"}
    assert {event["args"]["algorithm"] for event in complete} == {task.algorithm for task in program.tasks}
