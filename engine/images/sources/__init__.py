"""Where images come from: files, folders, patterns, lists of paths, standard input, archives and arrays."""

import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from engine.images.files import find_images
from engine.images.sources.source import MAX_MEMBER, Source

STDIN = "-"
ARRAYS = (".npy", ".npz")
ZIPS = (".zip",)
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MANY = ARRAYS + ZIPS + TARS
"""Suffixes of files of many images."""

Reader = Callable[[Path], Iterator[Source]]


def sources(arguments: Iterable[str], recursive: bool = True) -> Iterator[Source]:
    """The images that the arguments name, in their order: paths, patterns where no such file is, `-` for stdin."""
    for argument in arguments:
        if argument == STDIN:
            yield _standard_input()
        else:
            yield from sources_of_paths(matches(argument) or [argument], recursive)


def sources_of_paths(paths: Iterable[str], recursive: bool = True) -> Iterator[Source]:
    """The images of files, folders, archives and arrays; a path that is nothing is a failed source."""
    for path in map(Path, paths):
        if reader := _reader(path):
            yield from reader(path)
        else:
            for found in find_images([path], recursive):
                yield Source(str(found), found)


def count_images(arguments: Iterable[str], recursive: bool = True) -> int | None:
    """How many images there will be, None if only reading an archive or an array would tell."""
    count = 0
    for argument in arguments:
        paths = [Path(path) for path in matches(argument) or [argument]]
        if any(_reader(path) for path in paths):
            return None
        count += sum(1 for _ in find_images(paths, recursive))
    return count


def matches(argument: str) -> list[str]:
    """The sorted paths that a pattern stands for; none if `argument` is a path that exists, or no pattern."""
    if os.path.lexists(argument) or not glob.has_magic(argument):
        return []
    return sorted(glob.glob(argument, recursive=True))


def _reader(path: Path) -> Reader | None:
    """What reads a file of many images, by its suffix."""
    lower = path.name.lower()
    if not lower.endswith(MANY) or path.is_dir():
        return None
    if lower.endswith(ARRAYS):
        from engine.images.sources.arrays import array_sources

        return array_sources
    if lower.endswith(ZIPS):
        from engine.images.sources.zipped import zip_sources

        return zip_sources
    from engine.images.sources.tarred import tar_sources

    return tar_sources


def _standard_input() -> Source:
    if sys.stdin is None:
        return Source.failed(STDIN, "standard input is closed")
    data = sys.stdin.buffer.read(MAX_MEMBER + 1)
    if len(data) > MAX_MEMBER:
        return Source.failed(STDIN, f"more than {MAX_MEMBER:,} bytes")
    return Source.encoded(STDIN, data)


__all__ = ["STDIN", "Source", "count_images", "matches", "sources", "sources_of_paths"]
