"""Tar archives of images, honest and hostile ones."""

import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import Path

import pytest

from engine.images.sources import source
from engine.images.sources.source import MAX_MEMBER
from tests.images.test_zipped import found


def tar(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form, errors="surrogateescape") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


MEMBERS = {
    "b.png": b"1",
    "a/x.jpg": b"2" * 5000,
    "l" * 300 + ".png": b"3",
    "é\n.png": b"4",
    "caf\udce9.png": b"5",
    "../../up.png": b"",
}
OTHER = {"notes.txt": b"x" * 600, ".hidden.png": b"x", "a/.b/c.png": b"x"}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize(
    ("suffix", "pack"), [(".tar", bytes), (".tar.gz", gzip.compress), (".tgz", gzip.compress),
                         (".tar.bz2", bz2.compress), (".tar.xz", lzma.compress), (".txz", lzma.compress),
                         (".TAR", gzip.compress)]
)  # fmt: skip
def test_images_in_the_archives_order(suffix: str, pack: type[bytes], form: int, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(pack(tar({**OTHER, **MEMBERS}, form)))
    assert found(path) == list(MEMBERS.items())


def test_v7_and_what_tar_itself_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar({"a.png": b"x"}, tarfile.USTAR_FORMAT))
    assert found(path) == [("a.png", b"x")]
    path.write_bytes(tar({}))
    assert found(path) == []


def special(name: str, kind: bytes, size: int = 0, link: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info.tobuf(tarfile.GNU_FORMAT)


END = bytes(1024)


def test_links_are_error_records_and_the_rest_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    parts = [
        special("l.png", tarfile.SYMTYPE, link="/etc/passwd"),
        special("h.png", tarfile.LNKTYPE, link="b.png"),
        special("f.png", tarfile.FIFOTYPE),
        special("c.png", tarfile.CHRTYPE),
        special("d.png", tarfile.DIRTYPE),
    ]
    path.write_bytes(b"".join(parts) + tar({"b.png": b"x"}))
    reason = "is a link within the archive"
    assert found(path) == [("l.png", reason), ("h.png", reason), ("b.png", b"x")]


def test_duplicates_are_error_records(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar({"a.png": b"1"})[:1024] + tar({"a.png": b"2", "b.png": b"3"}))
    assert found(path) == [("a.png", b"1"), ("a.png", "the archive has this name twice"), ("b.png", b"3")]


def test_sparse_files_are_error_records(tmp_path: Path) -> None:
    old = bytearray(special("s.png", tarfile.GNUTYPE_SPARSE, 512))
    old[482] = 1
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old)
    map_block = bytes(512)
    info = tarfile.TarInfo("p.png")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.name": "p.png"}
    path = tmp_path / "a.tar"
    path.write_bytes(bytes(old) + map_block + bytes(512) + info.tobuf(tarfile.PAX_FORMAT) + tar({"b.png": b"x"}))
    reason = "is stored as a sparse file"
    assert found(path) == [("s.png", reason), ("p.png", reason), ("b.png", b"x")]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_every_truncation_gives_records(pack: type[bytes], tmp_path: Path) -> None:
    data = pack(tar({f"{i}.png": bytes([i]) * 700 for i in range(5)}))
    path = tmp_path / "a.tar"
    for fiftieth in range(50):
        path.write_bytes(data[: len(data) * fiftieth // 50])
        outcomes = found(path)
        assert all(isinstance(content, bytes) for _, content in outcomes[:-1])
        assert outcomes == [] or outcomes[-1][0] == str(path) or len(outcomes) <= 5


def test_many_changes_give_records(tmp_path: Path) -> None:
    data = tar({f"{i}.png": bytes([i]) * 10 for i in range(3)})[:4096]
    path = tmp_path / "a.tar"
    for at in range(0, len(data), 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x93]) + data[at + 1 :])
        assert len(found(path)) <= 4


def test_a_member_of_many_gigabytes_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(special("a.png", tarfile.REGTYPE, MAX_MEMBER + 1))
    ((_, reason),) = found(path)
    assert reason == "a damaged tar archive: its end is missing"


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE])
def test_an_extended_header_of_many_gigabytes_is_refused(kind: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(special("a.png", kind, 3 << 30) + bytes(4096))
    ((_, reason),) = found(path)
    assert reason == "a header has 3,221,225,472 bytes; at most 1,048,576 are read"


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"x path=a\n", "extended header"), (b"99 path=a\n", "extended header"), (b"12 size=-9\n ", "extended header"),
     (b"11 size=-9\n", "the size of a member"), (b"12 size=abc\n", "the size of a member"),
     (b"3 =", "extended header")],
)  # fmt: skip
def test_damaged_extended_headers(body: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(special("a.png", tarfile.XHDTYPE, len(body)) + body.ljust(512, b"\0") + tar({"b.png": b""}))
    ((_, text),) = found(path)
    assert reason in str(text)


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
def test_a_bomb_is_left_early(pack: type[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "SMALL", 1 << 20)
    path = tmp_path / "a.tar"
    path.write_bytes(pack(special("a.txt", tarfile.REGTYPE, 400 << 20) + bytes(3 << 20)))
    ((_, reason),) = found(path)
    assert "unpacks to more than 200 times" in str(reason)


def test_xz_may_not_ask_for_any_memory(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 1 << 30}]
    unpacker = lzma.compress(tar({"a.png": b"x"}), filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])
    path = tmp_path / "a.tar.xz"
    path.write_bytes(unpacker)
    assert found(path) == [("a.png", b"x")]
    assert filters[0]["dict_size"] > 256 << 20
    path.write_bytes(with_dictionary(unpacker, 36))
    ((_, reason),) = found(path)
    assert "damaged archive" in str(reason)


def with_dictionary(data: bytes, code: int) -> bytes:
    """The same xz stream, declaring a dictionary of 2 ** (code / 2 + 12) bytes."""
    import zlib

    size = (data[12] + 1) * 4
    block = bytearray(data[12 : 12 + size])
    place = block.index(b"\x21\x01") + 2
    block[place] = code
    block[-4:] = zlib.crc32(bytes(block[:-4])).to_bytes(4, "little")
    return data[:12] + bytes(block) + data[12 + size :]


@pytest.mark.parametrize("data", [b"", b"hello" * 200, b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0"])
def test_files_that_are_no_archive(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(data)
    outcomes = found(path)
    assert len(outcomes) == (1 if data else 0)
