"""A model file on disk: opened once, recognised by its first bytes, refused if it changes while it is read."""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.errors import EngineError, ModelFileError

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
HEAD = 1 << 16

_MAGIC = (
    (b"version https://git-lfs", "is a Git-LFS pointer, not the file itself: run `git lfs pull`"),
    (b"PK\x03\x04", "is a zip archive (.keras, PyTorch or other); this reader takes HDF5: `model.save('name.h5')`"),
    (b"\x80\x02", "is a Python pickle (PyTorch or other), not a Keras HDF5 file"),
    (b"\x80\x03", "is a Python pickle, not a Keras HDF5 file"),
    (b"\x80\x04", "is a Python pickle, not a Keras HDF5 file"),
    (b"\x80\x05", "is a Python pickle, not a Keras HDF5 file"),
    (b"\x93NUMPY", "is a NumPy array, not a Keras HDF5 file"),
    (b"GGUF", "is a GGUF file, not a Keras HDF5 file"),
    (b"\x1f\x8b", "is compressed with gzip: unpack it first"),
    (b"%PDF", "is a PDF document"),
    (b"\x89PNG", "is an image"),
    (b"\xff\xd8\xff", "is an image"),
)


class SteadyFile(io.RawIOBase):
    """A regular file opened for reading. Reads are complete or raise; `check` tells whether it is still the same."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._raw = _open_regular(path)
        status = os.fstat(self._raw.fileno())
        self.size = status.st_size
        self._written = status.st_mtime_ns

    def check(self) -> None:
        """Raise `ModelFileError` if the file has been written to since it was opened."""
        status = os.fstat(self._raw.fileno())
        if (status.st_size, status.st_mtime_ns) != (self.size, self._written):
            raise ModelFileError("has changed while it was being read")

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: Any) -> int:
        view, done = memoryview(buffer).cast("B"), 0
        while done < len(view):
            count = self._raw.readinto(view[done:])
            if not count:
                raise ModelFileError("ends before the data that it promises")
            done += count
        return done

    def read_at(self, address: int, count: int) -> bytes:
        """`count` bytes from an address on."""
        if address + count > self.size:
            raise ModelFileError("ends before the data that it promises")
        buffer = bytearray(count)
        self.seek(address)
        self.readinto(buffer)
        return bytes(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


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
    raise ModelFileError(_folder(path) if stat.S_ISDIR(mode) else "is not a regular file")


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Put the file's name in front of every error of ours that is raised inside."""
    try:
        yield
    except EngineError as error:
        raise type(error)(f"{printable(path)}: {error}") from None
    except RecursionError:
        raise ModelFileError(f"{printable(path)}: its description is nested too deeply") from None


def printable(path: str) -> str:
    """The path as one line of text."""
    return path if path.isprintable() else repr(path)


def require_hdf5(file: SteadyFile) -> None:
    """Raise `ModelFileError` saying what the file is, unless it is HDF5."""
    head = file.read_at(0, min(HEAD, file.size))
    offset = 0
    while offset + len(HDF5_MAGIC) <= len(head):
        if head.startswith(HDF5_MAGIC, offset):
            return
        offset = max(512, offset * 2)
    raise ModelFileError(describe(head))


def describe(head: bytes) -> str:
    """What a file that is not HDF5 is, by its first bytes."""
    if not head:
        return "is empty"
    known = next((meaning for magic, meaning in _MAGIC if head.startswith(magic)), None)
    if known is not None:
        return known
    if head[4:8] == b"TFL3":
        return "is a TensorFlow Lite model, not a Keras HDF5 file"
    if head[:1] == b"\x08" and (b"onnx" in head[:4096].lower() or head[2:3] in (b"\x12", b"\x1a", b"\x3a")):
        return "is an ONNX model, not a Keras HDF5 file"
    text = _text(head)
    return "is not an HDF5 file" if text is None else _describe_text(text)


def _describe_text(text: str) -> str:
    if text.startswith("<"):
        return "is a web page or XML, not a Keras HDF5 file"
    if text.startswith(("{", "[")):
        return "is a JSON text: an architecture without weights, or something else"
    return "is a text file, not a Keras HDF5 file"


def _text(head: bytes) -> str | None:
    try:
        text = head[: len(head) // 4 * 4 or len(head)].decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        if len(head) - error.start > 4:
            return None
        text = head[: error.start].decode("utf-8")
    text = text.lstrip("\ufeff \t\r\n")
    return text if all(c.isprintable() or c in "\t\r\n\f" for c in text[:4096]) else None


def _cannot_open(path: str, error: OSError | ValueError) -> ModelFileError:
    if isinstance(error, FileNotFoundError):
        return ModelFileError("there is no such file")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ModelFileError(f"cannot be opened: {reason}")


def _folder(path: str) -> str:
    if os.path.isfile(os.path.join(path, "saved_model.pb")):
        return "is a TensorFlow SavedModel folder; save the model as HDF5: `model.save('name.h5')`"
    return "is a folder, not a Keras HDF5 file"
