"""Metadata and sidecars."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.images.metadata import KEYS, Metadata, metadata_of, read_sidecar
from engine.images.preprocess import Scaling


def sidecar(tmp_path: Path, values: Any) -> Metadata:
    (tmp_path / "m.json").write_text(json.dumps(values))
    return read_sidecar(tmp_path / "m.h5")


EVERYTHING = {
    "labels": ["a", "b"],
    "preprocess": {"scale": 0.5, "mean": [1.0, 2.0, 3.0], "std": [4.0]},
    "size": [224, 160],
    "resize": "nearest",
    "invert": "auto",
    "exif": True,
    "activation": "sigmoid",
    "multi_label": False,
}


def test_sidecar(tmp_path: Path) -> None:
    assert read_sidecar(tmp_path / "m.h5") == Metadata()
    scaling = Scaling(0.5, (1.0, 2.0, 3.0), (4.0,))
    assert sidecar(tmp_path, EVERYTHING) == Metadata(
        ("a", "b"), scaling, (224, 160), "nearest", "auto", exif=True, activation="sigmoid", multi_label=False
    )
    assert sidecar(tmp_path, {"size": 32}) == Metadata(size=(32, 32))
    assert sidecar(tmp_path, {"preprocess": "tf"}) == Metadata(preprocess="tf")
    assert sidecar(tmp_path, {"preprocess": {"scale": 2, "mean": 1}}) == Metadata(preprocess=Scaling(2.0, (1.0,)))


def test_metadata_survives_its_own_form() -> None:
    metadata = metadata_of(EVERYTHING, "x")
    assert metadata.to_dict() == EVERYTHING
    assert metadata_of(json.loads(json.dumps(metadata.to_dict())), "x") == metadata
    assert Metadata().to_dict() == {}


def test_an_update_changes_only_what_it_says() -> None:
    before = metadata_of(EVERYTHING, "x")
    after = before.updated(Metadata(preprocess="tf", exif=False))
    assert after.to_dict() == {**EVERYTHING, "preprocess": "tf", "exif": False}


@pytest.mark.parametrize(
    "values", [["cat", "dog"], {"0": "cat", "1": "dog"}, {"cat": 0, "dog": 1}, {"labels": {"dog": 1, "cat": 0}}]
)
def test_labels_alone_are_a_sidecar(values: Any, tmp_path: Path) -> None:
    assert sidecar(tmp_path, values) == Metadata(labels=("cat", "dog"))


@pytest.mark.parametrize("values", [{"class_name": "Sequential", "config": {}}, [1], "text", {}, {"label": ["a"]}])
def test_another_file_of_that_name_is_passed_over(
    values: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="engine"):
        assert sidecar(tmp_path, values) == Metadata()
    assert "m.json is not used" in caplog.text


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"labels": "abc"}, "list of strings"),
        ({"labels": [1]}, "list of strings"),
        ({"preprocess": "vgg"}, "preprocess is one of none, unit, tf, caffe, torch, mnist, .*, not 'vgg'"),
        ({"preprocess": {"scale": "1/255"}}, "scale is a number or a list of numbers, not '1/255'"),
        ({"preprocess": {"scale": [1, 2]}}, "scale is one number, not 2"),
        ({"preprocess": {"mean": []}}, "mean is a number or a list"),
        ({"preprocess": {"std": [1, 0]}}, "std is a divisor"),
        ({"preprocess": {"scale": True}}, "scale is a number"),
        ({"preprocess": {"mean": 10**400}}, "mean is a number"),
        ({"preprocess": {"std": float("inf")}}, "std is a number"),
        ({"preprocess": {"offset": 1}}, "not offset"),
        ({"size": "224"}, "size is a number of pixels, or height and width, not '224'"),
        ({"size": [1, 2, 3]}, "size is a number of pixels"),
        ({"size": True}, "size is a number of pixels"),
        ({"size": 8193}, "size is a number of pixels"),
        ({"resize": "bilinear"}, "resize is one of keras, nearest, lanczos-fit, pad, crop, not 'bilinear'"),
        ({"exif": "yes"}, "exif is true or false"),
        ({"activation": "relu"}, "activation is one of none, softmax, sigmoid"),
        ({"invert": ["yes"]}, "invert is one of no, yes, auto"),
        ({"invert": True}, "invert is one of no, yes, auto"),
        ({"invert": "no", "lables": []}, "not lables"),
    ],
)
def test_bad_sidecar(values: Any, reason: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        sidecar(tmp_path, values)
    assert str(caught.value).startswith(str(tmp_path / "m.json"))


def test_weights_that_are_json_have_no_sidecar(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"labels": ["a"]}')
    assert read_sidecar(tmp_path / "m.json") == Metadata()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, "scale", "mean"]), inner),
    max_leaves=9,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING, min_size=1))
def test_any_values_are_metadata_or_one_line(values: Any) -> None:
    found: Metadata | str
    try:
        found = metadata_of(values, "m.json")
    except InputError as error:
        found = str(error)
    if isinstance(found, str):
        assert found.startswith("m.json: ")
    else:
        assert metadata_of(found.to_dict(), "m.json") == found
