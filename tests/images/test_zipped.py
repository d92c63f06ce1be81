"""Zip archives of images, honest and hostile ones."""

import io
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from engine.errors import ImageError
from engine.images.sources import Source, sources
from engine.images.sources.source import MAX_MEMBER
from tests.processes import run_python


def png(value: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (8, 8), value).save(file, "PNG")
    return file.getvalue()


def found(path: Path) -> list[tuple[str, bytes | str]]:
    """Name within the archive, and content or error."""
    return [(source.name.removeprefix(f"{path}/"), outcome(source, path)) for source in sources([str(path)])]


def outcome(source: Source, path: Path) -> bytes | str:
    if isinstance(source.picture, ImageError):
        return str(source.picture).removeprefix(f"{source.name}: ")
    return source.picture.getvalue()  # type: ignore[union-attr]


def written(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_images_in_the_archives_order(method: int, tmp_path: Path) -> None:
    members = {f"{name}.png": png(i) for i, name in enumerate(["b/2", "b/10", "a", "é", "-rf", "=1+1", "new\nline"])}
    extra = {"notes.txt": b"x", "__MACOSX/._a.png": b"x", ".hidden.png": b"x", "b/": b""}
    path = written(tmp_path / "a.zip", {**members, **extra}, method)
    assert found(path) == list(members.items())


def test_other_encodings_of_names(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", {"caf_.png": b"x", "x/../../y.png": b"y"})
    path.write_bytes(path.read_bytes().replace(b"caf_.png", b"caf\x82.png"))
    assert [name for name, _ in found(path)] == ["café.png", "x/../../y.png"]
    path = written(tmp_path / "b.zip", {"caé.png": b"x"})
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xff"))
    assert [name for name, _ in found(path)] == ["ca\udcff\udcff.png"]


def test_more_members_than_16_bits_count(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for i in range(66_000):
            archive.writestr(f"{i}.png", b"")
    assert [name for name, _ in found(tmp_path / "a.zip")] == [f"{i}.png" for i in range(66_000)]


def test_an_archive_behind_something_else(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", {"a.png": b"content"})
    path.write_bytes(b"#!/bin/sh\n" * 50 + path.read_bytes())
    assert found(path) == [("a.png", b"content")]


@pytest.mark.filterwarnings("ignore:Duplicate")
def test_duplicates_encrypted_and_foreign_members_are_error_records(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"first")
        archive.writestr("a.png", b"second")
        archive.writestr("b.png", b"bz" * 99, zipfile.ZIP_BZIP2)
        archive.writestr("c.png", b"fine")
    assert found(path) == [
        ("a.png", b"first"),
        ("a.png", "the archive has this name twice"),
        ("b.png", "is packed with method 12; only deflate is read"),
        ("c.png", b"fine"),
    ]
    path = written(path, {"a.png": b"secret", "b.png": b"open"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    assert found(path) == [("a.png", "is encrypted"), ("b.png", b"open")]


@pytest.mark.parametrize("size", [5, 7, 100])
def test_a_member_that_lies_about_its_size(size: int, tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", {"a.png": b"secret", "b.png": b"fine"})
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 24, size)
    path.write_bytes(data)
    assert found(path) == [("a.png", "is damaged: its size or its checksum is wrong"), ("b.png", b"fine")]


def test_damaged_members_stop_no_other(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", {f"{i}.png": png(i) for i in range(4)})
    data = bytearray(path.read_bytes())
    data[45] ^= 0xFF
    data[data.index(b"PK\3\4", 50)] = 0
    path.write_bytes(data)
    outcomes = found(path)
    assert [name for name, _ in outcomes] == [f"{i}.png" for i in range(4)]
    assert str(outcomes[0][1]).startswith("is damaged")
    assert outcomes[1][1] == "is not where the archive's directory says"
    assert [content for _, content in outcomes[2:]] == [png(2), png(3)]


def test_every_truncation_and_many_changes_give_records(tmp_path: Path) -> None:
    data = written(tmp_path / "a.zip", {f"{i}.png": png(i) for i in range(3)}).read_bytes()
    path = tmp_path / "b.zip"
    for size in range(len(data)):
        path.write_bytes(data[:size])
        ((_, reason),) = found(path)
        assert "zip archive" in str(reason)
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x81]) + data[at + 1 :])
        assert len(found(path)) <= 4


def test_not_a_file(tmp_path: Path) -> None:
    assert found(tmp_path / "gone.zip") == [(str(tmp_path / "gone.zip"), "No such file or directory")]


def local_and_central(name: bytes, packed: bytes, size: int, count: int = 1) -> bytes:
    """An archive whose `count` directory lines all name one and the same member."""
    crc = zlib.crc32(b"")
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, crc, len(packed), size, len(name), 0)
    local = b"PK\3\4" + fields + name + packed
    lines = b"".join(
        b"PK\1\2" + struct.pack("<H", 20) + fields[:-4] + struct.pack("<HHHHHII", len(n), 0, 0, 0, 0, 0, 0) + n
        for n in (name.replace(b"#", b"%d" % i) for i in range(count))
    )
    counts = struct.pack("<HHHHIIH", 0, 0, count, count, len(lines), len(local), 0)
    return local + lines + b"PK\5\6" + counts


def test_a_member_of_many_gigabytes_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(local_and_central(b"#.png", zlib.compress(bytes(1000))[2:-4], MAX_MEMBER + 1))
    ((_, reason),) = found(path)
    assert reason == f"more than {MAX_MEMBER:,} bytes"


def test_overlapping_members_are_read_within_the_budget(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(local_and_central(b"#.png", zlib.compress(bytes(100_000))[2:-4], 200 << 20, 100))
    outcomes = found(path)
    assert len(outcomes) == 2
    assert "unpacks to more than 200 times" in str(outcomes[-1][1])


MEMORY = """
    import sys
    from engine.images.sources import sources
    def peak():
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmHWM"))
    list(sources([sys.argv[1] + "/warm.zip"]))
    before = peak()
    count = sum(1 for _ in sources([sys.argv[1] + "/a.zip"]))
    print(count, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_members(tmp_path: Path) -> None:
    written(tmp_path / "warm.zip", {"a.png": b"x"})
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for i in range(40_000):
            archive.writestr(f"{'folder' * 30}/{i}.png", b"")
    count, growth = map(int, run_python(MEMORY.replace("sys.argv[1]", repr(str(tmp_path)))).stdout.split())
    assert count == 40_000
    assert growth < 16
