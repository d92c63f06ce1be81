"""Runs that are interrupted and continued: no record is missing, none is there twice."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image

from engine.commands.outputs import RESUMABLE
from engine.errors import KernelError
from engine.journal import Journal
from engine.report import Layout
from tests.fake_model import FakeModel

Infer = Callable[..., Result]

LINES = [name for name in RESUMABLE if name != "parquet"]


@pytest.fixture
def twenty(folder: Path) -> Path:
    """images/00.png to 19.png, of which 07 and 13 are broken, beside a.png to d.png."""
    for i in range(20):
        path = folder / "images" / f"{i:02}.png"
        if i in (7, 13):
            path.write_bytes(b"broken")
        else:
            Image.new("L", (28, 28), 6 * i).save(path)
    return folder


def stop_at(model: FakeModel, batch: int, error: BaseException) -> Callable[[], None]:
    """Let the model fail at a batch; what is returned heals it."""
    scores = model.answer

    def answer(x: Any) -> Any:
        if len(model.batches) == batch:
            raise error
        return scores(x)

    model.answer = answer

    def heal() -> None:
        model.answer = scores

    return heal


def rows(text: str, name: str) -> list[Any]:
    if name == "jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.reader(io.StringIO(text, newline=""), delimiter="," if name == "csv" else "\t", strict=True))


def run(infer: Infer, name: str, *more: str) -> Result:
    return infer("images", "-o", f"o.{name}", "--batch-size", "3", *more)


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (KernelError("broken"), 1)], ids=["^C", "error"]
)
def test_an_interrupted_run_is_continued(
    name: str, error: BaseException, code: int, infer: Infer, twenty: Path, model: FakeModel
) -> None:
    expected = infer("images", "--format", name).stdout
    model.batches.clear()
    heal = stop_at(model, 3, error)
    result = run(infer, name)
    assert result.exit_code == code
    assert f"What is done is in {twenty / f'o.{name}.partial'}; --resume continues it" in result.stderr
    assert not (twenty / f"o.{name}").exists()
    partial = (twenty / f"o.{name}.partial").read_text()
    assert expected.startswith(partial)
    assert len(rows(partial, name)) == 6 + (name != "jsonl")
    heal()
    result = run(infer, name, "--resume")
    assert result.exit_code == 3
    assert "6 records are there already" in result.stderr
    assert "2 of 24 images could not be read" in result.stderr
    assert (twenty / f"o.{name}").read_text() == expected
    assert not (twenty / f"o.{name}.partial").exists()


@pytest.mark.parametrize("name", LINES)
def test_every_torn_end_is_mended(name: str, infer: Infer, twenty: Path) -> None:
    whole = infer("images", "--format", name).stdout_bytes
    for size in range(0, len(whole), len(whole) // 40):
        (twenty / f"o.{name}.partial").write_bytes(whole[:size])
        run(infer, name, "--resume")
        assert (twenty / f"o.{name}").read_bytes() == whole
        (twenty / f"o.{name}").unlink()


@pytest.mark.parametrize("name", ["csv", "tsv", "jsonl"])
def test_names_that_span_lines_are_found_again(name: str, infer: Infer, folder: Path) -> None:
    for i, odd in enumerate(["a\nb.png", "a\n", 'q"\r\n.png', "=x\n.png", "-1.png", "t\t.png", "caf\udce9\n.png"]):
        Image.new("L", (28, 28), 20 * i).save(folder / "images" / odd, "PNG")
    (folder / "list").write_bytes(
        b"\0".join(bytes(path.relative_to(folder)) for path in sorted(folder.glob("images/*")))
    )
    (folder / "=.png").hardlink_to(folder / "images" / "b.png")
    arguments = ("*.png", "--from-file", "list", "--null", "--batch-size", "2")
    whole = infer(*arguments, "--format", name).stdout_bytes
    for size in range(0, len(whole), len(whole) // 60):
        (folder / f"o.{name}.partial").write_bytes(whole[:size])
        assert infer(*arguments, "-o", f"o.{name}", "--resume").exit_code == 0
        assert (folder / f"o.{name}").read_bytes() == whole
        (folder / f"o.{name}").unlink()


def test_an_image_given_twice_is_answered_twice(infer: Infer, folder: Path) -> None:
    arguments = ("images/a.png", "images", "images/a.png", "-o", "o.jsonl")
    infer(*arguments)
    whole = (folder / "o.jsonl").read_bytes()
    assert whole.count(b"\n") == 6
    for count in range(6):
        (folder / "o.jsonl.partial").write_bytes(b"".join(whole.splitlines(keepends=True)[:count]))
        infer(*arguments, "--resume")
        assert (folder / "o.jsonl").read_bytes() == whole


def test_images_that_came_meanwhile_are_added(infer: Infer, folder: Path, model: FakeModel) -> None:
    infer("images", "-o", "o.csv")
    before = (folder / "o.csv").read_text()
    Image.new("L", (28, 28)).save(folder / "images" / "0.png")
    model.batches.clear()
    assert infer("images", "-o", "o.csv", "--resume").exit_code == 0
    after = (folder / "o.csv").read_text()
    assert after.startswith(before)
    assert [line.split(",")[0] for line in after.splitlines()[5:]] == ["images/0.png"]
    assert [len(batch) for batch in model.batches] == [1]
    assert infer("images", "-o", "o.csv", "--resume").exit_code == 0
    assert (folder / "o.csv").read_text() == after


def test_nothing_to_resume_is_a_run_like_any_other(infer: Infer, folder: Path) -> None:
    assert infer("images", "-o", "o.csv", "--resume").exit_code == 0
    assert (folder / "o.csv").read_text() == infer("images", "--format", "csv").stdout


def test_without_resume_a_run_starts_anew_and_says_so(infer: Infer, folder: Path) -> None:
    (folder / "o.csv.partial").write_text("path,label,score,index,error\nx,1,1,1,\n")
    result = infer("images", "-o", "o.csv")
    assert "--resume would have continued it" in result.stderr
    assert (folder / "o.csv").read_text() == infer("images", "--format", "csv").stdout


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("csv", "path,label,score,index,label_2,score_2,index_2,error\n", "other options"),
        ("csv", "path,label,score,index,error\na,b\nc,d,1,1,\n", "other options"),
        ("csv", 'path,label,score,index,error\na"b"c"d,"x"y,1,1,\nmore\n', "not what an interrupted run leaves"),
        ("jsonl", "hello\n", "line 1 is no record"),
        ("jsonl", '{"path": "a", "error": "x"}\n[1]\n', "line 2 is no record"),
        ("jsonl", "[" * 100_000 + "\n", "line 1 is no record"),
        ("jsonl", '{"path": "a", "top": [], "decided": {}}\n', "other options"),
    ],
)  # fmt: skip
def test_what_another_run_wrote_is_refused_and_kept(
    name: str, text: str, reason: str, infer: Infer, folder: Path
) -> None:
    (folder / f"o.{name}.partial").write_text(text)
    result = infer("images", "-o", f"o.{name}", "--resume")
    assert result.exit_code == 1
    assert reason in result.stderr
    assert (folder / f"o.{name}.partial").read_text() == text


@pytest.mark.parametrize("arguments", [("--top-k", "2"), ("--probs",), ("--invert", "yes")])
def test_other_options_are_noticed(arguments: tuple[str, ...], infer: Infer, folder: Path) -> None:
    infer("images", "-o", "o.jsonl", *arguments)
    result = infer("images", "-o", "o.jsonl", "--resume")
    assert result.exit_code == 1
    assert "was written with other options" in result.stderr
    assert not (folder / "o.jsonl.partial").exists()


def test_parquet_is_continued(infer: Infer, twenty: Path, model: FakeModel) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    run(infer, "parquet")
    expected = parquet.read_table("o.parquet").to_pylist()
    assert len(expected) == 24
    Path("o.parquet").unlink()
    model.batches.clear()
    heal = stop_at(model, 2, KeyboardInterrupt())
    assert run(infer, "parquet").exit_code == 130
    assert Path("o.parquet.partial").read_bytes().count(b"\n") == 3
    heal()
    assert run(infer, "parquet", "--resume").exit_code == 3
    assert parquet.read_table("o.parquet").to_pylist() == expected
    Image.new("L", (28, 28)).save("images/zz.png")
    assert run(infer, "parquet", "--resume").exit_code == 3
    assert parquet.read_table("o.parquet").to_pylist()[:-1] == expected
    assert sorted(path.name for path in twenty.iterdir()) == ["images", "m.h5", "o.parquet"]


LAYOUT = Layout(1, ("a", "b"))


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    first, second = (Journal(tmp_path / "o.jsonl", "jsonl", LAYOUT) for _ in range(2))
    with first.open(resume=False) as file:
        file.write(b'{"path": "a", "error": "x"}\n')
        for resume in (False, True):
            with pytest.raises(Exception, match="another run is writing it"), second.open(resume):
                pass
    assert (tmp_path / "o.jsonl").read_bytes() == b'{"path": "a", "error": "x"}\n'


def test_a_partial_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "o.jsonl.partial").symlink_to("precious")
    journal = Journal(tmp_path / "o.jsonl", "jsonl", LAYOUT)
    with pytest.raises(OSError, match=str(tmp_path / "o.jsonl")), journal.open(False):
        pass
    assert (tmp_path / "precious").read_text() == "keep"
