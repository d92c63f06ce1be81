"""Labels and sidecars."""

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from engine.images.labels import MAX_BYTES, Sidecar, read_labels, read_sidecar


@pytest.mark.parametrize(
    "data",
    [b"cat\ndog\n", b"cat\r\ndog", b"\xef\xbb\xbfcat\n\n  dog  \n\n"],
    ids=["plain", "crlf", "bom-and-blank-lines"],
)
def test_lines(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(data)
    assert read_labels(path) == ("cat", "dog")


def test_json_list(tmp_path: Path) -> None:
    path = tmp_path / "labels.JSON"
    path.write_text('["été", "a, b"]', encoding="utf-8")
    assert read_labels(path) == ("été", "a, b")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("labels.json", b'{"0": "cat"}', "list of strings"),
        ("labels.json", b"[1, 2]", "list of strings"),
        ("labels.json", b'["cat"', "not JSON"),
        ("labels.json", b"[" * 100_000, "not JSON"),
        ("labels.txt", b"caf\xe9\n", "byte 3 is not UTF-8"),
        ("labels.txt", b"a" * (MAX_BYTES + 1), "more than"),
    ],
)
def test_bad_files_are_one_line_that_names_them(name: str, data: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=reason) as caught:
        read_labels(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_missing_and_special_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_labels(tmp_path / "none.txt")
    with pytest.raises(InputError, match="not a regular file"):
        read_labels(os.devnull)


def sidecar(tmp_path: Path, values: Any) -> Sidecar:
    (tmp_path / "m.json").write_text(json.dumps(values))
    return read_sidecar(tmp_path / "m.h5")


def test_sidecar(tmp_path: Path) -> None:
    assert read_sidecar(tmp_path / "m.h5") == Sidecar()
    values = {"labels": ["a", "b"], "preprocess": "unit", "invert": "auto"}
    assert sidecar(tmp_path, values) == Sidecar(("a", "b"), "unit", "auto")
    assert sidecar(tmp_path, {"preprocess": "tf"}) == Sidecar(preprocess="tf")


@pytest.mark.parametrize("values", [{"class_name": "Sequential", "config": {}}, ["a"], "text", {}, {"label": ["a"]}])
def test_another_file_of_that_name_is_passed_over(
    values: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="engine"):
        assert sidecar(tmp_path, values) == Sidecar()
    assert "m.json is not used" in caplog.text


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"labels": "abc"}, "list of strings"),
        ({"labels": [1]}, "list of strings"),
        ({"preprocess": "vgg"}, "preprocess is one of none, unit, tf, caffe, torch, not 'vgg'"),
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
    assert read_sidecar(tmp_path / "m.json") == Sidecar()
