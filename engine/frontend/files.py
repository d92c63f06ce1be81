"""A model file on disk: opened once, recognised by its first bytes, refused if it changes while it is read."""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

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
        self.path = path
        self._fd = -1
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            self._fd = os.open(path, flags)
            status = os.fstat(self._fd)
        except (OSError, ValueError) as error:
            self.close()
            raise _cannot_open(path, error) from None
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise ModelFileError(_folder(path) if stat.S_ISDIR(status.st_mode) else "is not a regular file")
        self.size = status.st_size
        self._changed = status.st_mtime_ns
        self._position = 0

    def check(self) -> None:
        """Raise `ModelFileError` if the file has been written to since it was opened."""
        status = os.fstat(self._fd)
        if (status.st_size, status.st_mtime_ns) != (self.size, self._changed):
            raise ModelFileError("has changed while it was being read")

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # h5py hands over memoryviews only
        view, done = memoryview(buffer).cast("B"), 0
        os.lseek(self._fd, self._position, os.SEEK_SET)
        while done < len(view):
            piece = os.read(self._fd, len(view) - done) if os.name == "nt" else None
            count = len(piece) if piece is not None else os.readv(self._fd, [view[done:]])
            if piece is not None:
                view[done : done + count] = piece
            if count == 0:
                raise ModelFileError("ends before the data that it promises")
            done += count
        self._position += done
        return done

    def head(self, count: int) -> bytes:
        """Up to `count` first bytes."""
        buffer = bytearray(min(count, self.size))
        self.seek(0)
        self.readinto(memoryview(buffer))
        return bytes(buffer)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        super().close()


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
    head = file.head(HEAD)
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
    if isinstance(error, IsADirectoryError | PermissionError) and os.path.isdir(path):
        return ModelFileError(_folder(path))
    if isinstance(error, FileNotFoundError):
        return ModelFileError("there is no such file")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ModelFileError(f"cannot be opened: {reason}")


def _folder(path: str) -> str:
    if os.path.isfile(os.path.join(path, "saved_model.pb")):
        return "is a TensorFlow SavedModel folder; save the model as HDF5: `model.save('name.h5')`"
    return "is a folder, not a Keras HDF5 file"
