"""Where a model's bytes come from: a file on disk, bytes, somebody's open file, a part of one. Nothing is trusted."""

import io
import os
import stat
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeAlias

from engine.errors import EngineError, InputError, ModelFileError

Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO
"""What a model can be read from: a path, the bytes themselves, or a binary file that is open and can seek."""

MAX_TEXT = 64 << 20
"""The longest text that is read: a description, or the attributes of one object."""

SHORT = "ends before the data that it promises"


class Bytes(io.RawIOBase):
    """`size` bytes to read from. Reads are complete or raise; `check` tells whether they are still the same."""

    size: int

    @abstractmethod
    def check(self) -> None:
        """Raise `ModelFileError` if they have changed since they were opened."""

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def read_at(self, address: int, count: int) -> bytes:
        """`count` bytes from an address on."""
        if not 0 <= address <= self.size - count:
            raise ModelFileError(SHORT)
        buffer = bytearray(count)
        self.seek(address)
        self.readinto(buffer)
        return bytes(buffer)


class SteadyFile(Bytes):
    """A regular file opened for reading."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._raw = _open_regular(path)
        status = os.fstat(self._raw.fileno())
        self.size = status.st_size
        self._written = status.st_mtime_ns

    def check(self) -> None:
        status = os.fstat(self._raw.fileno())
        if (status.st_size, status.st_mtime_ns) != (self.size, self._written):
            raise ModelFileError("has changed while it was being read")

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: Any) -> int:
        return _fill(self._raw, buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class LentFile(Bytes):
    """Somebody's open file, or bytes. It is never closed here."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._raw = file
        self.size = self._measured()

    def check(self) -> None:
        if self._measured() != self.size:
            raise ModelFileError("has changed while it was being read")

    def _measured(self) -> int:
        try:
            return self._raw.seek(0, os.SEEK_END)
        except (OSError, ValueError) as error:
            raise ModelFileError(f"cannot be read: {error}") from None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: Any) -> int:
        return _fill(self._raw, buffer)


class Part(Bytes):
    """`size` bytes of others, from an address on. Closing it leaves them open."""

    def __init__(self, whole: Bytes, start: int, size: int) -> None:
        super().__init__()
        self._whole, self._start, self.size = whole, start, size
        self._at = 0

    def check(self) -> None:
        self._whole.check()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self.size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = memoryview(buffer).nbytes
        if not 0 <= self._at <= self.size - count:
            raise ModelFileError(SHORT)
        self._whole.seek(self._start + self._at)
        self._at += count
        done = self._whole.readinto(buffer)
        assert done is not None
        return done


def _fill(file: Any, buffer: Any) -> int:
    view, done = memoryview(buffer).cast("B"), 0
    while done < len(view):
        if hasattr(file, "readinto"):
            count = file.readinto(view[done:])
        else:
            piece = file.read(len(view) - done)
            count = len(piece)
            view[done : done + count] = piece
        if not count:
            raise ModelFileError(SHORT)
        done += count
    return done


def open_bytes(source: Source) -> Bytes:
    """The bytes of a source. Raises `ModelFileError` where there are none, `InputError` for what is no source."""
    if isinstance(source, bytes):
        return LentFile(io.BytesIO(source))
    if isinstance(source, str | os.PathLike):
        return SteadyFile(os.fspath(source))
    if not hasattr(source, "read") or not hasattr(source, "seek") or isinstance(source, io.TextIOBase):
        raise InputError(f"expected a path, bytes or a binary file that can seek, found {type(source).__name__}")
    return LentFile(source)


def name_of(source: Source) -> str:
    """How errors name a source."""
    if isinstance(source, bytes):
        return f"<{len(source)} bytes>"
    if isinstance(source, str | os.PathLike):
        return str(os.fspath(source))
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else f"<{type(source).__name__}>"


def _open_regular(path: str) -> io.FileIO:
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise _cannot_open(path, error) from None
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return io.FileIO(descriptor, "rb")
    os.close(descriptor)
    raise ModelFileError("is a folder" if stat.S_ISDIR(mode) else "is not a regular file")


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put a source's name in front of every error of ours that is raised inside."""
    try:
        yield
    except EngineError as error:
        raise type(error)(f"{printable(name)}: {error}") from None
    except RecursionError:
        raise ModelFileError(f"{printable(name)}: its description is nested too deeply") from None


def printable(path: str) -> str:
    """The path as one line of text."""
    return path if path.isprintable() else repr(path)


def _cannot_open(path: str, error: OSError | ValueError) -> ModelFileError:
    if isinstance(error, FileNotFoundError):
        return ModelFileError("there is no such file")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ModelFileError(f"cannot be opened: {reason}")
