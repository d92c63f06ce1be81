"""Forms of output: which one, what is in it, and what a spreadsheet or a small terminal makes of it."""

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from engine.classify import Score
from engine.errors import ImageError
from engine.report import FORMATS, Layout, Record
from engine.report.lines import safe_path, safe_text
from engine.report.table import bar, plain_bar

Infer = Callable[..., Result]

LAYOUT = Layout(1, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("name", "begin"),
    [("o.csv", "path,label"), ("o.TSV", "path\tlabel"), ("o.json", "[\n"), ("o.jsonl", '{"path"'),
     ("o.ndjson", '{"path"'), ("o.txt", "file  "), ("o", "file  "), ("o.dat", "file  ")],
)  # fmt: skip
def test_the_suffix_says_the_form(name: str, begin: str, infer: Infer, folder: Path) -> None:
    assert infer("images", "-o", name).exit_code == 0
    assert (folder / name).read_text().startswith(begin)
    assert infer("images", "-o", name, "--format", "csv").exit_code == 0
    assert (folder / name).read_text().startswith("path,")
    assert not list(folder.glob("*.partial"))


def test_a_dash_is_standard_output(infer: Infer, folder: Path) -> None:
    assert infer("images", "-o", "-", "--format", "csv").stdout == infer("images", "--format", "csv").stdout
    assert not (folder / "-").exists()


def test_tsv_says_what_csv_says(infer: Infer) -> None:
    rows = [list(csv.reader(io.StringIO(infer("images", "--format", name).stdout), delimiter=delimiter))
            for name, delimiter in (("csv", ","), ("tsv", "\t"))]  # fmt: skip
    assert rows[0] == rows[1]
    assert len(rows[0]) == 5


@pytest.mark.parametrize("name", ["csv", "jsonl", "table"])
def test_probs_are_the_scores_of_all_classes(name: str, infer: Infer) -> None:
    text = infer("images/c.png", "--probs", "--format", name).stdout
    expected = [0.91 if i == 4 else 0.01 for i in range(10)]
    if name == "jsonl":
        found = json.loads(text)["probs"]
    elif name == "csv":
        (row,) = csv.DictReader(io.StringIO(text))
        assert list(row)[3:] == ["index", *(f"prob_{i}" for i in range(10)), "error"]
        found = [float(row[f"prob_{i}"]) for i in range(10)]
    else:
        header, line = text.splitlines()
        assert header.split()[3:] == list("0123456789")
        found = [float(cell) for cell in line.split()[3:]]
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_threshold_leaves_out_what_is_below(infer: Infer) -> None:
    arguments = ("images/c.png", "--top-k", "3", "--threshold")
    (record,) = json.loads(infer(*arguments, "0.5", "--format", "json").stdout)
    assert (record["label"], len(record["top"])) == ("4", 1)
    (record,) = json.loads(infer(*arguments, "0.95", "--format", "json", "--probs").stdout)
    assert (record["label"], record["score"], record["index"], record["top"]) == (None, None, None, [])
    assert len(record["probs"]) == 10
    (row,) = csv.reader(infer(*arguments, "0.5", "--format", "csv").stdout.splitlines()[1:])
    assert row[4:] == [""] * 7
    assert infer(*arguments, "0.95").stdout.splitlines()[1].split() == ["images/c.png", "-", "-", "-"]
    assert infer(*arguments, "0.95").exit_code == 0


def formula(text: str) -> bool:
    return text[:1] in tuple("=+-@\t\r") and text != "-"


@pytest.mark.parametrize("name", ["=1+1.png", "+a.png", "-rf.png", "@x.png", "\tt.png", "\rr.png"])
@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_no_cell_is_a_formula(name: str, form: str, infer: Infer, folder: Path) -> None:
    os.rename(folder / "images" / "c.png", folder / name)
    (folder / "labels.json").write_text(json.dumps([f"=cmd{i}" for i in range(9)] + ["fine"]))
    text = infer("--labels", "labels.json", "--format", form, "--weights", "m.h5", "--", name, weights=None).stdout
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="," if form == "csv" else "\t"))
    assert len(rows) == 2
    assert not [cell for cell in rows[1] if formula(cell)]
    assert rows[1][:2] == [f"./{name}", "'=cmd4"]
    assert os.path.samefile(rows[1][0], folder / name)


def test_safe_cells() -> None:
    assert [safe_path(path) for path in ("a.png", "-", "-a", "./=x", "/=x")] == ["a.png", "-", "./-a", "./=x", "/=x"]
    assert [safe_text(text) for text in ("cat", "=a", "@b", "", "a=b")] == ["cat", "'=a", "'@b", "", "a=b"]


NAMES = ["a\nb.png", "a\rb.png", 'q"u.png', "tab\t.png", "é\udce9.png", "x,y;z.png", "\0"]


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_rows_are_read_back_whatever_the_name(form: str) -> None:
    records = [Record(f"{i}{name}", (Score(name, -1.5, 2),)) for i, name in enumerate(NAMES)]
    text = "".join(FORMATS[form](records, LAYOUT))
    _, *rows = csv.reader(io.StringIO(text, newline=""), delimiter="," if form == "csv" else "\t", strict=True)
    assert [row[0] for row in rows] == [record.path for record in records]
    assert [row[1] for row in rows] == [safe_text(name) for name in NAMES]
    assert {row[2] for row in rows} == {"-1.5"}


