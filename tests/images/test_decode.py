"""Decoding: every source, every kind of pixel, and every way in which bytes can be wrong."""

import io
import logging
import os
import random
import struct
import warnings
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, ImageOps

from engine.errors import ImageError, InputError
from engine.images.decode import MAX_PIXELS, decode

RNG = np.random.default_rng(7)
COLOUR = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (6, 5), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff(width: int, height: int, bits: int, rows: bytes) -> bytes:
    """A little-endian grey TIFF of one strip."""
    tags = [
        (256, 3, width),
        (257, 3, height),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, height),
        (279, 4, len(rows)),
    ]
    rows += b"\0" * (len(rows) % 2)
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(rows)) + rows + struct.pack("<H", len(tags)) + entries + b"\0" * 4


def png_header(width: int, height: int) -> bytes:
    """A one-bit PNG that promises its pixels and holds hardly any."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "GIF"])
def test_lossless_kinds_give_their_pixels(kind: str) -> None:
    options = {"WEBP": {"lossless": True}}.get(kind, {})
    pixels = decode(encoded(Image.fromarray(GREY), kind, **options), 1)
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, GREY[..., None])


def test_jpeg_gives_what_pillow_decodes() -> None:
    data = encoded(Image.fromarray(COLOUR), "JPEG", quality=90)
    assert np.array_equal(decode(data, 3), np.asarray(Image.open(io.BytesIO(data))))


def test_all_sources_agree(tmp_path: Path) -> None:
    image = Image.fromarray(COLOUR)
    data = encoded(image)
    path = tmp_path / "image.of.no.known.suffix"
    path.write_bytes(data)
    rewound, exhausted = io.BytesIO(data), io.BytesIO(data)
    exhausted.read()
    with open(path, "rb") as file:
        for source in (
            path,
            str(path),
            data,
            bytearray(data),
            memoryview(data),
            rewound,
            exhausted,
            file,
            image,
            COLOUR,
        ):
            assert np.array_equal(decode(source, 3), COLOUR), source


def test_grey_becomes_colour() -> None:
    expected = np.stack([GREY] * 3, axis=2)
    assert np.array_equal(decode(encoded(Image.fromarray(GREY)), 3), expected)
    assert np.array_equal(decode(GREY, 3), expected)


def test_colour_becomes_grey_as_in_bt601() -> None:
    primaries = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    expected = [[[76], [150], [29], [255]]]
    assert decode(primaries, 1).tolist() == expected
    assert decode(encoded(Image.fromarray(primaries)), 1).tolist() == expected


def test_arrays_become_grey_as_files_do() -> None:
    colours = RNG.integers(0, 256, (200, 200, 3), dtype=np.uint8)
    assert np.array_equal(decode(colours, 1), decode(encoded(Image.fromarray(colours)), 1))


@pytest.mark.parametrize("channels", [1, 3])
def test_alpha_is_dropped_not_composited(channels: int) -> None:
    with_alpha = np.concatenate([COLOUR, RNG.integers(0, 2, (6, 5, 1), dtype=np.uint8)], axis=2)
    expected = decode(COLOUR, channels)
    for source in (with_alpha, Image.fromarray(with_alpha), encoded(Image.fromarray(with_alpha))):
        assert np.array_equal(decode(source, channels), expected)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_modes_convert_as_pillow_does(mode: str, channels: int) -> None:
    image = Image.new("RGB", (5, 6))
    image.putdata([tuple(pixel) for pixel in COLOUR.reshape(-1, 3).tolist()])
    image = image.convert("P").convert("PA") if mode == "PA" else image.convert(mode)
    expected = np.asarray(image.convert({1: "L", 3: "RGB"}[channels])).reshape(6, 5, channels)
    assert np.array_equal(decode(image, channels), expected)


def test_lab_has_colours_but_no_grey() -> None:
    image = Image.fromarray(COLOUR).convert("LAB")
    assert np.array_equal(decode(image, 3), np.asarray(image.convert("RGB")))
    with pytest.raises(ImageError):
        decode(image, 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("transparency", [0, bytes(range(256))], ids=["one", "many"])
def test_transparent_palettes_keep_their_colours_without_a_warning(transparency: int | bytes, channels: int) -> None:
    image = Image.fromarray(COLOUR).convert("P")
    data = encoded(image, transparency=transparency)
    assert "transparency" in Image.open(io.BytesIO(data)).info
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels = decode(data, channels)
    assert np.array_equal(pixels, decode(image, channels))


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    deep = np.array([[0, 257, 1000], [32896, 65278, 65535]], np.uint16)
    expected = deep[..., None] / 257
    for source in (deep, Image.fromarray(deep), encoded(Image.fromarray(deep)), tiff(3, 2, 16, deep.tobytes())):
        pixels = decode(source, 1)
        assert pixels.dtype == np.float32
        np.testing.assert_allclose(pixels, expected, rtol=1e-6)
    assert decode(deep, 3).shape == (2, 3, 3)


def test_twelve_bits_are_scaled_by_their_own_range() -> None:
    pixels = decode(tiff(2, 1, 12, bytes([0xFF, 0xF8, 0x00])), 1)
    np.testing.assert_allclose(pixels[0, :, 0], [255, 2048 / 4095 * 255], rtol=1e-6)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_without_a_range_are_refused(mode: str) -> None:
    with pytest.raises(ImageError, match="no defined range"):
        decode(encoded(Image.new(mode, (3, 3)), "TIFF"), 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(10))
def test_exif_orientation_is_ignored_unless_asked_for(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = encoded(Image.fromarray(COLOUR), kind, exif=exif)
    image = Image.open(io.BytesIO(data))
    assert np.array_equal(decode(data, 3), np.asarray(image.convert("RGB")))
    upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    for source in (data, image):
        turned = decode(source, 3, exif=True)
        assert turned.flags.c_contiguous
        assert np.array_equal(turned, upright)


def test_arrays_have_no_orientation() -> None:
    assert np.array_equal(decode(COLOUR, 3, exif=True), COLOUR)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("junk", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03"])
def test_damaged_exif_is_no_crash(junk: bytes) -> None:
    data = encoded(Image.fromarray(COLOUR), "JPEG", exif=b"Exif\0\0" + junk)
    assert np.array_equal(decode(data, 3), decode(data, 3, exif=False))
    with suppress(ImageError):
        assert decode(data, 3, exif=True).size == COLOUR.size


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_the_first_frame_is_taken(kind: str) -> None:
    first, second = Image.new("L", (4, 4), 10), Image.new("L", (4, 4), 200)
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(first, kind, save_all=True, append_images=[second], **options)
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 2
    assert np.array_equal(decode(data, 1), np.full((4, 4, 1), 10))


@pytest.mark.parametrize(
    ("array", "factor"),
    [
        (GREY.astype(np.float32), 1),
        (GREY.astype(np.float64), 1),
        (GREY.astype(">f4"), 1),
        (np.asfortranarray(GREY.astype(np.float32)), 1),
        (GREY / 255, 255),
        (np.zeros((3, 3)), 1),
    ],
    ids=["float32", "float64", "big-endian", "fortran", "to-one", "black"],
)
def test_float_arrays_hold_255_or_1_at_most(array: NDArray[Any], factor: float) -> None:
    pixels = decode(array, 1)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels[..., 0], array * factor, rtol=1e-6)


@pytest.mark.parametrize(
    "array",
    [
        GREY.astype(np.int64),
        GREY > 9,
        GREY.astype(complex),
        GREY.astype(object),
        GREY - 300.0,
        GREY + 1e3,
        np.full((3, 3), np.nan),
        np.full((3, 3), np.inf),
        np.zeros((0, 5)),
        np.zeros((5, 5, 2)),
        np.zeros((1, 5, 5, 3)),
        np.zeros(5),
    ],
    ids=lambda array: f"{array.dtype}-{array.shape}",
)
def test_other_arrays_are_refused(array: NDArray[Any]) -> None:
    with pytest.raises(InputError) as caught:
        decode(array, 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("thing", [None, 3, [[1, 2], [3, 4]]])
def test_things_that_are_no_image_are_refused(thing: Any) -> None:
    with pytest.raises(InputError, match=type(thing).__name__):
        decode(thing, 1)


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"hello", b"<html>404</html>", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\xff\xd8\xff\xe0", b"RIFF"]
)
def test_bytes_of_no_image_are_an_image_error(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    for source in (data, path):
        with pytest.raises(ImageError) as caught:
            decode(source, 1)
        assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("kind", ["PPM", "PCX", "TGA", "ICO", "EPS", "PDF", "JPEG2000"])
def test_other_formats_are_refused(kind: str) -> None:
    with pytest.raises(ImageError, match="not an image"):
        decode(encoded(Image.new("RGB", (20, 20)), kind), 3)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("kind", "size"), [("PNG", 400), ("JPEG", 400), ("WEBP", 400), ("BMP", 40), ("TIFF", 40)])
def test_truncated_files_are_an_image_error(kind: str, size: int) -> None:
    noise = Image.fromarray(RNG.integers(0, 256, (size, size), dtype=np.uint8))
    data = encoded(noise, kind)
    for twentieth in range(19):
        with pytest.raises(ImageError):
            decode(data[: len(data) * twentieth // 20], 1)


KINDS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
BASES = [encoded(Image.fromarray(COLOUR).resize((32, 32)), kind) for kind in KINDS]


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BASES), st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8))
def test_changed_bytes_give_pixels_or_an_image_error(data: bytes, changes: list[tuple[float, int]]) -> None:
    changed = bytearray(data)
    for place, value in changes:
        changed[int(place * len(data))] = value
    with suppress(ImageError):
        pixels = decode(bytes(changed), 3)
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(60000, 60000), (1, 100_000_000), (8001, 8000)])
def test_too_many_pixels_are_refused_before_decoding(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Image.Image] = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", loaded.append)
    assert size[0] * size[1] > MAX_PIXELS
    with pytest.raises(ImageError):
        decode(png_header(*size), 1)
    assert not loaded


def test_the_limit_is_named() -> None:
    with pytest.raises(ImageError, match="8001 × 8000 pixels are more than 64,000,000"):
        decode(png_header(8001, 8000), 1)


def test_missing_file_and_folder_and_url(tmp_path: Path) -> None:
    for path, reason in [
        (tmp_path / "none.png", "No such file"),
        (tmp_path, "is a folder"),
        ("https://example.org/a.png", "No such file"),
        ("a\0b.png", "null"),
    ]:
        with pytest.raises(ImageError, match=reason):
            decode(path, 1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("/dev/zero")
    for name in ("a.png", "b.png"):
        with pytest.raises(ImageError, match="not a regular file"):
            decode(tmp_path / name, 1)


def test_nothing_of_the_host_changes() -> None:
    image = Image.fromarray(COLOUR).convert("P")
    image.info["transparency"] = 3

    def state() -> tuple[Any, ...]:
        root = logging.getLogger()
        host = list(warnings.filters), root.level, list(root.handlers), random.getstate(), repr(np.random.get_state())
        return Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, dict(image.info), *host

    before = state()
    decode(image, 3)
    decode(encoded(Image.fromarray(COLOUR)), 1)
    decode(encoded(Image.fromarray(COLOUR), "JPEG"), 1, exif=True)
    with pytest.raises(ImageError):
        decode(encoded(Image.fromarray(COLOUR))[:60], 1)
    assert state() == before
    image.load()


def test_the_caller_keeps_its_file_and_image_open() -> None:
    file = io.BytesIO(encoded(Image.fromarray(COLOUR)))
    decode(file, 3)
    assert not file.closed
    image = Image.open(file)
    decode(image, 3)
    assert image.getpixel((0, 0)) == tuple(COLOUR[0, 0])
