"""Images in NumPy's files: `.npy` with one image or a batch, `.npz` with such arrays. Read one image at a time.

A batch is (n, h, w) or (n, h, w, 1 or 3 or 4), one image (h, w) or (h, w, 1 or 3 or 4); nothing is ever unpickled.
Source of the format: NumPy Enhancement Proposal 1.
"""

import io
import struct
from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.images.decode import MAX_PIXELS
from engine.images.files import open_regular
from engine.images.sources.source import BadArchiveError, MemberError, Names, Source
from engine.images.sources.zipped import content, entries

CHANNELS = (1, 3, 4)
PIECE = 1 << 20


class Readable(Protocol):
    """A file, or a member of an archive."""

    def read(self, count: int, /) -> bytes: ...


Open = Callable[[], Readable]


class Header(NamedTuple):
    """What a `.npy` says of its array: as many images of one shape, or a single one."""

    dtype: np.dtype[Any]
    images: int
    shape: tuple[int, ...]
    is_batch: bool


def array_sources(path: Path) -> Iterator[Source]:
    """Every image of the file; what is wrong with one or all is a failed source."""
    try:
        with open_regular(path) as file:
            if path.suffix.lower() == ".npz":
                yield from _npz(file, path)
            else:

                def start() -> Readable:
                    file.seek(0)
                    return file

                yield from _images(start, str(path))
    except (BadArchiveError, MemberError) as error:
        yield Source.failed(str(path), str(error))
    except OSError as error:
        yield Source.failed(str(path), error.strerror or str(error))


def _npz(file: Any, path: Path) -> Iterator[Source]:
    """The arrays of three or four dimensions; labels and the like are passed over."""
    found, names = False, Names()
    for entry in entries(file):
        if not entry.name.endswith(".npy") or not names.is_new(entry.name):
            continue
        name = f"{path}/{entry.name.removesuffix('.npy')}"
        try:
            if len(_declared(content(file, entry))[1]) in (3, 4):
                found = True
                yield from _images(partial(content, file, entry), name)
        except MemberError as error:
            found = True
            yield Source.failed(name, str(error))
    if not found:
        yield Source.failed(str(path), "no array of images (n, h, w) or (n, h, w, channels)")


def _images(start: Open, name: str) -> Iterator[Source]:
    """The images of one array. Raises MemberError before the first, and a failed source ends it after."""
    header = _header(start())
    full = _full(start, header) if header.dtype.kind == "f" else 0.0
    file = start()
    _declared(file)
    size = prod(header.shape) * header.dtype.itemsize
    for i in range(header.images):
        label = f"{name}[{i}]" if header.is_batch else name
        try:
            data = file.read(size)
        except MemberError as error:
            yield Source.failed(label, str(error))
            return
        if len(data) != size:
            yield Source.failed(label, f"the array ends here, {header.images - i:,} images before it should")
            return
        yield Source(label, _pixels(data, header, full), size)
    try:
        file.read(1)
    except MemberError as error:
        yield Source.failed(name, str(error))


def _pixels(data: bytes, header: Header, full: float) -> NDArray[Any]:
    """An image of floats that is dark in a batch of 0 to 255 must not be taken for one of 0 to 1."""
    pixels = np.frombuffer(data, header.dtype).reshape(header.shape).astype(header.dtype.newbyteorder("="), copy=False)
    return pixels.astype(np.float64) / 255 if full > 1 and pixels.max() <= 1 else pixels


def _full(start: Open, header: Header) -> float:
    """The largest number of the whole array, by which its scale is known."""
    file = start()
    _declared(file)
    left = header.images * prod(header.shape) * header.dtype.itemsize
    largest = 0.0
    while left and (data := file.read(min(left, PIECE - PIECE % header.dtype.itemsize))):
        left -= len(data)
        whole = np.frombuffer(data[: len(data) - len(data) % header.dtype.itemsize], header.dtype)
        largest = float(np.fmax.reduce(whole, initial=largest))
    return largest


def _header(file: Readable) -> Header:
    dtype, shape = _declared(file)
    if dtype.kind != "f" and dtype.newbyteorder("=") not in (np.uint8, np.uint16):
        raise MemberError(f"an array of images is of uint8, uint16 or float, not {dtype}")
    single = len(shape) == 2 or (len(shape) == 3 and shape[2] in CHANNELS)
    batch = (len(shape) == 3 and not single) or (len(shape) == 4 and shape[3] in CHANNELS)
    if not single and not batch:
        raise MemberError(f"an array of images has the shape (n, h, w) or (n, h, w, 1, 3 or 4), not {shape}")
    image = shape[1:] if batch else shape
    if not 0 < image[0] * image[1] <= MAX_PIXELS:
        raise MemberError(f"images of {image[1]} × {image[0]} pixels; 1 to {MAX_PIXELS:,} are read")
    return Header(dtype, shape[0] if batch else 1, image, batch)


def _declared(file: Readable) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Type and shape of a `.npy`, of which `file` is at the start and then at the data. Raises MemberError."""
    magic = file.read(8)
    if len(magic) < 8 or magic[:6] != b"\x93NUMPY" or magic[6] not in (1, 2):
        raise MemberError("not an array in NumPy's format 1 or 2")
    form = "<H" if magic[6] == 1 else "<I"
    prefix = file.read(struct.calcsize(form))
    length = struct.unpack(form, prefix)[0] if len(prefix) == struct.calcsize(form) else 0
    text = file.read(min(length, 1 << 16))
    read = np.lib.format.read_array_header_1_0 if magic[6] == 1 else np.lib.format.read_array_header_2_0
    try:
        shape, fortran, dtype = read(io.BytesIO(prefix + text))
    except Exception:
        raise MemberError("a damaged array: its header cannot be read") from None
    if fortran and len(shape) > 1:
        raise MemberError("the array is in Fortran's order; write np.ascontiguousarray(x)")
    if min(shape, default=0) < 0 or prod(shape) * dtype.itemsize >= 1 << 63:
        raise MemberError("a damaged array: its shape cannot be right")
    return dtype, tuple(shape)
