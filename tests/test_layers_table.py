"""The page that lists all layers is what the tables and the golden models say now."""

import re

from engine.frontend.registry import LAYERS
from tests.layers_table import PAGE, page

ELSEWHERE = {
    "CuDNNGRU", "CuDNNLSTM", "Deconvolution2D", "Equalization", "Highway", "MaxoutDense", "MergedCosine",
    "RandomColorDegeneration", "RandomPosterization", "RandomSaturation", "RandomSharpness", "Solarization",
}  # fmt: skip
"""Layers that no Keras at hand can save in this format: older ones have tests of their own, the others do nothing."""


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m tests.layers_table"


def test_every_layer_is_tested() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| ([\d, ]*) \| (\d+) \|$", page().partition("# Functions")[0], re.MULTILINE)
    assert {name for name, _, _ in rows} == set(LAYERS)
    untested = {name for name, _, count in rows if count == "0"}
    assert untested <= ELSEWHERE
