"""Signals and ends: an interrupted batch, a fork in a handler, exits with work in flight. Never a hang or a crash."""

import os
import signal

import pytest

from tests.processes import run_python
from tests.runtime.test_fork import SETUP

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

INTERRUPTED = (
    SETUP
    + """
import random, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGALRM, signal.default_int_handler)
big = np.concatenate([x] * 40)
right = model.predict(big)
interrupted = 0
for i in range({count}):
    try:
        signal.setitimer(signal.ITIMER_REAL, random.Random(i).uniform(1e-5, 4e-3))
        while True:
            model.predict(big)
    except KeyboardInterrupt:
        interrupted += 1
    assert np.array_equal(model.predict(big), right)
assert interrupted == {count}
started = time.monotonic()
assert child(same) == 0 and same()
assert time.monotonic() - started < 20
"""
)


@pytest.mark.parametrize("count", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_an_interrupted_batch_leaves_everything_in_order(count: int) -> None:
    run_python(INTERRUPTED.replace("{count}", str(count)), timeout=900)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_a_process_that_predicts(name: str) -> None:
    number = signal.Signals[name].value
    run_python(
        SETUP
        + f"""
import signal
def forever():
    signal.signal({number}, signal.SIG_DFL)
    while True:
        model.predict(x)
pid = os.fork()
if pid == 0:
    forever()
time.sleep(0.3)
os.kill(pid, {number})
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        break
    time.sleep(0.01)
assert done and os.waitstatus_to_exitcode(status) == -{number}, status
"""
    )


def test_a_handler_may_fork_and_predict_in_the_middle_of_a_batch() -> None:
    run_python(
        SETUP
        + """
import signal
codes = []
def handler(*_):
    codes.append(child(same))
    codes.append(0 if same() else 3)
signal.signal(signal.SIGALRM, handler)
big = np.concatenate([x] * 40)
right = model.predict(big)
for i in range(15):
    signal.setitimer(signal.ITIMER_REAL, 0.0005 * (1 + i % 5))
    while len(codes) < 2 * (i + 1):
        assert np.array_equal(model.predict(big), right)
assert codes == [0] * 30, codes
"""
    )


def test_a_handler_may_fork_between_taking_the_team_and_giving_it_back() -> None:
    run_python(
        SETUP
        + """
helpers = team.take(team._team.isa, 3)
started = time.monotonic()
def work():
    team.give_back(helpers)
    return same() and team._team.threads == 3
assert child(work) == 0
assert time.monotonic() - started < 10
team.give_back(helpers)
assert same() and child(same) == 0
"""
    )


def test_a_fork_does_not_wait_for_a_long_run_of_another_thread() -> None:
    run_python(
        SETUP
        + """
begun, done = threading.Event(), threading.Event()
def long():
    helpers = team.take(team._team.isa, 3)
    begun.set()
    done.wait(60)
    team.give_back(helpers)
thread = threading.Thread(target=long)
thread.start()
begun.wait()
started = time.monotonic()
assert child(same) == 0
assert time.monotonic() - started < 20
done.set()
thread.join()
assert same() and child(same) == 0
"""
    )


IN_FLIGHT = """
import atexit, os, sys, threading
import numpy as np
import engine
from engine.runtime import workspace
workspace._WORTH_WAKING = 0.0
model = engine.load_model("weights/mnist.h5", threads=3)
x = np.zeros((64, 28, 28, 1), np.float32)
right = model.predict(x)
begun = threading.Barrier(3)
def forever():
    model.predict(x)
    begun.wait()
    while True:
        model.predict(x)
for _ in range(2):
    threading.Thread(target=forever, daemon=True).start()
begun.wait()
"""
ENDS = {
    "falls off the end": "",
    "sys.exit": "sys.exit(0)",
    "os._exit": "os._exit(0)",
    "predicts at exit": "atexit.register(lambda: np.testing.assert_array_equal(model.predict(x), right))",
    "loads at exit": 'atexit.register(lambda: engine.load_model("weights/mnist_dense.h5").predict(x))',
    "forks at exit": "atexit.register(lambda: os.fork() or os._exit(0))",
}


@pytest.mark.parametrize("repeat", [1, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_process_ends_with_work_in_flight(end: str, repeat: int) -> None:
    for _ in range(repeat):
        done = run_python("import warnings; warnings.simplefilter('ignore')" + IN_FLIGHT + end, timeout=60)
        assert done.stderr == ""


def test_an_interrupted_compilation_ends_its_children_and_says_so_at_once() -> None:
    run_python(
        """
        import signal, sys, time
        from engine.kernels.isa import ISAS
        from engine.runtime import compile as compiling
        children = []
        start = compiling.subprocess.Popen
        class Sleeper(start):
            def __init__(self, command, **options):
                super().__init__([sys.executable, "-c", "import time; time.sleep(100)"], **options)
                children.append(self)
        compiling.subprocess.Popen = Sleeper
        compiling.available_threads = lambda: 2
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.alarm(1)
        started = time.monotonic()
        try:
            compiling.compile_kernels(["gemm", "tile", "run"], ISAS[0], lambda *_: None)
            sys.exit("was not interrupted")
        except KeyboardInterrupt:
            pass
        for child in children:
            child.wait(20)
        assert len(children) == 2 and time.monotonic() - started < 30
        """
    )
