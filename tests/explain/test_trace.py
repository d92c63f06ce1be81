"""The numbers of windows are those that made the engine's maps."""

from pathlib import Path

import numpy as np
import pytest

from engine.explaining.stages import Stage, stages_of
from engine.explaining.trace import MOST_STAGES, Trace, chosen, trace, window
from engine.frontend import open_model
from engine.ir.ops import ConvTranspose, Dense, GlobalPool
from engine.ir.reference import activate
from tests.golden import GOLDEN, load, models, name_of

STEMS = (
    "conv1d",
    "conv2d",
    "depthwise",
    "separable",
    "max_pooling",
    "average_pooling",
    "sequential_seed",
    "functional_res",
)
WINDOWED = [m for m in models() if m.stem.startswith(STEMS) and "transpose" not in m.stem and "3d" not in m.stem]


def traced(path: Path) -> Trace:
    with open_model(path) as network:
        return trace(network, load(path).inputs[0][0].astype(np.float32))


def computed(found: Trace, stage: Stage, row: int, column: int, channel: int) -> float:
    """An element from the numbers of its window, by the steps that the page shows."""
    seen = window(found, stage, row, column, channel)
    value = np.float64(seen.total + seen.bias)
    if stage.scale is not None:
        scale, shift = (found.constant(weight)[channel] for weight in stage.scale.weights)
        value = value * scale + shift
    return float(activate(stage.activation, np.array(value)))


@pytest.mark.parametrize("path", WINDOWED, ids=name_of)
def test_a_windows_numbers_make_the_element(path: Path) -> None:
    found = traced(path)
    for stage in found.stages:
        y = found.values[stage.y]
        if y.ndim != 3 or isinstance(stage.op, Dense | ConvTranspose | GlobalPool):
            continue
        rng, tolerance = np.random.default_rng(0), 2e-5 * float(np.abs(y).max())
        places = [tuple(map(int, rng.integers(0, y.shape))) for _ in range(30)]
        corners = [(r, c, 0) for r in (0, y.shape[0] - 1) for c in (0, y.shape[1] - 1)]
        for place in [*places, *corners]:
            assert computed(found, stage, *place) == pytest.approx(float(y[place]), rel=2e-5, abs=tolerance)
            assert window(found, stage, *place).value == y[place]


def test_the_last_stage_is_what_keras_answered() -> None:
    for path in GOLDEN.glob("k*/sequential_seed_cnn.h5"):
        found = traced(path)
        logits = found.values[found.stages[-1].y].astype(np.float64)
        expected = load(path).outputs[0][0]
        powers = np.exp(logits - logits.max())
        probabilities = powers / powers.sum()
        np.testing.assert_allclose(
            probabilities if found.stages[-1].softmax else logits, expected, rtol=1e-4, atol=1e-5
        )


def test_terms_are_the_input_channels_and_padding_is_marked() -> None:
    found = traced(GOLDEN / "k3" / "conv2d_same.h5")
    stage = found.stages[0]
    seen = window(found, stage, 0, 0, 1)
    x = found.values[stage.x]
    assert [term.channel for term in seen.terms] == list(range(x.shape[2]))
    assert np.isnan(seen.terms[0].patch[0]).all()
    assert seen.terms[0].patch[-1, -1] in x[:, :, 0]


def test_layers_between_stages_are_noted() -> None:
    with open_model(GOLDEN / "k3" / "sequential_seed_cnn.h5") as network:
        stages = stages_of(network)
    after = {stage.name: [passed.class_name for passed in stage.after] for stage in stages}
    assert sorted(name for names in after.values() for name in names) == ["Dropout", "Flatten"]


def test_batch_normalization_and_activation_belong_to_their_convolution() -> None:
    with open_model(GOLDEN / "k3" / "functional_residual.h5") as network:
        first = stages_of(network)[0]
    assert first.scale is not None
    assert first.activation.kind == "relu"
    assert first.after == []


def test_parts_of_a_layer_have_titles() -> None:
    with open_model(GOLDEN / "k3" / "separable_conv2d_valid.h5") as network:
        depthwise, pointwise = stages_of(network)
    assert depthwise.name == pointwise.name
    assert [depthwise.title, pointwise.title] == [f"{depthwise.name} ({part})" for part in ("depthwise", "pointwise")]


def test_of_a_deep_network_the_ends_and_the_changes_of_size_are_shown() -> None:
    with open_model(GOLDEN / "k3" / "sequential_seed_cnn.h5") as network:
        stages, graph = stages_of(network), network.graph
    many = [stages[0], *[stages[-1]] * 300, *stages]
    found = chosen(many, graph)
    assert len(found) == MOST_STAGES
    assert found[0] is stages[0]
    smaller = [s for s in stages if len(graph.shapes[s.y]) == 3 and graph.shapes[s.x][:2] != graph.shapes[s.y][:2]]
    assert smaller
    assert all(any(each is stage for each in found) for stage in [*smaller, stages[-1]])
