"""Place an object file in executable memory: a linker for files whose parts refer only to each other.

Knows ELF for x86-64 with relative 32-bit references, which is what compiled kernels are on Linux. LLVM's own linker
does the same for every kind of file, but loading LLVM takes a quarter of the start and half of the memory.
"""

import ctypes
import mmap
import os
import platform
import struct
import sys
from functools import cache
from typing import NamedTuple

_X86_64, _ALLOCATED, _WRITABLE = 62, 2, 1
_SYMBOLS, _RELOCATIONS, _ZEROS = 2, 4, 8
_PC32, _PLT32 = 2, 4


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry: int


def is_at_home() -> bool:
    """Whether this process runs such files."""
    return sys.platform.startswith("linux") and platform.machine() == "x86_64" and sys.maxsize > 1 << 32


@cache
def check_memory() -> None:
    """Raise OSError if memory cannot be made executable."""
    _executable(bytearray(1))


def place(code: bytes, symbol: bytes) -> int | None:
    """The address of `symbol`; None for a file of another kind. Raises OSError if memory cannot be made executable."""
    if not is_at_home() or code[:6] != b"\x7fELF\x02\x01" or code[18:20] != bytes((_X86_64, 0)):
        return None
    sections = _sections(code)
    image, starts = _laid_out(code, sections)
    if image is None:
        return None
    entry = None
    for table in sections:
        if table.kind == _RELOCATIONS and table.info in starts:
            symbols = sections[table.link]
            for place_in, info, addend in struct.iter_unpack("<QQq", _content(code, table)):
                at = starts[table.info] + place_in
                target = _symbol(code, symbols, info >> 32, starts)
                if info & 0xFFFFFFFF not in (_PC32, _PLT32) or target is None:
                    return None
                struct.pack_into("<i", image, at, target + addend - at)
        if table.kind == _SYMBOLS:
            entry = _entry(code, table, _content(code, sections[table.link]), symbol, starts)
    return None if entry is None else _executable(image) + entry


def _sections(code: bytes) -> list[_Section]:
    (offset,) = struct.unpack_from("<Q", code, 40)
    size, count = struct.unpack_from("<HH", code, 58)
    return [_Section(*struct.unpack_from("<IIQQQQIIQQ", code, offset + i * size)) for i in range(count)]


def _content(code: bytes, section: _Section) -> bytes:
    return code[section.offset : section.offset + section.size]


def _laid_out(code: bytes, sections: list[_Section]) -> tuple[bytearray | None, dict[int, int]]:
    """The sections that a process sees, one after another, and where each begins; None if one is to be written to."""
    image, starts = bytearray(), {}
    for number, section in enumerate(sections):
        if not section.flags & _ALLOCATED:
            continue
        if section.flags & _WRITABLE:
            return None, {}
        image.extend(bytes(-len(image) % max(section.alignment, 1)))
        starts[number] = len(image)
        image += bytes(section.size) if section.kind == _ZEROS else _content(code, section)
    return image, starts


def _symbol(code: bytes, table: _Section, index: int, starts: dict[int, int]) -> int | None:
    """Where a symbol lies in the image; None if it is not there."""
    _, _, _, section, value, _ = struct.unpack_from("<IBBHQQ", code, table.offset + index * table.entry)
    return None if section not in starts else starts[section] + value


def _entry(code: bytes, table: _Section, names: bytes, symbol: bytes, starts: dict[int, int]) -> int | None:
    for index in range(table.size // table.entry):
        (start,) = struct.unpack_from("<I", code, table.offset + index * table.entry)
        if names[start : names.index(b"\0", start)] == symbol:
            return _symbol(code, table, index, starts)
    return None


def _executable(image: bytearray) -> int:
    memory = mmap.mmap(-1, len(image), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.write(image)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    if protect(address, len(memory), mmap.PROT_READ | mmap.PROT_EXEC):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(memory))  # at exit a thread may still be running this code
    return address
