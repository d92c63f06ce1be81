"""`infer PATHS --weights FILE`: results, where they go, and how a run ends."""

import csv
import io
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import engine
from engine.errors import KernelError, ModelFileError, UnsupportedLayerError
from tests.fake_model import FakeModel

CLASSES = {"images/a.png": "0", "images/b.png": "2", "images/c.png": "4", "images/d.png": "5"}


def broken(folder: Path, *names: str) -> None:
    for name in names:
        (folder / "images" / name).write_bytes(b"\x89PNG broken")


def test_table(infer: Any) -> None:
    result = infer("images")
    assert result.exit_code == 0
    assert result.stdout == (
        "file          label  probability\n"
        "images/a.png  0      0.9100\n"
        "images/b.png  2      0.9100\n"
        "images/c.png  4      0.9100\n"
        "images/d.png  5      0.9100\n"
    )
    assert result.stderr.splitlines()[0] == "Using m.h5"
    assert result.stderr.splitlines()[1].startswith("Images: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("images", "--weights", "m.h5"),
        ("--weights", "m.h5", "images"),
        ("--weights=m.h5", "--top-k", "1", "--", "images"),
        ("classify", "images", "--weights", "m.h5"),
        ("./images/", "--weights", "./m.h5"),
    ],
    ids=" ".join,
)
def test_classify_is_the_default_command(arguments: tuple[str, ...], infer: Any) -> None:
    assert infer(*arguments, weights=None).stdout == infer("images").stdout


def test_jsonl_and_json_and_csv_say_the_same(infer: Any, folder: Path) -> None:
    broken(folder, "bad.png")
    lines = [json.loads(line) for line in infer("images", "--format", "jsonl", "--top-k", "2").stdout.splitlines()]
    assert [line["path"] for line in lines] == ["images/a.png", "images/b.png", "images/bad.png", *list(CLASSES)[2:]]
    assert lines[1].keys() == {"path", "label", "score", "index", "top", "decided"}
    assert lines[1]["decided"].items() >= {"resize": "keras", "preprocess": "unit", "invert": "no"}.items()
    assert lines[1]["label"] == "2"
    assert lines[1]["index"] == 2
    assert lines[1]["score"] == pytest.approx(0.91)
    assert [score["index"] for score in lines[1]["top"]] == [2, 0]
    assert lines[2].keys() == {"path", "error"}
    assert lines[2]["error"].startswith("not an image")

    assert json.loads(infer("images", "--format", "json", "--top-k", "2").stdout) == lines

    rows = list(csv.DictReader(io.StringIO(infer("images", "--format", "csv", "--top-k", "2").stdout)))
    assert list(rows[0]) == ["path", "label", "score", "index", "label_2", "score_2", "index_2", "error"]
    for row, line in zip(rows, lines, strict=True):
        assert row["path"] == line["path"]
        assert row["error"] == line.get("error", "")
        if "error" not in line:
            assert (row["label"], float(row["score"]), int(row["index"])) == (
                line["label"],
                line["score"],
                line["index"],
            )
            assert float(row["score_2"]) == line["top"][1]["score"]


def test_top_k_in_the_table_is_at_most_the_classes(infer: Any) -> None:
    header, first, *_ = infer("images/c.png", "--top-k", "99").stdout.splitlines()
    assert header.startswith("file          label  probability  label 2  probability 2  label 3")
    assert header.endswith("label 10  probability 10")
    assert len(first.split()) == 21


@pytest.mark.parametrize("name", ["table", "csv", "json", "jsonl"])
def test_no_images(name: str, infer: Any, folder: Path) -> None:
    (folder / "empty").mkdir()
    result = infer("empty", "--format", name)
    assert result.exit_code == 0
    assert (
        result.stdout.split()
        == {
            "table": ["file", "label", "probability"],
            "csv": ["path,label,score,index,error"],
            "json": ["[", "]"],
            "jsonl": [],
        }[name]
    )
    assert "No images found" in result.stderr


def test_a_broken_image_stops_no_other(infer: Any, folder: Path) -> None:
    broken(folder, "0.png", "bb.png", "z.png")
    result = infer("images", "--batch-size", "2")
    assert result.exit_code == 3
    rows = [line.split(maxsplit=2) for line in result.stdout.splitlines()[1:]]
    assert [row[0] for row in rows] == sorted([*CLASSES, "images/0.png", "images/bb.png", "images/z.png"])
    assert {row[0]: row[1] for row in rows if row[1] != "error:"} == CLASSES
    assert "3 of 7 images could not be read" in result.stderr


