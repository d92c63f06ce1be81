"""Where a command's data goes: stdout, or a file that is written whole or not at all."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

Write: TypeAlias = Callable[[str], Any]


@contextmanager
def destination(path: Path | None, for_reading: bool) -> Iterator[Write]:
    """What writes text to `path`, or to stdout: UTF-8, with the undecodable bytes of file names restored.

    Text meant `for_reading` takes stdout's own encoding, and escapes what that does not have.
    """
    if path is None:
        with _standard_output(for_reading) as write:
            yield write
    else:
        with whole_file(path) as file:
            yield lambda text: file.write(text.encode("utf-8", "surrogateescape"))


@contextmanager
def _standard_output(for_reading: bool) -> Iterator[Write]:
    if sys.stdout is None:
        raise OSError(errno.EBADF, "is closed", "stdout")
    stream, live = sys.stdout.buffer, sys.stdout.isatty()
    encoding, errors = (sys.stdout.encoding, "backslashreplace") if for_reading else ("utf-8", "surrogateescape")

    def write(text: str) -> None:
        stream.write(text.encode(encoding, errors))
        if live:
            stream.flush()

    try:
        yield write
    finally:
        stream.flush()


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that appears at `path`, in place of what is there, when the block ends well."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with open(path, "wb") as file:
            yield file
        return
    temporary = target.with_name(f".infer-{os.urandom(8).hex()}")
    try:
        with open(temporary, "xb") as file:
            yield file
        os.replace(temporary, target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = os.fspath(path)
        raise


def discard_stdout_if_broken() -> None:
    """Let what stdout cannot take go nowhere: the interpreter would complain about it at its end."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
