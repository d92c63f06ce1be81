"""Processes that fork: before, after and while others predict. Each in a process of its own, with a time limit."""

import os

import pytest

from tests.processes import run_python

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

SETUP = """
import os, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)
import numpy as np
import engine
from engine.runtime import team, workspace
workspace._WORTH_WAKING = 0.0
model = engine.load_model("weights/mnist.h5", threads=3)
x = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)

def same():
    return np.array_equal(model.predict(x), expected)

def child(work):
    "The exit code of a forked child that does this and leaves at once."
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return "hangs"

expected = model.predict(x)
"""


def test_child_and_grandchild_predict() -> None:
    run_python(
        SETUP
        + """
assert team._team is not None and team._team.threads == 3
assert child(same) == 0
assert child(lambda: same() and child(same) == 0 and same()) == 0
assert same()
"""
    )


def test_a_child_has_a_team_of_its_own() -> None:
    run_python(
        SETUP
        + """
def work():
    return team._team is None and same() and team._team.threads == 3 and threading.active_count() == 3
assert child(work) == 0
assert threading.active_count() == 1, "the parent's helpers stayed through the fork"
assert same() and threading.active_count() == 3
"""
    )


def test_fork_while_other_threads_predict() -> None:
    run_python(
        SETUP
        + """
stop, wrong = threading.Event(), []
def loop():
    while not stop.is_set():
        if not same():
            wrong.append(1)
threads = [threading.Thread(target=loop) for _ in range(3)]
for thread in threads:
    thread.start()
codes = [child(same) for _ in range(25)]
stop.set()
for thread in threads:
    thread.join(20)
assert codes == [0] * 25, codes
assert not wrong and not any(thread.is_alive() for thread in threads)
"""
    )


def test_fork_while_teams_come_and_go() -> None:
    run_python(
        SETUP
        + """
stop = threading.Event()
def loop():
    while not stop.is_set():
        with team._busy:
            team._dismiss()
        assert same()
thread = threading.Thread(target=loop)
thread.start()
codes = [child(same) for _ in range(25)]
stop.set()
thread.join(20)
assert codes == [0] * 25 and not thread.is_alive(), codes
"""
    )


def test_multiprocessing_fork_and_spawn(tmp_path: object) -> None:
    script = f"{tmp_path}/main.py"
    with open(script, "w", encoding="utf-8") as file:
        file.write(
            """
import multiprocessing, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
import numpy as np
import engine

def best(seed):
    x = np.random.default_rng(seed).random((3, 28, 28, 1), np.float32)
    return engine.load_model("weights/mnist.h5", threads=2).predict(x).tobytes()

if __name__ == "__main__":
    expected = [best(seed) for seed in range(4)]
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map_async(best, range(4)).get(60) == expected, method
"""
        )
    run_python(f"import runpy, sys; sys.path.insert(0, '.'); runpy.run_path({script!r}, run_name='__main__')")


def test_a_fork_without_any_run_is_silent() -> None:
    done = run_python("import engine, os; engine.load_model; pid = os.fork(); pid or os._exit(0); os.waitpid(pid, 0)")
    assert done.stderr == ""
