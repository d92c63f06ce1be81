"""Zip archives, read without trusting them: known members only, each where and as long as it says, once.

Written from PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.3. Nothing is ever written to disk.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from engine.errors import LimitExceededError, ModelFileError
from engine.frontend.files import MAX_TEXT, Bytes, LentFile, Part

MAX_DIRECTORY = 16 << 20
MAX_RATIO = 4
SMALL = 16 << 20
PIECE = 1 << 20
STORED, DEFLATED = 0, 8
ALL_ONES_16, ALL_ONES_32 = 0xFFFF, 0xFFFFFFFF
_END, _END64, _LOCATOR, _ENTRY, _LOCAL = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2", b"PK\3\4"


@dataclass(frozen=True)
class Member:
    """One entry of the directory. `packed` bytes in the archive are `size` bytes of content."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    header: int


class ZipMembers:
    """The members of an archive by name. Raises `ModelFileError` for a directory that is damaged or ambiguous."""

    def __init__(self, file: Bytes) -> None:
        self._file = file
        self._members: dict[str, Member] = {}
        try:
            self._end, entries = _directory(file)
            for member in entries:
                if member.name in self._members:
                    raise ModelFileError(f"holds {member.name!r} twice")
                self._members[member.name] = member
        except (struct.error, UnicodeDecodeError):
            raise ModelFileError("is a damaged zip archive: its directory cannot be read") from None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all members."""
        return tuple(self._members)

    def text(self, name: str) -> bytes | None:
        """A member's content, at most 64 MiB, or None where there is no such member."""
        file = self.file(name, MAX_TEXT)
        return None if file is None else file.read_at(0, file.size)

    def file(self, name: str, most: int | None = None) -> Bytes | None:
        """A member to read from, whose checksum is right, or None. What is stored unpacked stays in the archive."""
        member = self._members.get(name)
        if member is None:
            return None
        most = max(SMALL, MAX_RATIO * member.packed) if most is None else most
        if member.size > most:
            raise LimitExceededError(
                f"{name!r} unpacks {member.packed} bytes to {member.size}; at most {most} are read"
            )
        try:
            part = self._located(member)
        except (struct.error, UnicodeDecodeError):
            raise ModelFileError(f"is a damaged zip archive: {name!r} cannot be found") from None
        if member.method == STORED:
            return _checked(part, member)
        return LentFile(io.BytesIO(_inflated(part, member)))

    def _located(self, member: Member) -> Part:
        if member.flags & 1:
            raise ModelFileError(f"{member.name!r} is encrypted")
        if member.method not in (STORED, DEFLATED):
            raise ModelFileError(f"{member.name!r} is packed with method {member.method}; only deflate is read")
        if member.method == STORED and member.packed != member.size:
            raise ModelFileError(f"{member.name!r} is stored as {member.packed} bytes but declares {member.size}")
        head = self._file.read_at(member.header, 30)
        name_size, extra_size = struct.unpack_from("<HH", head, 26)
        name = self._file.read_at(member.header + 30, name_size)
        start = member.header + 30 + name_size + extra_size
        if head[:4] != _LOCAL or name.decode("utf-8") != member.name or start + member.packed > self._end:
            raise ModelFileError(f"is a damaged zip archive: {member.name!r} is not where its directory says")
        return Part(self._file, start, member.packed)


def _directory(file: Bytes) -> tuple[int, Iterator[Member]]:
    """Where the directory begins, and its entries."""
    tail_size = min(file.size, 22 + ALL_ONES_16)
    tail = file.read_at(file.size - tail_size, tail_size)
    at = tail.rfind(_END)
    while at >= 0 and len(tail) != at + 22 + struct.unpack_from("<H", tail, at + 20)[0]:
        at = tail.rfind(_END, 0, at)
    if at < 0:
        raise ModelFileError("is a damaged zip archive: it has no end, so a part of the file is missing")
    size, start = struct.unpack_from("<II", tail, at + 12)
    end = file.size - tail_size + at
    if end >= 20 and file.read_at(end - 20, 4) == _LOCATOR:
        (end,) = struct.unpack_from("<Q", file.read_at(end - 20, 20), 8)
        record = file.read_at(end, 56)
        if record[:4] != _END64:
            raise ModelFileError("is a damaged zip archive: its end cannot be read")
        size, start = struct.unpack_from("<QQ", record, 40)
    if start + size != end:
        raise ModelFileError("is a damaged zip archive: its directory is not where its end says")
    if size > MAX_DIRECTORY:
        raise LimitExceededError(
            f"the directory of this zip archive has {size} bytes; at most {MAX_DIRECTORY} are read"
        )
    return start, _entries(file.read_at(start, size))


def _entries(directory: bytes) -> Iterator[Member]:
    at = 0
    while at < len(directory):
        if directory[at : at + 4] != _ENTRY:
            raise ModelFileError("is a damaged zip archive: its directory cannot be read")
        flags, method = struct.unpack_from("<HH", directory, at + 8)
        crc, packed, size, name_size, extra_size, comment_size = struct.unpack_from("<IIIHHH", directory, at + 16)
        (header,) = struct.unpack_from("<I", directory, at + 42)
        name = directory[at + 46 : at + 46 + name_size].decode("utf-8")
        extra = directory[at + 46 + name_size : at + 46 + name_size + extra_size]
        size, packed, header = _wide((size, packed, header), extra)
        yield Member(name, flags, method, crc, packed, size, header)
        at += 46 + name_size + extra_size + comment_size


def _wide(fields: tuple[int, int, int], extra: bytes) -> list[int]:
    """The sizes and the place of a member, from its zip64 field where they are all ones."""
    at, body = 0, b""
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            body = extra[at + 4 : at + 4 + length]
        at += 4 + length
    values = iter([value for (value,) in struct.iter_unpack("<Q", body[: len(body) // 8 * 8])])
    found = [next(values, -1) if field == ALL_ONES_32 else field for field in fields]
    if min(found) < 0:
        raise ModelFileError("is a damaged zip archive: its directory cannot be read")
    return found


def _checked(part: Part, member: Member) -> Part:
    crc = 0
    for start in range(0, part.size, PIECE):
        crc = zlib.crc32(part.read_at(start, min(PIECE, part.size - start)), crc)
    if crc != member.crc:
        raise ModelFileError(f"{member.name!r} is damaged: its checksum is wrong")
    part.seek(0)
    return part


def _inflated(part: Part, member: Member) -> bytes:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(part.read_at(0, part.size), member.size + 1)
    except zlib.error:
        raise ModelFileError(f"{member.name!r} is damaged: it cannot be unpacked") from None
    if len(content) != member.size or not unpacker.eof or zlib.crc32(content) != member.crc:
        raise ModelFileError(f"{member.name!r} is damaged: its checksum or its size is wrong")
    return content
