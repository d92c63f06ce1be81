"""From a model's outputs to scores."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.heads import Head, head_of

X = np.array([[-1.0, 0.5, 2.0], [3.0, 3.0, -40.0]], np.float32)
SOFTMAX = np.exp(X.astype(np.float64)) / np.exp(X.astype(np.float64)).sum(axis=1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-X.astype(np.float64)))


def head(units: int = 3, last: str = "linear", from_logits: bool = False, loss: str = "", **options: Any) -> Head:
    model: Any = SimpleNamespace(output_shape=(None, units), head=last, from_logits=from_logits, loss=loss)
    return head_of(model, "m.h5", **options)


@pytest.mark.parametrize(
    ("options", "gives", "scores"),
    [
        ({}, "none", X),
        ({"last": "relu"}, "none", X),
        ({"last": "softmax"}, "softmax", X),
        ({"last": "sigmoid"}, "sigmoid", X),
        ({"from_logits": True}, "softmax", SOFTMAX),
        ({"last": "softmax", "from_logits": True}, "softmax", X),
        ({"from_logits": True, "multi_label": True}, "sigmoid", SIGMOID),
        ({"from_logits": True, "loss": "BinaryCrossentropy"}, "sigmoid", SIGMOID),
        ({"from_logits": True, "loss": "SparseCategoricalCrossentropy"}, "softmax", SOFTMAX),
        ({"last": "sigmoid", "multi_label": True}, "sigmoid", X),
        ({"activation": "softmax"}, "softmax", SOFTMAX),
        ({"activation": "sigmoid"}, "sigmoid", SIGMOID),
        ({"activation": "sigmoid", "multi_label": True}, "sigmoid", SIGMOID),
        ({"activation": "none", "from_logits": True}, "none", X),
        ({"activation": "none", "last": "softmax"}, "none", X),
        ({"activation": "softmax", "last": "softmax"}, "softmax", X),
        ({"activation": "sigmoid", "last": "softmax"}, "sigmoid", SIGMOID),
    ],
    ids=str,
)
def test_many_units(options: dict[str, Any], gives: str, scores: np.ndarray) -> None:
    found = head(**options)
    assert (found.gives, found.classes) == (gives, 3)
    assert found.gives_probabilities is (gives != "none")
    np.testing.assert_allclose(found.scores(X), scores, rtol=1e-6)
    assert found.scores(X).dtype == np.float64


def test_several_sigmoids_name_the_option() -> None:
    assert "--multi-label" in head(last="sigmoid").reason
    assert "--multi-label" not in head(last="sigmoid", multi_label=True).reason
    assert "--multi-label" not in head(1, last="sigmoid").reason
    assert "--multi-label" not in head(last="softmax").reason


@pytest.mark.parametrize(
    ("options", "positive"),
    [
        ({"last": "sigmoid"}, X),
        ({"from_logits": True}, SIGMOID),
        ({"activation": "sigmoid"}, SIGMOID),
        ({"activation": "sigmoid", "last": "sigmoid"}, X),
    ],
    ids=str,
)
def test_one_unit_for_two_classes(options: dict[str, Any], positive: np.ndarray) -> None:
    found = head(1, **options)
    assert found.is_binary
    assert found.classes == 2
    scores = found.scores(X[:, 2:])
    np.testing.assert_allclose(scores[:, 1], positive[:, 2], rtol=1e-6)
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize(
    "options", [{}, {"activation": "none", "last": "sigmoid"}, {"last": "sigmoid", "multi_label": True}], ids=str
)
def test_one_unit_for_itself(options: dict[str, Any]) -> None:
    found = head(1, **options)
    assert found.classes == 1
    np.testing.assert_array_equal(found.scores(X[:, :1]), X[:, :1])


@pytest.mark.parametrize("options", [{"last": "softmax"}, {}, {"last": "sigmoid", "activation": "none"}], ids=str)
def test_several_labels_need_sigmoids(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"m\.h5: several labels at once need outputs of sigmoids"):
        head(multi_label=True, **options)


@pytest.mark.parametrize("shape", [(None, 4, 4, 10), (None,), (None, None), [(None, 10), (None, 2)]], ids=str)
def test_other_outputs_are_refused(shape: Any) -> None:
    model: Any = SimpleNamespace(output_shape=shape, head="softmax", from_logits=False)
    with pytest.raises(InputError, match=r"m\.h5: a classifier's output is \(None, classes\), not"):
        head_of(model, "m.h5")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("activation", ["none", "softmax", "sigmoid"])
def test_what_is_no_number_stays_so(activation: str) -> None:
    x = np.array([[np.nan, 0.5], [1e38, -1e38], [0.25, 0.75]], np.float32)
    scores = head(2, activation=activation).scores(x)
    assert np.isnan(scores[0]).any()
    assert not np.isnan(scores[1:]).any()
    infinite = np.array([[np.inf, -np.inf]], np.float32)
    assert np.isnan(head(2, activation="softmax").scores(infinite)).any()
