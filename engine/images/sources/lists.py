"""Lists of paths, as `find` and people write them."""

import os
from collections.abc import Iterator
from typing import BinaryIO

from engine.errors import InputError

PIECE = 64 << 10
MAX_PATH = 1 << 20


def listed_paths(file: BinaryIO, name: str, nul: bool) -> Iterator[str]:
    """The paths in `file`, one a line, or each ended by a NUL byte. Blank lines are passed over. Holds one piece.

    A path is bytes of any kind. A byte order mark, and the carriage returns of Windows, are no part of lines.
    """
    separator = b"\0" if nul else b"\n"
    rest = file.read(3).removeprefix(b"\xef\xbb\xbf")
    while piece := _piece(file):
        *whole, rest = (rest + piece).split(separator)
        yield from _paths(whole, name, nul)
        if len(rest) > MAX_PATH:
            raise InputError(f"{name}: a path of more than {MAX_PATH:,} bytes; is it a list of paths?")
    yield from _paths(rest.split(separator), name, nul)


def _piece(file: BinaryIO) -> bytes:
    """What there is, at least one byte, or nothing at the end."""
    read = getattr(file, "read1", file.read)
    data: bytes = read(PIECE)
    return data


def _paths(lines: list[bytes], name: str, nul: bool) -> Iterator[str]:
    for line in lines:
        path = line if nul else line.removesuffix(b"\r")
        if b"\0" in path:
            raise InputError(f"{name}: a line with a NUL byte; with --null, NUL bytes end the paths")
        if path.strip():
            yield os.fsdecode(path)
