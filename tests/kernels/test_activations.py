"""Activation kernels over the whole range of numbers, and what happens to NaN, infinities and denormals."""

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.ir import reference
from engine.ir.ops import (
    ACTIVATIONS,
    RELU,
    Activate,
    Activation,
    Binary,
    Conv,
    Dense,
    DepthwiseConv,
    GlobalPool,
    Op,
    Pool,
    ScaleShift,
    Softmax,
)
from engine.kernels.isa import ISAS, Isa
from engine.plan.machine import fits
from tests.running import algorithms, one_op, run_graph

AVAILABLE = [isa for isa in ISAS if fits(isa)]
each_isa = pytest.mark.parametrize("isa", AVAILABLE, ids=lambda isa: isa.name)

PARAMETERS: dict[str, list[Activation]] = {
    "relu": [RELU, Activation("relu", c=6.0), Activation("relu", a=0.3), Activation("relu", a=0.1, b=1.5, c=4.0)],
    "elu": [Activation("elu", a=1.0), Activation("elu", a=0.3)],
    "celu": [Activation("celu", a=1.0), Activation("celu", a=2.5)],
    "hard_sigmoid": [Activation("hard_sigmoid", a=0.2, b=0.5), Activation("hard_sigmoid", a=1 / 6, b=0.5)],
    "hard_swish": [Activation("hard_swish", a=1 / 6, b=0.5)],
    "soft_shrink": [Activation("soft_shrink", a=0.5)],
    "hard_shrink": [Activation("hard_shrink", a=0.5)],
    "squareplus": [Activation("squareplus", a=4.0)],
    "threshold": [Activation("threshold", a=1.0, b=-2.0)],
}
EVERY = [f for kind in ACTIVATIONS for f in PARAMETERS.get(kind, [Activation(kind)])]
LARGEST = {"squareplus": 19, "sin": 4, "cos": 4}
SPECIAL = (0.0, -0.0, np.inf, -np.inf, np.nan, 1e-38, -1e-38, 1.2e-38, 1e-40, -1e-40)


def numbers(kind: str) -> NDArray[np.float32]:
    """A sweep, the neighbourhood of zero on a logarithmic scale, and all that is special; an odd length."""
    small = np.geomspace(1e-30, 1, 400)
    large = 10.0 ** np.arange(3, LARGEST.get(kind, 31))
    x = np.concatenate([np.linspace(-100, 100, 40001), small, -small, large, -large, SPECIAL])
    return np.resize(x, x.size | 1).astype(np.float32)


