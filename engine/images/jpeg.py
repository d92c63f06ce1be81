"""JPEG by simplejpeg (the extra `fast`), several times as quick as Pillow, where it gives the same pixels."""

from functools import cache
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import features

START = b"\xff\xd8\xff"
COLOURS = {"Gray": "GRAY", "YCbCr": "RGB", "RGB": "RGB"}


def decode_jpeg(file: BinaryIO, max_pixels: int) -> NDArray[np.uint8] | None:
    """(h, w, 1 or 3) from a JPEG; None, with `file` at its start again, for whatever is better left to Pillow.

    That is everything damaged, with inks for colours or of more than `max_pixels`. Pillow and simplejpeg both decode
    with libjpeg-turbo and its defaults, hence alike; a Pillow with another library has no such twin.
    """
    simplejpeg = _library()
    if simplejpeg is not None and file.read(len(START)) == START:
        data = START + file.read()
        try:
            height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
            if colours in COLOURS and height * width <= max_pixels:
                pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, COLOURS[colours])
                return pixels
        except ValueError:
            pass
    file.seek(0)
    return None


@cache
def _library() -> Any:
    if not features.check_feature("libjpeg_turbo"):
        return None
    try:
        import simplejpeg
    except ImportError:
        return None
    return simplejpeg
