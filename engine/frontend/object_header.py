"""How long variable-length texts claim to be, read from an HDF5 object header itself.

The library allocates what such a text claims, up to 4 GiB, before it finds that the file holds less, and offers no
way to ask. Layout: HDF5 File Format Specification 3.0, sections IV.A.1 and IV.A.2.m.
"""

import struct
from collections.abc import Callable, Iterator
from typing import TypeAlias

from engine.errors import ModelFileError

ReadAt: TypeAlias = Callable[[int, int], bytes]
"""(address, count) → that many bytes of the file."""

ATTRIBUTE, CONTINUATION = 0x0C, 0x10
MAX_BLOCKS = 4096


def text_lengths(read_at: ReadAt, header: int, name: bytes, count: int) -> list[int]:
    """The claimed lengths of the `count` texts of attribute `name` of the object whose header is at an address.

    Raises `ModelFileError` where the attribute is not found exactly once in the header.
    """
    try:
        found = [
            value for kind, body in _messages(read_at, header) if kind == ATTRIBUTE for value in _value(body, name)
        ]
    except struct.error:
        raise ModelFileError("an object header is damaged") from None
    if len(found) != 1 or len(found[0]) < 16 * count:
        raise ModelFileError(f"attribute {name.decode('utf-8', 'replace')!r} is stored in a way that is not read")
    return [length for length, _, _ in struct.iter_unpack("<IQI", found[0][: 16 * count])]


def _messages(read_at: ReadAt, header: int) -> Iterator[tuple[int, bytes]]:
    new = read_at(header, 4) == b"OHDR"
    prefix, entry, blocks = _new_header(read_at, header) if new else _old_header(read_at, header)
    for done, (address, size) in enumerate(blocks):
        if done == MAX_BLOCKS:
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
