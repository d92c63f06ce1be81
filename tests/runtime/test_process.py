"""What a process imports, prints and leaves behind: cold, warm, under odd settings, and at its end."""

import json
import os
import shutil
from pathlib import Path

import pytest

import engine
from engine.plan.machine import this_machine
from engine.runtime import store
from engine.shipped import SHIPPED
from tests.processes import ROOT, run_python

PREDICT = """
import sys, json
import numpy as np
import engine
model = engine.load_model("weights/mnist_dense.h5", threads=2)
y = model.predict(np.random.default_rng(0).random((4, 28, 28, 1), np.float32))
print(json.dumps({"modules": sorted(sys.modules), "answer": y.tolist()}))
"""
HEAVY = {"numba", "h5py", "llvmlite", "PIL", "numpy"}


def modules_after(code: str, **environment: str) -> set[str]:
    done = run_python(f"import sys\n{code}\nprint('\\n'.join(sys.modules))", environment)
    return set(done.stdout.split())


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert not HEAVY & modules_after("import engine")


def test_names_are_there_without_their_modules() -> None:
    assert not HEAVY & modules_after("import engine; assert 'load_model' in dir(engine)")


@pytest.mark.parametrize("name", ["set_num_threads", "num_threads"])
def test_threads_are_set_without_numba(name: str) -> None:
    assert not {"numba", "h5py", "PIL"} & modules_after(f"import engine; engine.{name}")


@pytest.fixture(scope="module", autouse=True)
def _full_cache() -> None:
    for name in SHIPPED:
        engine.load_model(ROOT / "weights" / name)


@pytest.fixture(scope="module")
def warm() -> dict[str, object]:
    """What a process with all kernels in its cache says."""
    done = run_python(PREDICT)
    assert done.stderr == ""
    said = json.loads(done.stdout)
    assert isinstance(said, dict)
    return said


def test_a_warm_process_never_imports_numba(warm: dict[str, object]) -> None:
    modules = warm["modules"]
    assert isinstance(modules, list)
    assert "h5py" in modules
    assert not {"numba", "PIL", "tensorflow", "keras", "engine.kernels.compiler"} & set(modules)


@pytest.mark.parametrize(
    "environment",
    [
        {"NUMBA_DISABLE_JIT": "1"},
        {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "+sse2", "NUMBA_OPT": "0"},
        {"NUMBA_BOUNDSCHECK": "1", "NUMBA_DEBUG_ARRAY_OPT": "1", "NUMBA_DUMP_ASSEMBLY": "1"},
        {"PYTHONPATH": "", "PYTHONSTARTUP": "/nowhere", "PYTHONSAFEPATH": "1"},
    ],
    ids=["jit off", "another cpu", "debugging", "python"],
)
def test_the_hosts_settings_do_not_reach_the_compiler(
    environment: dict[str, str], warm: dict[str, object], tmp_path: Path
) -> None:
    shutil.copytree(kernel_folder(), tmp_path / kernel_folder().name)
    (tmp_path / kernel_folder().name / "gemm.o").unlink()
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{PREDICT}"
    done = run_python(code, {**environment, "ENGINE_CACHE_DIR": str(tmp_path)})
    said = json.loads(done.stdout)
    assert said["answer"] == warm["answer"]
    assert "numba" not in said["modules"]
    assert done.stderr == "compiling 1 kernels for " + this_machine().isa.name + ", once on this machine\n"
    assert (tmp_path / kernel_folder().name / "gemm.o").exists()


def kernel_folder() -> Path:
    folder = store.folder(this_machine().isa.name)
    assert folder is not None
    return folder


EXIT = """
import threading, sys
import numpy as np
import engine
from engine.runtime import workspace
workspace._WORTH_WAKING = 0.0
model = engine.load_model("weights/mnist.h5", threads=3)
x = np.zeros((8, 28, 28, 1), np.float32)
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


@pytest.mark.parametrize("end", ["", "sys.exit(0)", "model.predict(x)"])
def test_the_interpreter_ends_while_a_daemon_thread_predicts(end: str) -> None:
    for _ in range(2):
        assert run_python(EXIT + end, timeout=30).stderr == ""


def test_an_exit_without_a_run_is_silent() -> None:
    done = run_python('import engine; engine.load_model("weights/mnist_dense.h5")', timeout=30)
    assert (done.stdout, done.stderr) == ("", "")


def test_nothing_global_is_changed() -> None:
    run_python(
        """
        import logging, signal, sys, threading, warnings
        import numpy as np
        def state():
            return (
                logging.root.handlers[:], logging.root.level, list(warnings.filters), np.geterr(), sys.excepthook,
                threading.excepthook, signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM),
                np.random.get_state()[2],
            )
        import h5py
        before = state()
        import engine
        model = engine.load_model("weights/mnist_dense.h5", threads=2)
        model.predict(np.zeros((3, 28, 28, 1), np.float32))
        assert state() == before
        """
    )


@pytest.mark.slow
def test_without_a_home_folder_the_answer_is_right(warm: dict[str, object], tmp_path: Path) -> None:
    done = run_python(
        "import pathlib; pathlib.Path.home = lambda: (_ for _ in ()).throw(RuntimeError('no home'))" + PREDICT,
        {"ENGINE_CACHE_DIR": None, "HOME": None, "TMPDIR": str(tmp_path)},
    )
    assert json.loads(done.stdout)["answer"] == warm["answer"]
    assert len(done.stderr.splitlines()) == 1
    assert os.listdir(tmp_path) == []
