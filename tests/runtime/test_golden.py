"""Every golden model through the whole engine, with compiled kernels, against what Keras computed."""

from pathlib import Path

import pytest

import engine
from tests.checking import assert_close
from tests.golden import in_order, load, models, name_of


@pytest.mark.parametrize("path", models(), ids=name_of)
def test_numbers_are_keras_numbers(path: Path) -> None:
    golden = load(path)
    inputs = list(golden.inputs)
    found = engine.load_model(str(path)).predict(inputs if len(inputs) > 1 else inputs[0])
    outputs = in_order(found)
    assert len(outputs) == len(golden.outputs)
    for output, expected in zip(outputs, golden.outputs, strict=True):
        assert_close(output, expected, golden.kind)
