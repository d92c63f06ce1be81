"""Large inputs are read where they lie, others are copied; nobody can tell which."""

import numpy as np
import pytest

from engine.ir.ops import RELU, Activate, Binary, Dense, Reshape
from engine.plan.machine import this_machine
from engine.plan.program import plan
from engine.runtime.session import Session
from tests.graphs import Net


def session_of_two_inputs() -> Session:
    net = Net()
    a, b = net.input(40, 50), net.input(2000)
    total = net.add(Binary("add"), net.add(Reshape((2000,)), a), b)
    y = net.add(Dense(RELU), total, net.kernel(2000, 7), net.weight(7))
    return Session(plan(net.graph(y, net.add(Binary("mul"), total, total)), this_machine()), 2)


def laid_out(x: np.ndarray, layout: str) -> np.ndarray:
    if layout == "fortran":
        return np.asfortranarray(x)
    if layout == "backwards":
        return np.ascontiguousarray(x[::-1])[::-1]
    if layout == "unaligned":
        memory = np.zeros(x.nbytes + 1, np.uint8)[1:]
        memory[:] = np.frombuffer(x.tobytes(), np.uint8)
        return memory.view(np.float32).reshape(x.shape)
    return x.astype(np.float64) if layout == "float64" else x


@pytest.mark.parametrize("layout", ["plain", "fortran", "backwards", "unaligned", "float64"])
@pytest.mark.parametrize("n", [1, 3, 33])
def test_results_do_not_depend_on_how_an_input_lies(layout: str, n: int) -> None:
    session = session_of_two_inputs()
    rng = np.random.default_rng(0)
    x = [rng.standard_normal((n, 40, 50), np.float32), rng.standard_normal((n, 2000), np.float32)]
    expected = [
        np.concatenate(parts)
        for parts in zip(*(session.run([v[i : i + 1] for v in x], 1) for i in range(n)), strict=True)
    ]
    found = session.run([laid_out(v, layout) for v in x], n)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_input_is_forgotten_and_never_written() -> None:
    session = session_of_two_inputs()
    rng = np.random.default_rng(1)
    large = [rng.standard_normal((8, 40, 50), np.float32), rng.standard_normal((8, 2000), np.float32)]
    kept = [x.copy() for x in large]
    for x in large:
        x.flags.writeable = False
    before = session.run(large, 8)
    small = session.run([x[:1] for x in kept], 1)
    for a, b, c in zip(before, small, session.run(large, 8), strict=True):
        np.testing.assert_array_equal(a[:1], b)
        np.testing.assert_array_equal(a, c)
    for x, y in zip(large, kept, strict=True):
        np.testing.assert_array_equal(x, y)


def test_an_input_that_is_an_output_is_copied() -> None:
    net = Net()
    x = net.input(8000)
    graph = net.graph(x, net.add(Activate(RELU), x))
    given = np.random.default_rng(2).standard_normal((4, 8000), np.float32)
    same, positive = Session(plan(graph, this_machine()), 1).run([given], 4)
    np.testing.assert_array_equal(same, given)
    np.testing.assert_array_equal(positive, np.maximum(given, 0))


@pytest.mark.parametrize("most", [3, 7, 32])
def test_a_last_piece_too_small_to_be_read_in_place(most: int) -> None:
    session = session_of_two_inputs()
    rng = np.random.default_rng(3)
    x = [rng.standard_normal((most + 1, 40, 50), np.float32), rng.standard_normal((most + 1, 2000), np.float32)]
    x[1] = x[1].astype(np.float64)
    results = session.empty(most + 1)
    for _ in session.pieces(x, results, most + 1, most):
        pass
    last = session.run([v[most:] for v in x], 1)
    for a, b in zip(results, last, strict=True):
        np.testing.assert_array_equal(a[most:], b)
