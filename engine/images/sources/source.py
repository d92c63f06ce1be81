"""One image to be classified: what records call it, and where its pixels come from."""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from engine.errors import ImageError
from engine.images.files import SUFFIXES

MAX_MEMBER = 256 << 20
MAX_RATIO = 200
SMALL = 256 << 20


class Encoded(io.BytesIO):
    """The bytes of an image file that is not on disk by itself; `name` is what errors call it."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """`name` is unique in a run unless something is named twice. `size` is the bytes that it holds in memory."""

    name: str
    picture: Path | Encoded | NDArray[Any] | ImageError
    size: int = 0

    @classmethod
    def failed(cls, name: str, reason: str) -> "Source":
        """What takes the place of an image that cannot be had."""
        return cls(name, ImageError(f"{name}: {' '.join(reason.split())}"))

    @classmethod
    def encoded(cls, name: str, data: bytes) -> "Source":
        """An image file in memory."""
        return cls(name, Encoded(data, name), len(data))


class BadArchiveError(Exception):
    """An archive that cannot be read on; the text is the reason."""


class MemberError(Exception):
    """A member of an archive that cannot be unpacked; the text is the reason."""


class Budget:
    """What an archive of `packed` bytes may unpack to in all: 256 MiB, or 200 times its size if that is more."""

    def __init__(self, packed: int) -> None:
        self._packed = packed
        self._left = max(SMALL, MAX_RATIO * packed)

    def spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise BadArchiveError(
                f"unpacks to more than {MAX_RATIO} times its {self._packed:,} bytes; the rest is not read"
            )


class Names:
    """Tells which names come again, holding a few bytes of each."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def is_new(self, name: str) -> bool:
        mark = hash(name)
        known = mark in self._seen
        self._seen.add(mark)
        return not known


def is_image_name(name: str) -> bool:
    """Whether a folder or an archive offers a file of this name: an image's suffix, and nothing hidden on the way."""
    hidden = any(part.startswith(".") and part not in (".", "..") for part in name.split("/"))
    return not hidden and os.path.splitext(name)[1].lower() in SUFFIXES
