"""The images in a tar archive, packed or not, one after the other. Nothing is written to disk.

Headers are parsed by `tarfile.TarInfo`; the walk is our own, since `TarFile` keeps every header and reads extended
ones of any size.
"""

import gzip
import io
import lzma
import tarfile
import zlib
from bz2 import BZ2File
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from engine.images.files import open_regular
from engine.images.sources.source import MAX_MEMBER, BadArchiveError, Budget, Names, Source, is_image_name

BLOCK = 512
PIECE = 256 << 10
MAX_EXTENDED = 1 << 20
XZ_MEMORY = 256 << 20


def tar_sources(path: Path) -> Iterator[Source]:
    """Every image of the archive in its order; what is wrong with one or all is a failed source."""
    try:
        with open_regular(path) as file:
            yield from _members(Stream(file), path)
    except BadArchiveError as error:
        yield Source.failed(str(path), str(error))
    except OSError as error:
        yield Source.failed(str(path), error.strerror or str(error))


def _members(stream: "Stream", path: Path) -> Iterator[Source]:
    names = Names()
    extended: dict[str, str] = {}
    while block := _header_block(stream):
        info = _parsed(block)
        if info.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
            extended |= _pax(_small(stream, info))
        elif info.type == tarfile.GNUTYPE_LONGNAME:
            extended["path"] = _text(_small(stream, info).split(b"\0")[0])
        elif info.type in (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE):
            _small(stream, info)
        else:
            info.name = extended.get("path", info.name)
            info.size = _size(extended["size"]) if "size" in extended else info.size
            if info.type == tarfile.GNUTYPE_SPARSE:
                _skip_sparse_map(stream, block)
            sparse = info.type == tarfile.GNUTYPE_SPARSE or any(key.startswith("GNU.sparse") for key in extended)
            extended = {}
            yield from _member(stream, info, sparse, path, names)


def _member(stream: "Stream", info: tarfile.TarInfo, sparse: bool, path: Path, names: Names) -> Iterator[Source]:
    """One source, or none for what is not an image. Leaves the stream behind the member."""
    name = f"{path}/{info.name}"
    size = _padded(info.size) if info.isreg() or info.type not in tarfile.SUPPORTED_TYPES else 0
    reason = ""
    if info.type in (tarfile.LNKTYPE, tarfile.SYMTYPE):
        reason = "is a link within the archive"
    elif sparse:
        reason = "is stored as a sparse file"
    elif info.size > MAX_MEMBER:
        reason = f"more than {MAX_MEMBER:,} bytes"
    if not is_image_name(info.name) or not (info.isreg() or reason):
        stream.skip(size)
    elif not names.is_new(info.name):
        stream.skip(size)
        yield Source.failed(name, "the archive has this name twice")
    elif reason:
        stream.skip(size)
        yield Source.failed(name, reason)
    else:
        yield Source.encoded(name, stream.read(size)[: info.size])


def _header_block(stream: "Stream") -> bytes:
    """The next header, empty at the end."""
    block = stream.read(BLOCK, may_end=True)
    return block if block.strip(b"\0") else b""


def _parsed(block: bytes) -> tarfile.TarInfo:
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        raise BadArchiveError("not a tar archive, or damaged: a header cannot be read") from None
    info.size = _size(info.size)
    return info


def _size(value: int | str) -> int:
    try:
        size = int(value)
    except ValueError:
        size = -1
    if not 0 <= size < 1 << 63:
        raise BadArchiveError("a damaged tar archive: the size of a member cannot be read")
    return size


def _small(stream: "Stream", info: tarfile.TarInfo) -> bytes:
    """The body of an extended header."""
    if info.size > MAX_EXTENDED:
        raise BadArchiveError(f"a header has {info.size:,} bytes; at most {MAX_EXTENDED:,} are read")
    return stream.read(_padded(info.size))[: info.size]


def _pax(body: bytes) -> dict[str, str]:
    """The records `length key=value` of a POSIX extended header."""
    found = {}
    while body.strip(b"\0"):
        digits, _, _ = body.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < 9 else 0
        key, equals, value = body[len(digits) + 1 : length].partition(b"=")
        if not equals or body[length - 1 : length] != b"\n":
            raise BadArchiveError("a damaged tar archive: an extended header cannot be read")
        found[_text(key)] = _text(value[:-1])
        body = body[length:]
    return found


def _skip_sparse_map(stream: "Stream", block: bytes) -> None:
    """GNU's old sparse files have more of their map behind the header."""
    continues = block[482]
    while continues:
        continues = stream.read(BLOCK)[504]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


class Stream:
    """An archive's bytes, unpacked as they are read, within the archive's budget."""

    def __init__(self, file: BinaryIO) -> None:
        self._budget = Budget(file.seek(0, io.SEEK_END))
        file.seek(0)
        magic = file.read(6)
        file.seek(0)
        self._file: Any = file
        if magic[:2] == b"\x1f\x8b":
            self._file = gzip.GzipFile(fileobj=file)
        elif magic[:3] == b"BZh":
            self._file = BZ2File(file)
        elif magic == b"\xfd7zXZ\0":
            self._file = io.BufferedReader(Xz(file))

    def read(self, count: int, may_end: bool = False) -> bytes:
        """Exactly `count` bytes, or none if the archive `may_end` here."""
        self._budget.spend(count)
        try:
            data: bytes = self._file.read(count)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise BadArchiveError(f"a damaged archive: {error}") from None
        if len(data) != count and not (may_end and not data):
            raise BadArchiveError("a damaged tar archive: its end is missing")
        return data

    def skip(self, count: int) -> None:
        while count:
            piece = min(count, PIECE)
            self.read(piece)
            count -= piece


class Xz(io.RawIOBase):
    """Unpacks xz with a bound on the memory that the file may ask for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpacker = lzma.LZMADecompressor(memlimit=XZ_MEMORY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = b""
        while not data and not self._unpacker.eof:
            packed = self._file.read(PIECE) if self._unpacker.needs_input else b""
            if self._unpacker.needs_input and not packed:
                raise EOFError("its end is missing")
            data = self._unpacker.decompress(packed, len(buffer))
        buffer[: len(data)] = data
        return len(data)
