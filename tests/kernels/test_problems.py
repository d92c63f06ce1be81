"""Every kernel over its problems table, against the slow twin: exact on integers, close on real numbers."""

from dataclasses import replace

import numpy as np
import pytest

from engine.ir import reference
from engine.ir.ops import LINEAR, MatMul
from engine.kernels.isa import ISAS, Isa
from engine.plan.machine import fits
from tests.kernels import problems, problems_axes, problems_sequence
from tests.kernels.problems import Problem
from tests.running import algorithms, one_op, run_graph

EXACT = [*problems.EXACT, *problems_axes.EXACT, *problems_sequence.EXACT]
REAL = [*problems.REAL, *problems_axes.REAL, *problems_sequence.REAL]
AVAILABLE = [isa for isa in ISAS if fits(isa)]
BATCH = 3


def integers(problem: Problem, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    random = np.random.default_rng(seed)
    values = [random.integers(-4, 5, (BATCH, *s)).astype(np.float32) for s in problem.values]
    return values, [random.integers(-3, 4, s).astype(np.float32) for s in problem.weights]


def reals(problem: Problem, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    random = np.random.default_rng(seed)
    values = [random.standard_normal((BATCH, *s)).astype(np.float32) for s in problem.values]
    return values, [random.standard_normal(s).astype(np.float32) for s in problem.weights]


def twin(problem: Problem, values: list[np.ndarray], weights: list[np.ndarray]) -> np.ndarray:
    graph = one_op(problem.op, values, weights)
    return reference.run(graph, values)[graph.outputs[0]]


def is_exact(problem: Problem) -> bool:
    activation = getattr(problem.op, "activation", None)
    mean = getattr(problem.op, "kind", None) == "mean"
    return not mean and (activation is None or activation.kind in ("linear", "relu"))


# Weights that are multiples of 24² make Winograd's transforms exact; all activations here scale with their argument.
@pytest.mark.parametrize("isa", AVAILABLE, ids=lambda isa: isa.name)
@pytest.mark.parametrize("problem", [p for p in EXACT if is_exact(p)], ids=str)
def test_exact_on_integers(problem: Problem, isa: Isa) -> None:
    values, weights = integers(problem)
    expected = twin(problem, values, weights)
    for name in algorithms(problem.op, values, weights, isa):
        factor = 576 if name == "conv_winograd" else 1
        scaled = [w * factor for w in weights]
        (found,) = run_graph(one_op(problem.op, values, scaled), values, isa, algorithm=name)
        np.testing.assert_array_equal(found, expected * factor, err_msg=name)


@pytest.mark.parametrize("isa", AVAILABLE[:1], ids=lambda isa: isa.name)
@pytest.mark.parametrize("problem", REAL, ids=str)
def test_close_on_real_numbers(problem: Problem, isa: Isa) -> None:
    values, weights = reals(problem)
    expected = twin(problem, values, weights)
    magnitude = twin_of_magnitudes(problem, values, weights)
    k = max(1, np.prod(problem.weights[0][:-1])) if problem.weights else 64
    tolerance = 4 * np.sqrt(k) * np.finfo(np.float32).eps * magnitude
    for name in algorithms(problem.op, values, weights, isa):
        (found,) = run_graph(one_op(problem.op, values, weights), values, isa, algorithm=name)
        assert found.shape == expected.shape
        assert np.all(np.abs(found - expected) <= tolerance * (16 if name == "conv_winograd" else 1)), name


def twin_of_magnitudes(problem: Problem, values: list[np.ndarray], weights: list[np.ndarray]) -> np.ndarray:
    """The size of what is summed: errors are relative to it, not to a result that cancelled."""
    kind = getattr(problem.op, "kind", None)
    if not problem.weights and not isinstance(problem.op, MatMul) and kind not in ("mean", "sum"):
        return np.maximum(np.abs(twin(problem, values, weights)), 1e-3)
    op = replace(problem.op, activation=LINEAR) if hasattr(problem.op, "activation") else problem.op  # type: ignore[type-var]
    op = replace(op, kind="add") if kind == "sub" else op  # type: ignore[type-var]
    sizes = twin(Problem(op, problem.values, problem.weights), [abs(v) for v in values], [abs(w) for w in weights])
    return np.maximum(sizes, 1e-3)
