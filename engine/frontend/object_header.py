"""Variable-length texts of attributes, read from an HDF5 file by hand.

The library allocates what such a text claims, up to 4 GiB, before it finds that the file holds less, and never comes
back from some damaged heaps. Layout: HDF5 File Format Specification 3.0, sections III.E, IV.A.1 and IV.A.2.m.
"""

import struct
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeAlias

from engine.errors import LimitExceededError, ModelFileError
from engine.frontend.files import MAX_TEXT

ReadAt: TypeAlias = Callable[[int, int], bytes]
"""(address, count) → that many bytes of the file."""

ATTRIBUTE, CONTINUATION = 0x0C, 0x10
MAX_BLOCKS = 4096
MAX_OBJECTS = 1 << 17


def read_texts(read_at: ReadAt, header: int, name: bytes, count: int) -> list[bytes]:
    """The `count` texts of attribute `name` of the object whose header is at an address.

    Raises `ModelFileError` where the attribute is not found exactly once in the header, or its texts are not where
    it says; `LimitExceededError` where they claim more than 64 MiB.
    """
    shown = name.decode("utf-8", "replace")
    try:
        found = [
            value for kind, body in _messages(read_at, header) if kind == ATTRIBUTE for value in _value(body, name)
        ]
        if len(found) != 1 or len(found[0]) < 16 * count:
            raise ModelFileError(f"attribute {shown!r} is stored in a way that is not read")
        places = list(struct.iter_unpack("<IQI", found[0][: 16 * count]))
        if sum(length for length, _, _ in places) > MAX_TEXT:
            raise LimitExceededError(f"attribute {shown!r} may hold more than {MAX_TEXT} bytes")
        heaps = _Heaps(read_at)
        return [heaps.text(*place) for place in places]
    except struct.error:
        raise ModelFileError(f"attribute {shown!r} is damaged") from None


class _Heaps:
    """The collections of a global heap, each read once."""

    def __init__(self, read_at: ReadAt) -> None:
        self._read_at = read_at
        self._read: dict[int, dict[int, memoryview]] = {}
        self._bytes = self._objects = 0
        self.text = cache(self._text)

    def _text(self, length: int, heap: int, index: int) -> bytes:
        """The first `length` bytes of an object, up to a null byte."""
        if not length:
            return b""
        if heap not in self._read:
            self._read[heap] = dict(self._collection(heap))
        content = self._read[heap].get(index, memoryview(b""))
        if len(content) < length:
            raise ModelFileError("a text is not where its attribute says")
        return bytes(content[:length]).partition(b"\0")[0]

    def _collection(self, heap: int) -> Iterator[tuple[int, memoryview]]:
        signature, size = struct.unpack("<8sQ", self._read_at(heap, 16))
        self._bytes += size
        if signature[:5] != b"GCOL\1" or self._bytes > 2 * MAX_TEXT:
            raise ModelFileError("a heap of texts is damaged")
        content, at = memoryview(self._read_at(heap, size)), 16
        while at + 16 <= size:
            index, length = struct.unpack_from("<H6xQ", content, at)
            self._objects += 1
            if index == 0 or self._objects > MAX_OBJECTS:
                return
            yield index, content[at + 16 : at + 16 + length]
            at += 16 + (length + 7) // 8 * 8


def _messages(read_at: ReadAt, header: int) -> Iterator[tuple[int, bytes]]:
    new = read_at(header, 4) == b"OHDR"
    prefix, entry, blocks = _new_header(read_at, header) if new else _old_header(read_at, header)
    read = 0
    for done, (address, size) in enumerate(blocks):
        read += size
        if done == MAX_BLOCKS or read > MAX_TEXT:
            raise ModelFileError("an object header is damaged: its blocks never end")
        block, at = read_at(address, size), 4 if new and done else 0
        end = size - (4 if new and done else 0)
        while at + entry <= end:
            kind, length = struct.unpack_from(prefix, block, at)
            body = block[at + entry : at + entry + length]
            at += entry + length
            if kind == CONTINUATION:
                blocks.append(struct.unpack_from("<QQ", body))
            yield kind, body


def _old_header(read_at: ReadAt, header: int) -> tuple[str, int, list[tuple[int, int]]]:
    (size,) = struct.unpack_from("<I", read_at(header, 16), 8)
    return "<HH", 8, [(header + 16, size)]


def _new_header(read_at: ReadAt, header: int) -> tuple[str, int, list[tuple[int, int]]]:
    flags = read_at(header, 6)[5]
    width = 1 << (flags & 3)
    start = header + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    size = int.from_bytes(read_at(start, width), "little")
    return "<BH", 6 if flags & 4 else 4, [(start + width, size)]


def _value(body: bytes, name: bytes) -> Iterator[bytes]:
    version, _, name_size, type_size, space_size = struct.unpack_from("<BBHHH", body)
    sizes = [name_size, type_size, space_size]
    if version == 1:
        sizes = [(size + 7) // 8 * 8 for size in sizes]
    start = 9 if version == 3 else 8
    if body[start : start + name_size].rstrip(b"\0") == name:
        yield body[start + sum(sizes) :]
