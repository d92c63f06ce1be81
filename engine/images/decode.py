"""Decode one picture, whatever it comes as, into pixels between 0 and 255."""

import io
import os
from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import (
    ExifTags,
    Image,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401  registers WEBP; Pillow would import all of its plugins to find it
)

from engine.errors import ImageError, InputError
from engine.images.files import open_regular
from engine.images.jpeg import decode_jpeg

Pixels: TypeAlias = NDArray[Any]
Picture: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | NDArray[Any]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MODES = {1: "L", 3: "RGB"}
TURNS: Mapping[int, Callable[[Pixels], Pixels]] = MappingProxyType(
    {
        2: lambda pixels: pixels[:, ::-1],
        3: lambda pixels: pixels[::-1, ::-1],
        4: lambda pixels: pixels[::-1],
        5: lambda pixels: pixels.swapaxes(0, 1),
        6: lambda pixels: pixels[::-1].swapaxes(0, 1),
        7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
        8: lambda pixels: pixels[:, ::-1].swapaxes(0, 1),
    }
)
"""What sets an image upright, by its EXIF orientation."""
MAX_PIXELS = 64_000_000
MAX_BYTES = 512 << 20


def decode(picture: Picture, channels: int, exif: bool = False) -> Pixels:
    """`picture` → (h, w, channels): 0 to 255, uint8 or, where the source is finer than that, float32.

    A path, encoded bytes, a binary file object, a Pillow image, or an array (h, w) or (h, w, 1, 3 or 4) of
    uint8, uint16 or float. A float array holds 0 to 255, or 0 to 1 if none of its values is above 1.
    As in Keras, alpha is dropped without compositing, colour profiles are ignored, and so is EXIF orientation unless
    `exif` is set; of several frames the first is taken. Sixteen-bit grey is scaled, not clipped.
    Raises ImageError for a picture that cannot be read, InputError for something that is none.
    """
    if isinstance(picture, np.ndarray):
        return _with_channels(_array_pixels(picture), channels)
    name = _name(picture)
    try:
        if isinstance(picture, Image.Image):
            return _image_pixels(picture.copy(), channels, exif)
        with _open(picture) as file:
            pixels = None if exif else decode_jpeg(file, MAX_PIXELS)
            return _file_pixels(file, channels, exif) if pixels is None else _with_channels(pixels, channels)
    except InputError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{name}: not an image ({', '.join(FORMATS)})") from None
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ImageError(f"{name}: {' '.join(reason.split()) or type(error).__name__}") from error


def _name(picture: object) -> str:
    if isinstance(picture, str | os.PathLike):
        return os.fspath(picture)
    name = getattr(picture, "filename", None) or getattr(picture, "name", None)
    return name if isinstance(name, str) else "image"


def _open(picture: Any) -> BinaryIO:
    if isinstance(picture, bytes | bytearray | memoryview):
        return io.BytesIO(picture)
    if isinstance(picture, str | os.PathLike):
        file = open_regular(picture)
        size = os.fstat(file.fileno()).st_size
    elif hasattr(picture, "read"):
        if picture.seekable():
            picture.seek(0)
        file = io.BytesIO(picture.read(MAX_BYTES + 1))
        size = file.getbuffer().nbytes
    else:
        kind = type(picture).__name__
        raise InputError(f"an image is a path, bytes, a binary file, a Pillow image or an array, not {kind}")
    if size > MAX_BYTES:
        file.close()
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    return file


def _file_pixels(file: BinaryIO, channels: int, exif: bool) -> Pixels:
    with Image.open(file, formats=FORMATS) as image:
        if prod(image.size) > MAX_PIXELS:
            raise ValueError(f"{image.width} × {image.height} pixels are more than {MAX_PIXELS:,}")
        image.load()
        return _image_pixels(image, channels, exif)


def _image_pixels(image: Image.Image, channels: int, exif: bool) -> Pixels:
    """Changes the `info` of `image`."""
    pixels = _as_stored(image, channels)
    turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1)) if exif else None
    return np.ascontiguousarray(turn(pixels)) if turn else pixels


def _as_stored(image: Image.Image, channels: int) -> Pixels:
    if 0 in image.size:
        raise ValueError("no pixels")
    if image.mode.startswith("I;16"):
        bits = getattr(image, "tag_v2", {}).get(TiffImagePlugin.BITSPERSAMPLE, (16,))[0]
        return _with_channels(_scaled(np.asarray(image)[..., None], 2**bits - 1), channels)
    if image.mode in ("I", "F"):
        raise ValueError("32-bit pixels have no defined range")
    image.info.pop("transparency", None)  # convert() warns about it, and keeps no alpha either way
    return np.asarray(image.convert(MODES[channels])).reshape(image.height, image.width, channels)


def _array_pixels(array: NDArray[Any]) -> Pixels:
    pixels = np.asarray(array)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or 0 in pixels.shape:
        raise InputError(f"an image array has the shape (h, w) or (h, w, 1, 3 or 4), not {array.shape}")
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    if pixels.dtype == np.uint16:
        return _scaled(pixels, 65535)
    if pixels.dtype.kind != "f":
        raise InputError(f"an image array is of uint8, uint16 or float, not {array.dtype}")
    low, high = float(pixels.min()), float(pixels.max())
    if not 0 <= low <= high <= 255:
        raise InputError(f"a float image array holds 0 to 255 or 0 to 1, not {low:g} to {high:g}")
    return _scaled(pixels, 1 if high <= 1 else 255)


def _scaled(pixels: NDArray[Any], full: int) -> NDArray[np.float32]:
    """`full` becomes 255."""
    return pixels.astype(np.float32) * np.float32(255) / np.float32(full)


def _with_channels(pixels: Pixels, channels: int) -> Pixels:
    """(h, w, 1, 3 or 4) → (h, w, channels); grey is Pillow's rounding of ITU-R BT.601."""
    pixels = pixels[..., :3]
    if pixels.shape[2] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    if pixels.dtype == np.uint8:
        return np.asarray(Image.fromarray(pixels).convert("L"))[..., None]
    return (pixels @ np.array([19595, 38470, 7471], np.float32) / np.float32(65536))[..., None]
