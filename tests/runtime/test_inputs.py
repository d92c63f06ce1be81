"""Several inputs and outputs, shared layers and models inside models, through the whole engine."""

import numpy as np
import pytest

import engine
from engine.errors import InputError
from tests.checking import assert_close
from tests.golden import GOLDEN, in_order, load


@pytest.mark.parametrize(
    "case", ["k2/functional_shared_layer", "k3/functional_shared_model", "k3/functional_named_outputs"]
)
def test_a_list_and_a_dict_are_the_same(case: str) -> None:
    golden = load(GOLDEN / f"{case}.h5")
    model = engine.load_model(golden.model)
    names = dict(zip(model.input_names, golden.inputs, strict=True))
    for fed in (list(golden.inputs), tuple(golden.inputs), names, dict(reversed(names.items()))):
        for output, expected in zip(in_order(model.predict(fed)), golden.outputs, strict=True):
            assert_close(output, expected, golden.kind)


def test_several_outputs_in_batches_of_any_size() -> None:
    golden = load(GOLDEN / "k3/functional_many_outputs.h5")
    model = engine.load_model(golden.model)
    whole = model.predict(golden.inputs[0])
    for size in (1, 2):
        for output, expected in zip(model.predict(golden.inputs[0], batch_size=size), whole, strict=True):
            np.testing.assert_array_equal(output, expected)


def test_inputs_that_do_not_fit_are_named() -> None:
    model = engine.load_model(GOLDEN / "k2/functional_shared_layer.h5")
    a = np.zeros((2, 4), np.float32)
    with pytest.raises(InputError, match="input 'b' is missing"):
        model.predict({"a": a})
    with pytest.raises(InputError, match="expected 2 inputs"):
        model.predict([a])
    with pytest.raises(InputError, match="different batch sizes"):
        model.predict([a, a[:1]])
    with pytest.raises(InputError, match="input 'b': expected shape"):
        model.predict([a, a[:, :3]])
