"""What the arguments of a run stand for: files, folders, patterns, lists, standard input."""

import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.errors import ImageError, InputError
from engine.images.decode import decode
from engine.images.sources import count_images, matches, sources, sources_of_paths
from engine.images.sources.lists import MAX_PATH, listed_paths


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b/2.png", "b/1.jpg", "b/c/3.png", "a.png", "[x].png", "x.png", "notes.txt", "d.zip/4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*arguments: str, recursive: bool = True) -> list[str]:
    return [source.name for source in sources(arguments, recursive)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("b",), ["b/1.jpg", "b/2.png", "b/c/3.png"]),
        (("x.png", "b/c", "x.png"), ["x.png", "b/c/3.png", "x.png"]),
        (("*.png",), ["[x].png", "a.png", "x.png"]),
        (("**/*.png",), ["[x].png", "a.png", "b/2.png", "b/c/3.png", "d.zip/4.png", "x.png"]),
        (("[x].png",), ["[x].png"]),
        (("[a].png",), ["a.png"]),
        (("b/?.*",), ["b/1.jpg", "b/2.png"]),
        (("b*",), ["b/1.jpg", "b/2.png", "b/c/3.png"]),
        (("d.zip",), ["d.zip/4.png"]),
        (("notes.txt",), ["notes.txt"]),
    ],
    ids=str,
)
def test_arguments(arguments: tuple[str, ...], expected: list[str], tree: Path) -> None:
    assert names(*arguments) == expected
    assert count_images(arguments) == len(expected)


def test_one_level(tree: Path) -> None:
    assert names("b", recursive=False) == ["b/1.jpg", "b/2.png"]
    assert count_images(["b"], recursive=False) == 2


def test_paths_of_a_list_are_no_patterns(tree: Path) -> None:
    found = [source.name for source in sources_of_paths(["[x].png", "*.png", "-", "b"])]
    assert found == ["[x].png", "*.png", "-", "b/1.jpg", "b/2.png", "b/c/3.png"]


@pytest.mark.parametrize(("argument", "count"), [("*.png", 3), ("*.gif", 0), ("x.png", 0), ("[x].png", 0), ("y", 0)])
def test_matches(argument: str, count: int, tree: Path) -> None:
    assert len(matches(argument)) == count


def test_what_is_not_there_becomes_an_error_when_it_is_read(tree: Path) -> None:
    (source,) = sources(["gone.png"])
    assert isinstance(source.picture, Path)
    with pytest.raises(ImageError, match=r"gone\.png: No such file"):
        decode(source.picture, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode here")
def test_patterns_find_names_of_any_bytes(tree: Path) -> None:
    name = os.fsdecode(b"caf\xe9.webp")
    (tree / name).touch()
    assert names("*.webp") == [name]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"broken")))
    (source,) = sources(["-"])
    assert (source.name, source.size) == ("-", 6)
    with pytest.raises(ImageError, match=r"^-: not an image"):
        decode(source.picture, 1)  # type: ignore[arg-type]


def test_a_closed_standard_input_is_an_error_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    (source,) = sources(["-"])
    assert str(source.picture) == "-: standard input is closed"


def listed(data: bytes, nul: bool = False) -> list[str]:
    return list(listed_paths(io.BytesIO(data), "list.txt", nul))


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        (b"", []),
        (b"\n\n", []),
        (b"a", ["a"]),
        (b"a b.png\n c\n", ["a b.png", " c"]),
        (b"\xef\xbb\xbfa\r\n\r\nb\r\n", ["a", "b"]),
        (b"-rf.png\n*.png\n", ["-rf.png", "*.png"]),
        (b"caf\xe9\n", [os.fsdecode(b"caf\xe9")]),
    ],
)
def test_a_path_a_line(data: bytes, paths: list[str]) -> None:
    assert listed(data) == paths


def test_paths_that_end_with_nul_hold_newlines() -> None:
    assert listed(b"a\nb.png\0c\r\0", nul=True) == ["a\nb.png", "c\r"]


@pytest.mark.parametrize("data", [b"a\0b\n", b"x" * (MAX_PATH + 200_000)], ids=["nul", "long"])
def test_what_is_no_list(data: bytes) -> None:
    with pytest.raises(InputError, match=r"list\.txt"):
        listed(data)


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 64])
def test_a_list_in_any_pieces(piece: int) -> None:
    class Slow(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            return self.read(piece)

    text = b"\xef\xbb\xbfone\r\ntwo\n\nthree and more\nfour"
    assert list(listed_paths(Slow(text), "l", False)) == ["one", "two", "three and more", "four"]


def test_a_list_is_read_as_it_is_needed() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> Any:
            return b"a/b/c.png\n" * 100

    lines: Iterable[str] = listed_paths(Endless(), "l", False)  # type: ignore[arg-type]
    assert sum(len(path) for path, _ in zip(lines, range(5000), strict=False)) > 5000