def test_every_record_is_one_line_of_json_and_of_the_table() -> None:
    records = [Record(name, (Score(name, 0.5, 2),)) for name in NAMES] + [Record("e", error="bad\nthing")]
    lines = "".join(FORMATS["jsonl"](records, LAYOUT)).splitlines()
    assert [json.loads(line)["path"] for line in lines] == [record.path for record in records]
    assert len("".join(FORMATS["table"](records, LAYOUT)).splitlines()) == len(records) + 1


def test_bars() -> None:
    assert [bar(score) for score in (0, 0.5, 1, 0.0125, 2, -1, float("nan"))] == [
        "", "█" * 5, "█" * 10, "▏", "█" * 10, "", ""
    ]  # fmt: skip
    assert [plain_bar(score) for score in (0, 0.5, 1, float("nan"))] == ["", "#####", "##########", ""]
    records = [Record("a", (Score("x", 0.5, 1),)), Record("b", error="bad"), Record("c")]
    table = "".join(FORMATS["table"](records, Layout(1, ("x",), bars=True)))
    assert [line.split() for line in table.splitlines()] == [
        ["file", "label", "probability"], ["a", "x", "0.5000", "█████"], ["b", "error:", "bad"], ["c", "-"]
    ]  # fmt: skip


def test_a_record_of_an_error_does_not_repeat_the_path() -> None:
    record = Record.of("a.png", ImageError("a.png: broken"))
    assert (record.error, record.best) == ("broken", None)
    assert record.to_dict({}) == {"path": "a.png", "error": "broken"}


@pytest.mark.parametrize("probs", [(), ("--probs",)])
def test_parquet(probs: tuple[str, ...], infer: Infer, folder: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    (folder / "images" / "bad.png").write_bytes(b"no")
    assert infer("images", "-o", "o.parquet", "--top-k", "2", *probs).exit_code == 3
    rows = parquet.read_table(folder / "o.parquet").to_pylist()
    lines = infer("images", "--format", "jsonl", "--top-k", "2", *probs).stdout.splitlines()
    for row, line in zip(rows, map(json.loads, lines), strict=True):
        line.pop("decided", None)
        assert {key: value for key, value in row.items() if value is not None} == line
    metadata = parquet.read_schema(folder / "o.parquet").metadata
    assert json.loads(metadata[b"decided"])["preprocess"] == "unit"
    assert sorted(path.name for path in folder.iterdir()) == ["images", "m.h5", "o.parquet"]


def test_parquet_without_pyarrow_is_one_line(infer: Infer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    result = infer("images", "-o", "o.parquet")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "Error: Parquet needs pyarrow: pip install 'numba-infer[parquet]'"
    assert not (folder / "o.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--format", "parquet"), "parquet needs a file"),
        (("--resume",), "--resume continues a file"),
        (("--resume", "-o", "x.json"), "--resume continues a file"),
        (("--features", "conv"), "--features needs a file"),
        (("--features", "conv", "-o", "x.csv"), "--features needs a file"),
        (("--features", "conv", "-o", "x.npy", "--format", "csv"), "--features needs a file"),
        (("-o", "x.npy"), "-o x.npy is for --features"),
        (("--features", "conv", "-o", "x.npy", "--sort-into", "d"), "--features goes with neither"),
        (("--sort-into", "images/sorted"), "lies in images"),
        (("--sort-into", "images"), "lies in images"),
        (("-o", "m.h5"), "would overwrite an input"),
        (("images/a.png", "-o", "images/a.png"), "would overwrite an input"),
        (("-v", "-q"), "-v and -q exclude each other"),
        (("--null",), "--null says how --from-file is written"),
        (("-", "-"), "standard input can be read once"),
        (("-", "--from-file", "-"), "standard input can be read once"),
        (("--from-file", "nowhere"), "nowhere"),
        (("images/*.gif",), "nothing matches 'images/*.gif'"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_wrong_usage(arguments: tuple[str, ...], reason: str, infer: Infer) -> None:
    result = infer("images", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr


def test_quiet_says_nothing_but_errors(infer: Infer, folder: Path, model: Any) -> None:
    (folder / "images" / "bad.png").write_bytes(b"no")
    result = infer("images", "-q")
    assert (result.exit_code, result.stderr) == (3, "")
    model.answer = lambda x: np.zeros((len(x), 3))
    (folder / "labels.txt").write_text("a\n")
    result = infer("images", "-q", "--labels", "labels.txt")
    assert result.stderr.startswith("Error: labels.txt: ")


def test_verbose_says_why_and_how_long(infer: Infer) -> None:
    *_, last = infer("images", "-v").stderr.splitlines()
    assert last.startswith("4 images in ")
    for word in ("images/s", "decoding", "preprocessing", "inference"):
        assert word in last
    assert "images/s" not in infer("images").stderr
