"""A file of results that an interrupted run leaves behind, and a later one continues.

While results come in they are in `FILE.partial`, which becomes FILE when all are there; Parquet is JSON lines until
then.
"""

import errno
import logging
import os
import shutil
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from engine.errors import InputError
from engine.report.lines import safe_path
from engine.report.reading import whole_records
from engine.report.record import Layout

logger = logging.getLogger(__name__)


class Journal:
    """What one run writes. `found` counts the records of an earlier one that it continues, `failed` its errors."""

    def __init__(self, target: Path, format_name: str, layout: Layout) -> None:
        self._path = target
        self.target = Path(os.path.realpath(target))
        self.partial = self.target.with_name(f"{self.target.name}.partial")
        self.found = self.failed = 0
        self.resumed = False
        self._format, self._layout = format_name, layout
        self._done: Counter[int] = Counter()

    def is_done(self, path: str) -> bool:
        """Whether an earlier run has a record of this path; true as many times as it has."""
        mark = hash(safe_path(path) if self._format in ("csv", "tsv") else path)
        if not self._done[mark]:
            return False
        self._done[mark] -= 1
        return True

    @contextmanager
    def open(self, resume: bool) -> Iterator[BinaryIO]:
        """The file to write to. If the block fails, what was written stays in it; else it becomes the target."""
        try:
            with self._file(resume) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            self._finish()
        except OSError as error:
            if error.filename in (None, os.fspath(self.partial)):
                error.filename = os.fspath(self._path)
            raise

    @contextmanager
    def _file(self, resume: bool) -> Iterator[BinaryIO]:
        is_new = not self.partial.exists()
        file = _locked(self.partial)
        try:
            self._begin(file, resume, is_new)
            yield file
            file.close()
        except BaseException:
            with suppress(OSError):
                file.close()
            if is_new and not self._holds_new_records():
                self.partial.unlink(missing_ok=True)
            raise

    def _begin(self, file: BinaryIO, resume: bool, is_new: bool) -> None:
        if resume:
            if is_new and self.target.is_file():
                self._take_target(file)
            self._continue(file)
            return
        if not is_new:
            logger.warning("%s of an interrupted run is replaced; --resume would have continued it", self.partial)
        file.truncate(0)

    def _continue(self, file: BinaryIO) -> None:
        """Take up the records that are there, less what is cut off at the end."""
        whole = 0
        file.seek(0)
        for end, done in whole_records(file, self._format, self._layout, self.partial):
            whole = end
            if done:
                self._done[hash(done.path)] += 1
                self.found += 1
                self.failed += done.failed
        file.truncate(whole)
        file.seek(whole)
        self.resumed = whole > 0

    def _holds_new_records(self) -> bool:
        try:
            with open(self.partial, "rb") as file:
                records = whole_records(file, self._format, self._layout, self.partial)
                return sum(done is not None for _, done in records) > self.found
        except (OSError, InputError):
            return False

    def _take_target(self, file: BinaryIO) -> None:
        if self._format == "parquet":
            from engine.report.parquet import read_parquet

            read_parquet(self.target, file)
        else:
            with open(self.target, "rb") as finished:
                shutil.copyfileobj(finished, file)
        file.flush()

    def _finish(self) -> None:
        if self._format == "parquet":
            from engine.report.parquet import write_parquet

            whole = self.target.with_name(f"{self.partial.name}.parquet")
            try:
                with open(self.partial, "rb") as lines:
                    write_parquet(lines, whole, self._layout)
                os.replace(whole, self.target)
            finally:
                whole.unlink(missing_ok=True)
            self.partial.unlink()
        else:
            os.replace(self.partial, self.target)


def _locked(path: Path) -> BinaryIO:
    """A regular file to read and write, which no other run has open. Raises InputError or OSError."""
    flags = os.O_RDWR | os.O_CREAT
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):
        flags |= getattr(os, flag, 0)
    descriptor = os.open(path, flags, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", os.fspath(path))
        _lock(descriptor, path)
        return os.fdopen(descriptor, "r+b")
    except BaseException:
        os.close(descriptor)
        raise


def _lock(descriptor: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"{path}: another run is writing it") from None
    except OSError:
        logger.debug("%s: this file system has no locks", path)
