"""Labels, in every form in which people keep them."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.images.labels import MAX_BYTES, is_numbered, read_labels


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


GOOD = [
    ("labels.txt", "0 cat\n1 dog", ("cat", "dog")),
    ("labels.txt", "0: cat\n1: dog", ("cat", "dog")),
    ("labels.txt", "0,cat\n1, big dog", ("cat", "big dog")),
    ("labels.txt", "1 cat\n2 dog", ("1 cat", "2 dog")),
    ("labels.txt", "0 cat\ndog", ("0 cat", "dog")),
    ("labels.txt", "0\n1\n2", ("0", "1", "2")),
    ("labels.txt", "10 euro\n20 euro", ("10 euro", "20 euro")),
    ("labels.json", '{"0": "cat", "1": "dog"}', ("cat", "dog")),
    ("labels.json", '{"10": "k", "2": "c", "0": "a", "1": "b", "3": "d", "4": "e", "5": "f", "6": "g", "7": "h", '
     '"8": "i", "9": "j"}', tuple("abcdefghijk")),
    ("labels.json", '{"dog": 1, "cat": 0}', ("cat", "dog")),
    ("labels.json", '{"0": ["n01", "tench"], "1": ["n02", "goldfish"]}', ("tench", "goldfish")),
    ("labels.json", '{"labels": ["cat", "dog"], "preprocess": "tf"}', ("cat", "dog")),
    ("labels.csv", "cat\ndog\n", ("cat", "dog")),
    ("labels.csv", "label\ncat\n\ndog\n", ("cat", "dog")),
    ("labels.csv", "0,cat\n1,dog\n", ("cat", "dog")),
    ("labels.csv", "1,dog\n0,cat\n", ("cat", "dog")),
    ("labels.csv", "cat,0\ndog,1\n", ("cat", "dog")),
    ("labels.csv", "ClassId,Name\n0,Speed limit\n1,\"Yield, now\"\n", ("Speed limit", "Yield, now")),
    ("labels.csv", "Nr;Was\n1;Hund\n0;Katze\n", ("Katze", "Hund")),
    ("labels.csv", "colour,index,Class Name\nred,1,dog\nblue,0,cat\n", ("cat", "dog")),
    ("labels.csv", "count,label\n900,cat\n7,dog\n", ("cat", "dog")),
    ("labels.tsv", "0\tcat, small\n1\tdog\n", ("cat, small", "dog")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "labels"), GOOD, ids=[text[:20] for _, text, _ in GOOD])
def test_forms(name: str, text: str, labels: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert read_labels(path) == labels


@pytest.mark.parametrize(("text", "numbered"), [("0 a\n1 b", True), ("a\nb", False), ("0 a\n2 b", False), ("", False)])
def test_teachable_machines_form(text: str, numbered: bool, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(text)
    assert is_numbered(tmp_path / "labels.txt") is numbered


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("labels.json", b'{"0": "cat", "2": "dog"}', "1 is missing"),
        ("labels.json", b'{"cat": 0, "dog": 0}', "there are two of 0"),
        ("labels.json", b'{"cat": 1, "dog": 2}', "0 is missing"),
        ("labels.json", b'{"cat": "dog"}', "list of strings"),
        ("labels.json", b'{"cat": true}', "list of strings"),
        ("labels.json", b"{}", "list of strings"),
        ("labels.json", b"[]", "list of strings"),
        ("labels.csv", b"id,label\n0,cat\n2,dog\n", "1 is missing"),
        ("labels.csv", b"id,label\nn01,cat\nn02,dog\n", "'n01' is no index"),
        ("labels.csv", b"a,b,c\nd,e,f\n", "which of the 3 columns has the names"),
        ("labels.csv", b"0,cat\n1\n", "rows of one length"),
        ("labels.csv", b"", "rows of one length"),
        ("labels.csv", b'"cat', "unexpected end of data"),
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


LINES = st.lists(st.text("01,;\t\"' ab{}[]:é", max_size=12), max_size=6).map("\n".join)
JSON = st.recursive(
    st.integers(-1, 3) | st.sampled_from(["a", "0", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["0", "1", "a", "labels"]), inner),
).map(json.dumps)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["labels.txt", "labels.csv", "labels.tsv", "labels.json"]),
    text=LINES | JSON | st.text(),
)
def test_any_text_gives_labels_or_one_line(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    found: tuple[str, ...] | str
    try:
        found = read_labels(path)
    except InputError as error:
        found = str(error)
    if isinstance(found, str):
        assert found.startswith(f"{path}: ")
        assert "\n" not in found
    else:
        assert all(isinstance(label, str) for label in found)
