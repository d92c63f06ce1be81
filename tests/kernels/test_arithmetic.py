"""Kernels whose errors the problems table cannot bound: normalization, powers, and what is special to them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.ir import reference
from engine.ir.ops import Activate, Activation, Binary, NormPool, Op, Reduce
from engine.kernels.isa import ISAS, Isa
from engine.plan.machine import fits
from tests.kernels.problems import Problem
from tests.kernels.problems_axes import normalizations
from tests.kernels.test_problems import reals, twin
from tests.running import one_op, run_graph

each_isa = pytest.mark.parametrize("isa", [isa for isa in ISAS if fits(isa)], ids=lambda isa: isa.name)


def both(op: Op, *values: NDArray[np.float32], isa: Isa) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """What the kernel and what the twin make of one example."""
    graph = one_op(op, [v[None] for v in values], [])
    (found,) = run_graph(graph, [v[None] for v in values], isa)
    return found[0], reference.run(graph, [v[None] for v in values])[graph.outputs[0]][0]


@each_isa
@pytest.mark.parametrize("problem", list(normalizations()), ids=str)
@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_normalization(problem: Problem, offset: float, isa: Isa) -> None:
    values, weights = reals(problem)
    values = [v + np.float32(offset) for v in values]
    expected = twin(problem, values, weights)
    (found,) = run_graph(one_op(problem.op, values, weights), values, isa)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=(1 + offset) * 2e-6 * np.abs(expected).max())


@each_isa
def test_powers_of_positive_numbers(isa: Isa) -> None:
    random = np.random.default_rng(0)
    a = np.exp(random.uniform(-20, 20, 5000)).astype(np.float32)
    b = (random.uniform(-80, 80, 5000) / np.maximum(np.abs(np.log(a)), 1)).astype(np.float32)
    found, expected = both(Binary("pow"), a, b, isa=isa)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@each_isa
def test_special_powers(isa: Isa) -> None:
    interesting = np.array([0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1e30, -1e30, np.inf, -np.inf, np.nan], np.float32)
    a, b = (m.ravel() for m in np.meshgrid(interesting, interesting))
    found, expected = both(Binary("pow"), a, b, isa=isa)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found, expected.astype(np.float32), rtol=1e-6)


@each_isa
@pytest.mark.parametrize("kind", ["less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_or"])
def test_comparisons_with_nan(kind: str, isa: Isa) -> None:
    a = np.array([np.nan, 1, np.nan, np.inf, -0.0], np.float32)
    b = np.array([1, np.nan, np.nan, np.inf, 0.0], np.float32)
    found, expected = both(Binary(kind), a, b, isa=isa)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found, expected)


@each_isa
@pytest.mark.parametrize("kind", ["sum", "mean", "max", "min", "prod"])
@pytest.mark.parametrize("axis", [-1, -2])
def test_reductions_hand_on_what_is_not_finite(kind: str, axis: int, isa: Isa) -> None:
    x = np.ones((20, 20), np.float32)
    x[3, 17], x[9, 2], x[17, 19] = np.nan, np.inf, -np.inf
    found, expected = both(Reduce(kind, (axis,)), x, isa=isa)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found, expected)


@each_isa
def test_stochastic_pooling_of_nothing_positive_is_zero(isa: Isa) -> None:
    x = -np.ones((4, 4, 3), np.float32)
    x[0, 0, 0] = 2
    found, _ = both(NormPool("stochastic", (2, 2), (2, 2)), x, isa=isa)
    assert found[0, 0, 0] == 2
    assert found.sum() == 2


@each_isa
@pytest.mark.parametrize("kind", ["sin", "cos"])
def test_waves(kind: str, isa: Isa) -> None:
    x = np.linspace(-8192, 8192, 100001).astype(np.float32)
    found, expected = both(Activate(Activation(kind)), x, isa=isa)
    np.testing.assert_allclose(found, expected, atol=3e-7 if isa.fma else 3e-6)
