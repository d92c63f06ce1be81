"""NaN, infinities, denormals and numbers near the largest through every kernel, with the slow twin as oracle."""

import logging
import shutil
import warnings
from collections.abc import Iterator
from math import copysign
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

import engine
from engine.errors import ModelFileError
from engine.ir import reference
from engine.ir.graph import Graph
from engine.ir.ops import Activate, Activation, Binary, Conv, Dense, Recurrent, ScaleShift
from engine.kernels.isa import ISAS, Isa
from engine.plan.machine import fits
from tests.faults.cases import Case, every_case
from tests.frontend.handmade import layer, sequential, write
from tests.running import algorithms, one_op, run_graph

AVAILABLE = [isa for isa in ISAS if fits(isa)]
each_isa = pytest.mark.parametrize("isa", AVAILABLE, ids=lambda isa: isa.name)
WEIGHTS = Path(__file__).parents[2] / "weights"

Arrays = list[NDArray[np.float32]]


def twin(graph: Graph, inputs: Arrays) -> NDArray[np.float64]:
    with np.errstate(all="ignore"):
        return np.asarray(reference.run(graph, inputs)[graph.outputs[0]], np.float64)


def planted(case: Case, number: float, random: np.random.Generator) -> Iterator[tuple[str, Graph, Arrays]]:
    """The case with this number at a random place of each input and each weight in turn."""
    weights = [np.asarray(w.read(), np.float32) for w in case.graph.nodes[0].weights]
    for kind, arrays in (("input", case.inputs), ("weight", weights)):
        for i in range(len(arrays)):
            changed = [a.copy() for a in arrays]
            changed[i].flat[random.integers(changed[i].size)] = number
            inputs, constants = (changed, weights) if kind == "input" else (case.inputs, changed)
            yield f"{kind} {i}", one_op(case.graph.nodes[0].op, inputs, constants), inputs


def check_special(case: Case, number: float, isa: Isa, random: np.random.Generator) -> None:
    """Not finite exactly where the twin is; elsewhere the bits are those of the case without that number."""
    clean = twin(case.graph, case.inputs)
    changes = list(planted(case, number, random))
    for name in case.algorithms(isa):
        (before,) = run_graph(case.graph, case.inputs, isa, algorithm=name)
        for place, graph, inputs in changes:
            title = f"{name} {case.name}: {number} in {place}"
            (found,), exact = run_graph(graph, inputs, isa, algorithm=name), twin(graph, inputs)
            with np.errstate(over="ignore"):
                expected = exact.astype(np.float32)
            if name == "conv_winograd":
                assert not np.isfinite(found[~np.isfinite(expected)]).any(), title
                continue
            odd = ~np.isfinite(expected)
            np.testing.assert_array_equal(np.isfinite(found), ~odd, title)
            np.testing.assert_array_equal(found[odd], expected[odd], title)
            untouched = (exact == clean) & ~odd
            np.testing.assert_array_equal(found[untouched], before[untouched], title)


pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in matmul:RuntimeWarning")


def sampled(step: int) -> list[Case]:
    """Every so many cases."""
    return list(every_case())[::step]


