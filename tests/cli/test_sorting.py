"""--sort-into: images in folders of their class, by safe names, and nothing overwritten."""

import json
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from engine.errors import ImageError
from engine.images.sources import Source
from engine.sorting import LONGEST, Sorter, folder_names, safe_name

Infer = Callable[..., Result]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="symbolic links")


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("way", ["copy", "link", "move"])
def test_images_go_into_folders_of_their_class(way: str, infer: Infer, folder: Path) -> None:
    before = {name: (folder / "images" / name).read_bytes() for name in os.listdir(folder / "images")}
    result = infer("images", "--sort-into", "out", "--sort-by", way, "--format", "jsonl")
    assert result.exit_code == 0
    assert tree(folder / "out") == {
        "0/a.png": before["a.png"], "2/b.png": before["b.png"], "4/c.png": before["c.png"], "5/d.png": before["d.png"]
    }  # fmt: skip
    assert sorted(os.listdir(folder / "images")) == ([] if way == "move" else sorted(before))
    assert all(path.is_symlink() == (way == "link") for path in (folder / "out").rglob("*.png"))
    assert [json.loads(line)["path"] for line in result.stdout.splitlines()] == [f"images/{n}" for n in sorted(before)]


def test_it_is_done_once(infer: Infer, folder: Path) -> None:
    for way in ("copy", "link"):
        infer("images", "--sort-into", way, "--sort-by", way)
        once = tree(folder / way)
        infer("images", "--sort-into", way, "--sort-by", way)
        assert tree(folder / way) == once


def test_nothing_is_overwritten(infer: Infer, folder: Path) -> None:
    for i, name in enumerate(("x", "y", "z")):
        (folder / "in" / name).mkdir(parents=True)
        Image.new("L", (28, 28), 100 + i).save(folder / "in" / name / "a.png")
    (folder / "out" / "4").mkdir(parents=True)
    (folder / "out" / "4" / "a.png").write_bytes(b"precious")
    for way in ("copy", "link", "move"):
        infer("in", "--sort-into", "out", "--sort-by", way)
    assert (folder / "out" / "4" / "a.png").read_bytes() == b"precious"
    assert sorted(os.listdir(folder / "out" / "4")) == sorted(["a.png", *(f"a-{i}.png" for i in range(2, 11))])
    assert tree(folder / "in") == {}


@pytest.mark.parametrize("way", ["copy", "move"])
def test_without_hard_links(way: str, infer: Infer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (folder / "out" / "0").mkdir(parents=True)
    (folder / "out" / "0" / "a.png").write_bytes(b"precious")
    assert infer("images", "--sort-into", "out", "--sort-by", way).exit_code == 0
    assert sorted(tree(folder / "out")) == ["0/a-2.png", "0/a.png", "2/b.png", "4/c.png", "5/d.png"]
    assert (folder / "out" / "0" / "a.png").read_bytes() == b"precious"


def test_to_another_file_system(infer: Infer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def refuse(source: Path, target: Path) -> None:
        if "images" in str(source):
            raise OSError(18, "Invalid cross-device link")
        link(source, target)

    monkeypatch.setattr(os, "link", refuse)
    assert infer("images", "--sort-into", "out", "--sort-by", "move").exit_code == 0
    assert sorted(tree(folder / "out")) == ["0/a.png", "2/b.png", "4/c.png", "5/d.png"]
    assert os.listdir(folder / "images") == []


def test_members_of_archives_are_copied_only(infer: Infer, folder: Path) -> None:
    with zipfile.ZipFile("a.zip", "w") as archive:
        archive.write("images/c.png", "x/../../../up.png")
    assert infer("a.zip", "--sort-into", "out").exit_code == 0
    assert list(tree(folder / "out")) == ["4/up.png"]
    result = infer("a.zip", "--sort-into", "out", "--sort-by", "move")
    assert result.exit_code == 1
    assert "up.png: is no file by itself, which --sort-into could move" in result.stderr


def test_broken_and_uncertain_images_stay(infer: Infer, folder: Path) -> None:
    (folder / "images" / "bad.png").write_bytes(b"bad")
    assert infer("images", "--sort-into", "out", "--sort-by", "move").exit_code == 3
    assert os.listdir(folder / "images") == ["bad.png"]
    Image.new("L", (28, 28), 60).save(folder / "images" / "e.png")
    infer("images/e.png", "--sort-into", "out", "--sort-by", "move", "--threshold", "0.99")
    assert sorted(os.listdir(folder / "images")) == ["bad.png", "e.png"]


def test_an_image_that_is_gone_is_an_image_error(tmp_path: Path) -> None:
    for way in ("copy", "move"):
        with pytest.raises(ImageError, match="vanished"):
            Sorter(tmp_path / "out", way, ["a"]).place(Source("gone.png", tmp_path / "gone.png"), 0)


def test_a_link_is_moved_as_what_it_shows(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(b"pixels")
    (tmp_path / "link.png").symlink_to("real.png")
    Sorter(tmp_path / "out", "move", ["a"]).place(Source("link.png", tmp_path / "link.png"), 0)
    assert tree(tmp_path / "out") == {"a/link.png": b"pixels"}
    assert not (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").exists()


def test_arrays_are_no_files(tmp_path: Path) -> None:
    source = Source("x.npy[0]", np.zeros((3, 3), np.uint8))
    with pytest.raises(Exception, match="no file by itself"):
        Sorter(tmp_path, "copy", ["a"]).place(source, 0)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("cat", "cat"),
        ("chat noir", "chat noir"),
        ("été", "été"),
        ("../../etc/passwd", "__.._etc_passwd"),
        ("/etc", "_etc"),
        ("C:\\x", "C__x"),
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        ("   ", "_"),
        (".hidden", "_hidden"),
        ("a\0b\nc", "a_b_c"),
        ("NUL", "_NUL"),
        ("com1.txt", "_com1.txt"),
        ("trailing. ", "trailing"),
        ("-rf", "-rf"),
    ],
)
def test_safe_names(label: str, name: str) -> None:
    found = safe_name(label)
    assert found == name
    assert "/" not in found
    assert "\\" not in found
    assert not found.startswith(".")


@pytest.mark.parametrize("text", ["x" * 300 + ".png", "é" * 300 + ".jpeg", "y" * 300, "a." + "z" * 300])
def test_long_names_are_cut_before_their_suffix(text: str) -> None:
    name = safe_name(text)
    assert len(name.encode()) <= LONGEST
    suffix = os.path.splitext(text)[1]
    assert len(suffix) > 10 or name.endswith(suffix)


def test_different_labels_have_different_folders() -> None:
    labels = ["a/b", "a_b", "A_B", "a\\b", "cat", "Cat", "cat", "e\u0301", "\xe9", "a_b-3"]
    folders = folder_names(labels)
    by_label = dict(zip(labels, folders, strict=True))
    assert len({folder.casefold() for folder in by_label.values()}) == len(by_label)
    assert folders[4] == folders[6]
    assert folders[0] == "a_b"
