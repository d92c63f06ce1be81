"""Formulas with numbers in them are true, and are those of the course that the project started from."""

import re
from math import floor
from pathlib import Path

import pytest

from engine.explaining.formulas import parameter_count, parameter_formula, size_formulas, size_rule
from engine.explaining.stages import stages_of
from engine.frontend import open_model
from engine.ir.ops import Conv, ConvTranspose, DepthwiseConv, NormPool, Pool
from tests.golden import models, name_of

ROOT = Path(__file__).parents[2]
WINDOWED = [
    m for m in models() if m.parent.name == "k3" and m.stem.startswith(("conv2d", "depthwise", "max_p", "average_p"))
]


def holds(formula: str) -> bool:
    """Whether both sides of `⌊(28 − 3 + 2·1) / 1⌋ + 1 = 28` are the same."""
    text = re.sub(r"^(height|width): ", "", formula).replace("−", "-").replace("·", "*").replace(",", "")
    text = re.sub(r"(\d+) (of zeros|cut off)", r"\1", text).replace("⌊", "floor(").replace("⌋", ")")
    left, _, right = text.partition("=")
    return bool(eval(left, {"floor": floor}) == int(right))


@pytest.mark.parametrize("path", WINDOWED, ids=name_of)
def test_sizes_and_parameters(path: Path) -> None:
    with open_model(path) as network:
        for stage in stages_of(network):
            if not isinstance(stage.op, Conv | ConvTranspose | DepthwiseConv | Pool | NormPool):
                continue
            lines = size_formulas(stage, network.graph)
            extents = network.graph.shapes[stage.y][:2]
            assert all(map(holds, lines)), lines
            assert {int(line.rpartition("= ")[2]) for line in lines} == set(extents)
            assert size_rule(stage)
            if stage.weights:
                assert holds(parameter_formula(stage))
                assert parameter_formula(stage).endswith(f"= {parameter_count(stage):,}")


def test_the_words_of_the_course() -> None:
    with open_model(ROOT / "weights" / "mnist.h5") as network:
        stages = {stage.name: stage for stage in stages_of(network)}
        assert size_formulas(stages["conv1"], network.graph) == ["⌊(28 − 3 + 2·1) / 1⌋ + 1 = 28"]
        assert size_formulas(stages["pool1"], network.graph) == ["⌊(28 − 2 + 2·0) / 2⌋ + 1 = 14"]
    assert parameter_formula(stages["conv1"]) == "32 · (3·3·1) + 32 = 320"
    assert parameter_formula(stages["fc1"]) == "6,272 · 128 + 128 = 802,944"
    assert parameter_formula(stages["pool1"]) == "none: a pool has no weights"


def test_uneven_padding_is_said() -> None:
    path = next(m for m in models() if m.stem == "conv2d_same_even_kernel")
    with open_model(path) as network:
        stage = stages_of(network)[0]
        assert "the odd one goes last" in size_rule(stage)
        assert all(map(holds, size_formulas(stage, network.graph)))