def expected(op: Op, values: list[NDArray[np.float32]], weights: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    graph = one_op(op, values, weights)
    return reference.run(graph, values)[graph.outputs[0]]


def computed(
    op: Op, values: list[NDArray[np.float32]], weights: list[NDArray[np.float32]], isa: Isa
) -> dict[str, NDArray[np.float32]]:
    """The result of every algorithm, by name."""
    graph = one_op(op, values, weights)
    names = algorithms(op, values, weights, isa)
    return {name: run_graph(graph, values, isa, algorithm=name)[0] for name in names}


def in_float32(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is beyond float32 is infinite."""
    with np.errstate(over="ignore"):
        return y.astype(np.float32).astype(np.float64)


@each_isa
@pytest.mark.parametrize("f", EVERY, ids=lambda f: f"{f.kind}-{f.a:.3g}-{f.b:.3g}-{f.c:.3g}")
def test_close_to_the_twin_everywhere(f: Activation, isa: Isa) -> None:
    x = numbers(f.kind)
    exact = expected(Activate(f), [x[None]], [])[0]
    rounded = in_float32(exact)
    (found,) = (y[0] for y in computed(Activate(f), [x[None]], [], isa).values())
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(found[~finite], rounded[~finite])
    error = np.abs(found[finite] - exact[finite]) / np.maximum(1, np.abs(exact[finite]))
    worst = np.argmax(error)
    assert error[worst] <= 3e-7, f"f({x[finite][worst]}) = {found[finite][worst]}, expected {exact[finite][worst]}"


@each_isa
@pytest.mark.parametrize("f", [RELU, Activation("tanh"), Activation("gelu")], ids=lambda f: f.kind)
def test_any_length(f: Activation, isa: Isa) -> None:
    whole = np.linspace(-3, 3, 70, dtype=np.float32)
    (bits,) = computed(Activate(f), [whole[None]], [], isa).values()
    for length in range(1, 70):
        (part,) = computed(Activate(f), [whole[None, :length]], [], isa).values()
        np.testing.assert_array_equal(part, bits[:, :length])


WITH_ACTIVATION: list[tuple[type[Op], tuple[int, ...], tuple[tuple[int, ...], ...]]] = [
    (Conv, (4, 5, 3), ((3, 3, 3, 18), (18,))),
    (Conv, (4, 5, 3), ((1, 1, 3, 18), (18,))),
    (DepthwiseConv, (4, 5, 18), ((3, 3, 18, 1), (18,))),
    (Dense, (3,), ((3, 18), (18,))),
    (ScaleShift, (5, 18), ((18,), (18,))),
]


@each_isa
@pytest.mark.parametrize("f", [RELU, PARAMETERS["relu"][1], PARAMETERS["relu"][2], Activation("tanh")], ids=str)
@pytest.mark.parametrize(("op", "shape", "weights"), WITH_ACTIVATION, ids=lambda v: getattr(v, "__name__", None))
def test_nan_goes_through_products(
    op: type, shape: tuple[int, ...], weights: tuple[tuple[int, ...], ...], f: Activation, isa: Isa
) -> None:
    x = np.ones((2, *shape), np.float32)
    x[1].flat[0] = np.nan
    constants = [np.ones(w, np.float32) for w in weights]
    exact = expected(op(activation=f), [x], constants)
    assert np.isnan(exact[1]).any()
    for name, found in computed(op(activation=f), [x], constants, isa).items():
        np.testing.assert_array_equal(np.isnan(found), np.isnan(exact), err_msg=name)


@each_isa
@pytest.mark.parametrize("op", [Pool("max", (2, 2), (2, 2)), Pool("mean", (3, 3), (1, 1)), GlobalPool("max")], ids=str)
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_pools_hand_on_what_is_not_finite(op: Op, special: float, isa: Isa) -> None:
    for place in range(16):
        x = np.zeros((1, 4, 4, 17), np.float32)
        x[0, place // 4, place % 4, 3] = special
        exact = expected(op, [x], [])
        for found in computed(op, [x], [], isa).values():
            np.testing.assert_array_equal(found, exact)


@each_isa
@pytest.mark.parametrize("kind", ["max", "min"])
def test_larger_and_smaller_hand_on_nan_from_either_side(kind: str, isa: Isa) -> None:
    a = np.array([[np.nan, 1, np.nan, 2, -0.0]], np.float32)
    b = np.array([[0, np.nan, np.nan, 1, 0.0]], np.float32)
    exact = expected(Binary(kind), [a, b], [])  # type: ignore[arg-type]
    for found in computed(Binary(kind), [a, b], [], isa).values():  # type: ignore[arg-type]
        np.testing.assert_array_equal(found, exact)


@each_isa
@pytest.mark.parametrize("c", [3, 17, 100])
def test_softmax_of_extremes(c: int, isa: Isa) -> None:
    x = np.zeros((6, c), np.float32)
    x[0, 1], x[1, -1], x[2, 0] = np.nan, np.inf, -np.inf
    x[3] = np.linspace(-1e30, 1e30, c)
    x[4], x[5, 0] = 3e38, -200
    (found,) = computed(Softmax(), [x], [], isa).values()
    assert np.isnan(found[:2]).all()
    exact = expected(Softmax(), [x], [])
    np.testing.assert_allclose(found[2:], exact[2:], rtol=3e-7, atol=1e-37)
    np.testing.assert_allclose(found[2:].sum(-1), 1, rtol=1e-6)


@each_isa
@pytest.mark.parametrize(("op", "shape", "weights"), WITH_ACTIVATION, ids=lambda v: getattr(v, "__name__", None))
def test_denormals_count_as_zero(
    op: type, shape: tuple[int, ...], weights: tuple[tuple[int, ...], ...], isa: Isa
) -> None:
    denormal, huge = np.float32(1e-40), np.float32(1e38)
    kernel = np.full(weights[0], huge)
    zeros = [np.zeros(w, np.float32) for w in weights[1:]]
    x = np.full((1, *shape), denormal)
    for name, found in computed(op(), [x], [kernel, *zeros], isa).items():
        assert not found.any(), f"{name}: denormal input"
    for name, found in computed(op(), [np.full_like(x, huge)], [np.full_like(kernel, denormal), *zeros], isa).items():
        assert not found.any(), f"{name}: denormal weight"


@each_isa
def test_the_callers_floating_point_mode_is_left_alone(isa: Isa) -> None:
    denormal = np.full(40, 1e-40, np.float32)
    computed(Activate(RELU), [denormal[None]], [], isa)
    assert (denormal * np.float32(1) == denormal).all()
    assert (denormal[0] / np.float32(2)) > 0
