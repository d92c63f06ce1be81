"""Every way in which servers make workers: forkserver, preloading masters, daemons, forks beside a compilation."""

import os

import pytest

from tests.processes import ROOT, run_python
from tests.runtime.test_fork import SETUP

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.mark.parametrize("method", ["forkserver", "spawn", "fork"])
def test_workers_of_a_pool(method: str, tmp_path: object) -> None:
    script = f"{tmp_path}/main.py"
    with open(script, "w", encoding="utf-8") as file:
        file.write(
            f"""
import multiprocessing, sys, warnings
sys.path.insert(0, {str(ROOT)!r})
warnings.simplefilter("ignore", DeprecationWarning)
import numpy as np
import engine
model = engine.load_model("weights/mnist.h5", threads=2)

def answer(seed):
    return model.predict(np.random.default_rng(seed).random((3, 28, 28, 1), np.float32)).tobytes()

if __name__ == "__main__":
    expected = [answer(seed) for seed in range(6)]
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        assert pool.map_async(answer, range(6)).get(100) == expected
"""
        )
    run_python(f"import runpy; runpy.run_path({script!r}, run_name='__main__')")


def test_a_master_that_preloads_and_replaces_its_workers() -> None:
    """As gunicorn does with --preload: workers serve, die, and are forked anew while the master lives."""
    run_python(
        SETUP
        + """
def worker(end):
    pid = os.fork()
    if pid == 0:
        code = 0 if all(same() for _ in range(20)) else 2
        os.kill(os.getpid(), end) if end else os._exit(code)
        time.sleep(30)
    return pid
for generation in range(4):
    ends = {worker(end): end for end in (0, 0, 9, 15)}
    for pid, end in ends.items():
        deadline = time.monotonic() + 60
        while not (found := os.waitpid(pid, os.WNOHANG))[0] and time.monotonic() < deadline:
            time.sleep(0.005)
        assert found[0] == pid, "hangs"
        assert os.waitstatus_to_exitcode(found[1]) == -end
assert same()
"""
    )


def test_a_daemon_by_two_forks() -> None:
    run_python(
        SETUP
        + """
reading, writing = os.pipe()
pid = os.fork()
if pid == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(writing, b"yes" if same() and same() else b"no")
    os._exit(0)
os.waitpid(pid, 0)
os.close(writing)
import select
assert select.select([reading], [], [], 60)[0], "hangs"
assert os.read(reading, 3) == b"yes"
assert same()
"""
    )


BESIDE_A_COMPILATION = (
    SETUP
    + """
from engine.plan.machine import this_machine
from engine.runtime import compile as compiling, native
isa, begun, compiled = this_machine().isa, threading.Event(), []
def slow(names, isa, keep):
    begun.set()
    time.sleep(1.5)
    compiled.append(list(names))
    for name in names:
        keep(name, whole[name])
from engine.runtime import store
folder = store.folder(isa.name)
whole = {name: store.load(folder, name) for name in ("tile", "gemm", "conv_direct")}
assert all(whole.values())
compiling.compile_kernels = slow
os.environ["ENGINE_CACHE_DIR"] = {cache!r}
for name in whole:
    del native._addresses[isa.name, name]
thread = threading.Thread(target=lambda: native.addresses(whole, isa))
thread.start()
begun.wait()
"""
)


def test_fork_while_another_thread_compiles(tmp_path: object) -> None:
    run_python(
        BESIDE_A_COMPILATION.replace("{cache!r}", repr(str(tmp_path)))
        + """
code = child(lambda: same() and len(native.addresses(whole, isa)) == 3)
thread.join()
assert code == 0 and compiled == [sorted(whole)], (code, compiled)
assert same()
"""
    )


def test_fork_while_other_threads_load() -> None:
    run_python(
        SETUP
        + """
stop = threading.Event()
def loop():
    while not stop.is_set():
        engine.load_model("weights/mnist_dense.h5")
threads = [threading.Thread(target=loop) for _ in range(2)]
for thread in threads:
    thread.start()
load = lambda: engine.load_model("weights/mnist_dense.h5").predict(x).shape == (5, 10)
codes = [child(load) for _ in range(12)]
stop.set()
for thread in threads:
    thread.join(20)
assert codes == [0] * 12, codes
"""
    )


@pytest.mark.parametrize("lock", ["sessions", "submodels"])
def test_fork_while_another_thread_holds_a_lock_of_the_model(lock: str, tmp_path: object) -> None:
    run_python(
        SETUP
        + f"""
from pathlib import Path
from tests.frontend.handmade import layer, sequential, write
described = sequential(layer("Conv2D", "c", filters=2, kernel_size=1, use_bias=False), shape=(None, None, None, 3))
path = write(Path({str(tmp_path)!r}) / "m.h5", described, {{"c": [("kernel", np.ones((1, 1, 3, 2), np.float32))]}})
sizes = engine.load_model(path)
held, done = threading.Event(), threading.Event()
lock = sizes._sessions._lock if {lock!r} == "sessions" else sizes._lock
def hold():
    with lock:
        held.set()
        done.wait(60)
thread = threading.Thread(target=hold)
thread.start()
held.wait()
def work():
    wide = sizes.submodel("c") if {lock!r} == "submodels" else sizes
    return wide.predict(np.ones((1, 4, 5, 3), np.float32)).shape == (1, 4, 5, 2)
code = child(work)
done.set()
thread.join()
assert code == 0, code
"""
    )
