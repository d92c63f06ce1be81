"""What a layer answers for each image, as a `.npy` or `.npz` that is written image by image.

`.npy` has the array (n, ...) alone; `.npz` has `features` (n, ...), `paths` (n,) and `errors` (n,), which are empty
where all is well. An image that could not be read is a row of NaN.
"""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.output import whole_file

HEADER = 256

Add: TypeAlias = Callable[[str, NDArray[np.float32] | None, str], None]


@contextmanager
def feature_file(path: Path) -> Iterator[Add]:
    """What takes each image's path, features (None if there are none) and error. The file appears at the end."""
    with whole_file(path) as file:
        if path.suffix.lower() == ".npy":
            rows = Rows(file)
            yield lambda name, row, error: rows.add(row)
            rows.finish()
            return
        folder = path.resolve().parent
        with (
            tempfile.TemporaryFile(dir=folder) as data,
            tempfile.TemporaryFile(dir=folder) as names,
            tempfile.TemporaryFile(dir=folder) as errors,
        ):
            rows, paths, reasons = Rows(data), Texts(names), Texts(errors)

            def add(name: str, row: NDArray[np.float32] | None, error: str) -> None:
                rows.add(row)
                paths.add(name)
                reasons.add(error)

            yield add
            members: tuple[tuple[str, Rows | Texts], ...] = ("features", rows), ("paths", paths), ("errors", reasons)
            with zipfile.ZipFile(file, "w") as archive:
                for member, content in members:
                    with archive.open(f"{member}.npy", "w", force_zip64=True) as target:
                        content.copy_to(target)


class Rows:
    """An array (n, ...) of float32 whose rows come one by one; the first that is there says their shape."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._shape: tuple[int, ...] | None = None
        self._rows = self._missing = 0
        file.write(bytes(HEADER))

    def add(self, row: NDArray[np.float32] | None) -> None:
        self._rows += 1
        if row is None and self._shape is None:
            self._missing += 1
            return
        if self._shape is None and row is not None:
            self._shape = row.shape
            for _ in range(self._missing):
                self._write(None)
        self._write(row)

    def _write(self, row: NDArray[np.float32] | None) -> None:
        shape = self._shape or ()
        self._file.write(np.ascontiguousarray(np.full(shape, np.nan) if row is None else row, "<f4").tobytes())

    def finish(self) -> None:
        """Write the header, now that the number of rows is known."""
        shape = (self._rows, *(self._shape if self._shape is not None else (0,)))
        self._file.seek(0)
        self._file.write(header("<f4", shape))

    def copy_to(self, target: IO[bytes]) -> None:
        self.finish()
        self._file.seek(0)
        shutil.copyfileobj(self._file, target, 1 << 20)


class Texts:
    """An array (n,) of texts of any length, which are JSON lines until the longest is known."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._rows, self._longest = 0, 1

    def add(self, text: str) -> None:
        self._rows += 1
        self._longest = max(self._longest, len(text))
        self._file.write(json.dumps(text).encode() + b"\n")

    def copy_to(self, target: IO[bytes]) -> None:
        target.write(header(f"<U{self._longest}", (self._rows,)))
        self._file.seek(0)
        for line in self._file:
            target.write(json.loads(line).ljust(self._longest, "\0").encode("utf-32-le", "surrogatepass"))


def header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """The first 256 bytes of a `.npy`. Source: NumPy Enhancement Proposal 1, format version 1."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape!r}, }}"
    length = HEADER - 10
    return b"\x93NUMPY\1\0" + length.to_bytes(2, "little") + text.ljust(length - 1).encode() + b"\n"
