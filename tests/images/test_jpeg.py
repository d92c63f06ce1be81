"""JPEG by simplejpeg has Pillow's pixels, and what it cannot do is left to Pillow."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from engine.errors import ImageError
from engine.images import jpeg
from engine.images.decode import decode

pytest.importorskip("simplejpeg")
if not features.check_feature("libjpeg_turbo"):
    pytest.skip("this Pillow decodes without libjpeg-turbo", allow_module_level=True)

RNG = np.random.default_rng(11)
MOST = 10**6


@pytest.fixture
def pillow_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg, "_library", lambda: None)


def photo(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Smooth, with noise, so that no part of a decoder is idle."""
    coarse = Image.fromarray(RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)).resize((width, height), Image.BICUBIC)
    noisy = np.clip(np.asarray(coarse, np.int16) + RNG.integers(-20, 20, (height, width, 3)), 0, 255)
    return Image.fromarray(noisy.astype(np.uint8)).convert(mode)


def encoded(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def pillows(data: bytes, channels: int) -> np.ndarray:
    image = Image.open(io.BytesIO(data)).convert({1: "L", 3: "RGB"}[channels])
    return np.asarray(image).reshape(image.height, image.width, channels)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"quality": 30}, {"quality": 97, "progressive": True}, {"optimize": True}])
@pytest.mark.parametrize("sampling", [0, 1, 2])
@pytest.mark.parametrize("size", [(1, 1), (16, 16), (37, 53), (250, 131)])
def test_pillows_pixels(
    size: tuple[int, int], sampling: int, options: dict[str, Any], mode: str, channels: int
) -> None:
    data = encoded(photo(*size, mode), subsampling=sampling, **options)
    assert (jpeg.decode_jpeg(io.BytesIO(data), MOST) is None) is (mode == "CMYK")
    assert np.array_equal(decode(data, channels), pillows(data, channels))


def test_without_a_conversion_of_colours() -> None:
    data = encoded(photo(30, 20), keep_rgb=True)
    assert jpeg.decode_jpeg(io.BytesIO(data), MOST) is not None
    assert np.array_equal(decode(data, 3), pillows(data, 3))


def test_junk_behind_an_image_is_passed_over() -> None:
    data = encoded(photo(40, 30))
    assert np.array_equal(decode(data + b"\0junk" * 50, 3), decode(data, 3))


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", encoded(photo(60, 60))[:900]])
def test_what_is_left_to_pillow_is_left_whole(data: bytes) -> None:
    file = io.BytesIO(data)
    assert jpeg.decode_jpeg(file, MOST) is None
    assert file.read() == data


def test_more_pixels_than_are_read_are_left_to_pillow() -> None:
    data = encoded(photo(60, 50))
    assert jpeg.decode_jpeg(io.BytesIO(data), 3000) is not None
    assert jpeg.decode_jpeg(io.BytesIO(data), 2999) is None


def test_damage_has_one_outcome_with_either(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = encoded(photo(64, 48))

    def outcome(data: bytes) -> bytes | str:
        try:
            return decode(data, 3).tobytes()
        except ImageError as error:
            return str(error)

    damaged = []
    for _ in range(150):
        data = bytearray(whole)
        data[int(RNG.integers(2, len(data)))] = int(RNG.integers(256))
        damaged.append(bytes(data[: int(RNG.integers(100, len(data) + 1))] if RNG.random() < 0.3 else data))
    fast = [outcome(data) for data in damaged]
    monkeypatch.setattr(jpeg, "_library", lambda: None)
    assert [outcome(data) for data in damaged] == fast


@pytest.mark.usefixtures("pillow_only")
def test_without_simplejpeg() -> None:
    data = encoded(photo(20, 10))
    assert jpeg.decode_jpeg(io.BytesIO(data), MOST) is None
    assert np.array_equal(decode(data, 3), pillows(data, 3))
