"""The host uses other libraries with threads of their own beside the engine, in the same process."""

import importlib.util
import os

import pytest

from tests.processes import run_python

BESIDE = """
import os, threading, warnings
warnings.simplefilter("ignore")
import numpy as np
{other}
import engine
from engine.runtime import workspace
workspace._WORTH_WAKING = 0.0
model = engine.load_model("weights/mnist.h5", threads=2)
x = np.random.default_rng(0).random((40, 28, 28, 1), np.float32)
right, busy = model.predict(x), work()
wrong = []
def loop():
    for _ in range(30):
        if not np.array_equal(model.predict(x), right):
            wrong.append(1)
thread = threading.Thread(target=loop)
thread.start()
for _ in range(30):
    assert np.array_equal(work(), busy)
    assert np.array_equal(model.predict(x), right)
thread.join()
assert not wrong
pid = os.fork()
if pid == 0:
    os._exit(0 if np.array_equal(model.predict(x), right) else 2)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert np.array_equal(work(), busy)
"""
NUMBA = """
import numba
@numba.njit(parallel=True)
def total(a):
    s = np.zeros(a.shape[0])
    for i in numba.prange(a.shape[0]):
        s[i] = np.sqrt(a[i]).sum()
    return s
numbers = np.random.default_rng(1).random((64, 500))
work = lambda: total(numbers)
"""
TENSORFLOW = """
import tensorflow as tf
a = tf.constant(np.random.default_rng(1).random((300, 300)), tf.float32)
work = lambda: tf.nn.relu(a @ a).numpy()
"""
TORCH = """
import torch
a = torch.rand(300, 300)
work = lambda: torch.relu(a @ a).numpy()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("layer", ["workqueue", pytest.param("omp", marks=pytest.mark.slow)])
def test_numba_in_parallel(layer: str) -> None:
    run_python(BESIDE.format(other=NUMBA), {"NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2"}, timeout=300)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "other"), [("tensorflow", TENSORFLOW), ("torch", TORCH)])
def test_other_frameworks(name: str, other: str) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    run_python(BESIDE.format(other=other), {"TF_CPP_MIN_LOG_LEVEL": "3"}, timeout=300)
