"""Zip archives that attack: bombs, members that lie or hide others, names that climb out of a folder."""

import io
import struct
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path

from engine.errors import LimitExceededError, ModelFileError
from tests.frontend.handmade import dense_model, write_dense
from tests.fuzz.hostile import attack, dumps

PARTS = ("metadata.json", "config.json", "model.weights.h5")


def parts(path: Path) -> dict[str, bytes]:
    """A small model's members. Its weights are no `.weights.h5`, which matters to no attack."""
    weights = write_dense(path).read_bytes()
    return dict(zip(PARTS, (dumps({"keras_version": "3.9.0"}), dumps(dense_model()), weights), strict=True))


def pack(path: Path, members: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytearray:
    """Write an archive; its bytes, to be edited."""
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, content in members:
            archive.writestr(name, content)
    path.write_bytes(file.getvalue())
    return bytearray(file.getvalue())


def entry(content: bytearray, name: str) -> int:
    """Where the directory's entry of a member begins."""
    return content.rindex(b"PK\1\2", 0, content.rindex(name.encode()))


def edited(path: Path, name: str, offset: int, layout: str, value: int) -> None:
    """A harmless archive but for one field of the directory."""
    content = pack(path, parts(path).items())
    struct.pack_into(layout, content, entry(content, name) + offset, value)
    path.write_bytes(content)


@attack(LimitExceededError, "unpacks")
def zip_bomb_of_weights(path: Path) -> None:
    pack(path, [*list(parts(path).items())[:2], (PARTS[2], bytes(64 << 20))], zipfile.ZIP_DEFLATED)


@attack(LimitExceededError, "unpacks")
def zip_bomb_of_a_description(path: Path) -> None:
    pack(path, [("config.json", bytes(65 << 20)), (PARTS[2], b"")], zipfile.ZIP_DEFLATED)


@attack(ModelFileError, "size is wrong")
def zip_bomb_that_lies(path: Path) -> None:
    content = pack(path, [*list(parts(path).items())[:2], (PARTS[2], bytes(64 << 20))], zipfile.ZIP_DEFLATED)
    struct.pack_into("<I", content, entry(content, PARTS[2]) + 24, 1000)
    path.write_bytes(content)


@attack(ModelFileError, "twice")
def a_member_twice(path: Path) -> None:
    pack(path, [*parts(path).items(), ("config.json", b"{}")])


@attack(ModelFileError, "encrypted")
def an_encrypted_member(path: Path) -> None:
    edited(path, "config.json", 8, "<H", 1)


@attack(ModelFileError, "method 12")
def packed_with_bzip2(path: Path) -> None:
    pack(path, parts(path).items(), zipfile.ZIP_BZIP2)


@attack(ModelFileError, "checksum")
def a_wrong_checksum(path: Path) -> None:
    edited(path, "config.json", 16, "<I", 7)


@attack(ModelFileError, "declares")
def a_stored_member_of_another_size(path: Path) -> None:
    edited(path, "model.weights.h5", 24, "<I", 100)


@attack(LimitExceededError, "unpacks")
def a_member_of_four_gib(path: Path) -> None:
    edited(path, "model.weights.h5", 24, "<I", 0xFFFFFFF0)


@attack(ModelFileError, "cannot be read")
def zip64_sizes_that_are_missing(path: Path) -> None:
    edited(path, "model.weights.h5", 24, "<I", 0xFFFFFFFF)


@attack(LimitExceededError, "unpacks")
def zip64_sizes_that_lie(path: Path) -> None:
    content = pack(path, parts(path).items())
    at = entry(content, PARTS[2])
    end, start = content.rindex(b"PK\5\6"), at + 46 + len(PARTS[2])
    extra = struct.pack("<HHQ", 1, 8, 1 << 62)
    struct.pack_into("<I", content, at + 24, 0xFFFFFFFF)
    struct.pack_into("<H", content, at + 30, len(extra))
    content[start:start] = extra
    size = struct.unpack_from("<I", content, end + len(extra) + 12)[0]
    struct.pack_into("<I", content, end + len(extra) + 12, size + len(extra))
    path.write_bytes(content)


@attack(ModelFileError, "not where its directory says")
def two_members_in_one_place(path: Path) -> None:
    content = pack(path, parts(path).items())
    (first,) = struct.unpack_from("<I", content, entry(content, "metadata.json") + 42)
    struct.pack_into("<I", content, entry(content, "config.json") + 42, first)
    path.write_bytes(content)


@attack(ModelFileError, "not where its directory says|not where its end says")
def another_archive_in_front(path: Path) -> None:
    content = pack(path, parts(path).items())
    path.write_bytes(content[:100] + content)


@attack(ModelFileError, "no config.json")
def only_names_that_climb(path: Path) -> None:
    pack(path, [("../config.json", b"{}"), ("/config.json", b"{}"), ("..\\config.json", b"{}")])


@attack(ModelFileError, "zip|neither HDF5")
def an_archive_in_place_of_weights(path: Path) -> None:
    members = parts(path)
    pack(path, members.items())
    pack(path, [*list(members.items())[:2], (PARTS[2], path.read_bytes())])


@attack(ModelFileError, "holds|twice|directory")
def a_directory_of_a_hundred_thousand_entries(path: Path) -> None:
    content = pack(path, [("config.json", b"{}")])
    start, end = entry(content, "config.json"), content.rindex(b"PK\5\6")
    directory = content[start:end] * 100_000
    tail = bytearray(content[end:])
    struct.pack_into("<HHII", tail, 8, 0xFFFF, 0xFFFF, len(directory), start)
    path.write_bytes(content[:start] + directory + tail)