def test_an_unreadable_folder_is_an_error_record(infer: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "images" / "locked").mkdir()
    scandir = os.scandir

    def refuse(path: Path) -> Any:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    result = infer("images", "--format", "jsonl")
    assert result.exit_code == 3
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["path"] for record in records if "error" in record] == ["images/locked"]
    assert len(records) == 5


def test_the_same_image_twice(infer: Any) -> None:
    lines = infer("images/b.png", "images", "images/b.png", "--format", "jsonl").stdout.splitlines()
    assert len(lines) == 6
    assert lines[0] == lines[2] == lines[5]


def test_labels_and_invert_reach_the_classifier(infer: Any, folder: Path) -> None:
    (folder / "names.txt").write_text("\n".join(f"class {i}" for i in range(10)))
    result = infer("images/c.png", "--labels", "names.txt", "--format", "jsonl", "--invert", "yes")
    assert json.loads(result.stdout)["label"] == "class 6"


def test_threads_reach_the_model(infer: Any, model: FakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def load_model(path: object, threads: int | None = None, **options: object) -> object:
        seen.append((path, threads))
        return model

    monkeypatch.setattr(engine, "load_model", load_model)
    infer("images", "--threads", "3")
    infer("images")
    assert seen == [(Path("m.h5"), 3), (Path("m.h5"), None)]


def test_threads_that_decode_warn_once(infer: Any, folder: Path) -> None:
    for i in range(64):
        Image.new("L", (28, 28), 204).save(folder / "images" / f"{i}.png")
    stderr = infer("images", "--threads", "8", "--batch-size", "64").stderr
    assert stderr.count("looks dark on light") == 1


def test_results_are_the_same_whoever_decodes(infer: Any, folder: Path) -> None:
    for i in range(100):
        Image.new("L", (30 + i, 28), i).save(folder / "images" / f"{i}.png")
    expected = infer("images", "--format", "jsonl", "--probs", "--threads", "1", "--batch-size", "1").stdout
    for threads, batch_size in (("1", "7"), ("8", "3"), ("3", "64")):
        assert (
            infer("images", "--format", "jsonl", "--probs", "--threads", threads, "--batch-size", batch_size).stdout
            == expected
        )


def test_warnings_go_to_stderr_in_one_line(infer: Any, folder: Path) -> None:
    Image.new("L", (9, 9), 204).save(folder / "images" / "d.png")
    result = infer("images/d.png")
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Warning: ")]
    assert "images/d.png looks dark on light" in line
    assert "--invert" in line


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("images", "--top-k", "0"), "x>=1"),
        (("images", "--batch-size", "0"), "1<=x<=4096"),
        (("images", "--batch-size", "1000000000"), "1<=x<=4096"),
        (("images", "--threads", "0"), "1<=x<=1024"),
        (("images", "--threads", "9999"), "1<=x<=1024"),
        (("images", "--format", "xml"), "'table', 'csv', 'tsv', 'json', 'jsonl', 'parquet'"),
        (("images", "--invert", "maybe"), "'no', 'yes', 'auto'"),
        (("images", "--wieghts", "m.h5"), "--weights"),
        (("nowhere",), "'nowhere' does not exist"),
        (("sumary",), "Did you mean 'summary'?"),
        (("warmpu",), "Did you mean 'warmup'?"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_wrong_usage(arguments: tuple[str, ...], reason: str, infer: Any) -> None:
    result = infer(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert reason in result.stderr


def test_weights_are_required(infer: Any) -> None:
    result = infer("images", weights=None)
    assert result.exit_code == 2
    assert "--weights" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModelFileError("m.h5: is a text file"), 1),
        (KernelError("no\ncompiler"), 1),
        (UnsupportedLayerError("Lambda"), 4),
    ],
)
def test_errors_of_the_engine_are_one_line(
    error: Exception, code: int, infer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, **options: object) -> None:
        raise error

    monkeypatch.setattr(engine, "load_model", fail)
    result = infer("images", weights="./m.h5")
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr == f"Error: {' '.join(str(error).split())}\n"


def test_wrong_labels_are_one_line(infer: Any, folder: Path) -> None:
    (folder / "names.txt").write_text("a\nb\n")
    result = infer("images", "--labels", "names.txt")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[1:] == ["Error: names.txt: 2 labels for the 10 classes of m.h5"]