@each_isa
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("step", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_what_is_not_finite_goes_where_the_twin_sends_it(isa: Isa, number: float, step: int) -> None:
    random = np.random.default_rng(step)
    for case in sampled(step):
        check_special(case, number, isa, random)


@each_isa
@pytest.mark.parametrize("step", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_a_denormal_is_as_good_as_zero(isa: Isa, step: int) -> None:
    for case in sampled(step):
        for number in (1e-40, -1e-40):
            small = planted(case, number, np.random.default_rng(step))
            zero = planted(case, copysign(0.0, number), np.random.default_rng(step))
            for (place, graph, inputs), (_, graph_0, inputs_0) in zip(small, zero, strict=True):
                for name in case.algorithms(isa):
                    (found,) = run_graph(graph, inputs, isa, algorithm=name)
                    (expected,) = run_graph(graph_0, inputs_0, isa, algorithm=name)
                    title = f"{name} {case.name}: {place}"
                    np.testing.assert_allclose(found, expected, rtol=0, atol=1.2e-38, err_msg=title)


@each_isa
@pytest.mark.parametrize("step", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_a_huge_number_changes_only_what_it_reaches(isa: Isa, step: int) -> None:
    """But for quotients by it that are rounded down, which are denormal, so 0, where the twin has a little below 0.

    In a recurrence it reaches everything, and sums of what follows are beyond float32.
    """
    random = np.random.default_rng(step)
    for case in sampled(step):
        op = case.graph.nodes[0].op
        if isinstance(op, Recurrent) or getattr(op, "kind", None) in ("floor_divide", "mod"):
            continue
        clean = twin(case.graph, case.inputs)
        changes = [change for number in (1e38, -1e38) for change in planted(case, number, random)]
        for name in set(case.algorithms(isa)) - {"conv_winograd"}:
            (before,) = run_graph(case.graph, case.inputs, isa, algorithm=name)
            for place, graph, inputs in changes:
                (found,) = run_graph(graph, inputs, isa, algorithm=name)
                untouched = twin(graph, inputs) == clean
                np.testing.assert_array_equal(found[untouched], before[untouched], f"{name} {case.name}: {place}")


HUGE = {
    "3x3": (Conv(pads=((1, 1), (1, 1))), (9, 9, 32), (3, 3, 32, 33)),
    "1x1": (Conv(), (5, 6, 7), (1, 1, 7, 20)),
    "dense": (Dense(), (70,), (70, 33)),
}


@each_isa
@pytest.mark.parametrize(("op", "shape", "kernel"), HUGE.values(), ids=HUGE)
def test_products_of_huge_numbers_stay_finite(
    op: Conv | Dense, shape: tuple[int, ...], kernel: tuple[int, ...], isa: Isa
) -> None:
    random = np.random.default_rng(0)
    x = random.standard_normal((2, *shape)).astype(np.float32)
    w = random.standard_normal(kernel).astype(np.float32)
    for name in algorithms(op, [x], [w], isa):
        (ordinary,) = run_graph(one_op(op, [x], [w]), [x], isa, algorithm=name)
        huge = x * np.float32(2.0**99)
        (found,) = run_graph(one_op(op, [huge], [w]), [huge], isa, algorithm=name)
        np.testing.assert_array_equal(found, ordinary * np.float32(2.0**99), name)


@each_isa
@pytest.mark.parametrize("c", [np.inf, 6.0])
def test_relu_of_infinities(isa: Isa, c: float) -> None:
    relu, one = Activation("relu", c=c), np.ones(1, np.float32)
    x = np.array([[[-np.inf], [np.inf], [np.nan], [-3.0], [0.0]]], np.float32)
    expected = np.array([[[0.0], [c], [np.nan], [0.0], [0.0]]], np.float32)
    for op, values, weights in (
        (Activate(relu), [x], []),
        (Binary("add", relu), [x, np.zeros_like(x)], []),
        (ScaleShift(relu), [x], [one, 0 * one]),
        (Dense(relu), [x], [one[None]]),
    ):
        graph = one_op(op, values, weights)
        np.testing.assert_array_equal(twin(graph, values), expected)
        np.testing.assert_array_equal(run_graph(graph, values, isa)[0], expected, str(op))


def spoilt(tmp_path: Path, number: float) -> tuple[Path, str]:
    """A copy of a model with this number in the first kernel, and that kernel's layer."""
    path = tmp_path / "spoilt.h5"
    shutil.copy(WEIGHTS / "mnist_dense.h5", path)
    names: list[str] = []
    with h5py.File(path, "r+") as file:
        file["model_weights"].visititems(
            lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
        )
        kernel = next(name for name in names if "kernel" in name)
        data = file["model_weights"][kernel][...]
        data.flat[data.size // 2] = number
        file["model_weights"][kernel][...] = data
    return path, kernel.split("/")[0]


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_told_with_their_layer(
    number: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, layer = spoilt(tmp_path, number)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = engine.load_model(path)
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("WARNING", f"{path}: weights that are NaN or infinite in 1 layers: {layer!r}")
    ]
    assert np.isnan(model.predict(np.ones((1, 28, 28, 1), np.float32))).all() == np.isnan(number)
    with pytest.raises(ModelFileError, match=f"weights that are NaN or infinite in 1 layers: '{layer}'"):
        engine.load_model(path, strict=True)


def test_weights_of_a_model_of_open_sizes_are_looked_at_too(tmp_path: Path) -> None:
    shape = (None, None, None, 3)
    model = sequential(layer("Conv2D", "eyes", filters=2, kernel_size=1, use_bias=False), shape=shape)
    path = write(tmp_path / "m.h5", model, {"eyes": [("kernel", np.full((1, 1, 3, 2), np.inf, np.float32))]})
    with pytest.raises(ModelFileError, match="NaN or infinite in 1 layers: 'eyes'"):
        engine.load_model(path, strict=True)


def test_sound_weights_are_no_news(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "engine")
    engine.load_model(WEIGHTS / "mnist.h5", strict=True)
    assert caplog.records == []


def test_the_largest_weights_are_finite(tmp_path: Path) -> None:
    path, _ = spoilt(tmp_path, 3e38)
    with h5py.File(path, "r+") as file:
        file["model_weights"].visititems(
            lambda _, item: item.__setitem__(..., 3e38) if isinstance(item, h5py.Dataset) else None
        )
    engine.load_model(path, strict=True)
