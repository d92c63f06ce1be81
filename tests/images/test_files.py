"""Which files a folder offers, and in which order."""

import inspect
import os
import sys
from pathlib import Path

import pytest

from engine.errors import ImageError
from engine.images.decode import decode
from engine.images.files import find_images, open_regular


def plant(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in find_images([root])]


def test_sorted_deep_without_hidden_or_other_files(tmp_path: Path) -> None:
    plant(
        tmp_path, "b.png", "a/z.JPG", "a/b/c.tiff", "a.gif", "c/x.webp", ".d.png", ".e/f.png", "labels.txt", "draw.py"
    )
    assert found(tmp_path) == ["a/b/c.tiff", "a/z.JPG", "a.gif", "b.png", "c/x.webp"]


def test_named_files_come_as_they_are(tmp_path: Path) -> None:
    plant(tmp_path, "b/1.png", ".hidden", "notes.txt")
    paths = [tmp_path / "notes.txt", tmp_path / "b", tmp_path / ".hidden", tmp_path / "notes.txt"]
    expected = [tmp_path / "notes.txt", tmp_path / "b" / "1.png", tmp_path / ".hidden", tmp_path / "notes.txt"]
    assert list(find_images(paths)) == expected


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    plant(tmp_path / "root", "a/1.png")
    plant(tmp_path, "elsewhere/2.png")
    root = tmp_path / "root"
    (root / "a" / "up").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "elsewhere")
    (root / "self.png").symlink_to("self.png")
    (root / "gone.png").symlink_to("nowhere")
    assert found(root) == ["a/1.png", "gone.png", "out/2.png", "self.png"]


def test_a_folder_is_visited_again_from_beside_it(tmp_path: Path) -> None:
    plant(tmp_path, "a/1.png")
    (tmp_path / "b").symlink_to("a")
    assert found(tmp_path) == ["a/1.png", "b/1.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode here")
def test_names_of_any_bytes(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\n.png")
    plant(tmp_path, name)
    assert found(tmp_path) == [name]


def test_depth_is_no_limit(tmp_path: Path) -> None:
    name = "d/" * 200 + "a.png"
    plant(tmp_path, name)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        assert found(tmp_path) == [name]
    finally:
        sys.setrecursionlimit(limit)


def test_a_folder_that_cannot_be_listed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "a/1.png", "b/2.png")
    scandir = os.scandir

    def refuse(folder: Path) -> object:
        if Path(folder).name == "a":
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert found(tmp_path) == ["a", "b/2.png"]
    with pytest.raises(ImageError, match=r"a: is a folder"):
        decode(tmp_path / "a", 1)


def test_open_regular_leaks_no_descriptor(tmp_path: Path) -> None:
    plant(tmp_path, "a")
    with open_regular(tmp_path / "a") as file:
        first = file.fileno()
        assert file.read() == b"x"
    for _ in range(3):
        with pytest.raises(OSError, match="folder"):
            open_regular(tmp_path)
    with open_regular(tmp_path / "a") as file:
        assert file.fileno() == first
