"""What an answer rested on: class activation maps add up to the score, occlusion finds what matters."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.explaining.evidence import evidence_for, occlusion
from engine.frontend import open_model
from engine.ir import reference
from tests.golden import GOLDEN, load

AVERAGED = ["k2/functional_residual", "k3/functional_residual", "k2/nested_teachable_machine"]


def nothing(batch: NDArray[np.float32]) -> NDArray[np.float64]:
    raise AssertionError("the network ends in a mean: nothing needs to be hidden")


def logits(path: Path, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """What goes into the last activation."""
    with open_model(path) as network:
        graph = network.graph
        last = graph.producers()[graph.outputs[0]]
        values = reference.run(graph, [x[None]])
        found: NDArray[np.float64] = values[last.values[0] if not last.weights else last.output][0]
        return found


@pytest.mark.parametrize("name", ["k2/functional_residual", "k3/functional_residual"])
def test_the_mean_of_a_class_activation_map_is_the_score(name: str) -> None:
    path = GOLDEN / f"{name}.h5"
    x = load(path).inputs[0][0].astype(np.float32)
    with open_model(path) as network:
        dense = next(node for node in reversed(network.graph.nodes) if node.weights)
        bias = dense.weights[1].read()
        maps = [evidence_for(network, x, i, str(i), nothing) for i in range(3)]
    means = np.array([found.map.mean() for found in maps]) + bias
    assert {found.kind for found in maps} == {"cam"}
    np.testing.assert_allclose(means, logits(path, x), rtol=1e-4, atol=1e-5)


def test_a_head_of_several_layers_is_not_taken_for_a_mean() -> None:
    path = GOLDEN / "k2" / "nested_teachable_machine.h5"
    x = load(path).inputs[0][0].astype(np.float32)
    with open_model(path) as network:
        found = evidence_for(network, x, 0, "a", lambda batch: np.full((len(batch), 3), 1 / 3))
    assert found.kind == "occlusion"


def test_maps_that_are_averaged_to_scores_are_the_evidence() -> None:
    path = GOLDEN / "k3" / "global_average_pooling2d_default.h5"
    x = load(path).inputs[0][0].astype(np.float32)
    with open_model(path) as network:
        found = evidence_for(network, x, 2, "c", nothing) if network.graph.nodes else None
    assert found is not None
    np.testing.assert_allclose(found.map.mean(), load(path).outputs[0][0, 2], rtol=1e-5)


@pytest.mark.parametrize(("h", "w"), [(28, 28), (31, 12), (64, 64), (5, 3)])
def test_occlusion_finds_the_place_that_matters(h: int, w: int) -> None:
    x = np.zeros((h, w, 1), np.float32)
    row, column = h * 2 // 3, w // 3
    x[row, column] = 1.0

    def scores(batch: NDArray[np.float32]) -> NDArray[np.float64]:
        assert len(batch) <= 400
        strength = 1 / (1 + np.exp(-8 * batch[:, row, column, 0].astype(np.float64)))
        return np.stack([1 - strength, strength], axis=1)

    found = occlusion(x, 1, "one", scores).map
    assert found.shape == (h, w)
    assert found[row, column] == pytest.approx(8.0, rel=1e-3)
    assert found[row, column] == found.max()
    assert found.min() >= 0
    assert occlusion(x, 0, "zero", scores).map[row, column] == pytest.approx(-8.0, rel=1e-3)


def test_scores_that_are_no_probabilities_are_taken_as_they_are() -> None:
    x = np.ones((9, 9), np.float32)
    x[4, 4] = 5.0
    found = occlusion(x, 0, "a", lambda batch: batch[:, 4, 4].astype(np.float64)[:, None] * [[1.0, -1.0]])
    assert found.map[4, 4] == pytest.approx(4.0)
    assert "score of 'a'" in found.text
