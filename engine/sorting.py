"""Images put into folders by what they show: copied, linked or moved, and nothing overwritten."""

import errno
import filecmp
import io
import os
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from engine.errors import ImageError, InputError
from engine.images.files import open_regular
from engine.images.sources import STDIN, Source
from engine.images.sources.source import Encoded

WAYS = ("copy", "link", "move")
LONGEST = 100
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class Sorter:
    """Puts images into a folder of their class below `directory`. `way` is copy, link (symbolic) or move.

    Folders are named after the classes, without what a path or a file system would take for more than a name. An
    image whose name is taken gets a number; one whose copy or link is there already is left.
    """

    def __init__(self, directory: Path, way: str, classes: Sequence[str]) -> None:
        self._directory, self._way = directory, way
        self._folders = folder_names(classes)
        self._taken: Counter[Path] = Counter()

    def place(self, source: Source, index: int) -> None:
        """Put the image into the folder of class `index`. Raises InputError, OSError, or ImageError if it is gone."""
        folder = self._directory / self._folders[index]
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / safe_name("stdin" if source.name == STDIN else re.split(r"[/\\]", source.name)[-1])
        if isinstance(source.picture, Encoded) and self._way == "copy":
            self._copy(io.BytesIO(source.picture.getvalue()), target)
        elif isinstance(source.picture, Path):
            self._place_file(source.picture, target)
        else:
            raise InputError(f"{source.name}: is no file by itself, which --sort-into could {self._way}")

    def _place_file(self, path: Path, target: Path) -> None:
        try:
            if self._way == "link":
                self._link(path, target)
            elif self._way == "move":
                self._move(path, target)
            else:
                with open_regular(path) as file:
                    self._copy(file, target)
        except FileNotFoundError as error:
            if os.path.lexists(path):
                raise
            raise ImageError(f"{path}: vanished before it could be sorted") from error

    def _copy(self, file: BinaryIO, target: Path) -> None:
        temporary = target.with_name(f".infer-{os.urandom(8).hex()}")
        try:
            with open(temporary, "xb") as copy:
                shutil.copyfileobj(file, copy)
            self._claim(
                target,
                lambda name: _hand_over(temporary, name),
                lambda name: filecmp.cmp(temporary, name, shallow=False),
            )
        finally:
            temporary.unlink(missing_ok=True)

    def _link(self, path: Path, target: Path) -> None:
        absolute = os.path.abspath(path)
        self._claim(
            target,
            lambda name: os.symlink(absolute, name),
            lambda name: name.is_symlink() and os.readlink(name) == absolute,
        )

    def _move(self, path: Path, target: Path) -> None:
        try:
            if path.is_symlink():
                raise OSError(errno.EXDEV, "a link is copied")
            self._claim(target, lambda name: _hand_over(path, name), lambda name: False)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with open_regular(path) as file:
                self._copy(file, target)
        path.unlink(missing_ok=True)

    def _claim(self, target: Path, make: Callable[[Path], None], is_made: Callable[[Path], bool]) -> None:
        """`make` the target under the first name that is free, unless one of the names is what would be made."""
        while True:
            self._taken[target] += 1
            number = self._taken[target]
            name = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
            try:
                make(name)
                return
            except FileExistsError:
                if is_made(name):
                    return
            except OSError:
                self._taken[target] -= 1
                raise


def _hand_over(path: Path, name: Path) -> None:
    """Give a file another name; raise FileExistsError, never overwrite."""
    try:
        os.link(path, name)
        path.unlink()
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise
        if os.path.lexists(name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(name)) from None
        os.rename(path, name)


def folder_names(classes: Sequence[str]) -> tuple[str, ...]:
    """A folder for each label, different also where a file system ignores case and the spelling of accents."""
    folders: dict[str, str] = {}
    seen: set[str] = set()
    for index, label in enumerate(classes):
        if label not in folders:
            name = safe_name(label)
            while _folded(name) in seen:
                name = f"{name}-{index}"
            seen.add(_folded(name))
            folders[label] = name
    return tuple(folders[label] for label in classes)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def safe_name(text: str) -> str:
    """`text` as one name that every file system takes: no separators, no dots in front, no more than 100 bytes."""
    name = _UNSAFE.sub("_", text).strip().rstrip(".")
    name = "_" + name.lstrip(".") if name.startswith(".") or not name else name
    name = f"_{name}" if _RESERVED.fullmatch(name) else name
    stem, suffix = os.path.splitext(name)
    suffix = suffix if len(suffix) <= 10 else ""
    stem = stem if suffix else name
    room = LONGEST - len(suffix.encode())
    return (
        stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .") + suffix if len(name.encode()) > LONGEST else name
    )
