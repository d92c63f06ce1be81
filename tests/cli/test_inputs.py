"""Where images come from, as the command sees it."""

import io
import json
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from cli import main

Infer = Callable[..., Result]


def records(result: Result) -> dict[str, str]:
    """Label, or error, by path."""
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    found = {line["path"]: line.get("label") or line["error"] for line in lines}
    assert len(found) == len(lines)
    return found


def fed(data: bytes, *arguments: str) -> Result:
    return CliRunner().invoke(
        main, [*arguments, "--weights", "m.h5", "--format", "jsonl"], input=data, prog_name="infer"
    )


def test_patterns(infer: Infer) -> None:
    assert records(infer("images/[a-c].png", "--format", "jsonl")) == {
        "images/a.png": "0", "images/b.png": "2", "images/c.png": "4"
    }  # fmt: skip


def test_one_level(infer: Infer, folder: Path) -> None:
    (folder / "images" / "deep").mkdir()
    os.rename(folder / "images" / "a.png", folder / "images" / "deep" / "a.png")
    assert list(records(infer("images", "--format", "jsonl")))[-1] == "images/deep/a.png"
    assert len(records(infer("images", "--format", "jsonl", "--no-recursive"))) == 3


@pytest.mark.parametrize("separator", ["\n", "\r\n"])
def test_a_list_of_paths(separator: str, infer: Infer, folder: Path) -> None:
    text = separator.join(["images/c.png", "", "images/gone.png", "images/b.png", "images/*.png"])
    (folder / "list.txt").write_text(text, newline="")
    for result in (infer("--from-file", "list.txt", "--format", "jsonl"), fed(text.encode(), "--from-file", "-")):
        assert result.exit_code == 3
        assert records(result) == {
            "images/c.png": "4",
            "images/gone.png": "No such file or directory",
            "images/b.png": "2",
            "images/*.png": "No such file or directory",
        }


def test_arguments_come_before_the_list(infer: Infer, folder: Path) -> None:
    (folder / "list.txt").write_text("images/b.png\n")
    found = records(infer("images/d.png", "--from-file", "list.txt", "--format", "jsonl"))
    assert list(found) == ["images/d.png", "images/b.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="no newlines in names there")
def test_paths_that_end_with_nul(infer: Infer, folder: Path) -> None:
    os.rename(folder / "images" / "c.png", folder / "images" / "c\n.png")
    result = fed(b"images/c\n.png\0images/a.png\0", "--from-file", "-", "--null")
    assert records(result) == {"images/c\n.png": "4", "images/a.png": "0"}


def test_a_list_that_is_none_is_one_line(infer: Infer) -> None:
    result = infer("--from-file", "images/a.png", "--format", "jsonl", "-q")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: images/a.png: a line with a NUL byte")


def test_an_image_on_standard_input(infer: Infer, folder: Path) -> None:
    assert records(fed((folder / "images" / "c.png").read_bytes(), "-")) == {"-": "4"}
    broken = fed(b"hello", "-")
    assert broken.exit_code == 3
    assert list(records(broken)) == ["-"]
    assert records(fed((folder / "images" / "c.png").read_bytes(), "-", "images/a.png")) == {
        "-": "4", "images/a.png": "0"
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_archives(kind: str, infer: Infer, folder: Path) -> None:
    path = f"all.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("c.png", "b.png"):
                archive.write(f"images/{name}", f"x/{name}")
            archive.writestr("x/bad.png", b"no image")
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as tar:
            for name in ("c.png", "b.png"):
                tar.add(f"images/{name}", f"x/{name}")
            info = tarfile.TarInfo("x/bad.png")
            info.size = 3
            tar.addfile(info, io.BytesIO(b"bad"))
    before = sorted(folder.rglob("*"))
    result = infer(path, "images/a.png", "--format", "jsonl")
    assert result.exit_code == 3
    found = records(result)
    assert list(found) == [f"{path}/x/c.png", f"{path}/x/b.png", f"{path}/x/bad.png", "images/a.png"]
    assert (found[f"{path}/x/c.png"], found["images/a.png"]) == ("4", "0")
    assert found[f"{path}/x/bad.png"].startswith("not an image")
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_arrays(dtype: str, infer: Infer, folder: Path) -> None:
    batch = np.stack([np.full((28, 28), value) for value in (0, 51, 102, 127)]).astype(dtype)
    np.save("x.npy", batch)
    np.savez("x.npz", x=batch[..., None], y=np.arange(4))
    assert records(infer("x.npy", "--format", "jsonl")) == {
        "x.npy[0]": "0", "x.npy[1]": "2", "x.npy[2]": "4", "x.npy[3]": "5"
    }  # fmt: skip
    assert list(records(infer("x.npz", "--format", "jsonl")).values()) == ["0", "2", "4", "5"]


def test_numbers_that_are_no_pixels_are_error_records(infer: Infer, folder: Path) -> None:
    batch = np.full((3, 28, 28), 0.4, np.float32)
    batch[1, 3, 3] = np.nan
    np.save("x.npy", batch)
    result = infer("x.npy", "--format", "jsonl")
    assert result.exit_code == 3
    found = list(records(result).values())
    assert (found[0], found[2]) == ("4", "4")
    assert "float image array" in found[1]


def test_an_archive_that_is_none_is_an_error_record(infer: Infer, folder: Path) -> None:
    (folder / "a.zip").write_bytes(b"no zip")
    result = infer("a.zip", "images/a.png", "--format", "jsonl")
    assert result.exit_code == 3
    assert records(result) == {"a.zip": "not a zip archive, or its end is missing", "images/a.png": "0"}