@pytest.mark.parametrize("name", ["a b.png", "new\nline.png", 'tab\t"quote".png', "=1+1.png", "-rf.png", "été.png"])
def test_names_survive(name: str, infer: Any, folder: Path) -> None:
    os.rename(folder / "images" / "b.png", folder / "images" / name)
    path = f"images/{name}"
    found = {json.loads(line)["path"] for line in infer("images", "--format", "jsonl").stdout.splitlines()}
    assert path in found
    rows = csv.DictReader(io.StringIO(infer("images", "--format", "csv").stdout))
    assert path in {row["path"] for row in rows}
    assert len(infer("images").stdout.splitlines()) == 5


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode here")
def test_names_that_are_not_utf8_survive(infer: Any, folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    os.rename(folder / "images" / "b.png", folder / "images" / name)
    found = {json.loads(line)["path"] for line in infer("images", "--format", "jsonl").stdout.splitlines()}
    assert f"images/{name}" in found
    assert b"images/caf\xe9.png,2," in infer("images", "--format", "csv").stdout_bytes
    table = infer("images")
    assert table.exit_code == 0
    assert r"images/caf\udce9.png" in table.stdout


def test_output_file(infer: Any, folder: Path) -> None:
    expected = infer("images", "--format", "csv").stdout
    result = infer("images", "--format", "csv", "-o", "out.csv")
    assert result.stdout == ""
    assert (folder / "out.csv").read_text() == expected
    assert sorted(path.name for path in folder.iterdir()) == ["images", "m.h5", "out.csv"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((folder / "out.csv").stat().st_mode) == 0o666 & ~umask


def test_output_file_replaces_what_a_link_names(infer: Any, folder: Path) -> None:
    (folder / "real.txt").write_text("old")
    (folder / "link.txt").symlink_to("real.txt")
    infer("images", "-o", "link.txt")
    assert (folder / "link.txt").is_symlink()
    assert (folder / "real.txt").read_text().startswith("file ")


def test_output_to_a_device_leaves_the_device(infer: Any) -> None:
    assert infer("images", "-o", os.devnull).exit_code == 0
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("output", ["nowhere/out.csv", "images"])
def test_output_that_cannot_be_written(output: str, infer: Any) -> None:
    result = infer("images", "-o", output)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(f"Error: {output}: ")


def test_a_failed_run_leaves_the_old_output(infer: Any, folder: Path, model: FakeModel) -> None:
    (folder / "out.csv").write_text("old")

    def fail(x: Any) -> Any:
        raise KernelError("broken kernel")

    model.answer = fail
    assert infer("images", "-o", "out.csv").exit_code == 1
    assert (folder / "out.csv").read_text() == "old"
    assert sorted(path.name for path in folder.iterdir()) == ["images", "m.h5", "out.csv"]


@pytest.mark.parametrize("output", [None, "out.json"])
def test_an_interrupt_keeps_whole_records(output: str | None, infer: Any, folder: Path, model: FakeModel) -> None:
    scores = model.answer

    def answer(x: Any) -> Any:
        if len(model.batches) == 3:
            raise KeyboardInterrupt
        return scores(x)

    model.answer = answer
    result = infer("images", "--batch-size", "1", "--format", "json", *(["-o", output] if output else []))
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "Interrupted"
    if output:
        assert not (folder / output).exists()
    else:
        assert [record["label"] for record in json.loads(result.stdout)] == ["0", "2"]


def test_scores_that_are_no_numbers_are_errors_or_null_in_json(infer: Any, model: FakeModel) -> None:
    model.answer = lambda x: np.full((len(x), 10), np.nan)
    for line in infer("images", "--format", "jsonl").stdout.splitlines():
        assert "NaN" in json.loads(line)["error"]
    model.answer = lambda x: np.full((len(x), 10), np.inf)
    for line in infer("images", "--format", "jsonl", "--probs").stdout.splitlines():
        assert json.loads(line, parse_constant=pytest.fail)["score"] is None


def test_a_long_table_keeps_every_row(infer: Any, folder: Path) -> None:
    for i in range(150):
        Image.new("L", (28, 28)).save(folder / "images" / f"{'long' * (i > 120)}{i:03}.png")
    rows = infer("images").stdout.splitlines()
    assert len(rows) == 155
    assert all(len(row.split()) == 3 for row in rows)
