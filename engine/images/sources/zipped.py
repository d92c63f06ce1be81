"""The images in a zip archive, one after the other. Nothing is written to disk, and nothing it says is trusted.

Written from PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from engine.images.files import open_regular
from engine.images.sources.source import (
    MAX_MEMBER,
    BadArchiveError,
    Budget,
    MemberError,
    Names,
    Source,
    is_image_name,
)

PIECE = 256 << 10
STORED, DEFLATED = 0, 8
DAMAGED = "is damaged: its size or its checksum is wrong"
ENCRYPTED, UTF_8 = 1, 1 << 11
ALL_ONES_16, ALL_ONES_32 = 0xFFFF, 0xFFFFFFFF
_END, _END64, _LOCATOR, _ENTRY, _LOCAL = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2", b"PK\3\4"


class Entry(NamedTuple):
    """One line of the directory: `packed` bytes behind the local header at `header` are `size` bytes of content."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    header: int


def zip_sources(path: Path) -> Iterator[Source]:
    """Every image of the archive in its directory's order; what is wrong with one or all is a failed source."""
    try:
        with open_regular(path) as file:
            budget, names = Budget(file.seek(0, io.SEEK_END)), Names()
            for entry in entries(file):
                if is_image_name(entry.name):
                    yield _source(file, entry, f"{path}/{entry.name}", budget, names)
    except BadArchiveError as error:
        yield Source.failed(str(path), str(error))
    except OSError as error:
        yield Source.failed(str(path), error.strerror or str(error))


def _source(file: BinaryIO, entry: Entry, name: str, budget: Budget, names: Names) -> Source:
    if not names.is_new(entry.name):
        return Source.failed(name, "the archive has this name twice")
    if entry.size > MAX_MEMBER:
        return Source.failed(name, f"more than {MAX_MEMBER:,} bytes")
    budget.spend(entry.size)
    try:
        return Source.encoded(name, content(file, entry).read(entry.size + 1))
    except MemberError as error:
        return Source.failed(name, str(error))


def entries(file: BinaryIO) -> Iterator[Entry]:
    """The directory, line by line. Raises BadArchiveError where it is damaged."""
    start, end, shift = _directory(file)
    at = start
    while at < end:
        file.seek(at)
        fixed = file.read(46)
        if len(fixed) < 46 or fixed[:4] != _ENTRY:
            raise BadArchiveError("a damaged zip archive: its directory cannot be read")
        flags, method = struct.unpack_from("<HH", fixed, 8)
        crc, packed, size, name_size, extra_size, comment_size = struct.unpack_from("<IIIHHH", fixed, 16)
        (header,) = struct.unpack_from("<I", fixed, 42)
        raw, extra = file.read(name_size), file.read(extra_size)
        size, packed, header = _wide((size, packed, header), extra)
        name = raw.decode("utf-8", "surrogateescape") if flags & UTF_8 else raw.decode("cp437")
        yield Entry(name, flags, method, crc, packed, size, header + shift)
        at += 46 + name_size + extra_size + comment_size


def _directory(file: BinaryIO) -> tuple[int, int, int]:
    """Where the directory begins and ends, and by how much all places are off for what stands before the archive."""
    length = file.seek(0, io.SEEK_END)
    tail_size = min(length, 22 + ALL_ONES_16)
    file.seek(length - tail_size)
    tail = file.read(tail_size)
    at = tail.rfind(_END)
    while at >= 0 and not (at + 22 <= len(tail) == at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little")):
        at = tail.rfind(_END, 0, at)
    if at < 0:
        raise BadArchiveError("not a zip archive, or its end is missing")
    size, start = struct.unpack_from("<II", tail, at + 12)
    end = length - tail_size + at
    end, size, start = _directory64(file, end) or (end, size, start)
    shift = end - size - start
    if shift < 0:
        raise BadArchiveError("a damaged zip archive: its directory is not where its end says")
    return start + shift, end, shift


def _directory64(file: BinaryIO, end: int) -> tuple[int, int, int] | None:
    """The same from the record of large archives, None where there is none."""
    file.seek(max(end - 20, 0))
    locator = file.read(20)
    if len(locator) < 20 or locator[:4] != _LOCATOR:
        return None
    (place,) = struct.unpack_from("<Q", locator, 8)
    file.seek(min(place, end))
    record = file.read(56)
    if len(record) < 56 or record[:4] != _END64:
        raise BadArchiveError("a damaged zip archive: its end cannot be read")
    return place, *struct.unpack_from("<QQ", record, 40)


def _wide(fields: tuple[int, int, int], extra: bytes) -> list[int]:
    """The sizes and the place of a member, from its zip64 field where they are all ones."""
    at, body = 0, b""
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            body = extra[at + 4 : at + 4 + length]
        at += 4 + length
    values = iter([value for (value,) in struct.iter_unpack("<Q", body[: len(body) // 8 * 8])])
    return [next(values, field) if field == ALL_ONES_32 else field for field in fields]


def content(file: BinaryIO, entry: Entry) -> "Content":
    """What a member holds, as a stream that unpacks as it is read. Raises MemberError."""
    if entry.flags & ENCRYPTED:
        raise MemberError("is encrypted")
    if entry.method not in (STORED, DEFLATED):
        raise MemberError(f"is packed with method {entry.method}; only deflate is read")
    length = file.seek(0, io.SEEK_END)
    file.seek(min(entry.header, length))
    head = file.read(30)
    if len(head) < 30 or head[:4] != _LOCAL:
        raise MemberError("is not where the archive's directory says")
    name_size, extra_size = struct.unpack_from("<HH", head, 26)
    return Content(file, entry, entry.header + 30 + name_size + extra_size)


class Content:
    """Reads a member; `file` may be used for other things in between. Its end checks size and checksum."""

    def __init__(self, file: BinaryIO, entry: Entry, start: int) -> None:
        self._file, self._entry = file, entry
        self._at, self._end = start, start + entry.packed
        self._unpacker = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == DEFLATED else None
        self._packed = b""
        self._read, self._crc = 0, 0

    def read(self, count: int) -> bytes:
        """Up to `count` bytes, fewer only at the end. Raises MemberError."""
        pieces = []
        while count > 0 and (piece := self._piece(count)):
            pieces.append(piece)
            count -= len(piece)
            self._read += len(piece)
            self._crc = zlib.crc32(piece, self._crc)
        wrong_end = count > 0 and (self._read, self._crc) != (self._entry.size, self._entry.crc)
        if wrong_end or self._read > self._entry.size:
            raise MemberError(DAMAGED)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, count: int) -> bytes:
        if self._unpacker is None:
            return self._next(min(count, PIECE))
        while not self._unpacker.eof:
            self._packed = self._packed or self._next(PIECE)
            try:
                piece = self._unpacker.decompress(self._packed, min(count, PIECE))
            except zlib.error:
                raise MemberError("is damaged: it cannot be unpacked") from None
            ended = not self._packed
            self._packed = self._unpacker.unconsumed_tail
            if piece or ended:
                return piece
        return b""

    def _next(self, count: int) -> bytes:
        self._file.seek(self._at)
        data = self._file.read(min(count, self._end - self._at))
        self._at += len(data)
        return data
