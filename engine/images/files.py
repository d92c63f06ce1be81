"""Find image files in folders, and open files without ever waiting on a pipe or a device."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

SUFFIXES = frozenset({".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading; raise OSError for anything else, at once."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(0, "is a folder" if stat.S_ISDIR(mode) else "not a regular file", os.fspath(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def find_images(paths: Iterable[Path], recursive: bool = True) -> Iterator[Path]:
    """Files as they are named; of folders every file with an image's suffix, in sorted order, depth first.

    Without `recursive`, only those right in the folder.
    Names that start with a dot are skipped, and so is a link to a folder that one is already in. A folder that
    cannot be listed is given as if it were a file, so that reading it tells why.
    """
    for path in paths:
        if path.is_dir():
            yield from _walk(path, recursive)
        else:
            yield path


def _walk(root: Path, recursive: bool) -> Iterator[Path]:
    """Keeps names, not paths: a folder may hold a million files."""
    levels: list[tuple[Path, tuple[int, int], Iterator[tuple[str, bool]]]] = []
    unread = [root]
    while unread or levels:
        if unread:
            folder = unread.pop()
            try:
                status = folder.stat()
                identity = (status.st_dev, status.st_ino)
                if identity not in (level[1] for level in levels):
                    levels.append((folder, identity, iter(_entries(folder))))
            except OSError:
                yield folder
            continue
        folder, _, entries = levels[-1]
        name, is_folder = next(entries, ("", False))
        if not name:
            levels.pop()
        elif not is_folder:
            yield folder / name
        elif recursive:
            unread.append(folder / name)


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """Sorted (name, is a folder) of the subfolders and images in `folder`."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            is_folder = os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()
            if not entry.name.startswith(".") and (is_folder or os.path.splitext(entry.name)[1].lower() in SUFFIXES):
                found.append((entry.name, is_folder))
    return sorted(found)
